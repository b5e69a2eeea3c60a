/* The options of run, sweep, plot, explore, loss and distill, as rows of a table: what each is called, what --help says
   of it, and what it sets in run_options. To add one, add a row; run_options.c checks what concerns several options at
   once.
 */
#include "options/run_option_rows.h"

#include "options/run_options.h"
#include "support/library.h"
#include "support/messages.h"
#include "support/options.h"
#include "support/values.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- Temperatures */

/* Takes the temperature of run, or @FILE. */
static int set_temperature(const option_row *row, const char *argument, void *options_)
{
    (void)row;
    run_options *options = options_;
    COMPLAIN_IF(strcmp(argument, "@") == 0, EXIT_WRONG, "-T @: the name of a file is missing, as in -T @t.npy");
    options->temperatures = argument[0] == '@' ? argument + 1 : NULL;
    return options->temperatures ? EXIT_DONE : parse_temperature("-T", argument, &options->temperature);
}

/* Takes the temperatures of sweep and plot. */
static int set_temperature_list(const option_row *row, const char *argument, void *options_)
{
    (void)row;
    run_options *options = options_;
    const char *where = argument;
    temperature_list_release(&options->sweep);
    const char *wrong = temperature_list_parse(argument, &options->sweep, &where);
    COMPLAIN_IF(wrong, wrong == temperature_list_no_memory ? EXIT_FAILED : EXIT_WRONG, "-T %.80s: \"%.*s\": %s",
                argument, (int)strcspn(where, ","), where, wrong);
    options->problem.sweep = options->sweep.count;
    return EXIT_DONE;
}

/* ---------------------------------------------------------------- What to compute */

/* Takes the weight of a z-loss. */
static int set_z_loss(const option_row *row, const char *argument, void *options)
{
    (void)row;
    float *z = &((run_options *)options)->z_loss;
    FORWARD(parse_temperature("--z-loss", argument, z));
    COMPLAIN_IF(isinf(*z), EXIT_WRONG, "--z-loss %s: it takes a finite number from 0 on", argument);
    return EXIT_DONE;
}

/* Takes the share of a label that is spread over all classes. */
static int set_label_smoothing(const option_row *row, const char *argument, void *options)
{
    (void)row;
    float *share = &((run_options *)options)->label_smoothing;
    FORWARD(parse_temperature("--label-smoothing", argument, share));
    COMPLAIN_IF(*share > 1, EXIT_WRONG, "--label-smoothing %s: it takes a number from 0 to 1", argument);
    return EXIT_DONE;
}

/* Takes the share of the labels in a mix of losses. */
static int set_alpha(const option_row *row, const char *argument, void *options_)
{
    (void)row;
    run_options *options = options_;
    char *end;
    options->alpha = strtof(argument, &end);
    COMPLAIN_IF(end == argument || *end || !(options->alpha >= 0 && options->alpha <= 1), EXIT_WRONG,
                "--alpha %s: it takes a number from 0 to 1", argument);
    options->has_alpha = 1;
    return EXIT_DONE;
}

/* Takes the share of the teacher in a mixture. */
static int set_teacher_share(const option_row *row, const char *argument, void *options)
{
    (void)row;
    char *end;
    float *share = &((run_options *)options)->teacher_share;
    *share = strtof(argument, &end);
    COMPLAIN_IF(end == argument || *end || !(*share > 0 && *share < 1), EXIT_WRONG,
                "--jensen-shannon %s: it takes a number between 0 and 1", argument);
    return EXIT_DONE;
}

static int set_log(const option_row *row, const char *argument, void *options)
{
    (void)row, (void)argument;
    ((run_options *)options)->problem.operation = CLSOFTMAX_OPERATION_LOG_SOFTMAX;
    return EXIT_DONE;
}

/* Takes --stats[=FILE]; "" stands for the table on standard output. */
static int set_statistics(const option_row *row, const char *argument, void *options)
{
    (void)row;
    ((run_options *)options)->statistics = argument ? argument : "";
    return EXIT_DONE;
}

static int set_neg_inf_rows(const option_row *row, const char *argument, void *options)
{
    static const char *const names[] = {"nan", "zero", "uniform"};
    char option[OPTION_NAME_BYTES];
    int choice = 0;
    FORWARD(parse_choice(option_name(row, option), argument, names, sizeof names / sizeof *names, &choice));
    ((run_options *)options)->problem.neg_inf_rows = (clsoftmax_neg_inf_rows)choice;
    return EXIT_DONE;
}

static int set_pos_inf(const option_row *row, const char *argument, void *options)
{
    static const char *const names[] = {"nan", "limit"};
    char option[OPTION_NAME_BYTES];
    int choice = 0;
    FORWARD(parse_choice(option_name(row, option), argument, names, sizeof names / sizeof *names, &choice));
    ((run_options *)options)->problem.pos_inf = (clsoftmax_pos_inf)choice;
    return EXIT_DONE;
}

static int set_tail(const option_row *row, const char *argument, void *options_)
{
    static const char *const names[] = {"renormalize", "bucket", "drop"};
    run_options *options = options_;
    char option[OPTION_NAME_BYTES];
    int choice = 0;
    FORWARD(parse_choice(option_name(row, option), argument, names, sizeof names / sizeof *names, &choice));
    options->tail = (clsoftmax_tail)choice;
    options->has_tail = 1;
    return EXIT_DONE;
}

static int set_accuracy(const option_row *row, const char *argument, void *options)
{
    char option[OPTION_NAME_BYTES];
    return parse_accuracy(option_name(row, option), argument, &((run_options *)options)->problem.accuracy);
}

/* Sets a choice whose names stand for characters. */
static int set_character(const option_row *row, const char *argument, const char *const *names, const char *characters,
                         char *character)
{
    char option[OPTION_NAME_BYTES];
    int choice = 0;
    FORWARD(parse_choice(option_name(row, option), argument, names, (int)strlen(characters), &choice));
    *character = characters[choice];
    return EXIT_DONE;
}

static int set_delimiter(const option_row *row, const char *argument, void *options)
{
    static const char *const names[] = {"comma", "semicolon", "tab", "space"};
    return set_character(row, argument, names, ",;\t ", &((run_options *)options)->text.delimiter);
}

static int set_decimal(const option_row *row, const char *argument, void *options)
{
    static const char *const names[] = {"point", "comma"};
    return set_character(row, argument, names, ".,", &((run_options *)options)->text.decimal);
}

static int set_header(const option_row *row, const char *argument, void *options)
{
    (void)row, (void)argument;
    ((run_options *)options)->text.header = TEXT_HEADER;
    return EXIT_DONE;
}

static int set_input_dtype(const option_row *row, const char *argument, void *options_)
{
    run_options *options = options_;
    options->has_input_dtype = 1;
    return option_set_dtype(row, argument, options_);
}

/* ---------------------------------------------------------------- Which rows */

/* Reads an index at *text, which a minus counts from the end, and moves *text behind it. Returns 1 if there is one. */
static int take_index(const char **text, int64_t *index)
{
    uint64_t number;
    int is_negative = **text == '-';
    *text += is_negative;
    if (!take_number(text, &number) || number > INT64_MAX)
        return 0;
    *index = is_negative ? -(int64_t)number : (int64_t)number;
    return 1;
}

/* Takes A:B, either of which may be left out. */
static int set_rows(const option_row *row, const char *argument, void *options_)
{
    (void)row;
    run_options *options = options_;
    const char *rest = argument;
    options->rows_begin = 0;
    options->rows_end = INT64_MAX;
    int is_right = (*rest == ':' || take_index(&rest, &options->rows_begin)) && *rest == ':';
    rest += is_right;
    is_right = is_right && (!*rest || take_index(&rest, &options->rows_end)) && !*rest;
    int is_backward = (options->rows_begin < 0) == (options->rows_end < 0) && options->rows_begin > options->rows_end;
    COMPLAIN_IF(!is_right || is_backward, EXIT_WRONG,
                "--rows %s: it takes A:B, the first index and the one behind the last; -A counts from the end",
                argument);
    options->has_rows = 1;
    return EXIT_DONE;
}

#define MOST_SHARDS 1000000

/* Takes I/N, shard I of N. */
static int set_shard(const option_row *row, const char *argument, void *options_)
{
    (void)row;
    run_options *options = options_;
    const char *rest = argument;
    int is_right = take_number(&rest, &options->shard_index) && *rest == '/';
    rest += is_right;
    is_right = is_right && take_number(&rest, &options->shard_count) && !*rest;
    COMPLAIN_IF(!is_right || options->shard_index >= options->shard_count || options->shard_count > MOST_SHARDS,
                EXIT_WRONG, "--shard %s: it takes I/N, shard I from 0 to N - 1 of N, and N is at most %d", argument,
                MOST_SHARDS);
    return EXIT_DONE;
}

/* ---------------------------------------------------------------- The rows */

/* The commands that compute a loss for each row, those that write what they compute of every row, those that draw, and
   all. */
#define HAS_LOSSES (LOSS | DISTILL)
#define WRITES_ROWS (RUN | SWEEP | HAS_LOSSES)
#define DRAWS (SWEEP | PLOT)
#define ALL (RUN | SWEEP | PLOT | EXPLORE | HAS_LOSSES)

/* A value of run_options that one of the setters in support/options.h sets. */
#define SETS(type, member) .set = option_set_##type, .offset = offsetof(run_options, member)

const option_row run_option_rows[] = {
    {.heading = "what to compute", .commands = ALL},
    {.letter = 'T',
     .name = "temperature",
     .argument = "T",
     .commands = RUN | HAS_LOSSES,
     .set = set_temperature,
     .help = "a number from 0 to inf; default 1. 0 splits the mass evenly over the largest logits,\n"
             "inf is uniform. @FILE: one for each row; a negative or NaN one makes its row NaN"},
    {.letter = 'T',
     .name = "temperatures",
     .argument = "LIST",
     .commands = DRAWS,
     .set = set_temperature_list,
     .help = "numbers from 0 to inf, separated by commas. lin:LO:HI:N and log:LO:HI:N stand for\n"
             "N of them, at equal distances or equal ratios: 0,log:0.1:100:31,inf"},
    {.name = "axis",
     .argument = "N",
     .commands = ALL,
     SETS(integer, axis),
     .help = "the axis of the classes, counted as in NumPy; default -1, the last"},
    {.name = "probabilities",
     .commands = DISTILL,
     SETS(on, has_probabilities),
     .help = "STUDENT and TEACHER hold probabilities; their logarithms are the logits"},
    {.name = "no-t-squared",
     .commands = DISTILL,
     SETS(off, problem.temperature_squared),
     .help = "do not multiply losses and gradient by T^2. By default they are (Hinton et al., 2015):\n"
             "else gradients shrink by 1/T^2 as T grows"},
    {.name = "probabilities",
     .commands = ALL & ~DISTILL,
     SETS(on, has_probabilities),
     .help = "INPUT holds probabilities; their logarithms are the logits"},
    {.name = "accuracy",
     .argument = "WORD",
     .commands = WRITES_ROWS,
     .set = set_accuracy,
     .help = "faithful (default): probabilities within 1 ULP; or fast: within 4 ULP, in half of the\n"
             "arithmetic. Either has the same bits on every device"},
    {.name = "log", .commands = RUN | SWEEP, .set = set_log, .help = "compute log-probabilities"},
    {.name = "stats",
     .argument = "FILE",
     .is_optional = 1,
     .commands = RUN | SWEEP,
     .set = set_statistics,
     .help = "maximum, argmax, log-sum-exp, entropy, largest probability and margin of each row, in\n"
             "place of the results, or beside those of -o FILE: with =FILE.npy as named columns,\n"
             "else a table on standard output. The margin is the largest probability minus the\n"
             "second largest"},
    {.name = "weights",
     .argument = "FILE",
     .commands = DISTILL,
     SETS(text, weights),
     .help = "a weight for each row, from 0 on; the mean is then the sum of the losses divided by\n"
             "the weights"},
    {.name = "weights",
     .argument = "FILE",
     .commands = LOSS,
     SETS(text, weights),
     .help = "a weight for each row, from 0 on, such as that of its label's class; the mean is then\n"
             "the sum of the losses divided by the weights of the rows that have a label"},
    {.name = "class-weights",
     .argument = "FILE",
     .commands = LOSS,
     SETS(text, class_weights),
     .help = "a weight for each class, from 0 on, as in PyTorch: that of its label is one of a row, by\n"
             "which the mean is divided, too; of --targets it multiplies those of its class"},
    {.name = "targets",
     .argument = "FILE",
     .commands = LOSS,
     SETS(text, targets),
     .help = "the probability that each class should have, an array of the shape of LOGITS, in place\n"
             "of LABELS. The mean is that of all rows"},
    {.name = "z-loss",
     .argument = "Z",
     .commands = LOSS,
     .set = set_z_loss,
     .help = "add Z times the square of log-sum-exp to the loss of each row; default 0"},
    {.name = "label-smoothing",
     .argument = "E",
     .commands = LOSS,
     .set = set_label_smoothing,
     .help = "spread the share E of each label evenly over the classes of its row that are not\n"
             "masked (-inf); default 0"},
    {.name = "reverse",
     .commands = DISTILL,
     SETS(on, is_reversed),
     .help = "the reverse divergence, KL(p || q) of the student from its teacher, in place of\n"
             "KL(q || p)"},
    {.name = "jensen-shannon",
     .argument = "B",
     .commands = DISTILL,
     .set = set_teacher_share,
     .help = "the Jensen-Shannon divergence, B KL(q || m) + (1 - B) KL(p || m) from the mixture m = B q +\n"
             "(1 - B) p, in place of KL(q || p); B is a number between 0 and 1, such as 0.5"},
    {.name = "teacher-classes",
     .argument = "FILE",
     .commands = DISTILL,
     SETS(text, teacher_classes),
     .help = "TEACHER has log-probabilities at T of the most likely classes of each row alone, on its\n"
             "last axis; FILE, of the same shape, says which classes they are, -1 for none"},
    {.name = "tail",
     .argument = "WORD",
     .commands = DISTILL,
     .set = set_tail,
     .help = "what becomes of all other classes of such a teacher: renormalize (default), they have\n"
             "no probability; bucket, they are one class; or drop, they are left out"},
    {.name = "sum",
     .commands = HAS_LOSSES,
     SETS(on, is_sum),
     .help = "the gradient is that of the sum of the losses; by default, of their mean"},
    {.name = "labels",
     .argument = "FILE",
     .commands = RUN | SWEEP,
     SETS(text, labels),
     .help = "a class for each row, any other whole number for none: adds the negative\n"
             "log-likelihood of each row, its mean, and the accuracy"},
    {.name = "labels",
     .argument = "FILE",
     .commands = DISTILL,
     SETS(text, labels),
     .help = "a class for each row, any other whole number for none. The loss of a row becomes A times\n"
             "the cross-entropy of its label at T = 1, plus 1 - A times the divergence; without a\n"
             "label it has the second term alone"},
    {.name = "alpha",
     .argument = "A",
     .commands = DISTILL,
     .set = set_alpha,
     .help = "the share of --labels in the losses, from 0 to 1; default 0.5. The mean is A times the\n"
             "mean cross-entropy of the rows with a label, plus 1 - A times that of all divergences"},
    {.name = "neg-inf-rows",
     .argument = "WORD",
     .commands = ALL,
     .set = set_neg_inf_rows,
     .help = "what a row becomes whose logits are all -inf: nan (default), zero or uniform"},
    {.name = "pos-inf",
     .argument = "WORD",
     .commands = ALL,
     .set = set_pos_inf,
     .help = "what a row with +inf becomes: nan (default), or limit: its mass on the +inf logits"},

    {.heading = "the picture", .commands = DRAWS},
    {.heading = "the page", .commands = EXPLORE},
    {.name = "plot",
     .argument = "FILE",
     .commands = SWEEP,
     SETS(text, picture),
     .help = "curves of a row's probabilities against the temperature, with the limits T = 0 and\n"
             "T = inf at the sides: an .svg, .png or .pdf file, or - for the terminal. It replaces\n"
             "text on standard output, and is drawn beside files. Needs gnuplot"},
    {.name = "row", .argument = "N", .commands = DRAWS, SETS(index, row), .help = "the row to draw; default 0"},
    {.name = "class-names",
     .argument = "FILE",
     .commands = DRAWS | EXPLORE,
     SETS(text, class_names),
     .help = "a name for each class, one on each line; without it, classes are numbers from 0 on"},
    {.name = "labels",
     .argument = "FILE",
     .commands = EXPLORE,
     SETS(text, labels),
     .help = "a class for each row, any other whole number for none: the page shows the true label\n"
             "of each row beside its prediction, the class with the largest logit"},
    {.name = "top",
     .argument = "K",
     .commands = DRAWS,
     SETS(count, top),
     .help = "the K classes with the largest logits, and all others as \"rest\"; default 10"},
    {.name = "log-y",
     .commands = SWEEP,
     SETS(on, log_y),
     .help = "a logarithmic axis of probabilities in --plot, down to a ten-thousandth of an even\n"
             "share; default for rows of more than 50 classes"},
    {.name = "no-log-y", .commands = SWEEP, SETS(off, log_y), .help = "a linear one, from 0 to 1"},
    {.name = "dark", .commands = DRAWS, SETS(on, is_dark), .help = "colours for dark pages"},

    {.heading = "how to read and write", .commands = ALL},
    {.letter = 'o',
     .name = "output",
     .argument = "FILE",
     .commands = RUN,
     SETS(text, output),
     .help = "an .npy or .safetensors file of the same shape, or - for .npy on standard output;\n"
             "without it, text on standard output"},
    {.name = "gradient",
     .argument = "FILE",
     .commands = HAS_LOSSES,
     SETS(text, output),
     .help = "write the gradient by the logits, those of the first file: an .npy or .safetensors file of\n"
             "its shape"},
    {.name = "losses",
     .argument = "FILE",
     .commands = HAS_LOSSES,
     SETS(text, losses),
     .help = "write the loss of each row, f32: an .npy or .safetensors file; 0 for a row that does not\n"
             "count, since it has no label"},
    {.letter = 'o',
     .name = "output",
     .argument = "FILE",
     .commands = SWEEP,
     SETS(text, output),
     .help = "an .npy or .safetensors file of shape [temperatures, ...the shape of INPUT], or - for\n"
             ".npy on standard output; statistics are [temperatures, rows]. Without it, a table on\n"
             "standard output, a line for each row and temperature: of the probabilities, or with\n"
             "--stats of the statistics alone"},
    {.letter = 'o',
     .name = "output",
     .argument = "FILE",
     .commands = PLOT,
     SETS(text, output),
     .help = "an .svg, .png or .pdf file, drawn by gnuplot; without it, text on standard output"},
    {.letter = 'o',
     .name = "output",
     .argument = "FILE",
     .commands = EXPLORE,
     SETS(text, output),
     .help = "the page, an .html file"},
    {.name = "tensor",
     .argument = "NAME",
     .commands = ALL,
     SETS(text, tensor),
     .help = "the array to read of an .npz or .safetensors INPUT with several; INPUT:NAME does the\n"
             "same, for --labels and -T @ too"},
    {.name = "input-dtype",
     .argument = "DTYPE",
     .commands = ALL,
     .set = set_input_dtype,
     .offset = offsetof(run_options, input_dtype),
     .help = "the type of the file's elements: f32, f16, or bf16, for which .npy has no name: V2 and\n"
             "u2 are then read as bf16"},
    {.name = "delimiter",
     .argument = "WORD",
     .commands = ALL,
     .set = set_delimiter,
     .help = "what separates the values of text files: comma, semicolon, tab or space (any number\n"
             "of them); by default whichever of these a file has"},
    {.name = "decimal",
     .argument = "WORD",
     .commands = ALL,
     .set = set_decimal,
     .help = "the decimal point of text files: point (default), or comma"},
    {.name = "header",
     .commands = ALL,
     .set = set_header,
     .help = "the first line of a text INPUT holds the names of the classes"},
    {.name = "out-dtype",
     .argument = "DTYPE",
     .commands = WRITES_ROWS,
     SETS(dtype, problem.results_dtype),
     .help = "the type of the results: f32 (default), f16, or bf16 (V2 in the file). Probabilities of\n"
             "many thousand classes are often 0 in f16, which has none between 0 and 6e-8"},
    {.name = "rows",
     .argument = "A:B",
     .commands = EXPLORE,
     .set = set_rows,
     .help = "indices A to B - 1 of the first axis alone, as INPUT[A:B] in NumPy"},

    {.heading = "large files, .npy in and out", .commands = WRITES_ROWS},
    {.name = "memory",
     .argument = "SIZE",
     .commands = WRITES_ROWS,
     SETS(size, memory),
     .help = "the most memory that rows take at a time, as 512M or 2G; default a quarter of the\n"
             "machine's"},
    {.name = "rows",
     .argument = "A:B",
     .commands = WRITES_ROWS,
     .set = set_rows,
     .help = "indices A to B - 1 of the first axis alone, as INPUT[A:B] in NumPy. Files with a\n"
             "number for each row still have one for every row of INPUT"},
    {.name = "shard",
     .argument = "I/N",
     .commands = WRITES_ROWS,
     .set = set_shard,
     .help = "compute shard I (from 0) of N, for job arrays. All shards write into one file, which\n"
             "appears when the last is complete; a shard that failed is run again"},
    {.name = "explain",
     .commands = WRITES_ROWS,
     SETS(on, explain),
     .help = "say what would be done, and do nothing: bytes, slabs, memory, strategies"},

    {.heading = "where and how to compute", .commands = ALL},
    {.letter = 'd',
     .name = "device",
     .argument = "DEVICE",
     .commands = WRITES_ROWS,
     SETS(text, device),
     .help = "auto (default): a GPU, or else cpu; cpu; opencl: any OpenCL device; gpu, accelerator,\n"
             "opencl-cpu; P:D; reference; or part of a device's name; also CLSOFTMAX_DEVICE.\n"
             "Several separated by commas, or all: rows go to whichever is free"},
    {.letter = 'd',
     .name = "device",
     .argument = "DEVICE",
     .commands = PLOT | EXPLORE,
     SETS(text, device),
     .help = "as for clsoftmax run"},
    {.name = "strategy",
     .argument = "NAME",
     .commands = WRITES_ROWS,
     SETS(strategy, problem.strategy),
     .help = "force how rows are laid over the device: column, lane, item, split, group or plain;\n"
             "the bits do not change"},
    {.name = "verify",
     .commands = WRITES_ROWS,
     SETS(on, verify),
     .help = "compute everything again by cpu, whose bits must be equal, and by reference; the\n"
             "verdict is one line on standard error"},
    {.name = "progress", .commands = WRITES_ROWS, SETS(on, progress), .help = "draw a progress bar"},
    {.name = "no-progress",
     .commands = WRITES_ROWS,
     SETS(off, progress),
     .help = "draw none; by default there is one for long work on a terminal"},
    {.name = NULL},
};
