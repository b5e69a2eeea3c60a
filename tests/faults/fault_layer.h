/* The fault layer: an OpenCL layer (OPENCL_LAYERS) between the loader and the driver that counts calls and objects,
   makes the call fail that it is told to, and makes the device nasty within the law. opencl_faults links it and also
   names it in OPENCL_LAYERS, so that the loader uses the program's own copy. It is for one thread. */
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

/* Nasty devices: they obey the specification to the letter, or nearly so. */
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
    unsigned long at; /* the number of the call, from 1 on; 0: none */
    cl_int error;
    fault_reach reach;
    fault_device device;
} fault;

/* Counts calls anew from here on, and makes them fail as told; NULL: neither. */
void fault_arm(const fault *fault);

/* 1: every device calls itself a GPU, whatever else is the matter with it, so that "auto" opens it. */
extern int fault_is_gpu;

/* Lets calls pass without a count, because they are not the library's (1), or ends that (0). */
void fault_pause(int paused);

enum { FAULT_MOST_CALLS = 4096 }; /* that are remembered; the number of calls stays at this one */

/* Return the number of calls since fault_arm, and the function of the n-th, from 1 on. */
unsigned long fault_calls(void);
fault_call fault_call_at(unsigned long n);

/* The kinds of objects that are counted. */
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

/* Returns how many objects of the kind were created or retained, less those that were released. */
long fault_balance(fault_object kind);

#endif
