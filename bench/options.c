/* The options of clsoftmax-bench, as rows of a table, and their defaults. See options.h. */
#include "options.h"

#include "report.h"
#include "support/library.h"
#include "support/lists.h"
#include "support/messages.h"
#include "support/options.h"
#include "support/process.h"
#include "support/values.h"
#include "truth.h"

#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* ---------------------------------------------------------------- Lists */

static int add_strategy(const char *text, void *context)
{
    clsoftmax_strategy strategy;
    FORWARD(parse_strategy("--strategies", text, &strategy));
    *(unsigned *)context |= 1u << strategy;
    return EXIT_DONE;
}

static int set_strategies(const option_row *row, const char *argument, void *options_)
{
    (void)row;
    bench_options *options = options_;
    options->strategies = 0;
    return strcmp(argument, "all") == 0 ? EXIT_DONE
                                        : for_each_item("--strategies", argument, add_strategy, &options->strategies);
}

static int add_accuracy(const char *text, void *context)
{
    clsoftmax_accuracy accuracy;
    FORWARD(parse_accuracy("--accuracies", text, &accuracy));
    *(unsigned *)context |= 1u << accuracy;
    return EXIT_DONE;
}

static int set_accuracies(const option_row *row, const char *argument, void *options_)
{
    (void)row;
    bench_options *options = options_;
    options->accuracies = 0;
    return for_each_item("--accuracies", argument, add_accuracy, &options->accuracies);
}

/* Adds an operation that truth.h can verify; others are not measured. */
static int add_operation(const char *text, void *context)
{
    bench_options *options = context;
    clsoftmax_operation operation;
    FORWARD(parse_operation("--operations", text, &operation));
    COMPLAIN_IF(!truth_has(operation), EXIT_WRONG, "--operations %s: it has no results that could be verified", text);
    COMPLAIN_IF(options->operation_count == MOST_OPERATIONS, EXIT_WRONG, "--operations: at most %d", MOST_OPERATIONS);
    options->operations[options->operation_count++] = operation;
    return EXIT_DONE;
}

static int set_operations(const option_row *row, const char *argument, void *options)
{
    (void)row;
    return for_each_item("--operations", argument, add_operation, options);
}

static int set_shapes(const option_row *row, const char *argument, void *options)
{
    (void)row;
    return shapes_parse(argument, &((bench_options *)options)->shapes);
}

/* Adds "f16", or "f16:f32" where logits and results differ. */
static int add_dtypes(const char *text, void *context)
{
    bench_options *options = context;
    dtype_choice choice;
    char logits[16];
    const char *colon = strchr(text, ':');
    snprintf(logits, sizeof logits, "%.*s", colon ? (int)(colon - text) : 15, text);
    FORWARD(parse_dtype("--dtypes", logits, &choice.logits));
    FORWARD(parse_dtype("--dtypes", colon ? colon + 1 : logits, &choice.results));
    COMPLAIN_IF(options->dtype_count == MOST_DTYPES, EXIT_WRONG, "--dtypes: at most %d", MOST_DTYPES);
    options->dtypes[options->dtype_count++] = choice;
    return EXIT_DONE;
}

static int set_dtypes(const option_row *row, const char *argument, void *options)
{
    (void)row;
    return for_each_item("--dtypes", argument, add_dtypes, options);
}

static int add_temperature(const char *text, void *context)
{
    bench_options *options = context;
    COMPLAIN_IF(options->temperature_count == MOST_TEMPERATURES, EXIT_WRONG, "-T: at most %d temperatures",
                MOST_TEMPERATURES);
    return parse_temperature("-T", text, &options->temperatures[options->temperature_count++]);
}

static int set_temperatures(const option_row *row, const char *argument, void *options)
{
    (void)row;
    return for_each_item("-T", argument, add_temperature, options);
}

/* ---------------------------------------------------------------- Numbers and names */

static int parse_unsigned(const char *option, const char *text, unsigned most, unsigned *number)
{
    uint64_t value;
    FORWARD(parse_count(option, text, 1, most, &value));
    *number = (unsigned)value;
    return EXIT_DONE;
}

static int set_rounds(const option_row *row, const char *argument, void *options)
{
    (void)row;
    return parse_unsigned("--rounds", argument, 1000000, &((bench_options *)options)->limits.rounds);
}

static int set_threads(const option_row *row, const char *argument, void *options)
{
    (void)row;
    return parse_unsigned("--threads", argument, 1024, &((bench_options *)options)->threads);
}

static int set_axis(const option_row *row, const char *argument, void *options)
{
    static const char *const names[] = {"0", "-1"};
    int choice = 0;
    (void)row;
    FORWARD(parse_choice("--axis", argument, names, 2, &choice));
    ((bench_options *)options)->axis = choice == 0 ? 0 : -1;
    return EXIT_DONE;
}

static int set_report(const option_row *row, const char *argument, void *options)
{
    (void)row;
    return report_choose("--output", argument, &((bench_options *)options)->report);
}

static int set_plot(const option_row *row, const char *argument, void *options)
{
    COMPLAIN_IF(!ends_with(argument, ".svg"), EXIT_WRONG, "--plot %s: the name of an .svg file", argument);
    return option_set_text(row, argument, options);
}

/* The names of what is on the axes; plot_axis counts those of x, then those of y. */
static int set_plot_x(const option_row *row, const char *argument, void *options)
{
    static const char *const names[] = {"rows", "classes", "bytes"};
    int choice = 0;
    (void)row;
    FORWARD(parse_choice("--plot-x", argument, names, 3, &choice));
    ((bench_options *)options)->plot_x = (plot_axis)(PLOT_ROWS + choice);
    return EXIT_DONE;
}

static int set_plot_y(const option_row *row, const char *argument, void *options)
{
    static const char *const names[] = {"share", "speed"};
    int choice = 0;
    (void)row;
    FORWARD(parse_choice("--plot-y", argument, names, 2, &choice));
    ((bench_options *)options)->plot_y = (plot_axis)(PLOT_SHARE + choice);
    return EXIT_DONE;
}

static int set_break_even(const option_row *row, const char *argument, void *options)
{
    (void)row;
    uint64_t *classes = &((bench_options *)options)->break_even;
    *classes = 0;
    return strcmp(argument, "none") == 0 ? EXIT_DONE
                                         : parse_count("--break-even", argument, 1, (uint64_t)1 << 36, classes);
}

static int print_version(const option_row *row, const char *argument, void *options)
{
    (void)row, (void)argument, (void)options;
    printf("clsoftmax-bench %s\n", clsoftmax_version());
    FORWARD(finish_output(stdout));
    return EXIT_ANSWERED;
}

/* ---------------------------------------------------------------- The rows */

#define SETS(field) .offset = offsetof(bench_options, field)

static const option_row rows[] = {
    {.heading = "what to measure"},
    {.letter = 'd',
     .name = "device",
     .argument = "LIST",
     .set = option_set_text,
     SETS(devices),
     .help = "devices as clsoftmax run takes them; default: all that are usable, except reference"},
    {.name = "strategies",
     .argument = "LIST",
     .set = set_strategies,
     .help = "names of strategies, or all (default): every strategy that a device has"},
    {.name = "accuracies",
     .argument = "LIST",
     .set = set_accuracies,
     .help = "faithful (default), fast, or both, of this library's strategies"},
    {.name = "operations", .argument = "LIST", .set = set_operations, .help = "see below; default softmax"},
    {.name = "shapes", .argument = "LIST", .set = set_shapes, .help = "see below; default bars"},
    {.name = "dtypes",
     .argument = "LIST",
     .set = set_dtypes,
     .help = "f32 (default), f16 or bf16; f16:f32 for logits and results that differ"},
    {.letter = 'T',
     .name = "temperature",
     .argument = "LIST",
     .set = set_temperatures,
     .help = "numbers from 0 to inf; default 1"},
    {.name = "axis",
     .argument = "N",
     .set = set_axis,
     .help = "-1 (default): the classes of a row are neighbours in memory;\n0: they stand in a column"},
    {.name = "peers",
     .argument = "LIST",
     .set = option_set_text,
     SETS(peers),
     .help = "other libraries: none (default), all, paths, or names of programs in the folder\n"
             "peers/ beside this program or in CLSOFTMAX_PEERS; ./dev bench makes them"},

    {.heading = "how to measure"},
    {.name = "rounds",
     .argument = "N",
     .set = set_rounds,
     .help = "how many rounds; default: until --time is over, at least 5; or until all medians\n"
             "are known to 0.5%, at least 10"},
    {.name = "time",
     .argument = "SECONDS",
     .set = option_set_seconds,
     SETS(limits.seconds),
     .help = "for the rounds of one shape, dtype, temperature and operation; default 10"},
    {.name = "warm",
     .set = option_set_on,
     SETS(warm),
     .help = "use the same arrays in every call; default: other arrays, which no cache holds"},
    {.name = "threads",
     .argument = "N",
     .set = set_threads,
     .help = "threads of everything that runs on the processor; default: as many as the\n"
             "processors that this process may use"},
    {.name = "break-even",
     .argument = "CLASSES",
     .set = set_break_even,
     .help = "end with a sentence for each OpenCL device: from how many rows of so many classes on\n"
             "it beats cpu; default 1000, which takes a few seconds; none leaves it out, as csv\n"
             "does, and as runs without cpu do"},
    {.name = "verify-only", .set = option_set_on, SETS(limits.verify_only), .help = "verify, and time nothing"},

    {.heading = "how to report"},
    {.name = "output",
     .argument = "KIND",
     .set = set_report,
     .help = "table (default), markdown, csv, or json, which has every sample and the machine"},
    {.letter = 'o',
     .name = "output-file",
     .argument = "FILE",
     .set = option_set_text,
     SETS(file),
     .help = "write to a file instead of standard output"},
    {.name = "wide",
     .set = option_set_on,
     SETS(wide),
     .help = "table: add the columns of csv that 100 columns of a terminal do not hold"},
    {.name = "plot",
     .argument = "FILE.svg",
     .set = set_plot,
     SETS(plot),
     .help = "draw a line for each strategy and peer, and on OpenCL devices a dashed one from\n"
             "host memory to host memory (end to end); needs gnuplot"},
    {.name = "plot-x",
     .argument = "WHAT",
     .set = set_plot_x,
     .help = "what the plot goes over: rows, classes (default), or bytes of the logits"},
    {.name = "plot-y",
     .argument = "WHAT",
     .set = set_plot_y,
     .help = "what it shows: share of the copy limit (default); or speed in GB/s, by which\n"
             "devices can be compared, since each has a copy limit of its own"},
    {.name = "commit",
     .argument = "TEXT",
     .set = option_set_text,
     SETS(commit),
     .help = "the commit that reports name; default: that of the build"},
    {.name = "explain",
     .set = option_set_on,
     SETS(explain),
     .help = "measure nothing; print which strategy auto takes for each shape, and why"},
    {.name = "progress",
     .set = option_set_on,
     SETS(progress),
     .help = "show the progress; default: if standard error is a terminal"},
    {.name = "no-progress", .set = option_set_off, SETS(progress), .help = "do not show it"},
    {.name = "version", .set = print_version, .help = "print the version"},
    {.name = NULL},
};

static const char introduction[] =
    "usage: clsoftmax-bench [OPTION...]\n"
    "\n"
    "Measures softmax, or other operations, on every device and with every strategy, beside copies of the same size\n"
    "and beside other libraries. All of them are verified first. Then each runs once in every round, so that\n"
    "whatever disturbs one of them disturbs all.\n"
    "\n";

/* Prints what the lists that are too long for the table may have. */
static void print_lists(FILE *file)
{
    fputs("\noperations, separated by commas:\n ", file);
    for (int i = 0; i < CLSOFTMAX_OPERATION_COUNT; i++)
        if (truth_has((clsoftmax_operation)i))
            fprintf(file, " %s", clsoftmax_operation_name((clsoftmax_operation)i));
    fputc('\n', file);
    fputs("\n"
          "shapes, separated by commas:\n"
          "  1024x32768\n"
          "      rows x classes\n"
          "  bytes=128M:classes=2..1048576\n"
          "      two of rows, classes, and bytes of the logits as f32; N..M doubles from N to M\n",
          file);
    shapes_print_sets(file);
}

static const char examples[] =
    "examples:\n"
    "  clsoftmax-bench -d cpu --shapes 1024x32768 -T 1,0.7\n"
    "  clsoftmax-bench --peers all --output markdown\n"
    "  clsoftmax-bench -d cpu,0:0 --shapes classes --plot cliffs.svg --output json -o cliffs.json\n"
    "  clsoftmax-bench --shapes rows=1..4096:classes=1000 --plot rows.svg --plot-x rows --plot-y speed\n"
    "  clsoftmax-bench --shapes llm,few-rows --dtypes f16,f16:f32 --time 3\n"
    "  clsoftmax-bench -d cpu --operations softmax,cross_entropy_gradient,distillation_gradient -T 4\n"
    "  clsoftmax-bench --explain --shapes bars\n";

/* ---------------------------------------------------------------- Parsing */

static unsigned available_processors(void)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    return sched_getaffinity(0, sizeof set, &set) == 0 ? (unsigned)CPU_COUNT(&set) : 1;
}

static void set_defaults(bench_options *options)
{
    memset(options, 0, sizeof *options);
    options->axis = -1;
    options->plot_x = PLOT_CLASSES;
    options->plot_y = PLOT_SHARE;
    options->break_even = 1000;
    options->peers = "none";
    options->limits.seconds = 10;
    options->threads = available_processors();
    options->report = &report_table;
    options->commit = CLSOFTMAX_COMMIT;
    options->progress = -1;
}

/* Refuses the limits of the temperature for operations that have no exact results there. */
static int refuse_limits(const bench_options *options)
{
    for (size_t o = 0; o < options->operation_count; o++)
        for (size_t t = 0; t < options->temperature_count; t++)
            COMPLAIN_IF(!truth_has_at(options->operations[o], options->temperatures[t]), EXIT_WRONG,
                        "-T %g: --operations %s takes temperatures between 0 and inf", (double)options->temperatures[t],
                        clsoftmax_operation_name(options->operations[o]));
    return EXIT_DONE;
}

/* Sets the lists that were not given. */
static int complete(bench_options *options)
{
    if (options->strategies == 0)
        options->strategies = ~(1u << CLSOFTMAX_STRATEGY_AUTO);
    if (options->accuracies == 0)
        options->accuracies = 1u << CLSOFTMAX_ACCURACY_FAITHFUL;
    if (options->dtype_count == 0)
        options->dtypes[options->dtype_count++] = (dtype_choice){CLSOFTMAX_F32, CLSOFTMAX_F32};
    if (options->temperature_count == 0)
        options->temperatures[options->temperature_count++] = 1;
    if (options->operation_count == 0)
        options->operations[options->operation_count++] = CLSOFTMAX_OPERATION_SOFTMAX;
    FORWARD(refuse_limits(options));
    return options->shapes.count == 0 ? shapes_parse("bars", &options->shapes) : EXIT_DONE;
}

static void keep_command(int argc, char **argv, bench_options *options)
{
    size_t used = 0;
    for (int i = 1; i < argc && used < sizeof options->command; i++)
        used += (size_t)snprintf(options->command + used, sizeof options->command - used, "%s%s", i > 1 ? " " : "",
                                 argv[i]);
}

int bench_options_parse(int argc, char **argv, bench_options *options)
{
    const option_table table = {rows, 0, introduction, print_lists, examples};
    set_defaults(options);
    keep_command(argc, argv, options);
    FORWARD(options_parse(&table, argc, argv, options));
    FORWARD(options_refuse_operands(argc, argv));
    return complete(options);
}

void bench_options_release(bench_options *options)
{
    shapes_release(&options->shapes);
}
