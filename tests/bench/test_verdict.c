/* From how many rows on a device beats cpu, and the sentence that says so (bench/verdict.h), for times that are made up
   here. */
#include "verdict.h"

#include <criterion/criterion.h>
#include <string.h>

enum { MOST = 16 };

/* Makes duels over 1, 4, 16, ... rows. A call takes some time, and each row some more. */
static size_t make_duels(duel *duels, size_t count, double cpu_call, double cpu_row, double device_call,
                         double device_row)
{
    uint64_t rows = 1;
    for (size_t i = 0; i < count; i++, rows *= 4)
        duels[i] = (duel){rows,
                          {.median = 0x1p-20 * (cpu_call + cpu_row * (double)rows)},
                          {.median = 0x1p-20 * (device_call + device_row * (double)rows)}};
    return count;
}

static const verdict_subject subject = {"0:0", "Some GPU", 1000, 4000, "no memory"};

/* Checks the sentence of two verdicts. */
static void expect_sentence(verdict with, verdict without, const char *expected)
{
    char text[1024];
    verdict_write(text, sizeof text, &subject, &with, &without);
    cr_assert(strcmp(text, expected) == 0, "it says \"%s\", not \"%s\"", text, expected);
}

Test(verdict, break_even_of_latency_and_speed_is_exact)
{
    duel duels[MOST];
    /* 100 + r = 2 r at 100 rows, 12 + r / 2 = 5 r / 4 at 16 rows, which is a size itself */
    verdict verdict = verdict_of(duels, make_duels(duels, 8, 0, 2, 100, 1));
    cr_assert(verdict.outcome == OUTCOME_FROM && verdict.rows == 100);
    cr_assert(verdict.least == 1 && verdict.most == 16384);
    verdict = verdict_of(duels, make_duels(duels, 8, 0, 1.25, 12, 0.5));
    cr_assert(verdict.outcome == OUTCOME_FROM && verdict.rows == 16);
    verdict = verdict_of(duels, make_duels(duels, 8, 3, 1, 10003, 0.5));
    cr_assert(verdict.outcome == OUTCOME_NEVER);
    verdict = verdict_of(duels, make_duels(duels, 9, 3, 1, 10003, 0.5));
    cr_assert(verdict.outcome == OUTCOME_FROM && verdict.rows == 20000);
}

Test(verdict, always_never_and_nothing)
{
    duel duels[MOST];
    cr_assert(verdict_of(NULL, 0).outcome == OUTCOME_UNKNOWN);
    cr_assert(verdict_of(duels, make_duels(duels, 8, 0, 1, 0, 0.5)).outcome == OUTCOME_ALWAYS);
    cr_assert(verdict_of(duels, make_duels(duels, 8, 0, 1, 0, 1)).outcome == OUTCOME_NEVER);
    cr_assert(verdict_of(duels, make_duels(duels, 1, 0, 1, 0, 2)).outcome == OUTCOME_NEVER);
    cr_assert(verdict_of(duels, make_duels(duels, 1, 0, 2, 0, 1)).outcome == OUTCOME_ALWAYS);
}

Test(verdict, a_device_that_falls_back_does_not_beat_cpu_from_anywhere_on)
{
    duel duels[MOST];
    size_t count = make_duels(duels, 8, 0, 2, 100, 1);
    duels[7].device.median = 1;
    verdict verdict = verdict_of(duels, count);
    cr_assert(verdict.outcome == OUTCOME_SOMETIMES && verdict.rows == 4096);
    /* behind the last size at which it is slower it counts again */
    count = make_duels(duels, 8, 0, 2, 100, 1);
    duels[5].device.median = 2 * duels[5].cpu.median;
    verdict = verdict_of(duels, count);
    cr_assert(verdict.outcome == OUTCOME_FROM && verdict.rows > 1024 && verdict.rows <= 4096);
}

Test(verdict, a_difference_within_the_doubt_is_none)
{
    duel duels[MOST];
    size_t count = make_duels(duels, 8, 0, 2, 100, 1);
    duels[4].device.uncertainty = 0.2; /* 356 +- 142 us are not below 512 +- 0 with certainty; 256 rows */
    duels[4].cpu.uncertainty = 0.01;
    cr_assert(verdict_of(duels, count).rows == 100);
    duels[4].cpu.uncertainty = 0.02;
    verdict verdict = verdict_of(duels, count);
    cr_assert(verdict.outcome == OUTCOME_FROM && verdict.rows == 1024);
    for (size_t i = 0; i < count; i++)
        duels[i].cpu.uncertainty = 0.5;
    cr_assert(verdict_of(duels, count).outcome == OUTCOME_NEVER);
}

Test(verdict, sentences)
{
    const verdict never = {OUTCOME_NEVER, 0, 1, 16384}, always = {OUTCOME_ALWAYS, 0, 1, 16384};
    const verdict from = {OUTCOME_FROM, 1234, 1, 16384}, early = {OUTCOME_FROM, 302, 1, 16384};
    const verdict sometimes = {OUTCOME_SOMETIMES, 4096, 1, 16384}, unknown = {OUTCOME_UNKNOWN, 0, 0, 0};
    expect_sentence(from, early,
                    "With transfers, 0:0 (Some GPU) beats cpu from about 1,200 rows of 1,000 classes (4.8 MB) on. "
                    "Without transfers, it beats cpu from about 300 rows of 1,000 classes (1.2 MB) on.");
    expect_sentence(never, always,
                    "With transfers, 0:0 (Some GPU) did not beat cpu at any size that was measured, from 1 to 16,384 "
                    "rows of 1,000 classes (66 MB). Without transfers, it beats cpu at every size that was measured, "
                    "from 1 to 16,384 rows of 1,000 classes (66 MB).");
    expect_sentence(never, never,
                    "0:0 (Some GPU) did not beat cpu at any size that was measured, from 1 to 16,384 rows of 1,000 "
                    "classes (66 MB), with transfers and without.");
    expect_sentence(sometimes, from,
                    "With transfers, 0:0 (Some GPU) beats cpu at some sizes up to 4,096 rows of 1,000 classes "
                    "(16 MB), but not at the largest that was measured, 16,384 rows of 1,000 classes (66 MB). "
                    "Without transfers, it beats cpu from about 1,200 rows of 1,000 classes (4.8 MB) on.");
    expect_sentence(unknown, unknown, "0:0 (Some GPU) was not timed: no memory.");
    expect_sentence(unknown, (verdict){OUTCOME_FROM, 1, 1, 4},
                    "With transfers, 0:0 (Some GPU) was not timed: no memory. Without transfers, it beats cpu from "
                    "about 1 row of 1,000 classes (4.0 kB) on.");
}
