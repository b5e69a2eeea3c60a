#include "run_options.h"

#include "cli.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

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
    "where and how to compute:\n"
    "  -d, --device DEVICE   auto (default), cpu, reference, gpu, P:D, or part of a device's name; also "
    "CLSOFTMAX_DEVICE\n"
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
    return EXIT_DONE;
}

int run_options_parse(int argc, char **argv, run_options *options)
{
    const clsoftmax_problem initial = CLSOFTMAX_PROBLEM_INIT;
    memset(options, 0, sizeof *options);
    options->temperature = 1;
    options->axis = -1;
    options->progress = -1;
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
