/* Share of the copy limit against row length, drawn by gnuplot. */
#ifndef CLSOFTMAX_BENCH_PLOT_H
#define CLSOFTMAX_BENCH_PLOT_H

#include "report.h"

typedef struct plot_point {
    char line[96]; /* the contender, with what sets the workload apart */
    uint64_t classes;
    double share;
} plot_point;

typedef struct plot {
    plot_point *points;
    size_t count;
} plot;

/* EXIT_DONE, or EXIT_FAILED after a complaint where there is no gnuplot: better known before hours of measuring. */
int plot_check(void);

/* Adds the contenders of a measured workload. EXIT_DONE, or EXIT_FAILED after a complaint. */
int plot_add(plot *plot, const session *session, const workload *workload);

/* Draws and writes the file. EXIT_DONE, or EXIT_FAILED after a complaint. */
int plot_write(const plot *plot, const char *path);
void plot_release(plot *plot);

#endif
