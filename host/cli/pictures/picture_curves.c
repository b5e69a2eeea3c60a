/* Curves of the probabilities of a row against the temperature, on a logarithmic axis: see picture.h. The limits stand
   at the sides as points, and are computed at exactly 0 and inf. */
#include "pictures/gnuplot.h"
#include "pictures/item_text.h"
#include "pictures/picture.h"
#include "pictures/row_sweep.h"
#include "support/messages.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char about[] = "--plot";

enum { MOST_LETTERS = 24 };

/* Returns 1 if a logarithmic axis has the temperature. */
static int is_between(float temperature)
{
    return temperature > 0 && isfinite(temperature);
}

static int compare_temperatures(const void *a, const void *b)
{
    float left = *(const float *)a, right = *(const float *)b;
    return (left > right) - (left < right);
}

/* Lists the temperatures of the curves: 0, those between in order, inf. Returns NULL if there is no memory. */
static float *list_temperatures(const temperature_list *asked, uint64_t *count)
{
    float *all = malloc((size_t)(asked->count + 2) * sizeof *all);
    uint64_t between = 0;
    if (!all)
        return NULL;
    all[0] = 0;
    for (uint64_t i = 0; i < asked->count; i++)
        if (is_between(asked->values[i]))
            all[++between] = asked->values[i];
    qsort(all + 1, (size_t)between, sizeof *all, compare_temperatures);
    all[between + 1] = INFINITY;
    *count = between + 2;
    return all;
}

int picture_check(const run_options *options)
{
    float low = INFINITY, high = 0;
    for (uint64_t i = 0; i < options->sweep.count; i++)
        if (is_between(options->sweep.values[i])) {
            low = fminf(low, options->sweep.values[i]);
            high = fmaxf(high, options->sweep.values[i]);
        }
    COMPLAIN_IF(!(low < high), EXIT_WRONG,
                "--plot: curves take two temperatures between 0 and inf, or more, as log:0.1:100:31");
    return gnuplot_check(about);
}

/* ---------------------------------------------------------------- The script */

/* The axis: the ends of the finite temperatures between 0 and inf, and beyond them the temperatures at which the limits
   T = 0 and T = inf are drawn. */
typedef struct span {
    double low, high;
    double zero, infinity;
} span;

static span span_of(const float *temperatures, uint64_t count)
{
    double low = (double)temperatures[1], high = (double)temperatures[count - 2], distance = pow(high / low, 0.11);
    return (span){low, high, low / distance, high * distance};
}

/* Marks powers of ten, a dozen at most, or the ends where there are not two powers; and the limits by their names. */
static void set_temperature_axis(FILE *script, const span *span)
{
    int first = (int)ceil(log10(span->low) - 1e-6), last = (int)floor(log10(span->high) + 1e-6);
    int step = (last - first) / 12 + 1;
    fprintf(script, "set logscale x\nset xrange [%.9g:%.9g]\nset xtics ('T = 0' %.9g, 'T = ∞' %.9g",
            span->zero * span->zero / span->low * (1 + 1e-9), span->infinity * span->infinity / span->high, span->zero,
            span->infinity);
    for (int exponent = first; exponent <= last; exponent += step)
        fprintf(script, ", '%.9g' %.9g", pow(10, exponent), pow(10, exponent));
    if (first >= last)
        fprintf(script, ", '%.4g' %.9g, '%.4g' %.9g", span->low, span->low, span->high, span->high);
    fputs(") nomirror\n", script);
    for (int i = 0; i < 2; i++)
        fprintf(script,
                "set arrow from %.9g, graph 0 to %.9g, graph 1 nohead dashtype 3 linecolor rgb '#999999' back\n",
                i ? sqrt(span->high * span->infinity) : sqrt(span->low * span->zero),
                i ? sqrt(span->high * span->infinity) : sqrt(span->low * span->zero));
}

static void write_points(FILE *script, const row_sweep *sweep, const float *temperatures, const span *span)
{
    fputs("$curves << END\n", script);
    for (uint64_t k = 0; k < sweep->count; k++) {
        double at = k == 0 ? span->zero : k + 1 == sweep->count ? span->infinity : (double)temperatures[k];
        fprintf(script, "%.9g", at);
        for (uint64_t i = 0; i < sweep->items; i++)
            fprintf(script, " %.9g", sweep->probabilities[k * sweep->items + i]);
        fputs(k == 0 || k + 2 == sweep->count ? "\n\n\n" : "\n", script); /* limit, curve, limit: three blocks */
    }
    fputs("END\n", script);
}

/* Curves may lie on one another, as those of ties do. So they differ in width and dashes, for all of them to be seen.
 */
static void write_plot(gnuplot *gnuplot, const row_sweep *sweep, const class_names *names)
{
    static const char *const dashes[] = {"solid", "(14,7)", "(5,5)", "(14,5,3,5)"};
    fputs("plot ", gnuplot->script);
    for (uint64_t i = 0; i < sweep->items; i++) {
        char text[FITTED_NAME_BYTES];
        unsigned colour = row_sweep_is_rest(sweep, i) ? 8 : (unsigned)(i % 7) + 1;
        const char *dash = dashes[i % 4];
        fprintf(gnuplot->script,
                "%s$curves index 1 using 1:%llu with lines linetype %u linewidth %g dashtype %s title ",
                i > 0 ? ", " : "", (unsigned long long)i + 2, colour, i % 4 == 0 ? 4.5 : 2.2, dash);
        item_fit_name(sweep, names, i, NAME_COLUMNS, MOST_LETTERS, text);
        gnuplot_quote(gnuplot, text);
        for (int limit = 0; limit < 3; limit += 2)
            fprintf(gnuplot->script,
                    ", $curves index %d using 1:%llu with points linetype %u pointtype %d pointsize %g linewidth 2 "
                    "notitle",
                    limit, (unsigned long long)i + 2, colour, i % 4 == 0 ? 7 : 6,
                    i % 4 == 0 ? 0.7 : 0.7 + 0.4 * (double)(i % 4));
    }
    fputs("\n", gnuplot->script);
}

static void write_script(gnuplot *gnuplot, const row_sweep *sweep, const class_names *names, const float *temperatures)
{
    FILE *script = gnuplot->script;
    span span = span_of(temperatures, sweep->count);
    fputs(
        "set border 3\nset yrange [0:1.03]\nset ytics nomirror\nset grid ytics linecolor rgb '#999999' linewidth 0.5\n"
        "set key outside right top Left reverse samplen 3\nset xlabel 'temperature T'\nset ylabel 'probability'\n",
        script);
    set_temperature_axis(script, &span);
    write_points(script, sweep, temperatures, &span);
    write_plot(gnuplot, sweep, names);
}

/* ---------------------------------------------------------------- The picture */

static int draw(const run_options *options, const row_sweep *sweep, const class_names *names, const float *temperatures)
{
    gnuplot gnuplot;
    const gnuplot_style style = {900, 480, options->is_dark};
    const char *path = strcmp(options->picture, "-") == 0 ? NULL : options->picture;
    FORWARD(gnuplot_open(&gnuplot, about, path, &style));
    write_script(&gnuplot, sweep, names, temperatures);
    return gnuplot_close(&gnuplot);
}

static int compute_and_draw(run *run, const class_names *names, const float *temperatures, uint64_t count)
{
    const run_options *options = &run->options;
    const row_request request = {options->row, temperatures, count, options->top, options->top};
    row_sweep sweep;
    FORWARD(row_sweep_read(run, &request, &sweep));
    int status = draw(options, &sweep, names, temperatures);
    row_sweep_release(&sweep);
    return status;
}

int picture_curves(run *run)
{
    const run_options *options = &run->options;
    class_names names;
    uint64_t count = 0;
    FORWARD(class_names_read(options->class_names, &run->input.array, run->problem.classes, &names));
    float *temperatures = list_temperatures(&options->sweep, &count);
    int status = temperatures ? compute_and_draw(run, &names, temperatures, count)
                              : complain(EXIT_FAILED, "--plot: no memory for so many temperatures");
    free(temperatures);
    class_names_release(&names);
    return status;
}
