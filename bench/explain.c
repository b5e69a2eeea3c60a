/* --explain: the plans of all shapes, without measuring. See explain.h. */
#include "explain.h"

#include "support/library.h"
#include "support/messages.h"

#include <stdio.h>

static int explain_shape(FILE *file, const bench_device *device, int axis, clsoftmax_operation operation, shape shape,
                         dtype_choice dtypes)
{
    const clsoftmax_problem problem = workload_problem(operation, shape, dtypes, axis);
    clsoftmax_plan *plan = NULL;
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
    for (size_t d = 0; d < session->device_count; d++) {
        const bench_device *device = &session->devices[d];
        fprintf(file, "%s%s: %s\n", d > 0 ? "\n" : "", device->info.selector, device->info.name);
        for (size_t s = 0; s < options->shapes.count; s++)
            for (size_t t = 0; t < options->dtype_count; t++)
                for (size_t o = 0; o < options->operation_count; o++)
                    FORWARD(explain_shape(file, device, options->axis, options->operations[o], options->shapes.items[s],
                                          options->dtypes[t]));
    }
    print_strategies(file);
    return EXIT_DONE;
}
