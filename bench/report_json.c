/* The report in JSON: every sample, and all that is known of the machine and the run. Part of report.h. */
#include "environment.h"
#include "report.h"
#include "support/json.h"

#include <math.h>

static void string_field(FILE *file, const char *key, const char *value)
{
    fprintf(file, "\"%s\": ", key);
    json_string(file, value);
    fputs(", ", file);
}

/* Writes null for NaN and infinity, which JSON does not have. */
static void number_field(FILE *file, const char *key, double value)
{
    fprintf(file, isfinite(value) ? "\"%s\": %.9g, " : "\"%s\": null, ", key, value);
}

static void write_environment(FILE *file)
{
    environment environment;
    environment_read(&environment);
    fputs("  \"environment\": {", file);
    string_field(file, "time", environment.time);
    string_field(file, "processor", environment.processor);
    string_field(file, "kernel", environment.kernel);
    string_field(file, "frequency_governor", environment.governor);
    string_field(file, "shared_memory_huge_pages", environment.huge_pages);
    number_field(file, "last_cache_bytes", (double)environment.last_cache);
    number_field(file, "memory_bytes", (double)environment.memory);
    number_field(file, "load", environment.load);
    fprintf(file, "\"processors\": %ld},\n", environment.processors);
}

static void write_devices(FILE *file, const session *session)
{
    fputs("  \"devices\": [", file);
    for (size_t i = 0; i < session->device_count; i++) {
        const clsoftmax_device *info = &session->devices[i].info;
        fputs(i > 0 ? ",\n    {" : "\n    {", file);
        string_field(file, "selector", info->selector);
        string_field(file, "name", info->name);
        string_field(file, "platform", info->platform);
        string_field(file, "driver", info->driver);
        fprintf(file, "\"compute_units\": %u}", info->compute_units);
    }
    fputs("],\n", file);
}

static void write_peers(FILE *file, const session *session)
{
    fputs("  \"peers\": [", file);
    for (size_t i = 0, written = 0; i < session->contenders->count; i++) {
        const contender *contender = &session->contenders->items[i];
        if (contender->kind != CONTENDER_PEER)
            continue;
        fputs(written++ > 0 ? ",\n    {" : "\n    {", file);
        string_field(file, "name", contender->name);
        fputs("\"version\": ", file);
        json_string(file, contender->detail);
        fputs("}", file);
    }
    fputs("],\n", file);
}

static void json_begin(FILE *file, const session *session)
{
    fputs("{\n  ", file);
    string_field(file, "version", clsoftmax_version());
    string_field(file, "commit", session->options->commit);
    string_field(file, "options", session->options->command);
    fprintf(file, "\"threads\": %u,\n", session->options->threads);
    write_environment(file);
    write_devices(file, session);
    write_peers(file, session);
    fputs("  \"workloads\": [", file);
}

static void write_samples(FILE *file, const samples *samples)
{
    fputs("\"seconds\": [", file);
    for (size_t i = 0; i < samples->count; i++)
        fprintf(file, "%s%.6g", i > 0 ? ", " : "", samples->seconds[i]);
    fputs("]}", file);
}

static void write_contender(FILE *file, const contender *contender, const contender_list *list)
{
    static const char *const kinds[] = {[CONTENDER_LIBRARY] = "library",
                                        [CONTENDER_END_TO_END] = "end-to-end",
                                        [CONTENDER_COPY] = "copy",
                                        [CONTENDER_PEER] = "peer"};
    figures figures = figures_of(contender, list);
    string_field(file, "kind", kinds[contender->kind]);
    string_field(file, "device", contender_device(contender));
    string_field(file, "name", contender->name);
    if (contender->kind == CONTENDER_LIBRARY || contender->kind == CONTENDER_END_TO_END)
        string_field(file, "accuracy", clsoftmax_accuracy_name(contender->accuracy));
    string_field(file, "detail", contender->detail);
    string_field(file, "note", contender->reason);
    number_field(file, "median_seconds", figures.time.median);
    number_field(file, "best_seconds", figures.time.best);
    number_field(file, "spread", figures.time.spread);
    number_field(file, "bytes_per_second", figures.bytes_per_second);
    number_field(file, "share_of_copy", figures.share);
    number_field(file, "rows_per_second", figures.rows_per_second);
    number_field(file, "ulp", contender->ulp);
    number_field(file, "build_seconds", contender->build_seconds);
    write_samples(file, &contender->samples);
}

static void json_add(FILE *file, const session *session)
{
    const workload *workload = session->workload;
    const clsoftmax_problem *problem = &workload->problem;
    fprintf(file, "%s\n    {\"rows\": %llu, \"classes\": %llu, \"axis\": %d, ", session->is_first ? "" : ",",
            (unsigned long long)workload->rows, (unsigned long long)problem->classes, workload->axis);
    string_field(file, "operation", clsoftmax_operation_name(problem->operation));
    string_field(file, "logits_dtype", clsoftmax_dtype_name(problem->logits_dtype));
    string_field(file, "results_dtype", clsoftmax_dtype_name(problem->results_dtype));
    number_field(file, "temperature", (double)workload->temperature);
    fprintf(file, "\"buffer_pairs\": %u, \"passes\": %u, \"contenders\": [", workload->slots, workload->passes);
    for (size_t i = 0; i < session->contenders->count; i++) {
        fputs(i > 0 ? ",\n      {" : "\n      {", file);
        write_contender(file, &session->contenders->items[i], session->contenders);
    }
    fputs("]}", file);
}

static void write_duels(FILE *file, const char *key, const duel *duels, size_t count)
{
    fprintf(file, "\"%s\": [", key);
    for (size_t i = 0; i < count; i++) {
        fprintf(file, "%s\n        {\"rows\": %llu, ", i > 0 ? "," : "", (unsigned long long)duels[i].rows);
        number_field(file, "cpu_seconds", duels[i].cpu.median);
        number_field(file, "cpu_uncertainty", duels[i].cpu.uncertainty);
        number_field(file, "device_seconds", duels[i].device.median);
        fprintf(file, "\"device_uncertainty\": %.3g}", duels[i].device.uncertainty);
    }
    fputs("], ", file);
}

/* Writes where a device breaks even, in rows; null where it does not, or is faster from the beginning. */
static void write_verdict(FILE *file, const char *key, const duel *duels, size_t count)
{
    static const char *const outcomes[] = {[OUTCOME_UNKNOWN] = "unknown",
                                           [OUTCOME_NEVER] = "never",
                                           [OUTCOME_SOMETIMES] = "sometimes",
                                           [OUTCOME_FROM] = "from",
                                           [OUTCOME_ALWAYS] = "always"};
    const verdict verdict = verdict_of(duels, count);
    fprintf(file, "\"%s\": {\"faster\": \"%s\", ", key, outcomes[verdict.outcome]);
    if (verdict.outcome == OUTCOME_FROM)
        fprintf(file, "\"rows\": %llu}, ", (unsigned long long)verdict.rows);
    else
        fputs("\"rows\": null}, ", file);
}

static void write_contest(FILE *file, const break_even *break_even, const contest *contest)
{
    char sentence[BREAK_EVEN_SENTENCE];
    break_even_sentence(sentence, break_even, contest);
    string_field(file, "device", contest->info.selector);
    string_field(file, "sentence", sentence);
    write_verdict(file, "with_transfers", contest->with_transfers, contest->with_count);
    write_verdict(file, "without_transfers", contest->without_transfers, contest->without_count);
    write_duels(file, "duels_with_transfers", contest->with_transfers, contest->with_count);
    write_duels(file, "duels_without_transfers", contest->without_transfers, contest->without_count);
    fputs("\"note\": ", file);
    json_string(file, contest->reason);
    fputs("}", file);
}

static void json_end(FILE *file, const break_even *break_even)
{
    fputs("],\n  \"break_even\": ", file);
    if (break_even->count == 0) {
        fputs("null\n}\n", file);
        return;
    }
    fprintf(file, "{\"classes\": %llu, \"axis\": %d, ", (unsigned long long)break_even->classes, break_even->axis);
    string_field(file, "operation", clsoftmax_operation_name(break_even->operation));
    string_field(file, "logits_dtype", clsoftmax_dtype_name(break_even->dtypes.logits));
    string_field(file, "results_dtype", clsoftmax_dtype_name(break_even->dtypes.results));
    number_field(file, "temperature", (double)break_even->temperature);
    fputs("\"devices\": [", file);
    for (size_t i = 0; i < break_even->count; i++) {
        fputs(i > 0 ? ",\n      {" : "\n      {", file);
        write_contest(file, break_even, &break_even->contests[i]);
    }
    fputs("]}\n}\n", file);
}

const report report_json = {"json", json_begin, json_add, json_end};
