/* Curves of the probabilities of a row against the temperature, on a logarithmic axis: see picture.h. The limits stand
   at the sides as points, and are computed at exactly 0 and inf. Softmax keeps the order of the classes at every
   temperature. So curves never cross, except for that of "rest", and their labels, a column at the right, stand in the
   order of the curves. A terminal has a legend instead. */
#include "pictures/gnuplot.h"
#include "pictures/item_text.h"
#include "pictures/label_column.h"
#include "pictures/picture.h"
#include "pictures/row_sweep.h"
#include "support/messages.h"
#include "support/process.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char about[] = "--plot";

/* Rows of more classes have a logarithmic axis of probabilities, unless the options say otherwise. */
enum { MOST_LINEAR_CLASSES = 50 };

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

/* ---------------------------------------------------------------- Where everything stands */

/* The temperatures of the axis: the ends of those between 0 and inf, and beyond them where the limits are drawn. */
typedef struct span {
    double low, high;
    double zero, infinity;
} span;

static span span_of(const float *temperatures, uint64_t count)
{
    double low = (double)temperatures[1], high = (double)temperatures[count - 2], distance = pow(high / low, 0.13);
    return (span){low, high, low / distance, high * distance};
}

/* In pixels: the axes, and what surrounds them. */
enum { LEFT = 100, WIDTH = 620, TOP = 20, FOOT = 64, LEAST_HEIGHT = 480 };

/* In pixels: the line that leads to a label, a sample of its curve, the gap before its text, the height of its line. */
enum { LEAD = 40, SAMPLE = 34, SPACE = 8, PITCH = 17 };

/* The most curves that a picture has: their labels have room. */
enum { MOST_CURVES = (GNUPLOT_MOST_HEIGHT - TOP - FOOT) / PITCH };
_Static_assert((int)MOST_CURVES <= (int)MOST_LABELS, "the column of labels holds all of them");

/* All that is drawn. */
typedef struct curves {
    const row_sweep *sweep;
    const class_names *names;
    const float *temperatures;
    span span;
    double least; /* where a logarithmic axis of probabilities begins; 0: the axis is linear */
    int has_legend;
    unsigned most; /* the width of a name: in columns in a legend, else in pixels */
    gnuplot_style style;
} curves;

/* Returns a power of ten at which a logarithmic axis begins: a ten-thousandth of an even share, or the largest that is
   below all probabilities, if that is more. */
static double least_probability(const row_sweep *sweep, uint64_t classes)
{
    double least = 1, even = 1e-4 / (double)classes;
    for (uint64_t i = 0; i < sweep->count * sweep->items; i++)
        if (sweep->probabilities[i] > 0)
            least = fmin(least, sweep->probabilities[i]);
    return pow(10, fmin(-1, floor(log10(fmax(least, even)) + 1e-9)));
}

/* Returns the largest probability of the axis, with some space above 1. */
static double most_probability(const curves *curves)
{
    return curves->least > 0 ? pow(curves->least, -0.03) : 1.03;
}

/* Returns how many pixels below the top of the picture a probability stands. */
static double height_of(const curves *curves, double probability)
{
    double most = most_probability(curves), share = probability / most, height = curves->style.height - TOP - FOOT;
    if (curves->least > 0)
        share = log(probability / curves->least) / log(most / curves->least);
    return TOP + height * (1 - (share > 0 ? fmin(share, 1) : 0)); /* NaN stands at the bottom */
}

/* Names are cut where they would take more room than the curves. */
static void lay_out(const run_options *options, curves *curves)
{
    unsigned columns, rows, column = LEAD + SAMPLE + 3 * SPACE, widest = 0;
    unsigned height = TOP + FOOT + PITCH * (unsigned)curves->sweep->items;
    curves->has_legend = strcmp(options->picture, "-") == 0;
    if (!terminal_size(&columns, &rows) || columns < 100)
        columns = 100;
    curves->most = curves->has_legend ? columns / 3 : LEFT + WIDTH - column;
    if (!curves->has_legend)
        widest = items_widest_name(curves->sweep, curves->names, NAME_PIXELS, curves->most);
    curves->style.width = LEFT + WIDTH + column + widest + widest / 8; /* bold names are wider */
    curves->style.height = height > LEAST_HEIGHT ? height : LEAST_HEIGHT;
    curves->style.is_dark = options->is_dark;
}

/* ---------------------------------------------------------------- The axes */

/* Marks powers of ten, a dozen at most, or the ends where there are not two powers; and the limits by their names. */
static void set_temperature_axis(FILE *script, const span *span)
{
    int first = (int)ceil(log10(span->low) - 1e-6), last = (int)floor(log10(span->high) + 1e-6);
    int step = (last - first) / 12 + 1;
    fprintf(script, "set logscale x\nset xrange [%.9g:%.9g]\nset xtics ('T = 0' %.9g, 'T = ∞' %.9g",
            span->zero * span->zero / span->low * (1 + 1e-9), span->infinity * span->infinity / span->high, span->zero,
            span->infinity);
    for (int exponent = first; exponent <= last && first < last; exponent += step)
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

/* Marks powers of ten, twenty at most. */
static void set_logarithmic_probabilities(FILE *script, double least)
{
    int last = (int)lround(log10(least)), step = -last / 20 + 1;
    fputs("set logscale y\nset ytics ('1' 1", script);
    for (int exponent = -step; exponent >= last; exponent -= step)
        if (exponent < -3)
            fprintf(script, ", '1e%d' %.9g", exponent, pow(10, exponent));
        else
            fprintf(script, ", '%g' %.9g", pow(10, exponent), pow(10, exponent));
    fputs(")\n", script);
}

static void set_probability_axis(FILE *script, const curves *curves)
{
    fprintf(script,
            "set yrange [%.9g:%.9g]\nset ytics nomirror\nset grid ytics linecolor rgb '#999999' linewidth 0.5\n"
            "set ylabel 'probability'\n",
            curves->least, most_probability(curves));
    if (curves->least > 0)
        set_logarithmic_probabilities(script, curves->least);
}

static void set_margins(FILE *script, const gnuplot_style *style)
{
    double width = style->width, height = style->height;
    fprintf(script,
            "set lmargin at screen %.6f\nset rmargin at screen %.6f\nset tmargin at screen %.6f\n"
            "set bmargin at screen %.6f\n",
            LEFT / width, (LEFT + WIDTH) / width, 1 - TOP / height, FOOT / height);
}

/* ---------------------------------------------------------------- The curves */

static void write_points(FILE *script, const curves *curves)
{
    const row_sweep *sweep = curves->sweep;
    fputs("$curves << END\n", script);
    for (uint64_t k = 0; k < sweep->count; k++) {
        double at = k == 0                  ? curves->span.zero
                    : k + 1 == sweep->count ? curves->span.infinity
                                            : (double)curves->temperatures[k];
        fprintf(script, "%.9g", at);
        for (uint64_t i = 0; i < sweep->items; i++)
            fprintf(script, " %.9g", sweep->probabilities[k * sweep->items + i]);
        fputs(k == 0 || k + 2 == sweep->count ? "\n\n\n" : "\n", script); /* limit, curve, limit: three blocks */
    }
    fputs("END\n", script);
}

/* Returns gnuplot's number of a curve's colour. */
static unsigned colour_of(const curves *curves, uint64_t item)
{
    return row_sweep_is_rest(curves->sweep, item) ? 8 : (unsigned)(item % 7) + 1;
}

/* Curves may lie on one another, as those of ties do. So they differ in dashes, for all of them to be seen; and that of
   the most likely class, which is drawn first, is thick. */
static void write_line_style(FILE *script, const curves *curves, uint64_t item)
{
    static const char *const dashes[] = {"solid", "(14,7)", "(5,5)", "(14,5,3,5)"};
    fprintf(script, "linetype %u linewidth %g dashtype %s", colour_of(curves, item), item == 0 ? 5.0 : 2.0,
            dashes[item % 4]);
}

static void write_curve(gnuplot *gnuplot, const curves *curves, uint64_t item)
{
    unsigned long long column = (unsigned long long)item + 2;
    fprintf(gnuplot->script, "%s$curves index 1 using 1:", item > 0 ? ", " : "plot ");
    if (curves->least > 0) /* a curve that reaches 0 goes out of the picture, and does not end in it */
        fprintf(gnuplot->script, "($%llu > 0 ? $%llu : 1e-300)", column, column);
    else
        fprintf(gnuplot->script, "%llu", column);
    fputs(" with lines ", gnuplot->script);
    write_line_style(gnuplot->script, curves, item);
    if (curves->has_legend) {
        char text[FITTED_NAME_BYTES];
        item_fit_name(curves->sweep, curves->names, item, NAME_COLUMNS, curves->most, text);
        fputs(" title ", gnuplot->script);
        gnuplot_quote(gnuplot, text);
    }
    for (int limit = 0; limit < 3; limit += 2)
        fprintf(gnuplot->script,
                ", $curves index %d using 1:%llu with points linetype %u pointtype %d pointsize %g linewidth 2 notitle",
                limit, column, colour_of(curves, item), item == 0 ? 7 : 6,
                item == 0 ? 0.9 : 0.7 + 0.4 * (double)(item % 4));
}

/* ---------------------------------------------------------------- The labels */

/* Lists the items as their limits at T = inf stand, from the top on: all classes by rank, and the rest among them. */
static void order_labels(const row_sweep *sweep, const double *limits, uint64_t order[MOST_LABELS])
{
    uint64_t last = sweep->items - 1, at = last;
    for (uint64_t i = 0; i < sweep->items; i++)
        order[i] = i;
    for (; row_sweep_is_rest(sweep, last) && at > 0 && limits[at - 1] < limits[last]; at--)
        order[at] = at - 1;
    order[at] = last;
}

/* Writes a label at a height of the picture: a thin line from the limit to it, a sample of the curve, and its name. */
static void write_label(gnuplot *gnuplot, const curves *curves, uint64_t item, double limit, double height)
{
    FILE *script = gnuplot->script;
    char text[FITTED_NAME_BYTES];
    double width = curves->style.width, y = 1 - height / curves->style.height, left = LEFT + WIDTH + LEAD;
    if (limit >= curves->least)
        fprintf(script, "set arrow from %.9g, screen %.6f to screen %.6f, screen %.6f nohead linetype %u linewidth 1\n",
                curves->span.infinity, 1 - height_of(curves, limit) / curves->style.height, left / width, y,
                colour_of(curves, item));
    fprintf(script, "set arrow from screen %.6f, screen %.6f to screen %.6f, screen %.6f nohead ", left / width, y,
            (left + SAMPLE) / width, y);
    write_line_style(script, curves, item);
    fputs("\n", script);
    item_fit_name(curves->sweep, curves->names, item, NAME_PIXELS, curves->most, text);
    fputs("set label ", script);
    gnuplot_quote(gnuplot, text);
    fprintf(script, " at screen %.6f, screen %.6f left textcolor rgb '%s'", (left + SAMPLE + SPACE) / width, y,
            gnuplot_ink(curves->style.is_dark));
    if (item == 0)
        gnuplot_set_bold(gnuplot);
    fputs("\n", script);
}

static void write_labels(gnuplot *gnuplot, const curves *curves)
{
    const row_sweep *sweep = curves->sweep;
    const double *limits = sweep->probabilities + (sweep->count - 1) * sweep->items;
    uint64_t order[MOST_LABELS];
    double heights[MOST_LABELS];
    order_labels(sweep, limits, order);
    for (uint64_t i = 0; i < sweep->items; i++)
        heights[i] = height_of(curves, limits[order[i]]);
    label_column_spread(heights, (unsigned)sweep->items, PITCH, TOP + PITCH / 2, curves->style.height - FOOT);
    for (uint64_t i = 0; i < sweep->items; i++)
        write_label(gnuplot, curves, order[i], limits[order[i]], heights[i]);
}

/* ---------------------------------------------------------------- The picture */

static void write_script(gnuplot *gnuplot, const curves *curves)
{
    FILE *script = gnuplot->script;
    fputs("set border 3\nset xlabel 'temperature T'\n", script);
    set_temperature_axis(script, &curves->span);
    set_probability_axis(script, curves);
    if (curves->has_legend)
        fputs("set key outside right top Left reverse samplen 3\n", script);
    else {
        fputs("unset key\n", script);
        set_margins(script, &curves->style);
        write_labels(gnuplot, curves);
    }
    write_points(script, curves);
    for (uint64_t i = 0; i < curves->sweep->items; i++)
        write_curve(gnuplot, curves, i);
    fputs("\n", script);
}

static int draw(const run *run, const row_sweep *sweep, const class_names *names, const float *temperatures)
{
    const run_options *options = &run->options;
    uint64_t classes = run->problem.classes;
    int is_log = options->log_y < 0 ? classes > MOST_LINEAR_CLASSES : options->log_y;
    curves curves = {.sweep = sweep, .names = names, .temperatures = temperatures};
    gnuplot gnuplot;
    curves.span = span_of(temperatures, sweep->count);
    curves.least = is_log ? least_probability(sweep, classes) : 0;
    lay_out(options, &curves);
    FORWARD(gnuplot_open(&gnuplot, about, curves.has_legend ? NULL : options->picture, &curves.style));
    write_script(&gnuplot, &curves);
    return gnuplot_close(&gnuplot);
}

static int compute_and_draw(run *run, const class_names *names, const float *temperatures, uint64_t count)
{
    uint64_t room = strcmp(run->options.picture, "-") == 0 ? UINT64_MAX : MOST_CURVES;
    row_request request = row_sweep_request(run, temperatures, count, room, about);
    row_sweep sweep;
    request.is_ranked = 1;
    FORWARD(row_sweep_read(run, &request, &sweep));
    int status = draw(run, &sweep, names, temperatures);
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
