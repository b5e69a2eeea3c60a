/* The fault layer: an OpenCL layer (OPENCL_LAYERS) that counts calls and objects, fails the call that it is told to, and makes the
   device nasty within the law. A program links it and names it in OPENCL_LAYERS, so that both hold the same library. For one thread. */
#ifndef CLSOFTMAX_FAULT_LAYER_H
#define CLSOFTMAX_FAULT_LAYER_H

#include "fault_calls.h"

typedef enum fault_call {
#define FAULT_CALL_ENUM(name, parameters, arguments) FAULT_##name,
#define FAULT_CALL_ENUM_OBJECT(type, name, parameters, arguments) FAULT_##name,
    FAULT_CALLS(FAULT_CALL_ENUM, FAULT_CALL_ENUM, FAULT_CALL_ENUM_OBJECT)
#undef FAULT_CALL_ENUM
#undef FAULT_CALL_ENUM_OBJECT
        FAULT_CALL_COUNT
} fault_call;

const char *fault_call_name(fault_call call);

#define FAULT_REACH_LIST(X)                                                                                            \
    X(ONCE, "once")                                                                                                    \
    X(FUNCTION, "and every later call of this function")                                                               \
    X(EVERYTHING, "and every later call")                                                                              \
    X(COMMAND, "inside the queue: the call succeeds, its event fails")

typedef enum fault_reach {
#define FAULT_REACH_ENUM(name, text) FAULT_##name,
    FAULT_REACH_LIST(FAULT_REACH_ENUM)
#undef FAULT_REACH_ENUM
        FAULT_REACH_COUNT
} fault_reach;

/* Devices that obey the specification to the letter, or nearly so. */
#define FAULT_DEVICE_LIST(X)                                                                                           \
    X(AS_IT_IS, "as it is")                                                                                            \
    X(GPU, "calls itself a GPU")                                                                                       \
    X(WORK_GROUP_1, "one work-item to a work-group")                                                                   \
    X(WORK_GROUP_0, "no work-items to a work-group")                                                                   \
    X(KERNEL_WORK_GROUP_1, "one work-item to a work-group, which only the built kernel says")                          \
    X(KERNEL_WORK_GROUP_0, "no work-items at all, which only the built kernel says")                                   \
    X(TINY_BUFFERS, "buffers of at most 1 KiB")                                                                        \
    X(LATE_ALLOCATION, "memory is found missing by the first command behind an allocation")                            \
    X(UNTERMINATED_TEXTS, "texts fill all the room, without a terminator")                                             \
    X(EMPTY_TEXTS, "texts of no bytes, not even a terminator")                                                         \
    X(EMPTY_NUMBERS, "answers of no bytes for all limits")                                                             \
    X(EMPTY_ANSWERS, "answers of no bytes for everything")                                                             \
    X(EMBEDDED, "embedded profile")                                                                                    \
    X(NO_SUBNORMALS, "flushes subnormals to zero")                                                                     \
    X(NO_ROUNDING, "does not round to nearest")                                                                        \
    X(NO_INFINITIES, "has no infinities")                                                                              \
    X(NO_COMPILER, "has no compiler")                                                                                  \
    X(UNAVAILABLE, "is not available")                                                                                 \
    X(SILENT_COMPILER, "builds fail with an empty log")                                                                \
    X(CHATTY_COMPILER, "builds fail with a log of 1 MiB without a terminator")                                         \
    X(MUTE_COMPILER, "builds fail, and so does the question for the log")                                              \
    X(NO_DEVICE, "a platform without devices")                                                                         \
    X(EMPTY_PLATFORM, "a platform without devices, with CL_SUCCESS")                                                   \
    X(NO_PLATFORM, "no platform, with CL_SUCCESS")

typedef enum fault_device {
#define FAULT_DEVICE_ENUM(name, text) FAULT_DEVICE_##name,
    FAULT_DEVICE_LIST(FAULT_DEVICE_ENUM)
#undef FAULT_DEVICE_ENUM
        FAULT_DEVICE_COUNT
} fault_device;

typedef struct fault {
    unsigned long at; /* which call, from 1 on; 0 for none */
    cl_int error;
    fault_reach reach;
    fault_device device;
} fault;

/* From here on calls are counted anew, and fail as told; NULL: they neither count nor fail. */
void fault_arm(const fault *fault);

/* 1: calls pass as those of somebody else, without a count; 0: again as armed. */
void fault_pause(int paused);

/* Calls since fault_arm, and which the n-th was, from 1 on. */
unsigned long fault_calls(void);
fault_call fault_call_at(unsigned long n);

/* Objects of all kinds: creations and retains less releases. */
#define FAULT_OBJECT_LIST(X)                                                                                           \
    X(CONTEXTS, "contexts")                                                                                            \
    X(QUEUES, "queues")                                                                                                \
    X(BUFFERS, "buffers")                                                                                              \
    X(PROGRAMS, "programs")                                                                                            \
    X(KERNELS, "kernels")                                                                                              \
    X(EVENTS, "events")

typedef enum fault_object {
#define FAULT_OBJECT_ENUM(name, text) FAULT_##name,
    FAULT_OBJECT_LIST(FAULT_OBJECT_ENUM)
#undef FAULT_OBJECT_ENUM
        FAULT_OBJECT_COUNT
} fault_object;

long fault_balance(fault_object kind);

#endif
