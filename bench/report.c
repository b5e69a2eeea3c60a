#include "report.h"

#include "support/messages.h"
#include "support/values.h"

#include <math.h>
#include <string.h>

static const report *const reports[] = {&report_table, &report_markdown, &report_csv, &report_json};
enum { REPORTS = sizeof reports / sizeof *reports };

int report_choose(const char *name)
{
    const char *names[REPORTS];
    for (int i = 0; i < REPORTS; i++)
        names[i] = reports[i]->name;
    int choice = -1;
    return parse_choice("--output", name, names, REPORTS, &choice) == EXIT_DONE ? choice : -1;
}

const report *report_of(int number)
{
    return reports[number];
}

static double bytes_per_second(const contender *contender, double seconds)
{
    const workload *workload = contender->workload;
    size_t smaller =
        workload->logits_bytes < workload->results_bytes ? workload->logits_bytes : workload->results_bytes;
    size_t moved = contender->kind == CONTENDER_COPY ? 2 * smaller : workload->logits_bytes + workload->results_bytes;
    return (double)moved / seconds;
}

/* A copy limits what moves the same memory: all that run on the host's processor, or one device. */
static int is_limit(const contender *copy, const contender *contender)
{
    return copy->kind == CONTENDER_COPY && copy->samples.count > 0 &&
           (copy->device == contender->device || (contender_is_on_host(copy) && contender_is_on_host(contender)));
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
        if (other->kind == CONTENDER_END_TO_END && contender->kind == CONTENDER_LIBRARY &&
            other->device == contender->device && other->strategy == contender->strategy && other->samples.count > 0)
            figures.end_to_end = samples_summary(&other->samples).median;
    }
    figures.share = figures.bytes_per_second / limit;
    return figures;
}
