/* How --help of run, sweep, plot, explore, loss and distill begins and ends. */
#include "options/run_help.h"

#include <stdio.h>

/* What each of them says of its input. */
#define INPUT_FORMATS FORMATS_OF("INPUT")
#define LOGITS_FORMATS FORMATS_OF("LOGITS")
#define STUDENT_FORMATS FORMATS_OF("STUDENT")
#define FORMATS_OF(name)                                                                                               \
    name " is an .npy, .npz or .safetensors file of floats or integers, or text: a .txt, .csv or .tsv file. - is\n"    \
         "standard input: text, or .npy. A line of text is a row; numbers are separated by commas, semicolons, tabs\n" \
         "or spaces; inf and nan are understood; # starts a comment.\n"                                                \
         "\n"

static const run_help of_run = {
    .introduction =
        "usage: clsoftmax run INPUT [OPTION...]\n"
        "\n"
        "Computes softmax with temperature, softmax(x / T), along an axis of an array of logits; on request\n"
        "log-probabilities, and statistics of each row.\n"
        "\n" INPUT_FORMATS,
    .examples = "examples:\n"
                "  echo \"10 20 30\" | clsoftmax run -T 10 -\n"
                "  clsoftmax run logits.npy -T 3.05 -o softened.npy --verify\n"
                "  clsoftmax run logits.npy -T @temperatures.txt --log --out-dtype f16 -o logs.npy\n"
                "  clsoftmax run logits.npy --labels labels.npy --stats\n"
                "  clsoftmax run model.safetensors --tensor logits --out-dtype bf16 -o probabilities.safetensors\n"
                "  clsoftmax run huge.npy --memory 512M -d 0:0,cpu -o probabilities.npy\n"
                "  clsoftmax run huge.npy --shard 2/8 -o probabilities.npy\n"
                "  echo \"0.25 0.75\" | clsoftmax run --probabilities -T 0.5 -\n",
};

static const run_help of_sweep = {
    .introduction =
        "usage: clsoftmax sweep INPUT -T LIST [OPTION...]\n"
        "\n"
        "Computes softmax of the same logits at many temperatures; the bits are those of clsoftmax run at each\n"
        "of them.\n"
        "\n" INPUT_FORMATS,
    .examples = "examples:\n"
                "  echo \"10 20 30\" | clsoftmax sweep -T 1,10,20,30,100 -\n"
                "  clsoftmax sweep logits.npy -T 0,log:0.1:100:31,inf -o probabilities.npy --stats=statistics.npy\n"
                "  clsoftmax sweep logits.npy -T lin:1:5:41 --stats --labels labels.npy | grep '^#'\n"
                "  echo \"1 2 3\" | clsoftmax sweep -T log:0.01:100:81 --plot curves.svg -\n",
};

static const run_help of_plot = {
    .introduction = "usage: clsoftmax plot INPUT -T LIST [-o FILE] [OPTION...]\n"
                    "\n"
                    "Draws bars of the logits of a row, and beside them bars of its probabilities: a diagram for\n"
                    "each temperature.\n"
                    "\n" INPUT_FORMATS,
    .examples = "examples:\n"
                "  echo \"10 20 30\" | clsoftmax plot -T 1,10,100 -\n"
                "  echo \"10 20 30\" | clsoftmax plot -T 1,10,20,30,100 -o bars.svg -\n"
                "  clsoftmax plot logits.npy --row 3 -T 1,3.05 --class-names names.txt -o row-3.png --dark\n",
};

static const run_help of_explore = {
    .introduction =
        "usage: clsoftmax explore [INPUT] -o PAGE.html [OPTION...]\n"
        "\n"
        "Writes a page with a slider for the temperature, from 0.0001 to 10000, and its limits: logits and\n"
        "probabilities as bars, entropy and largest probability as numbers. The page is one file, which loads\n"
        "nothing. All numbers are computed now and stored in it.\n"
        "\n"
        "Without INPUT, it shows random logits of 2 to 10 items, 20 samples of each. With INPUT, it shows at\n"
        "most 50 of its rows, of at most 100 classes: the 99 largest and \"rest\". Both have worked examples.\n"
        "\n" INPUT_FORMATS,
    .examples = "examples:\n"
                "  clsoftmax explore -o temperature.html\n"
                "  clsoftmax explore logits.npy --rows 100:120 --labels labels.npy -o digits.html\n",
};

static const run_help of_loss = {
    .introduction =
        "usage: clsoftmax loss LOGITS LABELS [OPTION...]\n"
        "       clsoftmax loss LOGITS --targets TARGETS [OPTION...]\n"
        "\n"
        "Computes the cross-entropy of rows at a temperature, -ln softmax(x / T)[label], and on request its gradient\n"
        "by the logits. Prints the mean over the rows that have a label, the sum, and the numbers of rows; sums are\n"
        "exact, so they do not depend on devices, processes or the order of rows.\n"
        "\n"
        "LABELS has a class for each row; any other whole number is no label: the loss of the row is 0, and so is\n"
        "its gradient.\n"
        "\n" LOGITS_FORMATS,
    .examples = "examples:\n"
                "  clsoftmax loss logits.npy labels.npy -T 3.05\n"
                "  clsoftmax loss logits.npy labels.npy --gradient gradient.npy --losses losses.npy\n"
                "  clsoftmax loss logits.npy labels.npy --weights weights.npy --z-loss 1e-4 --gradient g.npy\n"
                "  clsoftmax loss logits.npy labels.npy --label-smoothing 0.1\n"
                "  clsoftmax loss logits.npy labels.npy --class-weights class-weights.txt\n"
                "  clsoftmax loss logits.npy --targets targets.npy --gradient gradient.npy\n"
                "  clsoftmax loss huge.npy labels.npy --memory 512M -d 0:0,cpu\n",
};

static const run_help of_distill = {
    .introduction =
        "usage: clsoftmax distill STUDENT TEACHER -T T [OPTION...]\n"
        "\n"
        "Computes how far each row of the student's logits is from the teacher's at a temperature: the divergence\n"
        "KL(q || p) times T^2, where q = softmax(teacher / T) and p = softmax(student / T); and on request its "
        "gradient\n"
        "by the student's logits. Prints the mean, the sum and the number of rows; sums are exact, so they do not\n"
        "depend on devices, processes or the order of rows. A loss is never negative, and 0 for equal rows.\n"
        "\n"
        "TEACHER has the shape of STUDENT; it may have another type. With --labels, the loss of a row is a mix with\n"
        "the cross-entropy of its label at T = 1; the means of both are printed, too.\n"
        "\n" STUDENT_FORMATS,
    .examples = "examples:\n"
                "  clsoftmax distill student.npy teacher.npy -T 4\n"
                "  clsoftmax distill student.npy teacher.npy -T 4 --gradient gradient.npy --losses losses.npy\n"
                "  clsoftmax distill student.npy teacher.npy -T 4 --labels labels.npy --alpha 0.3 --gradient g.npy\n"
                "  clsoftmax distill student.npy top.npy --teacher-classes classes.npy -T 2 --tail bucket\n"
                "  clsoftmax distill student.npy model.safetensors:logits -T 2 --weights weights.npy\n"
                "  clsoftmax distill student.npy teacher.npy -T 2 --reverse\n"
                "  clsoftmax distill student.npy teacher.npy -T 2 --jensen-shannon 0.5\n"
                "  clsoftmax distill huge.npy teacher.npy -T 4 --memory 512M -d 0:0,cpu\n",
};

const run_help *run_help_of(run_command command)
{
    switch (command) {
    case RUN:
        return &of_run;
    case SWEEP:
        return &of_sweep;
    case PLOT:
        return &of_plot;
    case EXPLORE:
        return &of_explore;
    case LOSS:
        return &of_loss;
    case DISTILL:
        return &of_distill;
    }
    return NULL;
}
