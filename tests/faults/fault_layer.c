/* The fault layer itself: every OpenCL call passes here, where it may fail, before it goes on to fault_driver.c. */
#include "fault_layer.h"
#include "fault_driver.h"
#include "layer.h"

#include <stddef.h>

static fault plan;
static int is_armed, is_paused;
static unsigned long calls;
static fault_call trace[FAULT_MOST_CALLS];
static fault_call struck; /* the function whose call failed first */

static struct _cl_icd_dispatch driver; /* the driver's functions, some of them changed by fault_driver.c */

const char *fault_call_name(fault_call call)
{
    static const char *const names[] = {
#define CALL_NAME(name, parameters, arguments) #name,
#define CALL_NAME_OBJECT(type, name, parameters, arguments) #name,
        FAULT_CALLS(CALL_NAME, CALL_NAME, CALL_NAME_OBJECT)};
    return names[call];
}

void fault_arm(const fault *fault)
{
    static const struct fault none;
    is_armed = fault != NULL;
    plan = fault ? *fault : none;
    calls = 0;
    fault_driver_become(plan.device);
}

void fault_pause(int paused)
{
    is_paused = paused;
    fault_driver_become(paused ? FAULT_DEVICE_AS_IT_IS : plan.device);
}

unsigned long fault_calls(void)
{
    return calls < FAULT_MOST_CALLS ? calls : FAULT_MOST_CALLS;
}

fault_call fault_call_at(unsigned long n)
{
    return trace[n - 1];
}

/* Counts a call. Returns the error that it must return, or CL_SUCCESS. */
static cl_int next_call(fault_call call)
{
    if (!is_armed || is_paused)
        return CL_SUCCESS;
    if (calls < FAULT_MOST_CALLS)
        trace[calls] = call;
    calls++;
    if (plan.at == 0 || calls < plan.at)
        return CL_SUCCESS;
    if (calls == plan.at)
        struck = call;
    else if (plan.reach != FAULT_EVERYTHING && (plan.reach != FAULT_FUNCTION || call != struck))
        return CL_SUCCESS;
    if (plan.reach != FAULT_COMMAND)
        return plan.error;
    fault_driver_lose_next(plan.error);
    return CL_SUCCESS;
}

#define REFUSED_CALL(name, parameters, arguments)                                                                      \
    static cl_int CL_API_CALL faulty_##name parameters                                                                 \
    {                                                                                                                  \
        cl_int fault = next_call(FAULT_##name);                                                                        \
        return fault != CL_SUCCESS ? fault : driver.name arguments;                                                    \
    }
#define LATE_CALL(name, parameters, arguments)                                                                         \
    static cl_int CL_API_CALL faulty_##name parameters                                                                 \
    {                                                                                                                  \
        cl_int fault = next_call(FAULT_##name), real = driver.name arguments;                                          \
        return fault != CL_SUCCESS ? fault : real;                                                                     \
    }
#define OBJECT_CALL(type, name, parameters, arguments)                                                                 \
    static type CL_API_CALL faulty_##name parameters                                                                   \
    {                                                                                                                  \
        cl_int fault = next_call(FAULT_##name);                                                                        \
        if (fault == CL_SUCCESS)                                                                                       \
            return driver.name arguments;                                                                              \
        if (error)                                                                                                     \
            *error = fault;                                                                                            \
        return NULL;                                                                                                   \
    }
FAULT_CALLS(REFUSED_CALL, LATE_CALL, OBJECT_CALL)

static void change_dispatch(struct _cl_icd_dispatch *changed)
{
    driver = *changed;
    fault_driver_change(cl_target, &driver);
#define INTERCEPT(name, parameters, arguments) changed->name = faulty_##name;
#define INTERCEPT_OBJECT(type, name, parameters, arguments) changed->name = faulty_##name;
    FAULT_CALLS(INTERCEPT, INTERCEPT, INTERCEPT_OBJECT)
}
