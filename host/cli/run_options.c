#include "run_options.h"

#include "cli.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "usage: clsoftmax run INPUT [OPTION...]\n"
    "\n"
    "Softmax with temperature, softmax(x / T), along an axis of an array of logits; log-probabilities and statistics "
    "of\n"
    "each row too.\n"
    "\n"
    "INPUT is an .npy file (f2, f4, f8), or text: .txt, .csv, or - for standard input; a row a line, numbers separated "
    "by\n"
    "spaces, tabs or commas, inf and nan understood, # starts a comment.\n"
    "\n"
    "what to compute:\n"
    "  -T, --temperature T   0 to inf, default 1; 0 splits the mass evenly over the largest logits, inf is uniform.\n"
    "                        @FILE: one for each row; negative or nan makes that row NaN\n"
    "      --axis N          as in NumPy, default -1, the last\n"
    "      --log             log-probabilities\n"
    "      --probabilities   INPUT holds probabilities; their logarithms are the logits\n"
    "      --stats[=FILE]    maximum, argmax, log-sum-exp, entropy, largest probability and margin of each row: a "
    "table\n"
    "                        on standard output in place of the results, or beside them an .npy file\n"
    "      --labels FILE     a class for each row: adds the negative log-likelihood, its mean, and the accuracy\n"
    "      --neg-inf-rows W  a row of nothing but -inf becomes nan (default), zero or uniform\n"
    "      --pos-inf W       a row with +inf becomes nan (default), or its limit: the mass on the +inf logits\n"
    "\n"
    "how to read and write:\n"
    "  -o, --output FILE     an .npy file of the same shape; without it, text on standard output\n"
    "      --input-dtype D   f32, f16, or bf16, which .npy files cannot name (V2 and u2 are taken for it)\n"
    "      --out-dtype D     f32 (default), f16, bf16 (V2 in the file)\n"
    "\n"
    "large files, .npy in and out:\n"
    "      --memory SIZE     the most memory that rows take at a time, as 512M or 2G; default a quarter of the "
    "machine's\n"
    "      --rows A:B        indices A to B - 1 of the first axis alone, as INPUT[A:B] in NumPy; files of temperatures "
    "and\n"
    "                        labels are of all rows\n"
    "      --shard I/N       part I (from 0) of N, into the file that all parts share; it appears when all are there. "
    "For\n"
    "                        job arrays; a part that failed is run again\n"
    "      --explain         say what would be done: tiles, bytes, memory, strategies\n"
    "\n"
    "where and how to compute:\n"
    "  -d, --device DEVICE   auto (default), cpu, reference, gpu, P:D, or part of a device's name; also "
    "CLSOFTMAX_DEVICE;\n"
    "                        several, with commas between, or all: rows go to whichever is free\n"
    "      --strategy NAME   force how rows are laid over the device: column, lane, item, split, group; the bits do "
    "not "
    "change\n"
    "      --verify          compute again by cpu (bits must be equal) and by reference; one line on standard error\n"
    "      --progress, --no-progress   a progress bar; default: for long work on a terminal\n"
    "\n"
    "examples:\n"
    "  echo \"10 20 30\" | clsoftmax run -T 10 -\n"
    "  clsoftmax run logits.npy -T 3.05 -o softened.npy --verify\n"
    "  clsoftmax run logits.npy -T @temperatures.txt --log --out-dtype f16 -o logs.npy\n"
    "  clsoftmax run logits.npy --labels labels.npy --stats\n"
    "  clsoftmax run huge.npy --memory 512M -d 0:0,cpu -o probabilities.npy\n"
    "  clsoftmax run huge.npy --shard 2/8 -o probabilities.npy\n"
    "  echo \"0.25 0.75\" | clsoftmax run --probabilities -T 0.5 -\n";

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
    NO_PROGRESS
};

static const struct option long_options[] = {{"temperature", required_argument, NULL, 'T'},
                                             {"axis", required_argument, NULL, AXIS},
                                             {"log", no_argument, NULL, LOG},
                                             {"probabilities", no_argument, NULL, PROBABILITIES},
                                             {"stats", optional_argument, NULL, STATS},
                                             {"labels", required_argument, NULL, LABELS},
                                             {"neg-inf-rows", required_argument, NULL, NEG_INF_ROWS},
                                             {"pos-inf", required_argument, NULL, POS_INF},
                                             {"output", required_argument, NULL, 'o'},
                                             {"input-dtype", required_argument, NULL, INPUT_DTYPE},
                                             {"out-dtype", required_argument, NULL, OUT_DTYPE},
                                             {"device", required_argument, NULL, 'd'},
                                             {"strategy", required_argument, NULL, STRATEGY},
                                             {"memory", required_argument, NULL, MEMORY},
                                             {"rows", required_argument, NULL, ROWS},
                                             {"shard", required_argument, NULL, SHARD},
                                             {"explain", no_argument, NULL, EXPLAIN},
                                             {"verify", no_argument, NULL, VERIFY},
                                             {"progress", no_argument, NULL, PROGRESS},
                                             {"no-progress", no_argument, NULL, NO_PROGRESS},
                                             {"help", no_argument, NULL, 'h'},
                                             {NULL, 0, NULL, 0}};

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

static int parse_temperature_or_file(const char *text, run_options *options)
{
    options->temperatures = NULL;
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

static int parse_option(int option, run_options *options)
{
    switch (option) {
    case 'T':
        return parse_temperature_or_file(optarg, options);
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
    case '?':
        return EXIT_WRONG;
    default:
        return parse_choice(option, options);
    }
}

/* What only all options together tell. */
static int check_together(int argc, char **argv, run_options *options)
{
    if (optind == argc)
        return complain(EXIT_WRONG, "INPUT is missing; see clsoftmax run --help");
    if (optind < argc - 1)
        return complain(EXIT_WRONG, "%s: one INPUT only; see clsoftmax run --help", argv[optind + 1]);
    options->input = argv[optind];
    if (options->output && !ends_with(options->output, ".npy"))
        return complain(EXIT_WRONG, "-o %s: the name of an .npy file; for text, leave -o out and redirect",
                        options->output);
    if (options->statistics && *options->statistics && !ends_with(options->statistics, ".npy"))
        return complain(EXIT_WRONG, "--stats=%s: the name of an .npy file; for a table, --stats alone",
                        options->statistics);
    if (options->labels && !options->statistics && !options->output)
        options->statistics = "";
    options->problem.statistics = options->statistics || options->labels;
    int takes_place = options->statistics && !*options->statistics && !options->output; /* a table on standard output */
    if (takes_place && options->problem.operation == CLSOFTMAX_OPERATION_LOG_SOFTMAX)
        return complain(EXIT_WRONG,
                        "--log: the table of --stats takes the place of the results; -o FILE or --stats=FILE for both");
    if (takes_place)
        options->problem.operation = CLSOFTMAX_OPERATION_NONE;
    int has_text = takes_place || (!options->output && options->problem.operation != CLSOFTMAX_OPERATION_NONE);
    if (options->shard_count > 0 && (has_text || (options->statistics && !*options->statistics)))
        return complain(EXIT_WRONG, "--shard: results go to a file, -o FILE; a table of --stats too, --stats=FILE");
    return EXIT_DONE;
}

/* A quarter of the machine's; or 1 GiB, where the system does not tell. */
static uint64_t default_memory(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), bytes = sysconf(_SC_PAGESIZE);
    return pages > 0 && bytes > 0 ? (uint64_t)pages * (uint64_t)bytes / 4 : (uint64_t)1 << 30;
}

int run_options_parse(int argc, char **argv, run_options *options)
{
    const clsoftmax_problem initial = CLSOFTMAX_PROBLEM_INIT;
    memset(options, 0, sizeof *options);
    options->temperature = 1;
    options->axis = -1;
    options->progress = -1;
    options->memory = default_memory();
    options->problem = initial;
    for (int option; (option = next_option(argc, argv, ":T:o:d:h", long_options)) != -1;) {
        if (option == 'h')
            return print_help(help) == EXIT_DONE ? -1 : EXIT_FAILED;
        int status = parse_option(option, options);
        if (status != EXIT_DONE)
            return status;
    }
    return check_together(argc, argv, options);
}
