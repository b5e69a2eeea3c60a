/* The options of run, sweep, plot, explore, loss and distill: their defaults, and the checks of several options at
   once. The options themselves are the rows of run_option_rows.c. */
#include "options/run_options.h"

#include "options/run_help.h"
#include "options/run_option_rows.h"
#include "support/messages.h"
#include "support/options.h"
#include "support/values.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Returns 1 for the commands that write what they compute of every row. */
static int writes_rows(const run_options *options)
{
    return options->command == RUN || options->command == SWEEP || run_options_have_losses(options);
}

int run_options_have_losses(const run_options *options)
{
    return options->command == LOSS || options->command == DISTILL;
}

static int is_picture_name(const char *name)
{
    return ends_with(name, ".svg") || ends_with(name, ".png") || ends_with(name, ".pdf");
}

static int is_result_name(const char *name)
{
    return ends_with(name, ".npy") || ends_with(name, ".safetensors") || strcmp(name, "-") == 0;
}

static int check_output_name(const run_options *options)
{
    const char *output = options->output;
    COMPLAIN_IF(options->command == EXPLORE && !output, EXIT_WRONG,
                "-o PAGE.html is missing; see clsoftmax explore --help");
    COMPLAIN_IF(options->command == EXPLORE && !ends_with(output, ".html"), EXIT_WRONG,
                "-o %s: the name of an .html file", output);
    COMPLAIN_IF(options->command == PLOT && output && !is_picture_name(output), EXIT_WRONG,
                "-o %s: the name of an .svg, .png or .pdf file; for the terminal, leave -o out", output);
    COMPLAIN_IF(run_options_have_losses(options) && output && !is_result_name(output), EXIT_WRONG,
                "--gradient %s: the name of an .npy or .safetensors file", output);
    COMPLAIN_IF(run_options_have_losses(options) && options->losses && !is_result_name(options->losses), EXIT_WRONG,
                "--losses %s: the name of an .npy or .safetensors file", options->losses);
    COMPLAIN_IF(writes_rows(options) && output && !is_result_name(output), EXIT_WRONG,
                "-o %s: the name of an .npy or .safetensors file, or -; for text, leave -o out and redirect", output);
    return EXIT_DONE;
}

static int check_names(const run_options *options)
{
    const char *statistics = options->statistics, *picture = options->picture;
    FORWARD(check_output_name(options));
    COMPLAIN_IF(statistics && *statistics && !ends_with(statistics, ".npy"), EXIT_WRONG,
                "--stats=%s: the name of an .npy file; for a table, --stats alone", statistics);
    COMPLAIN_IF(picture && strcmp(picture, "-") != 0 && !is_picture_name(picture), EXIT_WRONG,
                "--plot %s: the name of an .svg, .png or .pdf file, or - for the terminal", picture);
    return EXIT_DONE;
}

/* Sets which cross-entropy is computed: of labels, of labels that are smoothed, or of targets. */
static int choose_loss(run_options *options)
{
    const int is_smoothed = options->label_smoothing > 0, has_gradient = options->output != NULL;
    COMPLAIN_IF(options->targets && is_smoothed, EXIT_WRONG,
                "--label-smoothing: it spreads labels, and --targets takes their place");
    COMPLAIN_IF(options->class_weights && is_smoothed, EXIT_WRONG,
                "--class-weights: not with --label-smoothing; --targets FILE can have both in its numbers");
    if (options->targets)
        options->problem.operation = has_gradient ? CLSOFTMAX_OPERATION_CROSS_ENTROPY_OF_TARGETS_GRADIENT
                                                  : CLSOFTMAX_OPERATION_CROSS_ENTROPY_OF_TARGETS;
    else if (is_smoothed)
        options->problem.operation = has_gradient ? CLSOFTMAX_OPERATION_SMOOTHED_CROSS_ENTROPY_GRADIENT
                                                  : CLSOFTMAX_OPERATION_SMOOTHED_CROSS_ENTROPY;
    else
        options->problem.operation =
            has_gradient ? CLSOFTMAX_OPERATION_CROSS_ENTROPY_GRADIENT : CLSOFTMAX_OPERATION_CROSS_ENTROPY;
    return EXIT_DONE;
}

/* Sets which divergence is computed. */
static int choose_divergence(run_options *options)
{
    const int has_gradient = options->output != NULL;
    COMPLAIN_IF(options->problem.temperature_squared && options->temperature >= 0x1p64f, EXIT_WRONG,
                "-T %g: its square, by which losses are multiplied, overflows; --no-t-squared leaves it out",
                (double)options->temperature);
    COMPLAIN_IF(options->has_tail && !options->teacher_classes, EXIT_WRONG,
                "--tail: TEACHER has all classes; --teacher-classes FILE names those that it lists");
    COMPLAIN_IF(options->teacher_classes && options->has_probabilities, EXIT_WRONG,
                "--probabilities: with --teacher-classes, TEACHER has log-probabilities");
    COMPLAIN_IF(options->teacher_classes && options->is_reversed && options->tail != CLSOFTMAX_TAIL_BUCKET, EXIT_WRONG,
                "--reverse: it is infinite where the teacher has no probability for a class; --tail bucket");
    COMPLAIN_IF(options->has_alpha && !options->labels, EXIT_WRONG,
                "--alpha: it is the share of the labels in the losses, and there are none; --labels FILE has them");
    COMPLAIN_IF(options->is_reversed && options->teacher_share > 0, EXIT_WRONG,
                "--jensen-shannon: it is another divergence than --reverse; take one of them");
    if (options->teacher_share > 0)
        options->problem.operation =
            has_gradient ? CLSOFTMAX_OPERATION_JENSEN_SHANNON_GRADIENT : CLSOFTMAX_OPERATION_JENSEN_SHANNON;
    else if (options->is_reversed)
        options->problem.operation =
            has_gradient ? CLSOFTMAX_OPERATION_REVERSE_DISTILLATION_GRADIENT : CLSOFTMAX_OPERATION_REVERSE_DISTILLATION;
    else
        options->problem.operation =
            has_gradient ? CLSOFTMAX_OPERATION_DISTILLATION_GRADIENT : CLSOFTMAX_OPERATION_DISTILLATION;
    return EXIT_DONE;
}

/* Sets what is computed: statistics where anything asks for them, and no results where statistics or a picture take the
   place that they have on standard output. */
static int choose_results(run_options *options)
{
    if (options->command == LOSS)
        return choose_loss(options);
    if (options->command == DISTILL)
        return choose_divergence(options);
    if (options->labels && !options->statistics && !options->output)
        options->statistics = "";
    options->problem.statistics = options->statistics || options->labels;
    int has_table = options->statistics && !*options->statistics; /* on standard output */
    int takes_place = options->statistics && !options->output;
    COMPLAIN_IF(takes_place && options->problem.operation == CLSOFTMAX_OPERATION_LOG_SOFTMAX, EXIT_WRONG,
                "--log: --stats takes the place of the results; -o FILE for both");
    if (takes_place || (options->picture && !options->output))
        options->problem.operation = CLSOFTMAX_OPERATION_NONE;
    int has_text = has_table || (!options->output && options->problem.operation != CLSOFTMAX_OPERATION_NONE);
    COMPLAIN_IF(options->shard_count > 0 && has_text, EXIT_WRONG,
                "--shard: results go to a file, -o FILE; a table of --stats too, --stats=FILE");
    return EXIT_DONE;
}

/* Checks that results alone go to standard output, and to a program or a file there. */
static int check_standard_output(const run_options *options)
{
    if (!writes_rows(options) || !options->output || strcmp(options->output, "-") != 0)
        return EXIT_DONE;
    COMPLAIN_IF(isatty(STDOUT_FILENO), EXIT_WRONG,
                "-o -: standard output is a terminal, and .npy is no text; redirect it, or leave -o out");
    COMPLAIN_IF(options->shard_count > 0, EXIT_WRONG, "--shard: results go to a file, -o FILE");
    COMPLAIN_IF(run_options_have_losses(options), EXIT_WRONG,
                "--gradient -: the text of the losses goes to standard output, too; --gradient FILE");
    COMPLAIN_IF(options->labels || (options->statistics && !*options->statistics), EXIT_WRONG,
                "-o -: the text of --labels and --stats goes to standard output, too; -o FILE for the results");
    COMPLAIN_IF(options->explain, EXIT_WRONG, "-o -: --explain goes to standard output, too; -o FILE");
    COMPLAIN_IF(options->picture && strcmp(options->picture, "-") == 0, EXIT_WRONG,
                "-o -: --plot - goes to standard output, too; --plot FILE");
    return EXIT_DONE;
}

static int check_text_format(const text_format *text)
{
    COMPLAIN_IF(text->decimal == ',' && text->delimiter == ',', EXIT_WRONG,
                "--decimal comma: then commas cannot separate values, as --delimiter comma says");
    return EXIT_DONE;
}

static int take_input(int argc, char **argv, run_options *options)
{
    options->input = argv[optind];
    if (options->command == LOSS && options->targets) {
        COMPLAIN_IF(optind != argc - 1, EXIT_WRONG, "with --targets it takes LOGITS alone; see %s --help", argv[0]);
        return EXIT_DONE;
    }
    if (options->command == LOSS) {
        COMPLAIN_IF(optind != argc - 2, EXIT_WRONG, "it takes LOGITS and LABELS; see %s --help", argv[0]);
        options->labels = argv[optind + 1];
        return EXIT_DONE;
    }
    if (options->command == DISTILL) {
        COMPLAIN_IF(optind != argc - 2, EXIT_WRONG, "it takes STUDENT and TEACHER; see %s --help", argv[0]);
        options->teacher = argv[optind + 1];
        return EXIT_DONE;
    }
    COMPLAIN_IF(optind == argc && options->command != EXPLORE, EXIT_WRONG, "INPUT is missing; see %s --help", argv[0]);
    COMPLAIN_IF(optind < argc - 1, EXIT_WRONG, "%s: one INPUT only; see %s --help", argv[optind + 1], argv[0]);
    return EXIT_DONE;
}

/* Returns a quarter of the machine's memory; or 1 GiB, where the system does not tell. */
static uint64_t default_memory(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), bytes = sysconf(_SC_PAGESIZE);
    return pages > 0 && bytes > 0 ? (uint64_t)pages * (uint64_t)bytes / 4 : (uint64_t)1 << 30;
}

static void set_defaults(run_command command, run_options *options)
{
    const clsoftmax_problem initial = CLSOFTMAX_PROBLEM_INIT;
    memset(options, 0, sizeof *options);
    options->command = command;
    options->temperature = 1;
    options->alpha = 0.5f;
    options->axis = -1;
    options->text.decimal = '.';
    options->progress = -1;
    options->top = 10;
    options->log_y = -1;
    options->memory = default_memory();
    options->problem = initial;
}

int run_options_parse(run_command command, int argc, char **argv, run_options *options)
{
    const run_help *help = run_help_of(command);
    const option_table table = {run_option_rows, command, help->introduction, NULL, help->examples};
    set_defaults(command, options);
    FORWARD(options_parse(&table, argc, argv, options));
    FORWARD(take_input(argc, argv, options));
    COMPLAIN_IF((command == SWEEP || command == PLOT) && options->sweep.count == 0, EXIT_WRONG,
                "-T LIST is missing: temperatures as 1,10,inf or log:0.1:100:31; see %s --help", argv[0]);
    FORWARD(check_text_format(&options->text));
    FORWARD(check_names(options));
    FORWARD(check_standard_output(options));
    return writes_rows(options) ? choose_results(options) : EXIT_DONE;
}

void run_options_release(run_options *options)
{
    temperature_list_release(&options->sweep);
}
