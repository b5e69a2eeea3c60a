/* file_faults COMMAND RUINABLE [SCENARIO...]: makes every call of the C library that the command makes fail, one after
   another, in every plausible way: memory, files, streams, threads, processes. After each fault it checks the exit
   status, the one line that says why, and what is left: the older file or the right one under the final name, no
   temporary file, no process, no crash, no hang (file_case.c). docs/reliability.md tells more. COMMAND is the command
   as it is, RUINABLE the same one over libc_layer.c. It runs everything with CLSOFTMAX_TEST_LONG, else a sample. */
#include "file_case.h"
#include "file_errors.h"
#include "injection.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

enum { SAMPLE_STRIDE = 29, PLANT_STRIDE = 11, HANG_STRIDE = 97 };

static const char *const violation_texts[] = {
#define VIOLATION_TEXT(name, text) #name ": " text,
    VIOLATION_LIST(VIOLATION_TEXT)};

static struct {
    unsigned long cases, by_reach[LIBC_REACH_COUNT];
} numbers;              /* of this scenario */
static int has_skipped; /* a scenario, because there is no device */

/* Returns 1 if the case is in the sample. */
static int is_next(const file_scenario *scenario, const libc_fault *fault, libc_call call)
{
    static const char *const reaches[] = {
#define REACH_TEXT(name, text) text,
        LIBC_REACH_LIST(REACH_TEXT)};
    static unsigned long number;
    if (!injection_is_sampled(number++, scenario->stride))
        return 0;
    injection_describe("%s: call %lu, %s, %s, %s", scenario->name, fault->at, libc_call_name(call),
                       strerror(fault->error), reaches[fault->reach]);
    return 1;
}

/* Makes call n of the scenario fail in every way. */
static void fail_call(const file_scenario *scenario, unsigned long n)
{
    libc_call call = file_case_call_at(n);
    for (int reach = 0; reach < LIBC_REACH_COUNT; reach++) {
        for (const int *error = file_errors(call, (libc_reach)reach); *error != 0; error++) {
            const libc_fault fault = {n, *error, (libc_reach)reach, 0};
            if (*error == EINTR && reach != LIBC_ONCE) /* interruptions do not last */
                continue;
            if (!is_next(scenario, &fault, call))
                continue;
            numbers.cases++;
            numbers.by_reach[reach]++;
            file_case_run(scenario, &fault);
        }
    }
}

static void run_scenario(size_t number)
{
    const file_scenario *scenario = &file_scenarios[number];
    if (!file_case_expect(scenario)) {
        has_skipped = 1;
        return;
    }
    for (unsigned long n = 1; n <= file_case_calls(); n++)
        fail_call(scenario, n);
}

/* ---------------------------------------------------------------- All scenarios */

/* Leaves out the functions of streams from fread on: compilers put one of them in place of another. */
static void check_reached(void)
{
    if (has_skipped)
        return;
    injection_describe("all scenarios");
    for (int call = 0; call < LIBC_fread; call++)
        if (!file_tally_now.is_reached[call])
            injection_report(VIOLATION_UNREACHED, libc_call_name((libc_call)call));
}

/* Leaves a single function unreached. What is reached in truth is noted afterwards. */
static void plant_unreached(void)
{
    for (int call = 0; call < LIBC_CALL_COUNT; call++)
        file_tally_now.is_reached[call] = call != LIBC_openat;
    check_reached();
    memset(file_tally_now.is_reached, 0, sizeof file_tally_now.is_reached);
}

static void plant(int kind)
{
    static const libc_plant plants[] = {
#define VIOLATION_PLANT(name, text) LIBC_PLANT_##name,
        VIOLATION_LIST(VIOLATION_PLANT)};
    if (kind == VIOLATION_UNREACHED)
        plant_unreached();
    injection_sample(kind == VIOLATION_HANG ? HANG_STRIDE : PLANT_STRIDE);
    file_planted = plants[kind];
    run_scenario(injection_find("older"));
    file_planted = LIBC_PLANT_NONE;
    memset(&numbers, 0, sizeof numbers);
    memset(file_tally_now.ended, 0, sizeof file_tally_now.ended);
}

static const char *scenario_name(size_t number)
{
    return file_scenarios[number].name;
}

static void print_scenario(size_t number)
{
    static unsigned long calls, cases;
    const unsigned long *by_reach = numbers.by_reach, *ended = file_tally_now.ended;
    printf("%-14s %3lu calls: %5lu faults (%lu once, %lu of a function, %lu of everything, %lu short, %lu empty); exit "
           "status 0: %lu, 1: %lu, 2: %lu\n",
           scenario_name(number), file_case_calls(), numbers.cases, by_reach[LIBC_ONCE], by_reach[LIBC_FUNCTION],
           by_reach[LIBC_EVERYTHING], by_reach[LIBC_SHORT], by_reach[LIBC_NOTHING], ended[0], ended[1], ended[2]);
    calls += file_case_calls();
    cases += numbers.cases;
    printf("%-14s %3lu calls, %lu faults, %lu violations\n", "so far", calls, cases, injection_violations());
    memset(&numbers, 0, sizeof numbers);
    memset(file_tally_now.ended, 0, sizeof file_tally_now.ended);
}

int main(int count, char **words)
{
    const injection program = {"file_faults", violation_texts, VIOLATION_COUNT, SAMPLE_STRIDE, file_scenario_count,
                               scenario_name, run_scenario,    print_scenario,  plant,         check_reached};
    if (count < 3 || !file_case_begin(words[1], words[2]) || !file_folder_enter()) {
        fprintf(stderr, "file_faults: usage: file_faults COMMAND RUINABLE [SCENARIO...]; and room in /tmp\n");
        return 2;
    }
    unsetenv("CLSOFTMAX_DEVICE");
    prctl(PR_SET_CHILD_SUBREAPER, 1); /* so that what the commands leave becomes this process's child */
    int status = injection_main(&program, (size_t)count - 3, words + 3);
    file_folder_leave();
    file_case_end();
    return status;
}
