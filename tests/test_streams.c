/* Results that are written past the caches, in whole lines: of rows that begin anywhere in one, the bits are those of results in the place of
   their logits, which never go that way. */
#include "support/device.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct stream {
    const char *name;
    uint64_t outer, classes, inner, gap; /* gap: elements behind each outer index */
    clsoftmax_strategy strategy;
    clsoftmax_operation operation;
} stream;

/* More than 8 MiB of results: `cpu` writes 4 MiB a thread, here one, past the caches, OpenCL devices 8. */
static const stream streams[] = {
    {"rows", 2200, 1001, 1, 0, CLSOFTMAX_STRATEGY_ITEM, CLSOFTMAX_OPERATION_SOFTMAX},
    {"rows with gaps", 2200, 1001, 1, 3, CLSOFTMAX_STRATEGY_ITEM, CLSOFTMAX_OPERATION_SOFTMAX},
    {"rows with gaps, logarithms", 2200, 1001, 1, 3, CLSOFTMAX_STRATEGY_ITEM, CLSOFTMAX_OPERATION_LOG_SOFTMAX},
    {"rows of whole lines", 2200, 1024, 1, 0, CLSOFTMAX_STRATEGY_ITEM, CLSOFTMAX_OPERATION_SOFTMAX},
    {"rows of a line and a half", 92000, 24, 1, 0, CLSOFTMAX_STRATEGY_ITEM, CLSOFTMAX_OPERATION_SOFTMAX},
    {"rows of less than a line", 720000, 3, 1, 0, CLSOFTMAX_STRATEGY_ITEM, CLSOFTMAX_OPERATION_SOFTMAX},
    {"rows too long to be kept", 23, 100003, 1, 0, CLSOFTMAX_STRATEGY_ITEM, CLSOFTMAX_OPERATION_SOFTMAX},
    {"rows that fill 2 MiB of scratch memory", 9, 266240, 1, 0, CLSOFTMAX_STRATEGY_ITEM, CLSOFTMAX_OPERATION_SOFTMAX},
    {"rows that fill 8 MiB of it", 3, 1052672, 1, 0, CLSOFTMAX_STRATEGY_ITEM, CLSOFTMAX_OPERATION_SOFTMAX},
    {"short rows", 220000, 10, 1, 0, CLSOFTMAX_STRATEGY_LANE, CLSOFTMAX_OPERATION_SOFTMAX},
    {"padded rows", 180000, 10, 1, 3, CLSOFTMAX_STRATEGY_LANE, CLSOFTMAX_OPERATION_SOFTMAX},
    {"columns", 1, 20, 110008, 0, CLSOFTMAX_STRATEGY_COLUMN, CLSOFTMAX_OPERATION_SOFTMAX},
};

/* Every 13th row is of NaN or has a mask: neither may disturb the line that the row before ends in. */
static void fill(const stream *stream, float *x)
{
    const uint64_t span = stream->outer * (stream->classes * stream->inner + stream->gap);
    for (uint64_t k = 0; k < span; k++)
        x[k] = (float)((k * 104729) % 1009) * 0.01f;
    for (uint64_t row = 0; row < stream->outer; row += 13)
        x[row * (stream->classes * stream->inner + stream->gap)] = row % 2 ? NAN : -INFINITY;
}

/* offset: of the results from the beginning of a line of a cache. */
static void check(clsoftmax_context *context, const stream *stream, size_t offset)
{
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    problem.outer = stream->outer;
    problem.classes = stream->classes;
    problem.inner = stream->inner;
    problem.operation = stream->operation;
    problem.strategy = stream->strategy;
    problem.logits_layout = problem.results_layout =
        (clsoftmax_layout){0, stream->classes * stream->inner + stream->gap, stream->inner, 1};
    const uint64_t span = stream->outer * problem.logits_layout.outer_stride;
    const size_t bytes = (span + 32) * sizeof(float) / 64 * 64;
    float *x = aligned_alloc(64, bytes), *room = aligned_alloc(64, bytes), *p = room + offset;
    cr_assert(x && room);
    fill(stream, x);
    memcpy(p, x, span * sizeof *p); /* what stands in gaps stays */
    test_run(context, &problem, x, 0.7f, p);
    test_run(context, &problem, x, 0.7f, x);
    cr_expect(memcmp(p, x, span * sizeof *p) == 0, "%s, %zu elements behind a line, %s", stream->name, offset,
              clsoftmax_context_device(context)->driver);
    free(x);
    free(room);
}

static void check_all(clsoftmax_context *context)
{
    for (size_t i = 0; i < sizeof streams / sizeof *streams; i++)
        for (size_t offset = 0; offset < 2; offset++)
            check(context, &streams[i], offset);
    clsoftmax_context_release(context);
}

Test(streams, cpu, .timeout = 600)
{
    static const char *const sets[] = {"baseline", "avx2", "avx512"};
    setenv("CLSOFTMAX_THREADS", "1", 1);
    for (size_t set = 0; set < sizeof sets / sizeof *sets; set++) {
        clsoftmax_context *context = NULL;
        setenv("CLSOFTMAX_CPU_ISA", sets[set], 1);
        if (clsoftmax_context_create("cpu", &context) == CLSOFTMAX_OK)
            check_all(context);
        else
            fprintf(stderr, "streams: this processor has no %s\n", sets[set]);
    }
}

Test(streams, opencl, .timeout = 600)
{
    check_all(test_open_opencl());
}
