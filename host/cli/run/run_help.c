#include "run/run_help.h"

/* What several of them say. */
#define INPUT_FORMATS                                                                                                  \
    "INPUT is an .npy file (f2, f4, f8; bf16 below), or text: .txt, .csv, or - for standard input; a row a line, "     \
    "numbers "                                                                                                         \
    "separated by\n"                                                                                                   \
    "spaces, tabs or commas, inf and nan understood, # starts a comment.\n"                                            \
    "\n"

#define TEMPERATURE_LIST                                                                                               \
    "  -T, --temperatures LIST\n"                                                                                      \
    "                        numbers from 0 to inf with commas between; lin:LO:HI:N and log:LO:HI:N stand for N of "   \
    "them\n"                                                                                                           \
    "                        at equal distances or ratios: 0,log:0.1:100:31,inf\n"

#define AXIS_AND_PROBABILITIES                                                                                         \
    "      --axis N          as in NumPy, default -1, the last\n"                                                      \
    "      --probabilities   INPUT holds probabilities; their logarithms are the logits\n"

#define POLICIES                                                                                                       \
    "      --neg-inf-rows W  a row of nothing but -inf becomes nan (default), zero or uniform\n"                       \
    "      --pos-inf W       a row with +inf becomes nan (default), or its limit: the mass on the +inf logits\n"

#define WHAT_TO_COMPUTE                                                                                                \
    AXIS_AND_PROBABILITIES                                                                                             \
    "      --log             log-probabilities\n"                                                                      \
    "      --stats[=FILE]    maximum, argmax, log-sum-exp, entropy, largest probability and margin of each row: a "    \
    "table\n"                                                                                                          \
    "                        on standard output in place of the results, or beside them an .npy file; the margin is "  \
    "the\n"                                                                                                            \
    "                        largest probability less the second largest\n"                                            \
    "      --labels FILE     a class for each row: adds the negative log-likelihood, its mean, and the "               \
    "accuracy\n" POLICIES "\n"

#define INPUT_DTYPE                                                                                                    \
    "      --input-dtype D   bf16, for which .npy has no name: V2 and u2 are read as bf16; or f32, f16\n"

#define LARGE_FILES                                                                                                    \
    INPUT_DTYPE                                                                                                        \
    "      --out-dtype D     f32 (default), f16, bf16 (V2 in the file)\n"                                              \
    "\n"                                                                                                               \
    "large files, .npy in and out:\n"                                                                                  \
    "      --memory SIZE     the most memory that rows take at a time, as 512M or 2G; default a quarter of the "       \
    "machine's\n"                                                                                                      \
    "      --rows A:B        indices A to B - 1 of the first axis alone, as INPUT[A:B] in NumPy; files of a number "   \
    "for\n"                                                                                                            \
    "                        each row are of all rows\n"                                                               \
    "      --shard I/N       part I (from 0) of N, into the file that all parts share; it appears when all are "       \
    "there. For\n"                                                                                                     \
    "                        job arrays; a part that failed is run again\n"                                            \
    "      --explain         say what would be done: tiles, bytes, memory, strategies\n"                               \
    "\n"

#define WHERE_TO_COMPUTE                                                                                               \
    "where and how to compute:\n"                                                                                      \
    "  -d, --device DEVICE   auto (default), cpu, reference, gpu, P:D, or part of a device's name; also "              \
    "CLSOFTMAX_DEVICE;\n"                                                                                              \
    "                        several, with commas between, or all: rows go to whichever is free\n"                     \
    "      --strategy NAME   force how rows are laid over the device: column, lane, item, split, group; the bits do "  \
    "not "                                                                                                             \
    "change\n"                                                                                                         \
    "      --verify          compute again by cpu (bits must be equal) and by reference; one line on standard error\n" \
    "      --progress, --no-progress   a progress bar; default: for long work on a terminal\n"                         \
    "\n"

#define DEVICE "  -d, --device DEVICE   as for clsoftmax run\n"

#define CLASS_NAMES                                                                                                    \
    "      --class-names FILE\n"                                                                                       \
    "                        a name for each class, one a line; else classes are numbers from 0\n"

#define HOW_TO_DRAW                                                                                                    \
    "      --row N           the row to draw, default 0\n" CLASS_NAMES                                                 \
    "      --top K           the K classes with the largest logits, and all others as \"rest\"; default 10\n"          \
    "      --dark            for dark pages\n"

const char run_help[] =
    "usage: clsoftmax run INPUT [OPTION...]\n"
    "\n"
    "Softmax with temperature, softmax(x / T), along an axis of an array of logits; log-probabilities and statistics "
    "of\n"
    "each row too.\n"
    "\n" INPUT_FORMATS "what to compute:\n"
    "  -T, --temperature T   0 to inf, default 1; 0 splits the mass evenly over the largest logits, inf is uniform.\n"
    "                        @FILE: one for each row; negative or nan makes that row NaN\n" WHAT_TO_COMPUTE
    "how to read and write:\n"
    "  -o, --output FILE     an .npy file of the same shape; without it, text on standard output\n" LARGE_FILES
        WHERE_TO_COMPUTE "examples:\n"
    "  echo \"10 20 30\" | clsoftmax run -T 10 -\n"
    "  clsoftmax run logits.npy -T 3.05 -o softened.npy --verify\n"
    "  clsoftmax run logits.npy -T @temperatures.txt --log --out-dtype f16 -o logs.npy\n"
    "  clsoftmax run logits.npy --labels labels.npy --stats\n"
    "  clsoftmax run huge.npy --memory 512M -d 0:0,cpu -o probabilities.npy\n"
    "  clsoftmax run huge.npy --shard 2/8 -o probabilities.npy\n"
    "  echo \"0.25 0.75\" | clsoftmax run --probabilities -T 0.5 -\n";

const char sweep_help[] =
    "usage: clsoftmax sweep INPUT -T LIST [OPTION...]\n"
    "\n"
    "Softmax of the same logits at many temperatures; the bits are those of clsoftmax run at each of them.\n"
    "\n" INPUT_FORMATS "what to compute:\n" TEMPERATURE_LIST WHAT_TO_COMPUTE "how to read and write:\n"
    "  -o, --output FILE     an .npy file, [temperatures, ...the shape of INPUT]; without it, a table on standard "
    "output: a line\n"
    "                        for each row and temperature. Statistics are [temperatures, rows], and without -o all "
    "that is written\n" LARGE_FILES "the picture:\n"
    "      --plot FILE       curves of the probabilities of a row against the temperature, an .svg, .png or .pdf file, "
    "or - for\n"
    "                        the terminal; the limits T = 0 and T = inf at the sides. By gnuplot. In place of text, "
    "or\n"
    "                        beside files\n" HOW_TO_DRAW "\n" WHERE_TO_COMPUTE "examples:\n"
    "  echo \"10 20 30\" | clsoftmax sweep -T 1,10,20,30,100 -\n"
    "  clsoftmax sweep logits.npy -T 0,log:0.1:100:31,inf -o probabilities.npy --stats=statistics.npy\n"
    "  clsoftmax sweep logits.npy -T lin:1:5:41 --stats --labels labels.npy | grep ^#   # which one fits best\n"
    "  echo \"1 2 3\" | clsoftmax sweep -T log:0.01:100:81 --plot curves.svg -\n";

const char plot_help[] =
    "usage: clsoftmax plot INPUT -T LIST [-o FILE] [OPTION...]\n"
    "\n"
    "Bars of the logits of a row, and beside them bars of its probabilities, a panel for each temperature.\n"
    "\n" INPUT_FORMATS "what to draw:\n" TEMPERATURE_LIST HOW_TO_DRAW
    "  -o, --output FILE     an .svg, .png or .pdf file, by gnuplot; without it, text on standard output\n"
    "      --labels FILE     the same as --class-names\n"
    "\n"
    "what to compute:\n" AXIS_AND_PROBABILITIES POLICIES INPUT_DTYPE DEVICE "\n"
    "examples:\n"
    "  echo \"10 20 30\" | clsoftmax plot -T 1,10,100 -\n"
    "  echo \"10 20 30\" | clsoftmax plot -T 1,10,20,30,100 -o bars.svg -\n"
    "  clsoftmax plot logits.npy --row 3 -T 1,3.05 --class-names names.txt -o row-3.png --dark\n";

const char explore_help[] =
    "usage: clsoftmax explore [INPUT] -o PAGE.html [OPTION...]\n"
    "\n"
    "One page, in one file that loads nothing, with a slider for the temperature from 0.0001 to 10000 and its limits: "
    "logits and\n"
    "probabilities as bars, entropy and largest probability as numbers. All numbers are computed now and stored in the "
    "page.\n"
    "\n"
    "Without INPUT: random logits of 2 to 10 items, 20 samples of each. With it: its rows, at most 50, of at most 100 "
    "classes (the\n"
    "99 largest and \"rest\"). Both: worked examples.\n"
    "\n" INPUT_FORMATS "what to show:\n"
    "  -o, --output FILE     the page, an .html file\n"
    "      --rows A:B        indices A to B - 1 of the first axis alone\n" CLASS_NAMES
    "      --labels FILE     the same as --class-names\n" AXIS_AND_PROBABILITIES POLICIES INPUT_DTYPE DEVICE "\n"
    "examples:\n"
    "  clsoftmax explore -o temperature.html\n"
    "  clsoftmax explore logits.npy --rows 100:120 -o digits.html\n";
