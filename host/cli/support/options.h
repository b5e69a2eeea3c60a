/*
 * The options of a command, as rows of a table: getopt_long parses by the rows, and --help is printed from them, so
 * that the two cannot disagree. Used by all commands of clsoftmax, and by clsoftmax-bench.
 *
 * To add an option, add a row: its names, what --help says of it, and the function that takes its argument.
 */
#ifndef CLSOFTMAX_OPTIONS_H
#define CLSOFTMAX_OPTIONS_H

#include <stddef.h>
#include <stdio.h>

typedef struct option_row option_row;

/* Takes the argument of an option (NULL if it has none) into the command's own record of options. EXIT_DONE, or another
   status after a complaint; EXIT_ANSWERED ends the command well, as --version does. */
typedef int option_setter(const option_row *row, const char *argument, void *options);

/* A row is an option, or, with a heading alone, the beginning of a group in --help. */
struct option_row {
    const char *heading;  /* of a group; NULL: the row is an option */
    char letter;          /* as 'o' of -o; 0: none */
    const char *name;     /* as "output" of --output */
    const char *argument; /* what --help calls its argument, as "FILE"; NULL: it takes none */
    int is_optional;      /* the argument may be left out: --stats[=FILE] */
    unsigned commands;    /* a bit for each command that has this row; 0: all commands of the table */
    option_setter *set;
    size_t offset;    /* of what `set` sets, in the record of options; for setters that serve several rows */
    const char *help; /* what the option does, in lines of at most 90 letters */
};

/* The options of one command, and what its --help says beside them. */
typedef struct option_table {
    const option_row *rows;           /* a row without a heading and a name ends them */
    unsigned command;                 /* the command's bit in option_row.commands */
    const char *introduction;         /* how --help begins: "usage: ..." and what the command does */
    void (*print_more)(FILE *output); /* prints what stands behind the options; NULL: nothing */
    const char *examples;             /* how --help ends */
} option_table;

/* Parses a command line into `options`, which holds the defaults. Arguments that are no options are left from
   argv[optind] on. EXIT_DONE; EXIT_ANSWERED after --help; or another status after a complaint. */
int options_parse(const option_table *table, int argc, char **argv, void *options);

/* Complains if a command that takes nothing but options was given anything else. EXIT_DONE or EXIT_WRONG. */
int options_refuse_operands(int argc, char **argv);

/* Writes what a complaint calls an option, "-o" or "--axis", into `text`, and returns it. */
enum { OPTION_NAME_BYTES = 40 };
const char *option_name(const option_row *row, char text[OPTION_NAME_BYTES]);

/* Setters for rows that need no function of their own; row->offset says where the value stands. */
int option_set_text(const option_row *row, const char *argument, void *options);      /* const char * */
int option_set_on(const option_row *row, const char *argument, void *options);        /* int, becomes 1 */
int option_set_off(const option_row *row, const char *argument, void *options);       /* int, becomes 0 */
int option_set_integer(const option_row *row, const char *argument, void *options);   /* int */
int option_set_index(const option_row *row, const char *argument, void *options);     /* uint64_t, from 0 on */
int option_set_count(const option_row *row, const char *argument, void *options);     /* uint64_t, from 1 on */
int option_set_size(const option_row *row, const char *argument, void *options);      /* uint64_t, bytes */
int option_set_seconds(const option_row *row, const char *argument, void *options);   /* double */
int option_set_dtype(const option_row *row, const char *argument, void *options);     /* clsoftmax_dtype */
int option_set_strategy(const option_row *row, const char *argument, void *options);  /* clsoftmax_strategy */
int option_set_operation(const option_row *row, const char *argument, void *options); /* clsoftmax_operation */

#endif
