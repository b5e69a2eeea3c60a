#include "options.h"

#include "support/library.h"
#include "support/messages.h"
#include "support/process.h"
#include "support/values.h"
#include "support/lists.h"
#include "report.h"

#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: clsoftmax-bench [OPTION...]\n"
    "\n"
    "Measures softmax on every device and by every strategy, beside copies of the same size and beside other "
    "libraries. "
    "All\n"
    "are verified before they are timed; then each runs once in every round, so that what disturbs one disturbs all.\n"
    "\n"
    "what to measure:\n"
    "  -d, --device LIST      devices as clsoftmax run takes them; default: all that are usable, but reference\n"
    "      --strategies LIST  by their names, or all (default): every strategy that the device has\n"
    "      --shapes LIST      see below; default bars\n"
    "      --dtypes LIST      f32 (default), f16, bf16, or pairs of logits and results, f16:f32\n"
    "  -T, --temperature LIST 0 to inf; default 1\n"
    "      --axis N           -1 (default): a row's classes are neighbours; 0: they stand in a column\n"
    "      --peers LIST       other libraries: none (default), all, names of programs in the folder peers/ beside "
    "this\n"
    "                         program or in CLSOFTMAX_PEERS, or paths; ./dev bench makes those that there are\n"
    "\n"
    "how to measure:\n"
    "      --rounds N         so many rounds; default: 5 at least, to the end of --time or until all medians are "
    "known\n"
    "                         to 0.5%\n"
    "      --time SECONDS     for the rounds of one shape, dtype and temperature; default 10\n"
    "      --warm             the same arrays again and again; default: others every time, past the last cache\n"
    "      --threads N        of all that run on the processor; default: as many as this process may use\n"
    "      --verify-only      no timing\n"
    "\n"
    "how to report:\n"
    "      --output KIND      table (default), markdown, csv, or json, which has every sample and the environment\n"
    "  -o, --output-file FILE in place of standard output\n"
    "      --plot FILE.svg    share of the copy limit against row length; needs gnuplot\n"
    "      --commit TEXT      what to report as the commit; default: that of the build\n"
    "      --explain          no measurement: which strategy auto takes for each shape, and why\n"
    "      --progress, --no-progress   default: where standard error is a terminal\n"
    "\n"
    "shapes, separated by commas:\n"
    "    1024x32768    rows x classes\n"
    "    bytes=128M:classes=2..1048576    two of rows, classes, and bytes of the logits as f32; N..M doubles\n";

static const char examples[] =
    "\n"
    "examples:\n"
    "  clsoftmax-bench -d cpu --shapes 1024x32768 -T 1,0.7\n"
    "  clsoftmax-bench --peers all --output markdown\n"
    "  clsoftmax-bench -d cpu,0:0 --shapes classes --plot cliffs.svg --output json -o cliffs.json\n"
    "  clsoftmax-bench --shapes llm,few-rows --dtypes f16,f16:f32 --time 3\n"
    "  clsoftmax-bench --explain --shapes bars\n";

enum {
    STRATEGIES = 256,
    SHAPES,
    DTYPES,
    AXIS,
    PEERS,
    ROUNDS,
    TIME,
    WARM,
    THREADS,
    VERIFY_ONLY,
    OUTPUT,
    PLOT,
    COMMIT,
    EXPLAIN,
    PROGRESS,
    NO_PROGRESS,
    VERSION
};

static const struct option long_options[] = {{"device", required_argument, NULL, 'd'},
                                             {"strategies", required_argument, NULL, STRATEGIES},
                                             {"shapes", required_argument, NULL, SHAPES},
                                             {"dtypes", required_argument, NULL, DTYPES},
                                             {"temperature", required_argument, NULL, 'T'},
                                             {"axis", required_argument, NULL, AXIS},
                                             {"peers", required_argument, NULL, PEERS},
                                             {"rounds", required_argument, NULL, ROUNDS},
                                             {"time", required_argument, NULL, TIME},
                                             {"warm", no_argument, NULL, WARM},
                                             {"threads", required_argument, NULL, THREADS},
                                             {"verify-only", no_argument, NULL, VERIFY_ONLY},
                                             {"output", required_argument, NULL, OUTPUT},
                                             {"output-file", required_argument, NULL, 'o'},
                                             {"plot", required_argument, NULL, PLOT},
                                             {"commit", required_argument, NULL, COMMIT},
                                             {"explain", no_argument, NULL, EXPLAIN},
                                             {"progress", no_argument, NULL, PROGRESS},
                                             {"no-progress", no_argument, NULL, NO_PROGRESS},
                                             {"version", no_argument, NULL, VERSION},
                                             {"help", no_argument, NULL, 'h'},
                                             {NULL, 0, NULL, 0}};

/* ---------------------------------------------------------------- Items of lists */

static int take_strategy(const char *text, void *context)
{
    clsoftmax_strategy strategy;
    FORWARD(parse_strategy("--strategies", text, &strategy));
    *(unsigned *)context |= 1u << strategy;
    return EXIT_DONE;
}

static int take_dtypes(const char *text, void *context)
{
    bench_options *options = context;
    char from[16];
    const char *colon = strchr(text, ':');
    snprintf(from, sizeof from, "%.*s", colon ? (int)(colon - text) : 15, text);
    clsoftmax_dtype logits, results;
    FORWARD(parse_dtype("--dtypes", from, &logits));
    FORWARD(parse_dtype("--dtypes", colon ? colon + 1 : from, &results));
    if (options->dtype_count == MOST_DTYPES)
        return complain(EXIT_WRONG, "--dtypes: at most %d", MOST_DTYPES);
    options->dtypes[options->dtype_count++] = (dtype_pair){logits, results};
    return EXIT_DONE;
}

static int take_temperature(const char *text, void *context)
{
    bench_options *options = context;
    if (options->temperature_count == MOST_TEMPERATURES)
        return complain(EXIT_WRONG, "-T: at most %d temperatures", MOST_TEMPERATURES);
    return parse_temperature("-T", text, &options->temperatures[options->temperature_count++]);
}

/* ---------------------------------------------------------------- Numbers */

static int parse_unsigned(const char *option, const char *text, unsigned most, unsigned *count)
{
    uint64_t value;
    FORWARD(parse_count(option, text, 1, most, &value));
    *count = (unsigned)value;
    return EXIT_DONE;
}

static int parse_axis(const char *text, int *axis)
{
    static const char *const names[] = {"0", "-1"};
    int choice = 0;
    FORWARD(parse_choice("--axis", text, names, 2, &choice));
    *axis = choice == 0 ? 0 : -1;
    return EXIT_DONE;
}

/* ---------------------------------------------------------------- All of them */

static int parse_list(int option, bench_options *options)
{
    switch (option) {
    case STRATEGIES:
        options->strategies = 0;
        if (strcmp(optarg, "all") != 0)
            return for_each_item("--strategies", optarg, take_strategy, &options->strategies);
        return EXIT_DONE;
    case SHAPES:
        return shapes_parse(optarg, &options->shapes);
    case DTYPES:
        return for_each_item("--dtypes", optarg, take_dtypes, options);
    default:
        return for_each_item("-T", optarg, take_temperature, options);
    }
}

static int parse_option(int option, bench_options *options)
{
    switch (option) {
    case 'd':
        options->devices = optarg;
        return EXIT_DONE;
    case AXIS:
        return parse_axis(optarg, &options->axis);
    case PEERS:
        options->peers = optarg;
        return EXIT_DONE;
    case ROUNDS:
        return parse_unsigned("--rounds", optarg, 1000000, &options->limits.rounds);
    case TIME:
        return parse_seconds("--time", optarg, &options->limits.seconds);
    case THREADS:
        return parse_unsigned("--threads", optarg, 1024, &options->threads);
    case WARM:
        options->warm = 1;
        return EXIT_DONE;
    case VERIFY_ONLY:
        options->limits.verify_only = 1;
        return EXIT_DONE;
    case OUTPUT:
        options->output = report_choose(optarg);
        return options->output >= 0 ? EXIT_DONE : EXIT_WRONG;
    case 'o':
        options->file = optarg;
        return EXIT_DONE;
    case PLOT:
        options->plot = optarg;
        return ends_with(optarg, ".svg") ? EXIT_DONE
                                         : complain(EXIT_WRONG, "--plot %s: the name of an .svg file", optarg);
    case COMMIT:
        options->commit = optarg;
        return EXIT_DONE;
    case EXPLAIN:
        options->explain = 1;
        return EXIT_DONE;
    case PROGRESS:
    case NO_PROGRESS:
        options->progress = option == PROGRESS;
        return EXIT_DONE;
    case '?':
        return EXIT_WRONG;
    default:
        return parse_list(option, options);
    }
}

/* The next option by getopt_long, -1 at the end; '?' after a complaint about an option that is unknown or lacks its argument. */
static int next_option(int argc, char **argv, const char *short_options)
{
    opterr = 0; /* the complaint is ours */
    int option = getopt_long(argc, argv, short_options, long_options, NULL);
    if (option != '?' && option != ':')
        return option;
    char letter[3] = {'-', (char)optopt, '\0'};
    int is_letter = optopt > ' ' && optopt < 127 && strchr(short_options, optopt) != NULL;
    const char *word = is_letter || (option == '?' && optopt > ' ' && optopt < 127) ? letter : argv[optind - 1];
    complain(EXIT_WRONG,
             option == ':' ? "%s: an argument is missing; see %s --help"
                           : "%s: no such option, or not with that argument; see %s --help",
             word, argv[0]);
    return '?';
}

static int print_bench_help(void)
{
    fputs(help, stdout);
    shapes_print_sets(stdout);
    fputs(examples, stdout);
    return finish_output(stdout) == EXIT_DONE ? EXIT_ANSWERED : EXIT_FAILED;
}

static int print_version(void)
{
    printf("clsoftmax-bench %s\n", clsoftmax_version());
    return finish_output(stdout) == EXIT_DONE ? EXIT_ANSWERED : EXIT_FAILED;
}

static unsigned available_processors(void)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    return sched_getaffinity(0, sizeof set, &set) == 0 ? (unsigned)CPU_COUNT(&set) : 1;
}

/* What was not given. */
static int complete(bench_options *options)
{
    if (options->strategies == 0)
        options->strategies = ~(1u << CLSOFTMAX_STRATEGY_AUTO);
    if (options->dtype_count == 0)
        options->dtypes[options->dtype_count++] = (dtype_pair){CLSOFTMAX_F32, CLSOFTMAX_F32};
    if (options->temperature_count == 0)
        options->temperatures[options->temperature_count++] = 1;
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
    memset(options, 0, sizeof *options);
    options->axis = -1;
    options->peers = "none";
    options->limits.seconds = 10;
    options->threads = available_processors();
    options->commit = CLSOFTMAX_COMMIT;
    options->progress = -1;
    keep_command(argc, argv, options);
    for (int option; (option = next_option(argc, argv, ":d:T:o:h")) != -1;) {
        if (option == 'h')
            return print_bench_help();
        if (option == VERSION)
            return print_version();
        int status = parse_option(option, options);
        if (status != EXIT_DONE)
            return status;
    }
    if (optind < argc)
        return complain(EXIT_WRONG, "%s: no such argument; see clsoftmax-bench --help", argv[optind]);
    return complete(options);
}

void bench_options_release(bench_options *options)
{
    shapes_release(&options->shapes);
}
