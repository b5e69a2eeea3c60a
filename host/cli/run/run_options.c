#include "run/run_options.h"

#include "run/run_help.h"
#include "support/cli.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    AXIS = 256,
    LOG,
    PROBABILITIES,
    STATS,
    LABELS,
    NEG_INF_ROWS,
    POS_INF,
    INPUT_DTYPE,
    OUT_DTYPE,
    STRATEGY,
    MEMORY,
    ROWS,
    SHARD,
    EXPLAIN,
    VERIFY,
    PROGRESS,
    NO_PROGRESS,
    PICTURE,
    ROW,
    TOP,
    DARK,
    CLASS_NAMES
};

#define COMPUTES (RUN | SWEEP)
#define DRAWS (SWEEP | PLOT)
#define ALL (RUN | SWEEP | PLOT | EXPLORE)

/* Which command takes what. */
static const struct {
    const char *name;
    int has_argument, value;
    unsigned commands;
} table[] = {
    {"temperature", required_argument, 'T', RUN},
    {"temperatures", required_argument, 'T', SWEEP | PLOT},
    {"axis", required_argument, AXIS, ALL},
    {"log", no_argument, LOG, COMPUTES},
    {"probabilities", no_argument, PROBABILITIES, ALL},
    {"stats", optional_argument, STATS, COMPUTES},
    {"labels", required_argument, LABELS, COMPUTES},
    {"labels", required_argument, CLASS_NAMES, PLOT | EXPLORE},
    {"neg-inf-rows", required_argument, NEG_INF_ROWS, ALL},
    {"pos-inf", required_argument, POS_INF, ALL},
    {"output", required_argument, 'o', ALL},
    {"input-dtype", required_argument, INPUT_DTYPE, ALL},
    {"out-dtype", required_argument, OUT_DTYPE, COMPUTES},
    {"device", required_argument, 'd', ALL},
    {"strategy", required_argument, STRATEGY, COMPUTES},
    {"memory", required_argument, MEMORY, COMPUTES},
    {"rows", required_argument, ROWS, COMPUTES | EXPLORE},
    {"shard", required_argument, SHARD, COMPUTES},
    {"explain", no_argument, EXPLAIN, COMPUTES},
    {"verify", no_argument, VERIFY, COMPUTES},
    {"progress", no_argument, PROGRESS, COMPUTES},
    {"no-progress", no_argument, NO_PROGRESS, COMPUTES},
    {"plot", required_argument, PICTURE, SWEEP},
    {"row", required_argument, ROW, DRAWS},
    {"top", required_argument, TOP, DRAWS},
    {"dark", no_argument, DARK, DRAWS},
    {"class-names", required_argument, CLASS_NAMES, DRAWS | EXPLORE},
    {"help", no_argument, 'h', ALL},
};
enum { OPTIONS = sizeof table / sizeof *table };

/* Those of one command, as getopt_long wants them. */
static void list_options(run_command command, struct option *listed)
{
    for (int i = 0; i < OPTIONS; i++)
        if (table[i].commands & command)
            *listed++ = (struct option){table[i].name, table[i].has_argument, NULL, table[i].value};
    memset(listed, 0, sizeof *listed);
}

static int parse_axis(const char *text, int *axis)
{
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (end == text || *end || errno != 0 || value < INT_MIN || value > INT_MAX)
        return complain(EXIT_WRONG, "--axis %s: it takes a whole number", text);
    *axis = (int)value;
    return EXIT_DONE;
}

/* A whole number from 0 on at *text, which moves behind it. 1 if there is one. */
static int take_number(const char **text, uint64_t *number)
{
    char *end;
    if (**text < '0' || **text > '9')
        return 0;
    errno = 0;
    *number = strtoull(*text, &end, 10);
    *text = end;
    return errno == 0;
}

static int parse_memory(const char *text, uint64_t *bytes)
{
    static const char units[] = "kMGT";
    const char *rest = text;
    int is_number = take_number(&rest, bytes);
    const char *unit = *rest ? strchr(units, *rest == 'K' ? 'k' : *rest) : NULL;
    unsigned shift = unit ? 10 * (unsigned)(unit - units + 1) : 0;
    rest += unit ? 1 : 0;
    rest += unit && strcmp(rest, "iB") == 0 ? 2 : unit && strcmp(rest, "B") == 0 ? 1 : 0;
    if (!is_number || *rest || *bytes == 0 || *bytes > UINT64_MAX >> shift)
        return complain(EXIT_WRONG, "--memory %s: it takes a size as 512M or 2G", text);
    *bytes <<= shift;
    return EXIT_DONE;
}

/* A:B, either of which may be left out. */
static int parse_rows(const char *text, run_options *options)
{
    const char *rest = text;
    options->rows_begin = 0;
    options->rows_end = UINT64_MAX;
    int is_right = (*rest == ':' || take_number(&rest, &options->rows_begin)) && *rest == ':';
    rest += is_right;
    is_right = is_right && (!*rest || take_number(&rest, &options->rows_end)) && !*rest;
    if (!is_right || options->rows_begin > options->rows_end)
        return complain(EXIT_WRONG, "--rows %s: it takes A:B, the first index and the one behind the last", text);
    options->has_rows = 1;
    return EXIT_DONE;
}

static int parse_shard(const char *text, run_options *options)
{
    const char *rest = text;
    int is_right = take_number(&rest, &options->shard_index) && *rest == '/';
    rest += is_right;
    is_right = is_right && take_number(&rest, &options->shard_count) && !*rest;
    if (!is_right || options->shard_index >= options->shard_count || options->shard_count > 1000000)
        return complain(EXIT_WRONG, "--shard %s: it takes I/N, part I from 0 to N - 1 of N", text);
    return EXIT_DONE;
}

static int parse_count(const char *option, const char *text, uint64_t least, uint64_t *number)
{
    const char *rest = text;
    if (!take_number(&rest, number) || *rest || *number < least)
        return complain(EXIT_WRONG, "%s %s: it takes a whole number from %llu on", option, text,
                        (unsigned long long)least);
    return EXIT_DONE;
}

static int parse_temperature_list(const char *text, run_options *options)
{
    const char *where = text;
    temperature_list_release(&options->sweep);
    const char *wrong = temperature_list_parse(text, &options->sweep, &where);
    if (wrong)
        return complain(wrong == temperature_list_no_memory ? EXIT_FAILED : EXIT_WRONG, "-T %.80s: \"%.*s\": %s", text,
                        (int)strcspn(where, ","), where, wrong);
    options->problem.sweep = options->sweep.count;
    return EXIT_DONE;
}

static int parse_temperatures(const char *text, run_options *options)
{
    options->temperatures = NULL;
    if (options->command != RUN)
        return parse_temperature_list(text, options);
    if (text[0] != '@')
        return parse_temperature(text, &options->temperature);
    options->temperatures = text + 1;
    return EXIT_DONE;
}

/* An option that names one of several things. */
static int parse_choice(int option, run_options *options)
{
    static const char *const neg_inf_rows[] = {"nan", "zero", "uniform"}, *const pos_inf[] = {"nan", "limit"};
    clsoftmax_problem *problem = &options->problem;
    int choice = -1;
    if (option == NEG_INF_ROWS && (choice = choose("--neg-inf-rows", optarg, neg_inf_rows, 3)) >= 0)
        problem->neg_inf_rows = (clsoftmax_neg_inf_rows)choice;
    if (option == POS_INF && (choice = choose("--pos-inf", optarg, pos_inf, 2)) >= 0)
        problem->pos_inf = (clsoftmax_pos_inf)choice;
    if (option == OUT_DTYPE && (choice = choose_dtype("--out-dtype", optarg)) >= 0)
        problem->results_dtype = (clsoftmax_dtype)choice;
    if (option == INPUT_DTYPE && (choice = choose_dtype("--input-dtype", optarg)) >= 0) {
        options->input_dtype = (clsoftmax_dtype)choice;
        options->has_input_dtype = 1;
    }
    return choice >= 0 ? EXIT_DONE : EXIT_WRONG;
}

static int parse_picture_option(int option, run_options *options)
{
    switch (option) {
    case PICTURE:
        options->picture = optarg;
        return EXIT_DONE;
    case ROW:
        return parse_count("--row", optarg, 0, &options->row);
    case TOP:
        return parse_count("--top", optarg, 1, &options->top);
    case DARK:
        options->is_dark = 1;
        return EXIT_DONE;
    default:
        options->class_names = optarg;
        return EXIT_DONE;
    }
}

/* An option that says where the work is done, or which part of it. */
static int parse_work_option(int option, run_options *options)
{
    switch (option) {
    case 'd':
        options->device = optarg;
        return EXIT_DONE;
    case VERIFY:
        options->verify = 1;
        return EXIT_DONE;
    case PROGRESS:
    case NO_PROGRESS:
        options->progress = option == PROGRESS;
        return EXIT_DONE;
    case MEMORY:
        return parse_memory(optarg, &options->memory);
    case ROWS:
        return parse_rows(optarg, options);
    case SHARD:
        return parse_shard(optarg, options);
    case EXPLAIN:
        options->explain = 1;
        return EXIT_DONE;
    case STRATEGY:
        return parse_strategy(optarg, &options->problem.strategy);
    default:
        return parse_choice(option, options);
    }
}

static int parse_option(int option, run_options *options)
{
    switch (option) {
    case 'T':
        return parse_temperatures(optarg, options);
    case AXIS:
        return parse_axis(optarg, &options->axis);
    case LOG:
        options->problem.operation = CLSOFTMAX_OPERATION_LOG_SOFTMAX;
        return EXIT_DONE;
    case PROBABILITIES:
        options->has_probabilities = 1;
        return EXIT_DONE;
    case STATS:
        options->statistics = optarg ? optarg : "";
        return EXIT_DONE;
    case LABELS:
        options->labels = optarg;
        return EXIT_DONE;
    case 'o':
        options->output = optarg;
        return EXIT_DONE;
    case '?':
        return EXIT_WRONG;
    default:
        return option >= PICTURE ? parse_picture_option(option, options) : parse_work_option(option, options);
    }
}

static int is_picture_name(const char *name)
{
    return ends_with(name, ".svg") || ends_with(name, ".png") || ends_with(name, ".pdf");
}

/* What is wrong with the names of files. */
static int check_names(const run_options *options)
{
    const char *output = options->output;
    if (options->command == EXPLORE && !output)
        return complain(EXIT_WRONG, "-o PAGE.html is missing; see clsoftmax explore --help");
    if (options->command == EXPLORE && !ends_with(output, ".html"))
        return complain(EXIT_WRONG, "-o %s: the name of an .html file", output);
    if (options->command == PLOT && output && !is_picture_name(output))
        return complain(EXIT_WRONG, "-o %s: the name of an .svg, .png or .pdf file; for the terminal, leave -o out",
                        output);
    if ((options->command & COMPUTES) && output && !ends_with(output, ".npy"))
        return complain(EXIT_WRONG, "-o %s: the name of an .npy file; for text, leave -o out and redirect", output);
    if (options->statistics && *options->statistics && !ends_with(options->statistics, ".npy"))
        return complain(EXIT_WRONG, "--stats=%s: the name of an .npy file; for a table, --stats alone",
                        options->statistics);
    if (options->picture && strcmp(options->picture, "-") != 0 && !is_picture_name(options->picture))
        return complain(EXIT_WRONG, "--plot %s: the name of an .svg, .png or .pdf file, or - for the terminal",
                        options->picture);
    return EXIT_DONE;
}

/* What is computed where results, or a table of statistics, go to standard output. */
static int check_results(run_options *options)
{
    if (options->labels && !options->statistics && !options->output)
        options->statistics = "";
    options->problem.statistics = options->statistics || options->labels;
    int has_table = options->statistics && !*options->statistics; /* on standard output */
    int takes_place = options->statistics && !options->output && (has_table || options->command == SWEEP);
    if (takes_place && options->problem.operation == CLSOFTMAX_OPERATION_LOG_SOFTMAX)
        return complain(EXIT_WRONG, "--log: the table of --stats takes the place of the results; -o FILE%s for both",
                        options->command == SWEEP ? "" : " or --stats=FILE");
    if (takes_place || (options->picture && !options->output))
        options->problem.operation = CLSOFTMAX_OPERATION_NONE;
    int has_text = has_table || (!options->output && options->problem.operation != CLSOFTMAX_OPERATION_NONE);
    if (options->shard_count > 0 && has_text)
        return complain(EXIT_WRONG, "--shard: results go to a file, -o FILE; a table of --stats too, --stats=FILE");
    return EXIT_DONE;
}

/* A quarter of the machine's; or 1 GiB, where the system does not tell. */
static uint64_t default_memory(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), bytes = sysconf(_SC_PAGESIZE);
    return pages > 0 && bytes > 0 ? (uint64_t)pages * (uint64_t)bytes / 4 : (uint64_t)1 << 30;
}

/* What only all options together tell. */
static int check_together(int argc, char **argv, run_options *options)
{
    if (optind == argc && options->command != EXPLORE)
        return complain(EXIT_WRONG, "INPUT is missing; see %s --help", argv[0]);
    if (optind < argc - 1)
        return complain(EXIT_WRONG, "%s: one INPUT only; see %s --help", argv[optind + 1], argv[0]);
    options->input = argv[optind];
    if ((options->command & (SWEEP | PLOT)) && options->sweep.count == 0)
        return complain(EXIT_WRONG, "-T LIST is missing: temperatures as 1,10,inf or log:0.1:100:31; see %s --help",
                        argv[0]);
    int status = check_names(options);
    return status == EXIT_DONE && (options->command & COMPUTES) ? check_results(options) : status;
}

int run_options_parse(run_command command, int argc, char **argv, run_options *options)
{
    const clsoftmax_problem initial = CLSOFTMAX_PROBLEM_INIT;
    memset(options, 0, sizeof *options);
    options->command = command;
    options->temperature = 1;
    options->axis = -1;
    options->progress = -1;
    options->top = 10;
    options->memory = default_memory();
    options->problem = initial;
    struct option listed[OPTIONS + 1];
    list_options(command, listed);
    const char *help = command == RUN     ? run_help
                       : command == SWEEP ? sweep_help
                       : command == PLOT  ? plot_help
                                          : explore_help;
    for (int option; (option = next_option(argc, argv, command == EXPLORE ? ":o:d:h" : ":T:o:d:h", listed)) != -1;) {
        if (option == 'h')
            return print_help(help) == EXIT_DONE ? -1 : EXIT_FAILED;
        int status = parse_option(option, options);
        if (status != EXIT_DONE)
            return status;
    }
    return check_together(argc, argv, options);
}

void run_options_release(run_options *options)
{
    temperature_list_release(&options->sweep);
}
