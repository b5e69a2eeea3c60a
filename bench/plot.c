/* --plot: the points, and the script that gnuplot draws them with. See plot.h. */
#include "plot.h"

#include "pictures/gnuplot.h"
#include "support/messages.h"
#include "support/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char about[] = "--plot"; /* begins complaints */

int plot_check(void)
{
    return gnuplot_check(about);
}

/* ---------------------------------------------------------------- Points */

static double x_of(plot_axis axis, uint64_t rows, uint64_t classes, double bytes)
{
    return axis == PLOT_ROWS ? (double)rows : axis == PLOT_CLASSES ? (double)classes : bytes;
}

/* Returns 1 if the shapes of the run need several lines: two have the same x; or over rows or bytes some have the same
   classes, and others do not. */
static int has_several_lines(const bench_options *options)
{
    const plot_axis axis = options->plot_x;
    int has_equal_x = 0, has_equal_classes = 0, has_other_classes = 0;
    for (size_t i = 0; i < options->shapes.count; i++)
        for (size_t j = 0; j < i; j++) {
            const shape a = options->shapes.items[i], b = options->shapes.items[j];
            has_equal_x |= x_of(axis, a.rows, a.classes, (double)(a.rows * a.classes)) ==
                           x_of(axis, b.rows, b.classes, (double)(b.rows * b.classes));
            has_equal_classes |= a.classes == b.classes;
            has_other_classes |= a.classes != b.classes;
        }
    return has_equal_x || (axis != PLOT_CLASSES && has_equal_classes && has_other_classes);
}

/* Appends to the name of a line. */
__attribute__((format(printf, 2, 3))) static void append(plot_point *point, const char *format, ...)
{
    size_t length = strlen(point->line);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(point->line + length, sizeof point->line - length, format, arguments);
    va_end(arguments);
}

/* Names the line of a contender, as differently from others as the run needs it. */
static void name_line(plot_point *point, const contender *contender, const bench_options *options)
{
    const workload *workload = contender->workload;
    append(point, "%s", contender->name);
    if (options->operation_count > 1)
        append(point, ", %s", clsoftmax_operation_name(workload->problem.operation));
    if (contender->kind != CONTENDER_PEER)
        append(point, " on %s", contender_device(contender));
    if (options->dtype_count > 1)
        append(point, ", %s", workload_dtypes(workload));
    if (options->temperature_count > 1)
        append(point, ", T = %g", (double)workload->temperature);
    if (has_several_lines(options) && options->plot_x == PLOT_CLASSES)
        append(point, ", %llu rows", (unsigned long long)workload->rows);
    else if (has_several_lines(options))
        append(point, ", %llu classes", (unsigned long long)workload->problem.classes);
    text_clean(point->line);
}

static int add_point(plot *plot, const contender *contender, double y, const bench_options *options)
{
    const workload *workload = contender->workload;
    plot_point *points = realloc(plot->points, (plot->count + 1) * sizeof *points);
    COMPLAIN_IF(!points, EXIT_FAILED, "no memory for the plot");
    plot->points = points;
    plot_point *point = &points[plot->count++];
    memset(point, 0, sizeof *point);
    name_line(point, contender, options);
    point->is_end_to_end = contender->kind == CONTENDER_END_TO_END;
    point->x = x_of(options->plot_x, workload->rows, workload->problem.classes, (double)workload->bytes[CALL_LOGITS]);
    point->y = y;
    return EXIT_DONE;
}

int plot_add(plot *plot, const session *session)
{
    const bench_options *options = session->options;
    for (size_t i = 0; i < session->contenders->count; i++) {
        const contender *contender = &session->contenders->items[i];
        const figures figures = figures_of(contender, session->contenders);
        double y = options->plot_y == PLOT_SHARE ? figures.share : 1e-9 * figures.bytes_per_second;
        if (contender->kind != CONTENDER_COPY && isfinite(y))
            FORWARD(add_point(plot, contender, y, options));
    }
    return EXIT_DONE;
}

/* Sorts points by their line, the dashed part of it last, then from small shapes to large ones. */
static int compare_points(const void *a, const void *b)
{
    const plot_point *left = a, *right = b;
    int order = strcmp(left->line, right->line);
    if (order == 0)
        order = left->is_end_to_end - right->is_end_to_end;
    return order ? order : (left->x > right->x) - (left->x < right->x);
}

/* ---------------------------------------------------------------- The picture */

static void write_axes(FILE *script, const plot *plot, const bench_options *options)
{
    static const char *const titles[] = {[PLOT_ROWS] = "rows",
                                         [PLOT_CLASSES] = "classes in a row",
                                         [PLOT_BYTES] = "bytes of the logits",
                                         [PLOT_SHARE] = "share of the copy limit",
                                         [PLOT_SPEED] = "GB/s, each array once"};
    fprintf(script, "set logscale x 2\nset xlabel '%s'\nset ylabel '%s'\nset xtics (", titles[options->plot_x],
            titles[options->plot_y]);
    for (unsigned power = 0; power <= 38; power += 2) /* 1, 4, 16, ..., 1K, 4K, ..., 256G */
        fprintf(script, "%s'%u%.*s' %llu", power > 0 ? ", " : "", 1u << power % 10, power >= 10, &" KMG"[power / 10],
                1ull << power);
    fputs(options->plot_y == PLOT_SHARE ? ")\nset yrange [0:*]\n" : ")\nset logscale y\n", script);
    double least = INFINITY, most = 0;
    for (size_t i = 0; i < plot->count; i++) {
        least = fmin(least, plot->points[i].x);
        most = fmax(most, plot->points[i].x);
    }
    /* with some room, without which the number at the right end is missing */
    fprintf(script, "set xrange [%.17g:%.17g]\n", least / 1.1, most * 1.1);
    fputs("set grid\nset key outside right\nset border 3\nset tics nomirror\n", script);
}

static int begins_line(const plot *plot, size_t place)
{
    return place == 0 || strcmp(plot->points[place].line, plot->points[place - 1].line) != 0;
}

static int begins_part(const plot *plot, size_t place)
{
    return begins_line(plot, place) || plot->points[place].is_end_to_end != plot->points[place - 1].is_end_to_end;
}

static void write_points(FILE *script, const plot *plot)
{
    fputs("$points << END\n", script);
    for (size_t i = 0; i < plot->count; i++)
        fprintf(script, "%s%.17g %.6g\n", i > 0 && begins_part(plot, i) ? "\n\n" : "", plot->points[i].x,
                plot->points[i].y);
    fputs("END\n", script);
}

/* Writes the lines: both parts of one have the same colour, the part end to end is dashed and has hollow points. */
static void write_lines(gnuplot *gnuplot, const plot *plot)
{
    FILE *script = gnuplot->script;
    unsigned line = 0, part = 0;
    for (size_t i = 0; i < plot->count; i++) {
        const plot_point *point = &plot->points[i];
        line += i > 0 && begins_line(plot, i);
        if (!begins_part(plot, i))
            continue;
        /* Of gnuplot's point types 4 to 13, even ones are hollow, and the odd ones after them are filled. */
        fprintf(script, "%s $points index %u using 1:2 with linespoints linetype %u linewidth 2 pointtype %u%s title ",
                part > 0 ? "," : "plot", part, line % 8 + 1, 4 + line % 5 * 2 + !point->is_end_to_end,
                point->is_end_to_end ? " dashtype 2" : "");
        char title[sizeof point->line + 16];
        snprintf(title, sizeof title, "%s%s", point->line, point->is_end_to_end ? ", end to end" : "");
        gnuplot_quote(gnuplot, title);
        part++;
    }
    fputc('\n', script);
}

int plot_write(plot *plot, const bench_options *options)
{
    gnuplot gnuplot;
    const gnuplot_style style = {1000, 600, 0};
    COMPLAIN_IF(plot->count == 0, EXIT_FAILED, "--plot %s: nothing was measured", options->plot);
    qsort(plot->points, plot->count, sizeof *plot->points, compare_points);
    FORWARD(gnuplot_open(&gnuplot, about, options->plot, &style));
    write_axes(gnuplot.script, plot, options);
    write_points(gnuplot.script, plot);
    write_lines(&gnuplot, plot);
    return gnuplot_close(&gnuplot);
}

void plot_release(plot *plot)
{
    free(plot->points);
    plot->points = NULL;
    plot->count = 0;
}
