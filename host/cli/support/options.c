/* The options of a command, as rows of a table: see options.h. */
#include "support/options.h"

#include "support/library.h"
#include "support/messages.h"
#include "support/process.h"
#include "support/values.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

enum {
    MOST_OPTIONS = 64,   /* of a command */
    FIRST_VALUE = 256,   /* getopt_long's value of the first row without a letter */
    HELP_COLUMN = 27,    /* where the texts of --help begin */
    MOST_LEFT_BYTES = 80 /* of the names of an option in --help */
};

static const option_row help_row = {.letter = 'h', .name = "help", .help = "print this help"};

/* ---------------------------------------------------------------- Rows */

static int is_end(const option_row *row)
{
    return !row->heading && !row->name;
}

static int is_of_command(const option_table *table, const option_row *row)
{
    return row->commands == 0 || (row->commands & table->command) != 0;
}

const char *option_name(const option_row *row, char text[OPTION_NAME_BYTES])
{
    if (row->letter)
        snprintf(text, OPTION_NAME_BYTES, "-%c", row->letter);
    else
        snprintf(text, OPTION_NAME_BYTES, "--%s", row->name);
    return text;
}

/* ---------------------------------------------------------------- Help */

/* Prints text from HELP_COLUMN on, whose lines begin there, too. */
static void print_text(const char *text)
{
    for (const char *end; *text; text = *end ? end + 1 : end) {
        end = text + strcspn(text, "\n");
        printf("%.*s\n%*s", (int)(end - text), text, *end ? HELP_COLUMN : 0, "");
    }
}

static void print_option(const option_row *row)
{
    char left[MOST_LEFT_BYTES], letter[5] = "    ";
    if (row->letter)
        snprintf(letter, sizeof letter, "-%c, ", row->letter);
    snprintf(left, sizeof left,
             row->is_optional ? "  %s--%s[=%s]"
             : row->argument  ? "  %s--%s %s"
                              : "  %s--%s",
             letter, row->name, row->argument ? row->argument : "");
    if (strlen(left) + 2 > HELP_COLUMN)
        printf("%s\n%*s", left, HELP_COLUMN, "");
    else
        printf("%-*s", HELP_COLUMN, left);
    print_text(row->help);
}

/* Prints all of --help, and stops at a write that fails, so that errno stays that write's. */
static int print_help(const option_table *table)
{
    fputs(table->introduction, stdout);
    int is_first = 1;
    for (const option_row *row = table->rows; !is_end(row) && !ferror(stdout); row++) {
        if (!is_of_command(table, row))
            continue;
        if (row->heading)
            printf("%s%s:\n", is_first ? "" : "\n", row->heading);
        else
            print_option(row);
        is_first = 0;
    }
    if (!ferror(stdout))
        print_option(&help_row);
    if (table->print_more && !ferror(stdout))
        table->print_more(stdout);
    if (table->examples && !ferror(stdout))
        printf("\n%s", table->examples);
    FORWARD(finish_output(stdout));
    return EXIT_ANSWERED;
}

/* ---------------------------------------------------------------- Parsing */

/* A table's options as getopt_long takes them. */
typedef struct listed_options {
    struct option names[MOST_OPTIONS + 1];
    const option_row *rows[MOST_OPTIONS];
    char letters[2 * MOST_OPTIONS + 2];
    int count;
} listed_options;

static void list_row(listed_options *listed, const option_row *row)
{
    int has_argument = !row->argument ? no_argument : row->is_optional ? optional_argument : required_argument;
    int value = row->letter ? row->letter : FIRST_VALUE + listed->count;
    listed->names[listed->count] = (struct option){row->name, has_argument, NULL, value};
    listed->rows[listed->count++] = row;
    if (row->letter)
        snprintf(listed->letters + strlen(listed->letters), 3, row->argument ? "%c:" : "%c", row->letter);
}

static void list_options(const option_table *table, listed_options *listed)
{
    memset(listed, 0, sizeof *listed);
    listed->letters[0] = ':'; /* getopt_long then tells a missing argument from an unknown option */
    for (const option_row *row = table->rows; !is_end(row) && listed->count + 1 < MOST_OPTIONS; row++)
        if (!row->heading && is_of_command(table, row))
            list_row(listed, row);
    list_row(listed, &help_row);
}

/* Complains about an option that is unknown ('?'), or lacks its argument (':'). */
static int complain_option(int problem, char **argv, const listed_options *listed)
{
    char letter[3] = {'-', (char)optopt, '\0'};
    int is_printable = optopt > ' ' && optopt < 127;
    int is_letter = is_printable && (problem == '?' || strchr(listed->letters, optopt) != NULL);
    return complain(EXIT_WRONG,
                    problem == ':' ? "%s: an argument is missing; see %s --help"
                                   : "%s: no such option, or not with that argument; see %s --help",
                    is_letter ? letter : argv[optind - 1], argv[0]);
}

/* Finds the row of a value that getopt_long returned. */
static const option_row *find_row(const listed_options *listed, int value)
{
    int i = 0;
    while (listed->names[i].val != value)
        i++;
    return listed->rows[i];
}

int options_parse(const option_table *table, int argc, char **argv, void *options)
{
    listed_options listed;
    list_options(table, &listed);
    opterr = 0; /* the complaints are ours */
    for (int value; (value = getopt_long(argc, argv, listed.letters, listed.names, NULL)) != -1;) {
        if (value == '?' || value == ':')
            return complain_option(value, argv, &listed);
        const option_row *row = find_row(&listed, value);
        if (row == &help_row)
            return print_help(table);
        FORWARD(row->set(row, optarg, options));
    }
    return EXIT_DONE;
}

int options_refuse_operands(int argc, char **argv)
{
    COMPLAIN_IF(optind < argc, EXIT_WRONG, "%s: no such argument; see %s --help", argv[optind], argv[0]);
    return EXIT_DONE;
}

/* ---------------------------------------------------------------- Setters */

static void *place_of(const option_row *row, void *options)
{
    return (char *)options + row->offset;
}

int option_set_text(const option_row *row, const char *argument, void *options)
{
    *(const char **)place_of(row, options) = argument;
    return EXIT_DONE;
}

int option_set_on(const option_row *row, const char *argument, void *options)
{
    (void)argument;
    *(int *)place_of(row, options) = 1;
    return EXIT_DONE;
}

int option_set_off(const option_row *row, const char *argument, void *options)
{
    (void)argument;
    *(int *)place_of(row, options) = 0;
    return EXIT_DONE;
}

int option_set_integer(const option_row *row, const char *argument, void *options)
{
    char name[OPTION_NAME_BYTES];
    return parse_integer(option_name(row, name), argument, place_of(row, options));
}

int option_set_index(const option_row *row, const char *argument, void *options)
{
    char name[OPTION_NAME_BYTES];
    return parse_count(option_name(row, name), argument, 0, UINT64_MAX, place_of(row, options));
}

int option_set_count(const option_row *row, const char *argument, void *options)
{
    char name[OPTION_NAME_BYTES];
    return parse_count(option_name(row, name), argument, 1, UINT64_MAX, place_of(row, options));
}

int option_set_size(const option_row *row, const char *argument, void *options)
{
    char name[OPTION_NAME_BYTES];
    return parse_size(option_name(row, name), argument, place_of(row, options));
}

int option_set_seconds(const option_row *row, const char *argument, void *options)
{
    char name[OPTION_NAME_BYTES];
    return parse_seconds(option_name(row, name), argument, place_of(row, options));
}

int option_set_dtype(const option_row *row, const char *argument, void *options)
{
    char name[OPTION_NAME_BYTES];
    return parse_dtype(option_name(row, name), argument, place_of(row, options));
}

int option_set_strategy(const option_row *row, const char *argument, void *options)
{
    char name[OPTION_NAME_BYTES];
    return parse_strategy(option_name(row, name), argument, place_of(row, options));
}

int option_set_operation(const option_row *row, const char *argument, void *options)
{
    char name[OPTION_NAME_BYTES];
    return parse_operation(option_name(row, name), argument, place_of(row, options));
}
