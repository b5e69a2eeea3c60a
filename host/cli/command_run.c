/* clsoftmax run: the main job. */
#include "cli.h"
#include "compare.h"
#include "matrix.h"
#include "progress.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "usage: clsoftmax run INPUT [OPTION...]\n"
    "\n"
    "Probabilities softmax(x / T) of every row of a matrix of logits, along its last axis.\n"
    "\n"
    "INPUT is an .npy file (f4, f8), or text: .txt, .csv, or - for standard input; a row a line, numbers separated by\n"
    "spaces, tabs or commas, inf and nan understood, # starts a comment.\n"
    "\n"
    "options:\n"
    "  -T, --temperature T   0 to inf, default 1; 0 splits the mass evenly over the largest logits, inf is uniform\n"
    "  -o, --output FILE     an .npy file of the same shape; without it, text on standard output\n"
    "      --probabilities   INPUT holds probabilities; their logarithms are the logits\n"
    "  -d, --device DEVICE   auto (default), cpu, reference, P:D, or part of a device's name; also CLSOFTMAX_DEVICE\n"
    "      --strategy NAME   force how rows are laid over the device: rows, item, group; the bits do not change\n"
    "      --verify          compute again by cpu (bits must be equal) and by reference; one line on standard error\n"
    "      --progress, --no-progress   a progress bar; default: for long work on a terminal\n"
    "\n"
    "examples:\n"
    "  echo \"10 20 30\" | clsoftmax run -T 10 -\n"
    "  clsoftmax run logits.npy -T 3.05 -o softened.npy --verify\n"
    "  echo \"0.25 0.75\" | clsoftmax run --probabilities -T 0.5 -\n";

/* The larger, the fewer launches; the smaller, the smoother the bar. */
#define PROGRESS_BLOCK_BYTES (64u << 20)

typedef struct run_options {
    const char *input, *output, *device;
    clsoftmax_strategy strategy;
    float temperature;
    matrix_content content;
    int verify;
    int progress; /* 1 yes, 0 no, -1 where it is a terminal */
} run_options;

static int parse_strategy(const char *text, clsoftmax_strategy *strategy)
{
    for (*strategy = CLSOFTMAX_STRATEGY_AUTO; *strategy < CLSOFTMAX_STRATEGY_COUNT; ++*strategy)
        if (strcmp(text, clsoftmax_strategy_name(*strategy)) == 0)
            return EXIT_DONE;
    return complain(EXIT_WRONG, "--strategy %s: there are auto, rows, item and group", text);
}

static int parse_options(int argc, char **argv, run_options *options)
{
    enum { PROBABILITIES = 256, STRATEGY, VERIFY, PROGRESS, NO_PROGRESS, LATER };
    static const struct option long_options[] = {{"temperature", required_argument, NULL, 'T'},
                                                 {"output", required_argument, NULL, 'o'},
                                                 {"device", required_argument, NULL, 'd'},
                                                 {"probabilities", no_argument, NULL, PROBABILITIES},
                                                 {"strategy", required_argument, NULL, STRATEGY},
                                                 {"verify", no_argument, NULL, VERIFY},
                                                 {"progress", no_argument, NULL, PROGRESS},
                                                 {"no-progress", no_argument, NULL, NO_PROGRESS},
                                                 {"help", no_argument, NULL, 'h'},
                                                 {"axis", required_argument, NULL, LATER},
                                                 {"log", no_argument, NULL, LATER},
                                                 {"input-dtype", required_argument, NULL, LATER},
                                                 {"out-dtype", required_argument, NULL, LATER},
                                                 {"neg-inf-rows", required_argument, NULL, LATER},
                                                 {"pos-inf", required_argument, NULL, LATER},
                                                 {NULL, 0, NULL, 0}};
    for (int option; (option = next_option(argc, argv, ":T:o:d:h", long_options)) != -1;) {
        switch (option) {
        case 'T':
            if (parse_temperature(optarg, &options->temperature) != EXIT_DONE)
                return EXIT_WRONG;
            break;
        case 'o':
            options->output = optarg;
            break;
        case 'd':
            options->device = optarg;
            break;
        case PROBABILITIES:
            options->content = MATRIX_PROBABILITIES;
            break;
        case STRATEGY:
            if (parse_strategy(optarg, &options->strategy) != EXIT_DONE)
                return EXIT_WRONG;
            break;
        case VERIFY:
            options->verify = 1;
            break;
        case PROGRESS:
        case NO_PROGRESS:
            options->progress = option == PROGRESS;
            break;
        case LATER:
            return complain(EXIT_WRONG, "%s: not there yet in clsoftmax %s", argv[optind - 1], clsoftmax_version());
        case 'h':
            fputs(help, stdout);
            exit(EXIT_DONE);
        default:
            return EXIT_WRONG;
        }
    }
    if (optind != argc - 1)
        return complain(EXIT_WRONG,
                        optind < argc ? "%s: one INPUT only; see clsoftmax run --help"
                                      : "INPUT is missing%s; see clsoftmax run --help",
                        optind < argc ? argv[optind + 1] : "");
    options->input = argv[optind];
    const char *dot = options->output ? strrchr(options->output, '.') : NULL;
    if (options->output && (!dot || strcmp(dot, ".npy") != 0))
        return complain(EXIT_WRONG, "-o %s: the name of an .npy file; for text, leave -o out and redirect",
                        options->output);
    return EXIT_DONE;
}

static clsoftmax_status run_rows(clsoftmax_context *context, const run_options *options, uint64_t rows,
                                 uint64_t classes, const float *logits, float *p)
{
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    problem.rows = rows;
    problem.classes = classes;
    problem.strategy = options->strategy;
    clsoftmax_plan *plan = NULL;
    clsoftmax_status status = clsoftmax_plan_create(context, &problem, &plan);
    if (status == CLSOFTMAX_OK)
        status = clsoftmax_plan_run(plan, logits, options->temperature, p);
    clsoftmax_plan_release(plan);
    return status;
}

/* In one call, or in blocks of rows with a bar between them; the bits are the same. */
static clsoftmax_status compute(clsoftmax_context *context, const run_options *options, const matrix *logits, float *p)
{
    uint64_t rows = logits->rows, classes = logits->classes;
    uint64_t block = PROGRESS_BLOCK_BYTES / sizeof(float) / classes;
    int bar = options->progress == 1 || (options->progress == -1 && isatty(STDERR_FILENO));
    if (!bar || block >= rows)
        return run_rows(context, options, rows, classes, logits->values, p);
    if (block == 0)
        block = 1;
    for (uint64_t begin = 0; begin < rows; begin += block) {
        progress_draw(begin, rows, "rows");
        uint64_t count = rows - begin < block ? rows - begin : block;
        clsoftmax_status status =
            run_rows(context, options, count, classes, logits->values + begin * classes, p + begin * classes);
        if (status != CLSOFTMAX_OK)
            return status;
    }
    progress_draw(rows, rows, "rows");
    return CLSOFTMAX_OK;
}

/* Recomputes on the device `selector` and compares. */
static int compare_with(const char *selector, const run_options *options, const matrix *logits, const float *p,
                        comparison *result)
{
    uint64_t elements = logits->rows * logits->classes;
    clsoftmax_context *context = NULL;
    float *again = malloc(elements * sizeof(float) + 1);
    clsoftmax_status status = clsoftmax_context_create(selector, &context);
    if (status == CLSOFTMAX_OK && again)
        status = clsoftmax_run(context, logits->rows, logits->classes, logits->values, options->temperature, again);
    clsoftmax_context_release(context);
    if (status == CLSOFTMAX_OK && again)
        compare(result, p, again, elements);
    free(again);
    if (!again)
        return complain(EXIT_FAILED, "--verify: no memory for %llu values", (unsigned long long)elements);
    return status == CLSOFTMAX_OK ? EXIT_DONE : complain_library("--verify", status);
}

static int verify(const run_options *options, const char *device, const matrix *logits, const float *p)
{
    comparison bits = {0}, ulp = {0};
    if (compare_with("cpu", options, logits, p, &bits) != EXIT_DONE ||
        compare_with("reference", options, logits, p, &ulp) != EXIT_DONE)
        return EXIT_FAILED;
    int passed = ulp.worst_ulp <= 1 && (bits.different == 0 || strcmp(device, "reference") == 0);
    notice("verify: %s: %llu of %llu values differ from cpu in bits, at most %llu ULP from reference: %s", device,
           (unsigned long long)bits.different, (unsigned long long)bits.values, (unsigned long long)ulp.worst_ulp,
           passed ? "passed" : "FAILED");
    return passed ? EXIT_DONE : EXIT_FAILED;
}

static int run_matrix(const run_options *options, clsoftmax_context *context, const matrix *logits)
{
    matrix result = *logits;
    if (options->verify) /* needs the logits again; otherwise the result takes their place */
        result.values = malloc(logits->rows * logits->classes * sizeof(float) + 1);
    if (!result.values)
        return complain(EXIT_FAILED, "no memory for %llu values", (unsigned long long)(logits->rows * logits->classes));
    const clsoftmax_device *device = clsoftmax_context_device(context);
    clsoftmax_status computed = compute(context, options, logits, result.values);
    int status = computed == CLSOFTMAX_OK ? EXIT_DONE : complain_library(device->selector, computed);
    if (status == EXIT_DONE && options->verify)
        status = verify(options, device->selector, logits, result.values);
    if (status == EXIT_DONE)
        status = options->output ? matrix_write_npy(options->output, &result) : matrix_write_text(stdout, &result);
    if (result.values != logits->values)
        matrix_release(&result);
    return status;
}

int command_run(int argc, char **argv)
{
    run_options options = {.temperature = 1, .content = MATRIX_LOGITS, .progress = -1};
    int status = parse_options(argc, argv, &options);
    if (status != EXIT_DONE)
        return status;
    matrix logits;
    status = matrix_read(options.input, options.content, &logits);
    if (status != EXIT_DONE)
        return status;
    clsoftmax_context *context = NULL;
    status = open_device(options.device, &context);
    if (status == EXIT_DONE)
        status = run_matrix(&options, context, &logits);
    clsoftmax_context_release(context);
    matrix_release(&logits);
    return status;
}
