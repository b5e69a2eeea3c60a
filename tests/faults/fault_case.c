/* A case of opencl_faults: what fault_case.h declares. */
#include "fault_case.h"

#include "fault_errors.h"
#include "fault_held.h"
#include "injection.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { HANG_SECONDS = 200 };

violation fault_planted = VIOLATION_COUNT;

typedef struct trial {
    attempt attempt;
    fault fault;
    libc_fault allocation; /* one of the two faults has `at` 0: it is none */
    int has_failed;        /* a step has failed once; the fault has been gone since */
} trial;

/* Returns 1 if so many calls were made that the fault has struck. */
static int strikes(const fault *fault)
{
    return fault->at > 0 && fault_calls() >= fault->at;
}

/* Checks the status, the error code and the text of a step that has failed. */
static void check_failure(const trial *trial, clsoftmax_status status)
{
    const fault *fault = &trial->fault;
    char detail[600];
    snprintf(detail, sizeof detail, "%s, %d: %.400s", clsoftmax_status_name(status), clsoftmax_last_opencl_error(),
             clsoftmax_last_error());
    if (trial->allocation.at > 0) {
        if (status != CLSOFTMAX_OUT_OF_HOST_MEMORY)
            injection_report(VIOLATION_STATUS, detail);
        if (!strstr(clsoftmax_last_error(), "memory"))
            injection_report(VIOLATION_MESSAGE, detail);
        return;
    }
    if (fault->device != FAULT_DEVICE_AS_IT_IS) {
        if (fault_device_ends[fault->device].status != status)
            injection_report(VIOLATION_STATUS, detail);
        return;
    }
    if (!strikes(fault) || !fault_status_is_right(fault, fault_call_at(fault->at), status))
        injection_report(VIOLATION_STATUS, detail);
    if (trial->attempt.failed_in_queue)
        return; /* the call itself was successful, so the library has no error to name */
    int error = clsoftmax_last_opencl_error();
    if (error == 0 && status == CLSOFTMAX_DEVICE_NOT_FOUND)
        error = fault->error; /* only the text tells why there is no device */
    const char *text = fault_planted == VIOLATION_MESSAGE ? "" : clsoftmax_last_error();
    if (!fault_error_is_right(fault, error) || !fault_text_names(text, error))
        injection_report(VIOLATION_MESSAGE, detail);
}

/* Takes a step under the fault. Where it fails, takes the fault away and the step again, which must then succeed.
   Returns 0 if the trial ends here. */
static int take_step(trial *trial, scenario_step *step)
{
    clsoftmax_status status = step(&trial->attempt);
    if (fault_planted == VIOLATION_STATUS && status >= CLSOFTMAX_OUT_OF_HOST_MEMORY)
        status = CLSOFTMAX_INVALID_SHAPE;
    if (fault_planted == VIOLATION_BITS && trial->attempt.plan)
        status = CLSOFTMAX_OK;
    if (status == CLSOFTMAX_OK)
        return 1;
    check_failure(trial, status);
    trial->has_failed = 1;
    if (fault_device_ends[trial->fault.device].is_lasting)
        return 0;
    fault_arm(NULL);
    libc_layer_arm(NULL);
    status = fault_planted == VIOLATION_RECOVERY ? CLSOFTMAX_DEVICE_FAILED : step(&trial->attempt);
    if (status != CLSOFTMAX_OK)
        injection_report(VIOLATION_RECOVERY, clsoftmax_last_error());
    return status == CLSOFTMAX_OK;
}

/* Returns 1 if cpu computes, and was not asked for. */
static int is_fallback(const attempt *attempt)
{
    const char *selector = attempt->scenario->selector;
    return clsoftmax_context_device(attempt->context)->type == CLSOFTMAX_DEVICE_CPU &&
           !(selector && strcmp(selector, "cpu") == 0);
}

/* Checks the device that was chosen: a notice must tell of a fallback to cpu and of a device outside the numeric
   promise, and a device that cannot work must not have worked. */
static void check_choice(const trial *trial, fault_tally *tally)
{
    const fault *fault = &trial->fault;
    const fault_device_end *end = &fault_device_ends[fault->device];
    int has_fallen_back = is_fallback(&trial->attempt);
    const char *notice = fault_planted == VIOLATION_NOTICE ? NULL : clsoftmax_context_notice(trial->attempt.context);
    tally->fallen_back += has_fallen_back ? 1 : 0;
    if (trial->has_failed)
        return;
    /* a device that does not say that it is a GPU is not looked at by "auto", which is no fall */
    int is_known = fault->device != FAULT_DEVICE_EMPTY_ANSWERS;
    if (((has_fallen_back && is_known) || end->has_notice) && !notice)
        injection_report(VIOLATION_NOTICE, "there is none");
    if (has_fallen_back && strikes(fault) && notice && !fault_text_names(notice, fault->error))
        injection_report(VIOLATION_NOTICE, notice);
    if (!has_fallen_back && end->status != CLSOFTMAX_OK && !end->may_work)
        injection_report(VIOLATION_STATUS, "OK from a device that cannot work");
}

/* Checks that a call has not failed without a consequence, unless nothing depends on it. A list of devices may leave
   out what fails. `split` asks whether its scratch memory is free, and waits where it gets no answer. */
static void check_consequence(const trial *trial)
{
    const fault *fault = &trial->fault;
    const scenario *scenario = trial->attempt.scenario;
    if (fault->at == 0 || (trial->has_failed && fault_planted != VIOLATION_IGNORED) || scenario->lists_devices)
        return;
    fault_call call = fault_call_at(fault->at);
    int is_question = call == FAULT_clGetEventInfo && scenario->strategy == CLSOFTMAX_STRATEGY_SPLIT;
    if (!is_fallback(&trial->attempt) && !is_question && !fault_may_be_ignored(call))
        injection_report(VIOLATION_IGNORED, "OK");
}

/* Checks that the library holds no more than before the case. */
static void check_balance(const fault_held *before)
{
    char detail[200];
    if (!fault_held_as_before(before, detail, sizeof detail))
        injection_report(VIOLATION_LEAK, detail);
}

/* Checks that the library has given the caller's objects back. */
static void check_caller(void)
{
    const int milliseconds = fault_planted == VIOLATION_CALLER ? 200 : 10000; /* a busy machine needs long */
    if (scenario_references_return(milliseconds))
        return;
    injection_report(VIOLATION_CALLER, "reference counts differ");
    scenario_count_references(); /* so that the next case does not report it again */
}

void fault_note_reached(fault_tally *tally)
{
    for (unsigned long n = 1; n <= fault_calls(); n++)
        tally->is_reached[fault_call_at(n)] = 1;
}

/* Does what the planted violation consists of. */
static void plant_ends(const trial *trial)
{
    clsoftmax_context *lost = NULL;
    if (fault_planted == VIOLATION_CRASH && trial->has_failed)
        raise(SIGSEGV);
    if (fault_planted == VIOLATION_HANG && trial->has_failed)
        for (;;)
            pause();
    if (fault_planted == VIOLATION_LEAK)
        clsoftmax_context_create("0:0", &lost);
    if (fault_planted == VIOLATION_CALLER)
        scenario_hold_caller();
}

/* Takes all steps, then checks the device, the consequences and the answer. */
static void go_through(trial *trial, const answer *expected, fault_tally *tally)
{
    for (int i = 0; i < SCENARIO_STEPS; i++)
        if (!take_step(trial, scenario_steps[i]))
            return;
    fault_pause(1);
    check_choice(trial, tally);
    check_consequence(trial);
    if (memcmp(&trial->attempt.answer, expected, sizeof *expected) != 0)
        injection_report(trial->has_failed ? VIOLATION_RECOVERY : VIOLATION_BITS, "not the bits of cpu");
    fault_pause(0);
}

void fault_case_run(const scenario *scenario, const fault *fault, const libc_fault *allocation, const answer *expected,
                    fault_tally *tally)
{
    static trial trial; /* too large for a stack */
    const fault_held before = fault_held_now();
    memset(&trial, 0, sizeof trial);
    trial.attempt.scenario = scenario;
    trial.fault = *fault;
    trial.allocation = *allocation;
    alarm(fault_planted == VIOLATION_HANG ? 2 : HANG_SECONDS);
    fault_arm(fault);
    libc_layer_arm(allocation);
    go_through(&trial, expected, tally);
    scenario_release(&trial.attempt);
    fault_note_reached(tally);
    fault_arm(NULL);
    libc_layer_arm(NULL);
    plant_ends(&trial);
    alarm(0);
    check_caller();
    check_balance(&before);
    tally->failed += (unsigned long)trial.has_failed;
    tally->tolerated += !trial.has_failed;
}
