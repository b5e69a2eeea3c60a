/*
 * The library in the words of a command: devices are opened with their notices, failures become exit statuses, and
 * options name strategies, operations, dtypes and accuracies. Used by every command that computes, and by
 * clsoftmax-bench.
 */
#ifndef CLSOFTMAX_LIBRARY_H
#define CLSOFTMAX_LIBRARY_H

#include "clsoftmax/clsoftmax.h"

#include <stdio.h>

/* Returns 1 if a call failed because the request was wrong, 0 if memory, a device or a driver failed: the statuses are
   numbered by that. */
int is_request_wrong(clsoftmax_status status);

/* Complains about the library's last error, beginning with `what`. Returns EXIT_WRONG where the request was wrong, and
   EXIT_FAILED where memory, a device or a driver failed. */
int complain_library(const char *what, clsoftmax_status status);

/* Opens the device that a selector names (NULL: auto), and prints the library's notice about it. EXIT_DONE, or another
   status after a complaint. */
int open_context(const char *selector, clsoftmax_context **context);

/* Prints the table of strategies: the name, the idea and the rule of each. */
void print_strategies(FILE *file);

/* Finds the strategy that an option names. EXIT_DONE, or EXIT_WRONG after a complaint that lists the names. */
int parse_strategy(const char *option, const char *text, clsoftmax_strategy *strategy);

/* Finds the operation that an option names, likewise. NONE, which computes nothing, is not offered. */
int parse_operation(const char *option, const char *text, clsoftmax_operation *operation);

/* Finds the dtype that an option names. EXIT_DONE, or EXIT_WRONG after a complaint that lists the names. */
int parse_dtype(const char *option, const char *text, clsoftmax_dtype *dtype);

/* Finds the accuracy that an option names, likewise. */
int parse_accuracy(const char *option, const char *text, clsoftmax_accuracy *accuracy);

#endif
