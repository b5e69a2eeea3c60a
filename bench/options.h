/* The options of clsoftmax-bench: what is measured, how, and how it is reported. main.c parses and follows them. */
#ifndef CLSOFTMAX_BENCH_OPTIONS_H
#define CLSOFTMAX_BENCH_OPTIONS_H

#include "clsoftmax/clsoftmax.h"
#include "rounds.h"
#include "shapes.h"

/* What an axis of the plot shows. */
typedef enum plot_axis { PLOT_ROWS, PLOT_CLASSES, PLOT_BYTES, PLOT_SHARE, PLOT_SPEED } plot_axis;

enum { MOST_DTYPES = 9, MOST_TEMPERATURES = 32, MOST_OPERATIONS = 32 };

typedef struct bench_options {
    const char *devices; /* NULL: all usable devices except reference */
    unsigned strategies; /* a bit for each; 0: all that a device has, without auto */
    unsigned accuracies; /* a bit for each; 0: faithful alone */
    clsoftmax_operation operations[MOST_OPERATIONS];
    size_t operation_count;
    shape_list shapes;
    dtype_choice dtypes[MOST_DTYPES];
    size_t dtype_count;
    float temperatures[MOST_TEMPERATURES];
    size_t temperature_count;
    int axis; /* 0 or -1 */
    const char *peers;
    round_limits limits;
    int warm;
    uint64_t break_even; /* classes of the rows with which break-even is measured; 0: it is not */
    unsigned threads;
    const struct report *report;
    const char *file, *commit;
    int wide; /* the table has all columns */
    const char *plot;
    plot_axis plot_x, plot_y;
    int explain;
    int progress;       /* 1: yes, 0: no, -1: if standard error is a terminal */
    char command[1024]; /* the arguments as they were given, for reports */
} bench_options;

/* Parses the command line, and completes what was not given. EXIT_DONE; EXIT_ANSWERED after --help or --version; or
   another status after a complaint. In every case call bench_options_release. */
int bench_options_parse(int argc, char **argv, bench_options *options);
void bench_options_release(bench_options *options);

#endif
