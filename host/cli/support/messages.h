/*
 * Exit statuses, the messages on standard error that explain them, and the macros that pass a failure on.
 *
 * Nearly every function of the commands returns an exit status. Whoever finds a failure complains about it, once, and
 * returns a status other than EXIT_DONE; everybody above passes that on. Used by all files of clsoftmax, clsoftmax-mpi
 * and clsoftmax-bench.
 */
#ifndef CLSOFTMAX_MESSAGES_H
#define CLSOFTMAX_MESSAGES_H

enum {
    EXIT_DONE = 0,     /* it is done */
    EXIT_FAILED = 1,   /* it failed while running */
    EXIT_WRONG = 2,    /* the request or the input is wrong */
    EXIT_ANSWERED = -1 /* --help or --version was printed, and nothing else is to be done: ends as EXIT_DONE */
};

/* Returns from the calling function with the status of `call`, unless that is EXIT_DONE. A function that has something
   to release is split in two: an inner one that forwards, and an outer one that calls it and releases. */
#define FORWARD(call)                                                                                                  \
    do {                                                                                                               \
        int forwarded_ = (call);                                                                                       \
        if (forwarded_ != EXIT_DONE)                                                                                   \
            return forwarded_;                                                                                         \
    } while (0)

/* Returns from the calling function with `status`, after a complaint, if the condition holds. */
#define COMPLAIN_IF(condition, status, ...)                                                                            \
    do {                                                                                                               \
        if (condition)                                                                                                 \
            return complain((status), __VA_ARGS__);                                                                    \
    } while (0)

/* The name with which every message begins. The main file of each program defines it. */
extern const char program_name[];

/* Prints "PROGRAM: MESSAGE" as one line on standard error, and returns `status`. Line breaks in the message become " |
   ". */
int complain(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Begins (1) or ends (0) a time in which only the first complaint is printed. Threads that share a job fail together
   when one of them does, and the user is to read one reason. */
void complain_once(int on);

/* Prints "PROGRAM: MESSAGE" on standard error for something that is not an error; nothing while notices_are_quiet. */
extern int notices_are_quiet;
void notice(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
