/* What the commands clsoftmax and clsoftmax-bench share. They use the library's public headers alone. */
#ifndef CLSOFTMAX_CLI_H
#define CLSOFTMAX_CLI_H

#include "clsoftmax/clsoftmax.h"

#include <stdio.h>

/* Exit statuses: 0 done; 1 it failed while running; 2 the request or the input is wrong. */
enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_WRONG = 2 };

/* What begins every message: each command's main.c defines it. */
extern const char program_name[];

/* What each command's main begins with: signals of a write that fails are errors of that write, and a standard stream that is closed
   stays so, whatever is opened. */
void begin_process(void);

/* "PROGRAM: MESSAGE" as one line on standard error (line breaks in it become " | "); returns `status`. */
int complain(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* From 1 to 0, the first complaint alone is printed: threads of which one stops all others fail together. */
void complain_once(int on);

/* The same for the library's last error; the exit status follows from the library's. */
int complain_library(const char *what, clsoftmax_status status);

/* "PROGRAM: MESSAGE" on standard error, for what is not an error; nothing while notices_are_quiet. */
extern int notices_are_quiet;
void notice(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Opens a device (NULL: auto) and passes its notice on. */
int open_device(const char *selector, clsoftmax_context **context);

/* 1 if the text ends so, with something before it. */
int ends_with(const char *text, const char *end);

/* Reads through interruptions, by any thread, as many bytes as there are from an offset on, `room` at most. How many, or -1 with errno. */
ssize_t read_at(int descriptor, uint64_t offset, void *to, size_t room);

/* Flushes an output stream; EXIT_DONE, or EXIT_FAILED after a complaint, which a closed pipe is not worth. */
int finish_output(FILE *file);

/* Prints a help text and ends a command well. */
int print_help(const char *text);

/* A temperature as text: 0 to inf. EXIT_DONE, or EXIT_WRONG after a complaint. */
int parse_temperature(const char *text, float *temperature);

/* The place of `text` among `count` names, or -1 after a complaint about the option. */
int choose(const char *option, const char *text, const char *const *names, int count);

/* The table of strategies: ideas and rules. */
void print_strategies(FILE *file);

/* A strategy by its name. EXIT_DONE, or EXIT_WRONG after a complaint. */
int parse_strategy(const char *text, clsoftmax_strategy *strategy);

/* A dtype by its name, or -1 after a complaint about the option. */
int choose_dtype(const char *option, const char *text);

/* Subcommands: argv[0] is what a user calls it by, "clsoftmax run". Each returns an exit status. */
int command_run(int argc, char **argv);
int command_sweep(int argc, char **argv);
int command_plot(int argc, char **argv);
int command_explore(int argc, char **argv);
int command_devices(int argc, char **argv);
int command_verify(int argc, char **argv);

/* The next option by getopt_long, -1 at the end; '?' after a complaint about an option that is unknown or lacks its
   argument. */
struct option;
int next_option(int argc, char **argv, const char *short_options, const struct option *long_options);

#endif
