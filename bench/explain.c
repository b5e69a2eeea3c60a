#include "explain.h"

#include "support/library.h"
#include "support/messages.h"

#include <stdio.h>

static int explain_shape(FILE *file, const bench_device *device, const bench_options *options, shape shape,
                         dtype_pair dtypes)
{
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    clsoftmax_plan *plan = NULL;
    uint64_t rows_first[2] = {shape.rows, shape.classes}, classes_first[2] = {shape.classes, shape.rows};
    clsoftmax_problem_set_shape(&problem, 2, options->axis == 0 ? classes_first : rows_first, options->axis);
    problem.logits_dtype = dtypes.logits;
    problem.results_dtype = dtypes.results;
    clsoftmax_status status = clsoftmax_plan_create(device->context, &problem, &plan);
    if (status != CLSOFTMAX_OK)
        return complain_library(device->info.selector, status);
    fprintf(file, "  %8llu x %-8llu %s\n", (unsigned long long)shape.rows, (unsigned long long)shape.classes,
            clsoftmax_plan_description(plan));
    clsoftmax_plan_release(plan);
    return EXIT_DONE;
}

int explain(FILE *file, const session *session)
{
    const bench_options *options = session->options;
    int status = EXIT_DONE;
    for (size_t d = 0; d < session->device_count; d++) {
        const bench_device *device = &session->devices[d];
        fprintf(file, "%s%s: %s\n", d > 0 ? "\n" : "", device->info.selector, device->info.name);
        for (size_t s = 0; s < options->shapes.count; s++)
            for (size_t t = 0; t < options->dtype_count && status == EXIT_DONE; t++)
                status = explain_shape(file, device, options, options->shapes.items[s], options->dtypes[t]);
    }
    if (status == EXIT_DONE)
        print_strategies(file);
    return status;
}
