/*
 * The values of options, read from text: numbers, sizes, temperatures, choices. Used by the tables of options of
 * clsoftmax and clsoftmax-bench, and by what looks at the ends of file names. `option` is what a complaint begins with,
 * as "--rows". Each parse_... returns EXIT_DONE, or EXIT_WRONG after a complaint that says what the option takes.
 */
#ifndef CLSOFTMAX_VALUES_H
#define CLSOFTMAX_VALUES_H

#include <stdint.h>

/* Returns 1 if the text ends with `end`, in letters of either case, and has something before it. */
int ends_with(const char *text, const char *end);

/* Reads a whole number from 0 on at *text, and moves *text behind it. Returns 1 if there is one that 64 bits hold. */
int take_number(const char **text, uint64_t *number);

/* Reads a whole number from `least` to `most`; UINT64_MAX is no limit. */
int parse_count(const char *option, const char *text, uint64_t least, uint64_t most, uint64_t *count);

/* Reads a whole number with or without a sign. */
int parse_integer(const char *option, const char *text, int *number);

/* Reads a number of bytes, at least 1: "4096", "512M", "2GiB"; the units are powers of 1024. */
int parse_size(const char *option, const char *text, uint64_t *bytes);

/* Reads a number of seconds from 0 on. */
int parse_seconds(const char *option, const char *text, double *seconds);

/* Reads a temperature, from 0 to inf. */
int parse_temperature(const char *option, const char *text, float *temperature);

/* Finds the place of `text` among `count` names. */
int parse_choice(const char *option, const char *text, const char *const *names, int count, int *choice);

#endif
