/* Results that are streamed: written past the caches, in whole cache lines. The oracle is the same problem in place,
   which is never streamed. cli/faults.bats plants faults that `opencl_f32` sees. */
#include "support/device.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct stream {
    const char *name;
    uint64_t outer, classes, inner;
    uint64_t gap; /* elements behind each outer index */
    clsoftmax_strategy strategy;
    clsoftmax_operation operation;
} stream;

/* More than 4 MiB of f32 results, which a thread of cpu, here its only one, streams. OpenCL devices stream 8 MiB, so
   they get twice the rows or columns, as 16-bit results do again. */
static const stream streams[] = {
    {"rows", 1100, 1001, 1, 0, CLSOFTMAX_STRATEGY_ITEM, CLSOFTMAX_OPERATION_SOFTMAX},
    {"rows with gaps", 1100, 1001, 1, 3, CLSOFTMAX_STRATEGY_ITEM, CLSOFTMAX_OPERATION_SOFTMAX},
    {"rows with gaps, logarithms", 1100, 1001, 1, 3, CLSOFTMAX_STRATEGY_ITEM, CLSOFTMAX_OPERATION_LOG_SOFTMAX},
    {"rows of whole lines", 1100, 1024, 1, 0, CLSOFTMAX_STRATEGY_ITEM, CLSOFTMAX_OPERATION_SOFTMAX},
    {"rows of a line and a half", 46000, 24, 1, 0, CLSOFTMAX_STRATEGY_ITEM, CLSOFTMAX_OPERATION_SOFTMAX},
    {"rows of less than a line", 360000, 3, 1, 0, CLSOFTMAX_STRATEGY_ITEM, CLSOFTMAX_OPERATION_SOFTMAX},
    {"rows too long for OpenCL to keep", 12, 100003, 1, 0, CLSOFTMAX_STRATEGY_ITEM, CLSOFTMAX_OPERATION_SOFTMAX},
    {"rows that fill a room of 2 MiB", 5, 266240, 1, 0, CLSOFTMAX_STRATEGY_ITEM, CLSOFTMAX_OPERATION_SOFTMAX},
    {"rows that fill a room of 8 MiB", 2, 1052672, 1, 0, CLSOFTMAX_STRATEGY_ITEM, CLSOFTMAX_OPERATION_SOFTMAX},
    {"rows too long for any room", 2, 1100003, 1, 0, CLSOFTMAX_STRATEGY_ITEM, CLSOFTMAX_OPERATION_SOFTMAX},
    {"short rows", 110000, 10, 1, 0, CLSOFTMAX_STRATEGY_LANE, CLSOFTMAX_OPERATION_SOFTMAX},
    {"padded rows", 110000, 10, 1, 3, CLSOFTMAX_STRATEGY_LANE, CLSOFTMAX_OPERATION_SOFTMAX},
    {"columns", 1, 20, 55004, 0, CLSOFTMAX_STRATEGY_COLUMN, CLSOFTMAX_OPERATION_SOFTMAX},
    {"columns of whole lines", 1, 20, 55008, 0, CLSOFTMAX_STRATEGY_COLUMN, CLSOFTMAX_OPERATION_SOFTMAX},
};

/* Fills logits with 1,009 different numbers from 0 to 10.08, or in 16 bits from 1 to 10.6. Every 13th row has a NaN or
   a mask, and must not disturb the cache line in which the row before it ends. */
static void fill(clsoftmax_dtype dtype, uint64_t rows, uint64_t stride, void *x)
{
    static const uint16_t one[] = {[CLSOFTMAX_F16] = 0x3C00, [CLSOFTMAX_BF16] = 0x3F80},
                          infinity[] = {[CLSOFTMAX_F16] = 0x7C00, [CLSOFTMAX_BF16] = 0x7F80};
    float *f32 = x;
    uint16_t *bits = x;
    for (uint64_t k = 0; k < rows * stride; k++)
        if (dtype == CLSOFTMAX_F32)
            f32[k] = (float)((k * 104729) % 1009) * 0.01f;
        else
            bits[k] = (uint16_t)(one[dtype] + (k * 104729) % (dtype == CLSOFTMAX_F16 ? 3400 : 420));
    for (uint64_t row = 0; row < rows; row += 13)
        if (dtype == CLSOFTMAX_F32)
            f32[row * stride] = row % 2 ? NAN : -INFINITY;
        else
            bits[row * stride] = (uint16_t)(infinity[dtype] | (row % 2 ? 1 : 0x8000));
}

/* Compares results that begin `offset` elements behind the beginning of a cache line with results in place. */
static void check(clsoftmax_context *context, const stream *stream, clsoftmax_dtype dtype, size_t offset,
                  float temperature)
{
    const uint64_t more =
        (dtype == CLSOFTMAX_F32 ? 1u : 2u) * (clsoftmax_context_device(context)->platform[0] ? 2u : 1u);
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    problem.outer = stream->inner == 1 ? stream->outer * more : stream->outer;
    problem.classes = stream->classes;
    problem.inner = stream->inner == 1 ? 1 : stream->inner * more;
    problem.operation = stream->operation;
    problem.strategy = stream->strategy;
    problem.logits_dtype = problem.results_dtype = dtype;
    problem.logits_layout = problem.results_layout =
        (clsoftmax_layout){0, problem.classes * problem.inner + stream->gap, problem.inner, 1};
    const uint64_t stride = problem.logits_layout.outer_stride;
    const size_t size = clsoftmax_dtype_size(dtype), bytes = problem.outer * stride * size;
    char *x = aligned_alloc(64, (bytes + 128) / 64 * 64), *room = aligned_alloc(64, (bytes + 128) / 64 * 64);
    cr_assert(x && room);
    char *p = room + offset * size;
    fill(dtype, problem.outer, stride, x);
    memcpy(p, x, bytes); /* gaps keep what they hold */
    test_run(context, &problem, (const float *)x, temperature, (float *)p);
    test_run(context, &problem, (const float *)x, temperature, (float *)x);
    cr_expect(memcmp(p, x, bytes) == 0, "%s of %s at T = %g, %zu elements behind a line, %s", stream->name,
              clsoftmax_dtype_name(dtype), (double)temperature, offset, clsoftmax_context_device(context)->driver);
    free(x);
    free(room);
}

static void check_dtype(clsoftmax_context *context, clsoftmax_dtype dtype)
{
    for (size_t i = 0; i < sizeof streams / sizeof *streams; i++) {
        check(context, &streams[i], dtype, 0, 0.7f);
        check(context, &streams[i], dtype, 1, 0.7f);
        check(context, &streams[i], dtype, 1, 1); /* rows at T = 1 have a path of their own */
    }
}

/* Checks the dtypes up to `last` with an instruction set. */
static void check_cpu(const char *isa, clsoftmax_dtype last)
{
    clsoftmax_context *context = NULL;
    setenv("CLSOFTMAX_THREADS", "1", 1);
    setenv("CLSOFTMAX_CPU_ISA", isa, 1);
    if (clsoftmax_context_create("cpu", &context) == CLSOFTMAX_OK)
        for (clsoftmax_dtype dtype = CLSOFTMAX_F32; dtype <= last; dtype++)
            check_dtype(context, dtype);
    else
        fprintf(stderr, "streams: this processor has no %s\n", isa);
    clsoftmax_context_release(context);
}

Test(streams, cpu_baseline, .timeout = 600)
{
    check_cpu("baseline", test_is_long() ? CLSOFTMAX_BF16 : CLSOFTMAX_F32); /* fma is a function there, and slow */
}

Test(streams, cpu_avx2, .timeout = 600)
{
    check_cpu("avx2", CLSOFTMAX_BF16);
}

Test(streams, cpu_avx512, .timeout = 600)
{
    check_cpu("avx512", CLSOFTMAX_BF16);
}

static void check_opencl(clsoftmax_dtype dtype)
{
    clsoftmax_context *context = test_open_opencl();
    check_dtype(context, dtype);
    clsoftmax_context_release(context);
}

Test(streams, opencl_f32, .timeout = 600)
{
    check_opencl(CLSOFTMAX_F32);
}

Test(streams, opencl_f16, .timeout = 600)
{
    check_opencl(CLSOFTMAX_F16);
}

Test(streams, opencl_bf16, .timeout = 600)
{
    check_opencl(CLSOFTMAX_BF16);
}
