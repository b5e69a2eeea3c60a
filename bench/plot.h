/* --plot: how fast contenders are over the shapes, drawn by gnuplot. main.c collects the points while it measures, and
   draws at the end. */
#ifndef CLSOFTMAX_BENCH_PLOT_H
#define CLSOFTMAX_BENCH_PLOT_H

#include "report.h"

typedef struct plot_point {
    char line[128];    /* the contender; and dtypes, T, rows or classes, if there are several in the plot */
    int is_end_to_end; /* the point is on the dashed line, from host memory to host memory */
    double x, y;
} plot_point;

typedef struct plot {
    plot_point *points;
    size_t count;
} plot;

/* Checks that gnuplot is there, before hours are spent on measuring. EXIT_DONE, or EXIT_FAILED after a complaint. */
int plot_check(void);

/* Adds the points of the session's workload. EXIT_DONE, or EXIT_FAILED after a complaint. */
int plot_add(plot *plot, const session *session);

/* Draws the file that the options name. EXIT_DONE, or EXIT_FAILED after a complaint. */
int plot_write(plot *plot, const bench_options *options);
void plot_release(plot *plot);

#endif
