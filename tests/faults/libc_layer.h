/* The layer between a program and the C library: it counts the program's own calls of the functions in libc_calls.h,
   not those of other libraries, makes the call fail that it is told to, and counts what the program holds. A program
   links it (target libc_layer) and controls it itself, or another process does by a board in a file that both share. */
#ifndef CLSOFTMAX_LIBC_LAYER_H
#define CLSOFTMAX_LIBC_LAYER_H

#include "libc_calls.h"

#include <stdatomic.h>

typedef enum libc_call {
#define LIBC_CALL_ENUM(name, ...) LIBC_##name,
    LIBC_CALLS(LIBC_CALL_ENUM, LIBC_CALL_ENUM, LIBC_CALL_ENUM, LIBC_CALL_ENUM, LIBC_CALL_ENUM, LIBC_CALL_ENUM,
               LIBC_CALL_ENUM, LIBC_CALL_ENUM)
#undef LIBC_CALL_ENUM
        LIBC_CALL_COUNT
} libc_call;

const char *libc_call_name(libc_call call);

#define LIBC_REACH_LIST(X)                                                                                             \
    X(ONCE, "once")                                                                                                    \
    X(FUNCTION, "and every later call of this function")                                                               \
    X(EVERYTHING, "and every later call")                                                                              \
    X(SHORT, "half of the bytes, in every later call of this function, too")                                           \
    X(NOTHING, "no byte, and no error")

typedef enum libc_reach {
#define LIBC_REACH_ENUM(name, text) LIBC_##name,
    LIBC_REACH_LIST(LIBC_REACH_ENUM)
#undef LIBC_REACH_ENUM
        LIBC_REACH_COUNT
} libc_reach;

typedef struct libc_fault {
    unsigned long at; /* the number of the call, from 1 on; 0: none */
    int error;        /* a number of errno.h */
    libc_reach reach;
    int memory_only; /* calls that take no memory, those behind __getdelim in libc_calls.h, neither count nor fail */
} libc_fault;

enum { LIBC_MOST_CALLS = 1 << 16 };

/* What the ruinable command does wrong on purpose, so that file_faults can show that it sees it. */
#define LIBC_PLANT_LIST(X)                                                                                             \
    X(NONE)                                                                                                            \
    X(CRASH)                                                                                                           \
    X(HANG)                                                                                                            \
    X(STATUS)                                                                                                          \
    X(MESSAGE)                                                                                                         \
    X(IGNORED)                                                                                                         \
    X(BITS)                                                                                                            \
    X(OLDER)                                                                                                           \
    X(LEFT)                                                                                                            \
    X(LEAK)                                                                                                            \
    X(CHILD)                                                                                                           \
    X(UNREACHED)

typedef enum libc_plant {
#define LIBC_PLANT_ENUM(name) LIBC_PLANT_##name,
    LIBC_PLANT_LIST(LIBC_PLANT_ENUM)
#undef LIBC_PLANT_ENUM
} libc_plant;

typedef struct libc_board {
    libc_fault fault;
    libc_plant plant;
    atomic_ulong calls;
    atomic_int trace[LIBC_MOST_CALLS]; /* the n-th call is at place n - 1 */
    atomic_int struck;                 /* the function whose call failed first, plus 1; 0: none */
    atomic_long memory, descriptors;   /* taken, less given back */
} libc_board;

/* Names the file whose first bytes are the board of a program that starts. Without it the program has a board of its
   own, and its calls do not fail. */
#define LIBC_BOARD_VARIABLE "CLSOFTMAX_TEST_BOARD"

/* Return the board that is in use, and put another one in its place. */
libc_board *libc_layer_board(void);
void libc_layer_use(libc_board *shared);

/* Counts calls anew from here on, and makes them fail as told; NULL: neither. */
void libc_layer_arm(const libc_fault *fault);

#endif
