/* Every OpenCL call of the library fails, one after another, in every plausible way; every allocation of its own; and devices are nasty.
   After each: the documented status, a message that names the error, the right bits once the fault is gone, no leak, no crash, no hang, the caller's objects as
   before. See docs/reliability.md. usage: opencl_faults [SCENARIO...]; everything with CLSOFTMAX_TEST_LONG, else a sample. */
#include "fault_errors.h"
#include "fault_held.h"
#include "fault_scenarios.h"
#include "injection.h"
#include "libc_layer.h"
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

enum { SAMPLE_STRIDE = 23, HANG_SECONDS = 200, MOST_CRASHES = 10, SKIPPED = 77 };

/* What can go wrong; each is also a fault that the self-test plants, to see that it is seen. */
#define VIOLATION_LIST(X)                                                                                              \
    X(CRASH, "a signal ended the process")                                                                             \
    X(HANG, "no end")                                                                                                  \
    X(STATUS, "a status that the header does not allow")                                                               \
    X(MESSAGE, "an error text or code without OpenCL's error")                                                         \
    X(NOTICE, "\"auto\" fell back, or the device is inexact, without a notice")                                        \
    X(IGNORED, "no consequence of a failed call whose answer is needed")                                               \
    X(BITS, "a wrong or partial result reported as OK")                                                                \
    X(RECOVERY, "not usable once the fault is gone")                                                                   \
    X(LEAK, "objects created and not released")                                                                        \
    X(CALLER, "the caller's objects held or released")                                                                 \
    X(UNREACHED, "a function of the library that no scenario calls")

typedef enum violation {
#define VIOLATION_ENUM(name, text) VIOLATION_##name,
    VIOLATION_LIST(VIOLATION_ENUM)
#undef VIOLATION_ENUM
        VIOLATION_COUNT
} violation;

static const char *const violation_texts[] = {
#define VIOLATION_TEXT(name, text) #name ": " text,
    VIOLATION_LIST(VIOLATION_TEXT)};

/* Shared with the children that run the cases, so that a case may take its process down. */
typedef struct board {
    unsigned long first, current;             /* cases in the order of all: which a child begins with, which it is at */
    unsigned long calls, cases, device_cases; /* of this scenario */
    unsigned long allocations, allocation_cases;
    unsigned long by_reach[FAULT_REACH_COUNT];    /* cases */
    unsigned long tolerated, failed, fallen_back; /* how cases ended */
    injection_findings findings;
    int is_reached[FAULT_CALL_COUNT];
    int is_done;
} board;

static board *shared;
static violation planted = VIOLATION_COUNT; /* none */
static unsigned long stride = SAMPLE_STRIDE;

static void report(violation kind, const char *detail)
{
    injection_report(&shared->findings, (int)kind, violation_texts[kind], detail);
}

/* ---------------------------------------------------------------- A case */

typedef struct trial {
    attempt attempt;
    fault fault;
    libc_fault allocation; /* the other fault; one of both is none */
    int has_failed;        /* a step, once: the fault is gone since */
} trial;

static int strikes(const fault *fault)
{
    return fault->at > 0 && fault_calls() >= fault->at;
}

static void check_failure(const trial *trial, clsoftmax_status status)
{
    const fault *fault = &trial->fault;
    char detail[600];
    snprintf(detail, sizeof detail, "%s, %d: %.400s", clsoftmax_status_name(status), clsoftmax_last_opencl_error(),
             clsoftmax_last_error());
    if (trial->allocation.at > 0) {
        if (status != CLSOFTMAX_OUT_OF_HOST_MEMORY)
            report(VIOLATION_STATUS, detail);
        if (!strstr(clsoftmax_last_error(), "memory"))
            report(VIOLATION_MESSAGE, detail);
        return;
    }
    if (fault->device != FAULT_DEVICE_AS_IT_IS) {
        if (fault_device_ends[fault->device].status != status)
            report(VIOLATION_STATUS, detail);
        return;
    }
    if (!strikes(fault) || !fault_status_is_right(fault, fault_call_at(fault->at), status))
        report(VIOLATION_STATUS, detail);
    if (trial->attempt.failed_in_queue)
        return; /* the library has not failed, and says nothing */
    int error = clsoftmax_last_opencl_error();
    if (error == 0 && status == CLSOFTMAX_DEVICE_NOT_FOUND)
        error = fault->error; /* why no device is there is in the text alone */
    const char *text = planted == VIOLATION_MESSAGE ? "" : clsoftmax_last_error();
    if (!fault_error_is_right(fault, error) || !fault_text_names(text, error))
        report(VIOLATION_MESSAGE, detail);
}

/* A step under the fault; if it fails, the fault goes, and the step must succeed. 0 if the trial ends here. */
static int take_step(trial *trial, scenario_step *step)
{
    clsoftmax_status status = step(&trial->attempt);
    if (planted == VIOLATION_STATUS && status >= CLSOFTMAX_OUT_OF_HOST_MEMORY)
        status = CLSOFTMAX_INVALID_SHAPE;
    if (planted == VIOLATION_BITS && trial->attempt.plan)
        status = CLSOFTMAX_OK;
    if (status == CLSOFTMAX_OK)
        return 1;
    check_failure(trial, status);
    trial->has_failed = 1;
    if (fault_device_ends[trial->fault.device].is_lasting)
        return 0;
    fault_arm(NULL);
    libc_layer_arm(NULL);
    status = planted == VIOLATION_RECOVERY ? CLSOFTMAX_DEVICE_FAILED : step(&trial->attempt);
    if (status != CLSOFTMAX_OK)
        report(VIOLATION_RECOVERY, clsoftmax_last_error());
    return status == CLSOFTMAX_OK;
}

static int is_fallback(const attempt *attempt)
{
    const char *selector = attempt->scenario->selector;
    return clsoftmax_context_device(attempt->context)->type == CLSOFTMAX_DEVICE_CPU &&
           !(selector && strcmp(selector, "cpu") == 0);
}

/* Falling back, and what is outside the promise, must be said; a device that cannot work must not. */
static void check_choice(const trial *trial)
{
    const fault *fault = &trial->fault;
    const fault_device_end *end = &fault_device_ends[fault->device];
    int has_fallen_back = is_fallback(&trial->attempt);
    const char *notice = planted == VIOLATION_NOTICE ? NULL : clsoftmax_context_notice(trial->attempt.context);
    shared->fallen_back += has_fallen_back ? 1 : 0;
    if (trial->has_failed)
        return;
    if ((has_fallen_back || end->has_notice) && !notice)
        report(VIOLATION_NOTICE, "there is none");
    if (has_fallen_back && strikes(fault) && notice && !fault_text_names(notice, fault->error))
        report(VIOLATION_NOTICE, notice);
    if (!has_fallen_back && end->status != CLSOFTMAX_OK && !end->may_work)
        report(VIOLATION_STATUS, "OK from a device that cannot work");
}

/* A failure that changes nothing is right where nothing hangs on the call. A list leaves out what fails, or gives its reason; `split` asks
   whether its scratch memory is free, and waits where it is not told. */
static void check_consequence(const trial *trial)
{
    const fault *fault = &trial->fault;
    const scenario *scenario = trial->attempt.scenario;
    if (fault->at == 0 || (trial->has_failed && planted != VIOLATION_IGNORED) || scenario->lists_devices)
        return;
    fault_call call = fault_call_at(fault->at);
    int is_question = call == FAULT_clGetEventInfo && scenario->strategy == CLSOFTMAX_STRATEGY_SPLIT;
    if (!is_fallback(&trial->attempt) && !is_question && !fault_may_be_ignored(call))
        report(VIOLATION_IGNORED, "OK");
}

static void check_balance(const fault_held *before)
{
    char detail[200];
    if (!fault_held_as_before(before, detail, sizeof detail))
        report(VIOLATION_LEAK, detail);
}

static void check_caller(void)
{
    const int milliseconds = planted == VIOLATION_CALLER ? 200 : 10000; /* on a busy machine it takes the driver long */
    if (scenario_references_return(milliseconds))
        return;
    report(VIOLATION_CALLER, "reference counts differ");
    scenario_count_references(); /* said once */
}

static void note_reached(void)
{
    for (unsigned long n = 1; n <= fault_calls(); n++)
        shared->is_reached[fault_call_at(n)] = 1;
}

static void plant_ends(const trial *trial)
{
    clsoftmax_context *lost = NULL;
    if (planted == VIOLATION_CRASH && trial->has_failed)
        raise(SIGSEGV);
    if (planted == VIOLATION_HANG && trial->has_failed)
        for (;;)
            pause();
    if (planted == VIOLATION_LEAK)
        clsoftmax_context_create("0:0", &lost);
    if (planted == VIOLATION_CALLER)
        scenario_hold_caller();
}

static void go_through(trial *trial, const answer *expected)
{
    for (int i = 0; i < SCENARIO_STEPS; i++)
        if (!take_step(trial, scenario_steps[i]))
            return;
    fault_pause(1);
    check_choice(trial);
    check_consequence(trial);
    if (memcmp(&trial->attempt.answer, expected, sizeof *expected) != 0)
        report(trial->has_failed ? VIOLATION_RECOVERY : VIOLATION_BITS, "not the bits of cpu");
    fault_pause(0);
}

static void run_case(const scenario *scenario, const fault *fault, const libc_fault *allocation, const answer *expected)
{
    static trial trial; /* large */
    const fault_held before = fault_held_now();
    memset(&trial, 0, sizeof trial);
    trial.attempt.scenario = scenario;
    trial.fault = *fault;
    trial.allocation = *allocation;
    alarm(planted == VIOLATION_HANG ? 2 : HANG_SECONDS);
    fault_arm(fault);
    libc_layer_arm(allocation);
    go_through(&trial, expected);
    scenario_release(&trial.attempt);
    note_reached();
    fault_arm(NULL);
    libc_layer_arm(NULL);
    plant_ends(&trial);
    alarm(0);
    check_caller();
    check_balance(&before);
    shared->failed += (unsigned long)trial.has_failed;
    shared->tolerated += !trial.has_failed;
}

/* ---------------------------------------------------------------- All cases of a scenario */

static const fault no_fault = {0, CL_SUCCESS, FAULT_ONCE, FAULT_DEVICE_AS_IT_IS};
static const libc_fault no_allocation = {0, ENOMEM, LIBC_ONCE, 1};

/* 1 if it is this child's turn and the case is in the sample; every case passes here, in the same order in every child. */
static int is_next(const scenario *scenario, const fault *fault, const char *call)
{
    injection_findings *findings = &shared->findings;
    static const char *const reaches[] = {
#define REACH_TEXT(name, text) text,
        FAULT_REACH_LIST(REACH_TEXT)};
    static const char *const devices[] = {
#define DEVICE_TEXT(name, text) text,
        FAULT_DEVICE_LIST(DEVICE_TEXT)};
    unsigned long number = shared->current++;
    if (number < shared->first || (number % stride != 0 && fault->device == FAULT_DEVICE_AS_IT_IS))
        return 0;
    if (fault->at > 0)
        snprintf(findings->text, sizeof findings->text, "%s: call %lu, %s, %s (%d), %s", scenario->name, fault->at,
                 call, cls_opencl_error_name(fault->error), fault->error, reaches[fault->reach]);
    else
        snprintf(findings->text, sizeof findings->text, "%s: device: %s", scenario->name, devices[fault->device]);
    return 1;
}

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
            run_case(scenario, &fault, &no_allocation, expected);
        }
    }
}

/* Few, so that each is tried in the sample, too. */
static void fail_allocations(const scenario *scenario, const answer *expected)
{
    for (unsigned long n = 1; n <= shared->allocations; n++) {
        for (int is_lasting = 0; is_lasting <= 1; is_lasting++) {
            const libc_fault allocation = {n, ENOMEM, is_lasting ? LIBC_EVERYTHING : LIBC_ONCE, 1};
            if (shared->current++ < shared->first)
                continue;
            snprintf(shared->findings.text, sizeof shared->findings.text, "%s: allocation %lu%s", scenario->name, n,
                     is_lasting ? " and every later one" : "");
            shared->allocation_cases++;
            run_case(scenario, &no_fault, &allocation, expected);
        }
    }
}

static void try_devices(const scenario *scenario, const answer *expected)
{
    for (int device = 0; device < FAULT_DEVICE_COUNT; device++) {
        const fault fault = {0, CL_SUCCESS, FAULT_ONCE, (fault_device)device};
        if (!is_next(scenario, &fault, ""))
            continue;
        shared->device_cases++;
        run_case(scenario, &fault, &no_allocation, expected);
    }
}

/* The frames of a crash, which tell the driver's from the library's. */
static void on_crash(int signal_number)
{
    void *frames[30];
    if (!shared->findings.is_quiet)
        backtrace_symbols_fd(frames, backtrace(frames, 30), STDOUT_FILENO);
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

static void run_child(const scenario *scenario)
{
    static answer expected;
    static fault_call trace[4096];
    shared->current = 0;
    if (!scenario_prepare()) {
        report(VIOLATION_STATUS, "nothing could be prepared");
        return;
    }
    signal(SIGSEGV, on_crash); /* PoCL has put one of its own there, which goes on */
    signal(SIGABRT, on_crash);
    scenario_expect(scenario, &expected);
    attempt attempt = {.scenario = scenario};
    fault_arm(&no_fault);
    libc_layer_arm(&no_allocation);
    for (int i = 0; i < SCENARIO_STEPS; i++)
        if (scenario_steps[i](&attempt) != CLSOFTMAX_OK)
            report(VIOLATION_STATUS, clsoftmax_last_error());
    scenario_release(&attempt);
    shared->calls = fault_calls();
    shared->allocations = atomic_load(&libc_layer_board()->calls);
    for (unsigned long n = 1; n <= shared->calls; n++)
        trace[n - 1] = fault_call_at(n);
    note_reached();
    fault_arm(NULL);
    libc_layer_arm(NULL);
    scenario_count_references();
    fail_allocations(scenario, &expected);
    if (shared->calls > 0)
        try_devices(scenario, &expected);
    for (unsigned long n = 1; n <= shared->calls; n++)
        fail_call(scenario, n, trace[n - 1], &expected);
}

/* OpenCL does not survive fork(), so this process never uses it. A child that dies is followed by one that goes on behind its case. */
static void run_scenario(const scenario *scenario)
{
    shared->first = 0;
    shared->is_done = 0;
    for (int crashes = 0; !shared->is_done && crashes < MOST_CRASHES; crashes++) {
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
            run_child(scenario);
            shared->is_done = 1;
            leave(0);
        }
        int end = 0;
        waitpid(child, &end, 0);
        if (WIFSIGNALED(end))
            report(WTERMSIG(end) == SIGALRM ? VIOLATION_HANG : VIOLATION_CRASH, strsignal(WTERMSIG(end)));
        else if (!shared->is_done)
            report(VIOLATION_CRASH, "the process ended by itself");
        shared->first = shared->current;
        if (!shared->is_done && planted != VIOLATION_COUNT)
            return;
    }
}

/* ---------------------------------------------------------------- All scenarios */

static void check_reached(void)
{
    static const fault_call used[] = {
#define USED_CALL(name) FAULT_##name,
        OPENCL_FUNCTIONS(USED_CALL)};
    if (planted == VIOLATION_UNREACHED)
        shared->is_reached[FAULT_clBuildProgram] = 0;
    snprintf(shared->findings.text, sizeof shared->findings.text, "all scenarios");
    for (size_t i = 0; i < sizeof used / sizeof *used; i++)
        if (!shared->is_reached[used[i]])
            report(VIOLATION_UNREACHED, fault_call_name(used[i]));
}

static const scenario *find_scenario(const char *name)
{
    for (size_t i = 0; i < scenario_count; i++)
        if (strcmp(scenarios[i].name, name) == 0)
            return &scenarios[i];
    fprintf(stderr, "opencl_faults: no scenario %s\n", name);
    exit(2);
}

/* Asked in a child: this process is not to use OpenCL. */
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
    planted = (violation)kind;
    run_scenario(find_scenario(kind == VIOLATION_NOTICE ? "auto" : kind == VIOLATION_CALLER ? "buffers" : "copied"));
    if (kind == VIOLATION_UNREACHED)
        check_reached();
    planted = VIOLATION_COUNT;
}

static int self_test(void)
{
    unsigned long stride_before = stride;
    stride = 97;
    int all_seen = injection_self_test(&shared->findings, VIOLATION_COUNT, violation_texts, plant);
    stride = stride_before;
    memset(shared, 0, sizeof *shared);
    return all_seen;
}

static void print_scenario(const scenario *scenario)
{
    static unsigned long calls, cases, device_cases, allocations, allocation_cases;
    printf("%-14s %4lu calls: %6lu faults (%lu once, %lu of a function, %lu of everything, %lu in the queue), "
           "%lu nasty devices, %lu allocations: %lu faults; %lu failed and recovered, %lu had no consequence, %lu fell "
           "back to cpu\n",
           scenario->name, shared->calls, shared->cases, shared->by_reach[FAULT_ONCE], shared->by_reach[FAULT_FUNCTION],
           shared->by_reach[FAULT_EVERYTHING], shared->by_reach[FAULT_COMMAND], shared->device_cases,
           shared->allocations, shared->allocation_cases, shared->failed, shared->tolerated, shared->fallen_back);
    calls += shared->calls;
    cases += shared->cases;
    device_cases += shared->device_cases;
    allocations += shared->allocations;
    allocation_cases += shared->allocation_cases;
    printf("%-14s %4lu calls, %lu faults, %lu nasty devices, %lu allocations, %lu faults, %lu violations\n", "so far",
           calls, cases, device_cases, allocations, allocation_cases, injection_violations(&shared->findings));
    shared->cases = shared->device_cases = shared->allocation_cases = shared->failed = shared->tolerated =
        shared->fallen_back = 0;
    memset(shared->by_reach, 0, sizeof shared->by_reach);
}

/* The layer is this process's own copy, which the loader finds open already. */
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

int main(int count, char **names)
{
    choose_layer();
    unsetenv("CLSOFTMAX_DEVICE");
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return 2;
    if (getenv("CLSOFTMAX_TEST_LONG"))
        stride = 1;
    if (!has_device()) {
        printf("no OpenCL device\n");
        return getenv("CLSOFTMAX_REQUIRE_DEVICE") ? 1 : SKIPPED;
    }
    if (!self_test())
        return 1;
    for (size_t i = 0; i < (count > 1 ? (size_t)count - 1 : scenario_count); i++) {
        const scenario *scenario = count > 1 ? find_scenario(names[i + 1]) : &scenarios[i];
        run_scenario(scenario);
        print_scenario(scenario);
    }
    if (count == 1)
        check_reached();
    return injection_violations(&shared->findings) > 0;
}
