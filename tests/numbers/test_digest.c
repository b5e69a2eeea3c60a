/* Every bit, against the digests in digests.txt: every operation, type, kind of temperature, layout and policy, with
   and without statistics, over class counts at the borders of every strategy; on device "cpu" with each instruction
   set, and on the OpenCL device, with every strategy by name.

   The bits of a problem are the same on every device and with every strategy, so there is one digest for it. They are
   part of the contract: a change of code that changes a digest is wrong. Only a change of the contract itself may write
   digests.txt anew, which CLSOFTMAX_WRITE_DIGESTS=1 ./test_digest --filter digest/cpu does. */
#include "support/device.h"
#include "support/digest_problems.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static digest_line lines[DIGEST_MOST_LINES];
static uint64_t table[DIGEST_MOST_LINES][DIGEST_BANDS];
static unsigned line_count;

static void read_table(void)
{
    line_count = digest_lines(lines);
    if (!getenv("CLSOFTMAX_WRITE_DIGESTS"))
        cr_assert(digest_table_read(DIGESTS, table), "%s does not have the lines of digest_problems.c", DIGESTS);
}

TestSuite(digest, .init = read_table, .timeout = 3600);

/* The device and strategy that problems run with. */
typedef struct place {
    clsoftmax_context *context;
    clsoftmax_strategy strategy;
} place;

static int run_at(void *with, const clsoftmax_problem *problem, const clsoftmax_arguments *arguments)
{
    const place *at = with;
    clsoftmax_problem by_name = *problem;
    by_name.strategy = at->strategy;
    clsoftmax_plan *plan = NULL;
    clsoftmax_status status = clsoftmax_plan_create(at->context, &by_name, &plan);
    if (status == CLSOFTMAX_OK)
        status = clsoftmax_plan_run(plan, arguments);
    clsoftmax_plan_release(plan);
    return status;
}

/* Compares a line's digest in one band. Returns 0 where a problem of the line is UNSUPPORTED. */
static int check(place *at, unsigned line, digest_band band)
{
    char name[80];
    uint64_t found;
    int status = digest_of(&lines[line], band, run_at, at, &found);
    if (status == CLSOFTMAX_UNSUPPORTED)
        return 0;
    digest_line_name(&lines[line], name, sizeof name);
    const clsoftmax_device *device = clsoftmax_context_device(at->context);
    cr_assert_eq(status, CLSOFTMAX_OK, "%s %s, %s: %s", name, digest_band_name(band),
                 clsoftmax_strategy_name(at->strategy), clsoftmax_last_error());
    cr_expect(found == table[line][band], "%s, %s classes, by %s on %s %s: %016llx, not %016llx", name,
              digest_band_name(band), clsoftmax_strategy_name(at->strategy), device->selector, device->driver,
              (unsigned long long)found, (unsigned long long)table[line][band]);
    return 1;
}

/* Compares every `step`-th digest, beginning with another one for each strategy. */
static void check_strategies(clsoftmax_context *context, unsigned step)
{
    for (unsigned strategy = 0; strategy < CLSOFTMAX_STRATEGY_COUNT; strategy++) {
        place at = {context, (clsoftmax_strategy)strategy};
        unsigned compared = 0;
        if (!clsoftmax_strategy_supported(context, at.strategy))
            continue;
        for (unsigned i = strategy * step / CLSOFTMAX_STRATEGY_COUNT; i < line_count * DIGEST_BANDS; i += step)
            compared += (unsigned)check(&at, i / DIGEST_BANDS, (digest_band)(i % DIGEST_BANDS));
        cr_expect(compared > 0, "%s supports no problem", clsoftmax_strategy_name(at.strategy));
        fprintf(stderr, "digest: %s, %s: %u digests\n", clsoftmax_context_device(context)->selector,
                clsoftmax_strategy_name(at.strategy), compared);
    }
}

static void write_table(void)
{
    place at = {test_open("cpu"), CLSOFTMAX_STRATEGY_ITEM};
    for (unsigned i = 0; i < line_count * DIGEST_BANDS; i++)
        cr_assert_eq(digest_of(&lines[i / DIGEST_BANDS], (digest_band)(i % DIGEST_BANDS), run_at, &at,
                               &table[i / DIGEST_BANDS][i % DIGEST_BANDS]),
                     CLSOFTMAX_OK, "%s", clsoftmax_last_error());
    cr_assert(digest_table_write(DIGESTS, table), "cannot write %s", DIGESTS);
    clsoftmax_context_release(at.context);
}

/* An instruction set, and the step that keeps its share of the time small: fma is a function in the baseline. */
typedef struct instruction_set {
    const char *name;
    unsigned step;
} instruction_set;

Test(digest, cpu)
{
    static const instruction_set sets[] = {{"avx512", 1}, {"avx2", 13}, {"baseline", 61}};
    if (getenv("CLSOFTMAX_WRITE_DIGESTS"))
        write_table();
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        clsoftmax_context *context = NULL;
        setenv("CLSOFTMAX_CPU_ISA", sets[i].name, 1);
        if (clsoftmax_context_create("cpu", &context) != CLSOFTMAX_OK) {
            fprintf(stderr, "digest: this processor has no %s\n", sets[i].name);
            continue;
        }
        check_strategies(context, test_is_long() ? 1 : sets[i].step);
        clsoftmax_context_release(context);
    }
}

/* Kernels are compiled for each combination of a strategy and what a problem asks for, so a sample has to do. */
Test(digest, opencl)
{
    clsoftmax_context *context = test_open_opencl();
    check_strategies(context, test_is_long() ? 1 : 701);
    clsoftmax_context_release(context);
}
