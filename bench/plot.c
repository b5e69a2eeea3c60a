/* --plot: the points, and the script that gnuplot draws them with. See plot.h. */
#include "plot.h"

#include "pictures/gnuplot.h"
#include "support/messages.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char about[] = "--plot"; /* begins complaints */

int plot_check(void)
{
    return gnuplot_check(about);
}

static int add_point(plot *plot, const contender *contender, double share, const session *session)
{
    const bench_options *options = session->options;
    const workload *workload = contender->workload;
    plot_point *points = realloc(plot->points, (plot->count + 1) * sizeof *points);
    COMPLAIN_IF(!points, EXIT_FAILED, "no memory for the plot");
    plot->points = points;
    plot_point *point = &points[plot->count++];
    int length = snprintf(point->line, sizeof point->line, "%s%s%s", contender->name,
                          contender->kind == CONTENDER_PEER ? "" : " on ",
                          contender->kind == CONTENDER_PEER ? "" : contender_device(contender));
    if (options->dtype_count > 1)
        length +=
            snprintf(point->line + length, sizeof point->line - (size_t)length, ", %s", workload_dtypes(workload));
    if (options->temperature_count > 1)
        snprintf(point->line + length, sizeof point->line - (size_t)length, ", T = %g", (double)workload->temperature);
    point->classes = workload->problem.classes;
    point->share = share;
    return EXIT_DONE;
}

int plot_add(plot *plot, const session *session)
{
    for (size_t i = 0; i < session->contenders->count; i++) {
        const contender *contender = &session->contenders->items[i];
        figures figures = figures_of(contender, session->contenders);
        if ((contender->kind == CONTENDER_LIBRARY || contender->kind == CONTENDER_PEER) && isfinite(figures.share))
            FORWARD(add_point(plot, contender, figures.share, session));
    }
    return EXIT_DONE;
}

/* Sorts points by their line, then from short rows to long ones. */
static int compare_points(const void *a, const void *b)
{
    const plot_point *left = a, *right = b;
    int order = strcmp(left->line, right->line);
    return order ? order : (left->classes > right->classes) - (left->classes < right->classes);
}

static void write_script(FILE *script, const plot *plot)
{
    fputs("set logscale x 2\nset xlabel 'classes in a row'\nset ylabel 'share of the copy limit'\n"
          "set xtics (1, 4, 16, 64, 256, '1K' 1024, '4K' 4096, '16K' 16384, '64K' 65536, '256K' 262144, '1M' 1048576)\n"
          "set yrange [0:*]\nset grid\nset key outside right\nset border 3\nset tics nomirror\n$points << END\n",
          script);
    size_t lines = 0;
    for (size_t i = 0; i < plot->count; i++) {
        int is_new = i == 0 || strcmp(plot->points[i].line, plot->points[i - 1].line) != 0;
        if (is_new)
            fprintf(script, "%s\"%s\"\n", lines++ > 0 ? "\n\n" : "", plot->points[i].line);
        fprintf(script, "%llu %.6g\n", (unsigned long long)plot->points[i].classes, plot->points[i].share);
    }
    fprintf(script,
            "END\nplot for [i = 0:%zu] $points index i using 1:2 with linespoints linewidth 2 title columnheader(1)\n",
            lines - 1);
}

int plot_write(plot *plot, const char *path)
{
    gnuplot gnuplot;
    const gnuplot_style style = {1000, 600, 0};
    COMPLAIN_IF(plot->count == 0, EXIT_FAILED, "--plot %s: nothing was measured that has a copy limit", path);
    qsort(plot->points, plot->count, sizeof *plot->points, compare_points);
    FORWARD(gnuplot_open(&gnuplot, about, path, &style));
    write_script(gnuplot.script, plot);
    return gnuplot_close(&gnuplot);
}

void plot_release(plot *plot)
{
    free(plot->points);
    plot->points = NULL;
    plot->count = 0;
}
