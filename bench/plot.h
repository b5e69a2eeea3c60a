/* --plot: the share of the copy limit against the length of rows, drawn by gnuplot. main.c collects the points while it
   measures, and draws at the end. */
#ifndef CLSOFTMAX_BENCH_PLOT_H
#define CLSOFTMAX_BENCH_PLOT_H

#include "report.h"

typedef struct plot_point {
    char line[96]; /* what the line through the point is called: the contender, and dtypes and T if there are several */
    uint64_t classes;
    double share;
} plot_point;

typedef struct plot {
    plot_point *points;
    size_t count;
} plot;

/* Checks that gnuplot is there, before hours are spent on measuring. EXIT_DONE, or EXIT_FAILED after a complaint. */
int plot_check(void);

/* Adds the points of the session's workload. EXIT_DONE, or EXIT_FAILED after a complaint. */
int plot_add(plot *plot, const session *session);

/* Draws the file. EXIT_DONE, or EXIT_FAILED after a complaint. */
int plot_write(plot *plot, const char *path);
void plot_release(plot *plot);

#endif
