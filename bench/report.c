/* The kinds of reports, and the numbers that all of them show. See report.h. */
#include "report.h"

#include "support/messages.h"
#include "support/values.h"

#include <math.h>

int report_choose(const char *option, const char *name, const report **chosen)
{
    static const report *const reports[] = {&report_table, &report_markdown, &report_csv, &report_json};
    enum { REPORTS = sizeof reports / sizeof *reports };
    const char *names[REPORTS];
    int choice = 0;
    for (int i = 0; i < REPORTS; i++)
        names[i] = reports[i]->name;
    FORWARD(parse_choice(option, name, names, REPORTS, &choice));
    *chosen = reports[choice];
    return EXIT_DONE;
}

static double bytes_per_second(const contender *contender, double seconds)
{
    const workload *workload = contender->workload;
    const size_t logits = workload->bytes[CALL_LOGITS], results = workload->bytes[CALL_RESULTS];
    const size_t copied = 2 * (logits < results ? logits : results);
    return (double)(contender->kind == CONTENDER_COPY ? copied : workload_moved(workload)) / seconds;
}

/* Returns 1 if a copy limits a contender: they move the same memory, by the host's processor or on one device. */
static int is_limit(const contender *copy, const contender *contender)
{
    return copy->kind == CONTENDER_COPY && copy->samples.count > 0 &&
           (copy->device == contender->device || (contender_is_on_host(copy) && contender_is_on_host(contender)));
}

/* Returns 1 if `other` is the contender's device and strategy from host memory to host memory. */
static int is_end_to_end_of(const contender *other, const contender *contender)
{
    return other->kind == CONTENDER_END_TO_END && contender->kind == CONTENDER_LIBRARY &&
           other->device == contender->device && other->strategy == contender->strategy && other->samples.count > 0;
}

figures figures_of(const contender *contender, const contender_list *list)
{
    figures figures = {samples_summary(&contender->samples), NAN, NAN, NAN, NAN};
    figures.bytes_per_second = bytes_per_second(contender, figures.time.median);
    figures.rows_per_second = (double)contender->workload->rows / figures.time.median;
    double limit = NAN;
    for (size_t i = 0; i < list->count; i++) {
        const struct contender *other = &list->items[i];
        if (is_limit(other, contender))
            limit = fmax(limit, bytes_per_second(other, samples_summary(&other->samples).median));
        if (is_end_to_end_of(other, contender))
            figures.end_to_end = samples_summary(&other->samples).median;
    }
    figures.share = figures.bytes_per_second / limit;
    return figures;
}
