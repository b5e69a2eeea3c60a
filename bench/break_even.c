/*
 * --break-even: duels of cpu with the OpenCL devices, over more and more rows of the same length. See break_even.h.
 *
 * A call is timed alone, from its beginning to its end, since a batch is what the question is about. So the latency of
 * a device counts, which calls that are enqueued one after another hide.
 */
#include "break_even.h"

#include "options.h"
#include "report.h"
#include "support/messages.h"
#include "support/progress.h"
#include "wrapped.h"

#include <math.h>
#include <string.h>

/* The largest batch, in bytes of its logits. Larger ones have the same speed. */
#define MOST_BYTES ((uint64_t)64 << 20)

/* Each size has this fraction of --time. */
#define SHARE_OF_TIME (1.0 / 40)

/* After so many seconds no other size is begun. */
#define LAST_BEGIN 20

/* ---------------------------------------------------------------- Contenders */

static const bench_device *cpu_of(const testbed *testbed)
{
    for (size_t i = 0; i < testbed->device_count; i++)
        if (testbed->devices[i].info.type == CLSOFTMAX_DEVICE_CPU)
            return &testbed->devices[i];
    return NULL;
}

/* Adds cpu and the OpenCL devices, whose kernels are built once for all sizes. */
static int add_contenders(contender_list *list, testbed *testbed)
{
    for (size_t i = 0; i < testbed->device_count; i++)
        if (testbed->devices[i].info.type != CLSOFTMAX_DEVICE_REFERENCE)
            FORWARD(
                add_library(list, &testbed->devices[i], 1u << CLSOFTMAX_STRATEGY_AUTO, CLSOFTMAX_ACCURACY_FAITHFUL));
    for (size_t i = 0; i < list->count; i++)
        list->items[i].keeps_kernels = 1;
    return EXIT_DONE;
}

/* Adds a contest for each OpenCL device. */
static void add_contests(break_even *result, const testbed *testbed)
{
    for (size_t i = 0; i < testbed->device_count; i++)
        if (testbed->devices[i].cl)
            result->contests[result->count++] = (contest){.info = testbed->devices[i].info};
}

/* ---------------------------------------------------------------- Sizes */

/* Returns the largest number of rows: within MOST_BYTES, and a small share of the memory of every device. */
static uint64_t most_rows(const break_even *result)
{
    uint64_t bytes = MOST_BYTES;
    for (size_t i = 0; i < result->count; i++)
        if (result->contests[i].info.global_memory / 16 < bytes)
            bytes = result->contests[i].info.global_memory / 16;
    return bytes > result->row_bytes ? bytes / result->row_bytes : 1;
}

/* Finds a contender of a device that was measured. Returns NULL after its reason is noted. */
static const contender *find_measured(contest *contest, const contender_list *list, contender_kind kind,
                                      const char *selector)
{
    for (size_t i = 0; i < list->count; i++) {
        const contender *contender = &list->items[i];
        if (contender->kind != kind || strcmp(contender->device->info.selector, selector) != 0)
            continue;
        if (contender->samples.count > 0 && !contender->reason[0])
            return contender;
        snprintf(contest->reason, sizeof contest->reason, "%s", contender->reason);
    }
    return NULL;
}

static void add_duel(contest *contest, const contender_list *list, uint64_t rows, contender_kind kind,
                     const char *cpu_selector)
{
    const contender *cpu = find_measured(contest, list, CONTENDER_LIBRARY, cpu_selector);
    const contender *device = find_measured(contest, list, kind, contest->info.selector);
    if (!cpu || !device)
        return;
    const duel duel = {rows, samples_summary(&cpu->samples), samples_summary(&device->samples)};
    if (!(duel.cpu.median > 0 && duel.device.median > 0))
        return;
    if (kind == CONTENDER_END_TO_END)
        contest->with_transfers[contest->with_count++] = duel;
    else
        contest->without_transfers[contest->without_count++] = duel;
}

static int measure_size(break_even *result, testbed *testbed, contender_list *list, uint64_t rows,
                        const round_limits *limits)
{
    measurement measurement = {
        .contenders = list,
        .limits = limits,
        .workload = {.problem = workload_problem(result->operation, (shape){rows, result->classes}, result->dtypes,
                                                 result->axis),
                     .rows = rows,
                     .axis = result->axis,
                     .temperature = result->temperature,
                     .is_single = 1,
                     .descriptor = testbed->memory}};
    int status = measurement_run(testbed, &measurement);
    if (status == EXIT_DONE)
        for (size_t i = 0; i < result->count; i++) {
            const char *cpu = cpu_of(testbed)->info.selector;
            add_duel(&result->contests[i], list, rows, CONTENDER_END_TO_END, cpu);
            add_duel(&result->contests[i], list, rows, CONTENDER_LIBRARY, cpu);
        }
    result->is_wrong |= measurement.is_wrong;
    measurement_finish(testbed, &measurement);
    return status;
}

/* Measures 1, 4, 16, ... rows. A slow device ends this before the largest size. */
static int measure_sizes(break_even *result, testbed *testbed, contender_list *list, const bench_options *options)
{
    const round_limits limits = {.rounds = options->limits.rounds, .seconds = options->limits.seconds * SHARE_OF_TIME};
    const double begin = now();
    const uint64_t most = most_rows(result);
    int status = EXIT_DONE, sizes = 0;
    progress progress;
    progress_begin(&progress, options->progress, (uint64_t)log2((double)most) / 2 + 1, "sizes of the break-even", 0);
    for (uint64_t rows = 1; rows <= most && sizes < MOST_BREAK_EVEN_SIZES && status == EXIT_DONE; rows *= 4) {
        if (sizes > 0 && now() - begin > LAST_BEGIN)
            break;
        progress_draw(&progress, (uint64_t)sizes++);
        status = measure_size(result, testbed, list, rows, &limits);
    }
    progress_end(&progress);
    return status;
}

int break_even_measure(break_even *result, testbed *testbed, const bench_options *options)
{
    memset(result, 0, sizeof *result);
    if (options->break_even == 0 || options->limits.verify_only || !cpu_of(testbed))
        return EXIT_DONE;
    add_contests(result, testbed);
    result->classes = options->break_even;
    result->operation = options->operations[0];
    result->dtypes = options->dtypes[0];
    result->temperature = options->temperatures[0];
    result->axis = options->axis;
    result->row_bytes = result->classes * clsoftmax_dtype_size(result->dtypes.logits);
    if (result->count == 0)
        return EXIT_DONE;
    contender_list list = {NULL, 0};
    int status = add_contenders(&list, testbed);
    if (status == EXIT_DONE)
        status = measure_sizes(result, testbed, &list, options);
    contender_list_release(&list);
    return status;
}

/* ---------------------------------------------------------------- Sentences */

void break_even_sentence(char text[BREAK_EVEN_SENTENCE], const break_even *result, const contest *contest)
{
    const verdict with = verdict_of(contest->with_transfers, contest->with_count);
    const verdict without = verdict_of(contest->without_transfers, contest->without_count);
    const verdict_subject subject = {contest->info.selector, contest->info.name, result->classes, result->row_bytes,
                                     contest->reason};
    verdict_write(text, BREAK_EVEN_SENTENCE, &subject, &with, &without);
}

void break_even_write(FILE *file, const break_even *result)
{
    char sentence[BREAK_EVEN_SENTENCE];
    if (result->count == 0)
        return;
    const clsoftmax_problem problem =
        workload_problem(result->operation, (shape){1, result->classes}, result->dtypes, result->axis);
    const workload any = {.problem = problem, .temperature = result->temperature};
    const int is_named = result->operation != CLSOFTMAX_OPERATION_SOFTMAX;
    fprintf(file, "\nWhen a device is faster than cpu (%s%s%s%s, T = %g, strategy auto, one call at a time):\n\n",
            is_named ? clsoftmax_operation_name(result->operation) : "", is_named ? ", " : "", workload_dtypes(&any),
            result->axis == 0 ? ", axis 0" : "", (double)result->temperature);
    for (size_t i = 0; i < result->count; i++) {
        break_even_sentence(sentence, result, &result->contests[i]);
        write_wrapped(file, sentence, 0);
    }
}
