/* opencl_faults [SCENARIO...]: makes every OpenCL call of the library fail, one after another, in every plausible way,
   and every allocation of its own, and runs it on devices that are nasty within the law. After each fault it checks the
   status, the message, the bits once the fault is gone, and what is held: no leak, no crash, no hang, the caller's
   objects as before (fault_case.c). docs/reliability.md tells more. It runs everything with CLSOFTMAX_TEST_LONG, else a
   sample; a device is needed (exit status 77 without one). */
#include "fault_case.h"
#include "fault_errors.h"
#include "injection.h"
#include "opencl/opencl_api.h"
#include "support/leave.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SAMPLE_STRIDE = 37, PLANT_STRIDE = 97, MOST_CRASHES = 10, SKIPPED = 77 };

static const char *const violation_texts[] = {
#define VIOLATION_TEXT(name, text) #name ": " text,
    VIOLATION_LIST(VIOLATION_TEXT)};

/* Shared with the children that run the cases, so that a case may take its process down. */
typedef struct board {
    unsigned long first, current; /* of all cases of a scenario: the one that a child begins with, the one it is at */
    int is_done;                  /* the child has run all of them */
    unsigned long calls, allocations;                    /* of the scenario without a fault */
    unsigned long cases, device_cases, allocation_cases; /* that were run */
    unsigned long by_reach[FAULT_REACH_COUNT];           /* cases */
    fault_tally tally;
} board;

static board *shared;

/* ---------------------------------------------------------------- All cases of a scenario */

static const fault no_fault = {0, CL_SUCCESS, FAULT_ONCE, FAULT_DEVICE_AS_IT_IS};
static const libc_fault no_allocation = {0, ENOMEM, LIBC_ONCE, 1};

/* Returns 1 if the case is this child's to run and in the sample. Every case passes here, in the same order in every
   child. */
static int is_next(const scenario *scenario, const fault *fault, const char *call)
{
    static const char *const reaches[] = {
#define REACH_TEXT(name, text) text,
        FAULT_REACH_LIST(REACH_TEXT)};
    static const char *const devices[] = {
#define DEVICE_TEXT(name, text) text,
        FAULT_DEVICE_LIST(DEVICE_TEXT)};
    unsigned long number = shared->current++;
    if (number < shared->first || (!injection_is_sampled(number, 1) && fault->device == FAULT_DEVICE_AS_IT_IS))
        return 0;
    if (fault->at > 0)
        injection_describe("%s: call %lu, %s, %s (%d), %s", scenario->name, fault->at, call,
                           cls_opencl_error_name(fault->error), fault->error, reaches[fault->reach]);
    else
        injection_describe("%s: device: %s", scenario->name, devices[fault->device]);
    return 1;
}

/* Makes call n of the scenario, which calls this function, fail in every way. */
static void fail_call(const scenario *scenario, unsigned long n, fault_call call, const answer *expected)
{
    for (int reach = 0; reach < FAULT_REACH_COUNT; reach++) {
        const cl_int *error = fault_errors(call, (fault_reach)reach);
        for (; *error != CL_SUCCESS; error++) {
            const fault fault = {n, *error, (fault_reach)reach, FAULT_DEVICE_AS_IT_IS};
            if (!is_next(scenario, &fault, fault_call_name(call)))
                continue;
            shared->cases++;
            shared->by_reach[reach]++;
            fault_case_run(scenario, &fault, &no_allocation, expected, &shared->tally);
        }
    }
}

/* Makes every allocation fail, in the sample too: there are few. */
static void fail_allocations(const scenario *scenario, const answer *expected)
{
    for (unsigned long n = 1; n <= shared->allocations; n++) {
        for (int is_lasting = 0; is_lasting <= 1; is_lasting++) {
            const libc_fault allocation = {n, ENOMEM, is_lasting ? LIBC_EVERYTHING : LIBC_ONCE, 1};
            if (shared->current++ < shared->first)
                continue;
            injection_describe("%s: allocation %lu%s", scenario->name, n, is_lasting ? " and every later one" : "");
            shared->allocation_cases++;
            fault_case_run(scenario, &no_fault, &allocation, expected, &shared->tally);
        }
    }
}

/* Runs the scenario on every nasty device. */
static void try_devices(const scenario *scenario, const answer *expected)
{
    for (int device = 0; device < FAULT_DEVICE_COUNT; device++) {
        const fault fault = {0, CL_SUCCESS, FAULT_ONCE, (fault_device)device};
        if (!is_next(scenario, &fault, ""))
            continue;
        shared->device_cases++;
        fault_case_run(scenario, &fault, &no_allocation, expected, &shared->tally);
    }
}

/* Prints where a crash has happened, to tell one of the driver from one of the library. */
static void on_crash(int signal_number)
{
    void *frames[30];
    if (!injection_is_planting())
        backtrace_symbols_fd(frames, backtrace(frames, 30), STDOUT_FILENO);
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

/* Runs the scenario without a fault, which gives its calls, then every case that no earlier child has run. */
static void run_child(const scenario *scenario)
{
    static answer expected;
    static fault_call trace[FAULT_MOST_CALLS];
    shared->current = 0;
    if (!scenario_prepare()) {
        injection_report(VIOLATION_STATUS, "nothing could be prepared");
        return;
    }
    signal(SIGSEGV, on_crash); /* in place of PoCL's handler, which does not end the process */
    signal(SIGABRT, on_crash);
    scenario_expect(scenario, &expected);
    attempt attempt = {.scenario = scenario};
    fault_arm(&no_fault);
    libc_layer_arm(&no_allocation);
    for (int i = 0; i < SCENARIO_STEPS; i++)
        if (scenario_steps[i](&attempt) != CLSOFTMAX_OK)
            injection_report(VIOLATION_STATUS, clsoftmax_last_error());
    scenario_release(&attempt);
    shared->calls = fault_calls();
    if (shared->calls == FAULT_MOST_CALLS)
        injection_report(VIOLATION_UNREACHED, "too many calls");
    shared->allocations = atomic_load(&libc_layer_board()->calls);
    for (unsigned long n = 1; n <= shared->calls; n++)
        trace[n - 1] = fault_call_at(n);
    fault_note_reached(&shared->tally);
    fault_arm(NULL);
    libc_layer_arm(NULL);
    scenario_count_references();
    fail_allocations(scenario, &expected);
    if (shared->calls > 0)
        try_devices(scenario, &expected);
    for (unsigned long n = 1; n <= shared->calls; n++)
        fail_call(scenario, n, trace[n - 1], &expected);
}

/* Runs the cases in a child, because OpenCL does not survive fork() and this process must never use it. Where a child
   dies, another one goes on behind its case. */
static void run_scenario(size_t number)
{
    shared->first = 0;
    shared->is_done = 0;
    for (int crashes = 0; !shared->is_done && crashes < MOST_CRASHES; crashes++) {
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
            run_child(&scenarios[number]);
            shared->is_done = 1;
            leave(0);
        }
        int end = 0;
        waitpid(child, &end, 0);
        if (WIFSIGNALED(end))
            injection_report(WTERMSIG(end) == SIGALRM ? VIOLATION_HANG : VIOLATION_CRASH, strsignal(WTERMSIG(end)));
        else if (!shared->is_done)
            injection_report(VIOLATION_CRASH, "the process ended by itself");
        shared->first = shared->current;
        if (!shared->is_done && fault_planted != VIOLATION_COUNT)
            return;
    }
}

/* ---------------------------------------------------------------- All scenarios */

static void check_reached(void)
{
    static const fault_call used[] = {
#define USED_CALL(name) FAULT_##name,
        OPENCL_FUNCTIONS(USED_CALL)};
    injection_describe("all scenarios");
    for (size_t i = 0; i < sizeof used / sizeof *used; i++)
        if (!shared->tally.is_reached[used[i]])
            injection_report(VIOLATION_UNREACHED, fault_call_name(used[i]));
}

/* Leaves a single function unreached. */
static void plant_unreached(void)
{
    for (int call = 0; call < FAULT_CALL_COUNT; call++)
        shared->tally.is_reached[call] = call != FAULT_clBuildProgram;
    check_reached();
}

/* Asks for a device in a child, because this process must not use OpenCL. */
static int has_device(void)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0)
        leave(scenario_prepare() ? 0 : 1);
    int end = 0;
    waitpid(child, &end, 0);
    return WIFEXITED(end) && WEXITSTATUS(end) == 0;
}

static void plant(int kind)
{
    injection_sample(PLANT_STRIDE);
    fault_planted = (violation)kind;
    if (kind == VIOLATION_UNREACHED)
        plant_unreached();
    else
        run_scenario(injection_find(kind == VIOLATION_NOTICE   ? "auto"
                                    : kind == VIOLATION_CALLER ? "buffers-softmax"
                                                               : "copied"));
    fault_planted = VIOLATION_COUNT;
    memset(shared, 0, sizeof *shared);
}

static const char *scenario_name(size_t number)
{
    return scenarios[number].name;
}

static void print_scenario(size_t number)
{
    static unsigned long calls, cases, device_cases, allocations, allocation_cases;
    const fault_tally *tally = &shared->tally;
    printf("%-20s %4lu calls: %6lu faults (%lu once, %lu of a function, %lu of everything, %lu in the queue), "
           "%lu nasty devices, %lu allocations: %lu faults; %lu failed and recovered, %lu had no consequence, %lu fell "
           "back to cpu\n",
           scenario_name(number), shared->calls, shared->cases, shared->by_reach[FAULT_ONCE],
           shared->by_reach[FAULT_FUNCTION], shared->by_reach[FAULT_EVERYTHING], shared->by_reach[FAULT_COMMAND],
           shared->device_cases, shared->allocations, shared->allocation_cases, tally->failed, tally->tolerated,
           tally->fallen_back);
    calls += shared->calls;
    cases += shared->cases;
    device_cases += shared->device_cases;
    allocations += shared->allocations;
    allocation_cases += shared->allocation_cases;
    printf("%-20s %4lu calls, %lu faults, %lu nasty devices, %lu allocations, %lu faults, %lu violations\n", "so far",
           calls, cases, device_cases, allocations, allocation_cases, injection_violations());
    shared->cases = shared->device_cases = shared->allocation_cases = 0;
    shared->tally.failed = shared->tally.tolerated = shared->tally.fallen_back = 0;
    memset(shared->by_reach, 0, sizeof shared->by_reach);
}

/* Names the layer that is linked here in OPENCL_LAYERS: the loader then finds it open, and uses this process's own
   copy. */
static void choose_layer(void)
{
    Dl_info layer;
    void *symbol = dlsym(RTLD_DEFAULT, "fault_arm");
    if (!symbol || !dladdr(symbol, &layer)) {
        fprintf(stderr, "opencl_faults: no fault layer\n");
        exit(2);
    }
    setenv("OPENCL_LAYERS", layer.dli_fname, 1);
}

int main(int count, char **words)
{
    const injection program = {"opencl_faults", violation_texts, VIOLATION_COUNT, SAMPLE_STRIDE, scenario_count,
                               scenario_name,   run_scenario,    print_scenario,  plant,         check_reached};
    choose_layer();
    unsetenv("CLSOFTMAX_DEVICE");
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return 2;
    if (!has_device()) {
        printf("no OpenCL device\n");
        return getenv("CLSOFTMAX_REQUIRE_DEVICE") ? 1 : SKIPPED;
    }
    return injection_main(&program, (size_t)count - 1, words + 1);
}
