/* Bars of the logits of a row, and beside them of its probabilities at a few temperatures: see picture.h. */
#include "pictures/gnuplot.h"
#include "pictures/item_text.h"
#include "pictures/picture.h"
#include "pictures/row_sweep.h"
#include "support/messages.h"
#include "support/process.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* What is drawn, and the ends of the scale of the logits. */
typedef struct bars {
    const row_sweep *sweep;
    const class_names *names;
    const float *temperatures;
    double low, high; /* of the finite logits, and 0 */
} bars;

static double logit_of(const bars *bars, uint64_t item)
{
    return bars->sweep->logits[item];
}

static void find_range(bars *bars)
{
    bars->low = bars->high = 0;
    for (uint64_t i = 0; i < bars->sweep->items; i++)
        if (isfinite(logit_of(bars, i))) {
            bars->low = fmin(bars->low, logit_of(bars, i));
            bars->high = fmax(bars->high, logit_of(bars, i));
        }
    if (bars->low == bars->high)
        bars->high = 1;
}

static void format_temperature(float temperature, char text[TEMPERATURE_BYTES + 8])
{
    char number[TEMPERATURE_BYTES];
    sprintf(text, "T = %s", isinf(temperature) ? "∞" : temperature_text(temperature, number));
}

/* ---------------------------------------------------------------- On a terminal */

static unsigned eighths_of(double share, unsigned width)
{
    return share > 0 ? (unsigned)lround(fmin(share, 1) * width * 8) : 0;
}

/* Prints a bar of so many eighths of a column. Returns how many columns it reaches into. */
static unsigned print_bar(unsigned eighths)
{
    static const char *const parts[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    for (unsigned i = 0; i < eighths / 8; i++)
        fputs("█", stdout);
    fputs(parts[eighths % 8], stdout);
    return (eighths + 7) / 8;
}

/* Columns: of the bars, and of a line without its name. */
enum { LOGIT_COLUMNS = 16, PROBABILITY_COLUMNS = 32, LINE_COLUMNS = 74 };

/* Returns the most columns that a name may have: what the terminal leaves, or many where there is no terminal. */
static unsigned most_name_columns(void)
{
    enum { LEAST_NAME = 24, MOST_NAME = 100 };
    unsigned columns, rows;
    if (!terminal_size(&columns, &rows))
        return MOST_NAME;
    return columns > LINE_COLUMNS + LEAST_NAME ? columns - LINE_COLUMNS : LEAST_NAME;
}

static void print_item(const bars *bars, uint64_t item, uint64_t k, unsigned name_width)
{
    char text[FITTED_NAME_BYTES], number[PROBABILITY_BYTES];
    unsigned columns = item_fit_name(bars->sweep, bars->names, item, NAME_COLUMNS, name_width, text);
    double logit = logit_of(bars, item), probability = bars->sweep->probabilities[k * bars->sweep->items + item];
    printf("  %s%*s ", text, (int)(name_width - columns), "");
    if (row_sweep_is_rest(bars->sweep, item))
        printf("%10s ", "");
    else
        printf("%10.5g ", logit);
    double share = isfinite(logit) ? (logit - bars->low) / (bars->high - bars->low) : 0;
    unsigned used = print_bar(eighths_of(share, LOGIT_COLUMNS)), eighths = eighths_of(probability, PROBABILITY_COLUMNS);
    printf("%*s %10s%s", (int)(LOGIT_COLUMNS - used), "", probability_text(probability, number),
           eighths > 0 ? " " : "");
    print_bar(eighths);
    fputc('\n', stdout);
}

static int print_bars(const bars *bars)
{
    unsigned name_width = items_widest_name(bars->sweep, bars->names, NAME_COLUMNS, most_name_columns());
    for (uint64_t k = 0; k < bars->sweep->count; k++) {
        char temperature[TEMPERATURE_BYTES + 8];
        format_temperature(bars->temperatures[k], temperature);
        printf("%s%s\n  %*s %10s %16s %11s\n", k > 0 ? "\n" : "", temperature, (int)name_width, "", "logit", "",
               "probability");
        for (uint64_t i = 0; i < bars->sweep->items; i++)
            print_item(bars, i, k, name_width);
    }
    return finish_output(stdout);
}

/* ---------------------------------------------------------------- By gnuplot */

enum { DIAGRAM = 190, GAP = 14, BAR = 24, TITLE = 36, FOOT = 10, MOST_IN_LINE = 5, MARGIN = 16 };

/* The picture: diagrams in a line, and lines. In pixels, the width of the names, and the most that a name may have. */
typedef struct sheet {
    unsigned in_line, lines, names, most_name, width, height;
} sheet;

static uint64_t lines_of(uint64_t temperatures)
{
    return (temperatures + MOST_IN_LINE - 1) / MOST_IN_LINE;
}

/* Names are cut where they would take more room than the diagrams. */
static sheet lay_out(const bars *bars)
{
    sheet sheet = {.lines = (unsigned)lines_of(bars->sweep->count)};
    unsigned count = (unsigned)bars->sweep->count;
    sheet.in_line = count < MOST_IN_LINE ? count : MOST_IN_LINE;
    unsigned diagrams = (sheet.in_line + 1) * (DIAGRAM + GAP);
    sheet.most_name = diagrams - MARGIN;
    sheet.names = items_widest_name(bars->sweep, bars->names, NAME_PIXELS, sheet.most_name) + MARGIN;
    sheet.width = sheet.names + diagrams;
    sheet.height = sheet.lines * (TITLE + FOOT + BAR * (unsigned)bars->sweep->items);
    return sheet;
}

/* Sets where a diagram stands; diagram 0 of a line has the logits and the names. */
static void place_diagram(gnuplot *gnuplot, const bars *bars, const sheet *sheet, unsigned line, unsigned diagram)
{
    FILE *script = gnuplot->script;
    double left = sheet->names + diagram * (DIAGRAM + GAP), top = line * (sheet->height / sheet->lines) + TITLE;
    double bottom = top + BAR * (double)bars->sweep->items;
    fprintf(script, "set lmargin at screen %.6f\nset rmargin at screen %.6f\n", left / sheet->width,
            (left + DIAGRAM) / sheet->width);
    fprintf(script, "set tmargin at screen %.6f\nset bmargin at screen %.6f\n", 1 - top / sheet->height,
            1 - bottom / sheet->height);
    fputs("set ytics scale 0 (", script);
    for (uint64_t i = 0; i < bars->sweep->items; i++) {
        char text[FITTED_NAME_BYTES];
        item_fit_name(bars->sweep, bars->names, i, NAME_PIXELS, sheet->most_name, text);
        fputs(i > 0 ? ", " : "", script);
        gnuplot_quote_tic(gnuplot, diagram == 0 ? text : "");
        fprintf(script, " %llu", (unsigned long long)i);
    }
    fputs(")\n", script);
}

/* Returns the part by which the scale of probabilities goes beyond 1, so that the numbers behind long bars, such as
   0.99999994, end before the next diagram. */
static double part_for_numbers(const bars *bars)
{
    enum { DIGIT = 9, SPACE = 12, USUAL_DIGITS = 6 };
    size_t digits = USUAL_DIGITS;
    for (uint64_t i = 0; i < bars->sweep->count * bars->sweep->items; i++) {
        char text[PROBABILITY_BYTES];
        double probability = bars->sweep->probabilities[i];
        if (probability > 0.5 && strlen(probability_text(probability, text)) > digits)
            digits = strlen(text);
    }
    return DIAGRAM / (DIAGRAM + GAP - SPACE - (double)(DIGIT * digits)) - 1;
}

/* Begins a diagram whose scale goes from low to high, and beyond by `part` of that, for the numbers behind the bars. */
static void begin_diagram(FILE *script, double low, double high, double part, const char *name, unsigned number)
{
    double beyond = part * (high - low);
    fprintf(script, "set title \"%s\"\nset xrange [%.9g:%.9g]\n$diagram%u << END\n", name, low, high + beyond, number);
}

static void write_bar(FILE *script, uint64_t item, double value, const char *text, int is_rest)
{
    double end = isfinite(value) ? value : 0;
    fprintf(script, "%llu %.9g %.9g %.9g \"%s\" %d\n", (unsigned long long)item, fmin(end, 0), fmax(end, 0),
            fmax(end, 0), text, is_rest);
}

static void end_diagram(FILE *script, const char *colour, const char *ink, unsigned number)
{
    fprintf(
        script,
        "END\nplot for [rest = 0:1] $diagram%u using 2:($6 == rest ? $1 : 1/0):2:3:($1 - 0.36):($1 + 0.36) with "
        "boxxyerror fillstyle solid noborder linecolor rgb (rest ? 0x999999 : 0x%s), '' using 4:1:5 with labels left "
        "offset character 0.6, 0 textcolor rgb '%s'\n",
        number, colour + 1, ink);
}

static void draw_logits(FILE *script, const bars *bars, int is_dark, unsigned number)
{
    begin_diagram(script, bars->low, bars->high, 0.65, "logits", number);
    for (uint64_t i = 0; i < bars->sweep->items; i++) {
        char text[32] = "";
        if (!row_sweep_is_rest(bars->sweep, i))
            snprintf(text, sizeof text, "%.5g", logit_of(bars, i));
        write_bar(script, i, logit_of(bars, i), text, 0);
    }
    end_diagram(script, gnuplot_colour(1, is_dark), gnuplot_ink(is_dark), number);
}

static void draw_probabilities(FILE *script, const bars *bars, uint64_t k, double part, int is_dark, unsigned number)
{
    char temperature[TEMPERATURE_BYTES + 8];
    format_temperature(bars->temperatures[k], temperature);
    begin_diagram(script, 0, 1, part, temperature, number);
    for (uint64_t i = 0; i < bars->sweep->items; i++) {
        double probability = bars->sweep->probabilities[k * bars->sweep->items + i];
        char text[PROBABILITY_BYTES];
        write_bar(script, i, probability, probability_text(probability, text), row_sweep_is_rest(bars->sweep, i));
    }
    end_diagram(script, gnuplot_colour(0, is_dark), gnuplot_ink(is_dark), number);
}

static void write_script(gnuplot *gnuplot, const bars *bars, const sheet *sheet, int is_dark)
{
    FILE *script = gnuplot->script;
    unsigned number = 0;
    double part = part_for_numbers(bars);
    fprintf(script,
            "set border 0\nset title offset 0, -0.8\nset arrow from 0, graph 0 to 0, graph 1 nohead linecolor rgb '%s' "
            "front\nunset key\nunset xtics\nset yrange [%.9g:-0.5]\nset multiplot\n",
            gnuplot_ink(is_dark), (double)bars->sweep->items - 0.5);
    for (uint64_t k = 0; k < bars->sweep->count; k++) {
        unsigned line = (unsigned)(k / MOST_IN_LINE), diagram = (unsigned)(k % MOST_IN_LINE);
        if (diagram == 0) {
            place_diagram(gnuplot, bars, sheet, line, 0);
            draw_logits(script, bars, is_dark, number++);
        }
        place_diagram(gnuplot, bars, sheet, line, diagram + 1);
        draw_probabilities(script, bars, k, part, is_dark, number++);
    }
    fputs("unset multiplot\n", script);
}

static int draw_bars(const bars *bars, const char *path, int is_dark)
{
    sheet sheet = lay_out(bars);
    const gnuplot_style style = {sheet.width, sheet.height, is_dark};
    gnuplot gnuplot;
    FORWARD(gnuplot_open(&gnuplot, path, path, &style));
    write_script(&gnuplot, bars, &sheet, is_dark);
    return gnuplot_close(&gnuplot);
}

/* Returns how many items each diagram has room for in a picture. */
static uint64_t items_with_room(uint64_t temperatures)
{
    uint64_t height = GNUPLOT_MOST_HEIGHT / lines_of(temperatures);
    return height > TITLE + FOOT ? (height - TITLE - FOOT) / BAR : 0;
}

/* The most temperatures of a picture: each diagram has room for two items. */
enum { MOST_TEMPERATURES = GNUPLOT_MOST_HEIGHT / (TITLE + FOOT + 2 * BAR) * MOST_IN_LINE };

static int compute_and_draw(run *run, const class_names *names)
{
    const run_options *options = &run->options;
    uint64_t room = options->output ? items_with_room(options->sweep.count) : UINT64_MAX;
    COMPLAIN_IF(
        room < 2, EXIT_WRONG,
        "%s: a picture is at most %d pixels high, which is room for %d temperatures, not %llu; curves take more: "
        "clsoftmax sweep --plot",
        options->output, GNUPLOT_MOST_HEIGHT, MOST_TEMPERATURES, (unsigned long long)options->sweep.count);
    const row_request request =
        row_sweep_request(run, options->sweep.values, options->sweep.count, room, options->output);
    row_sweep sweep;
    FORWARD(row_sweep_read(run, &request, &sweep));
    bars bars = {&sweep, names, options->sweep.values, 0, 0};
    find_range(&bars);
    int status = options->output ? draw_bars(&bars, options->output, options->is_dark) : print_bars(&bars);
    row_sweep_release(&sweep);
    return status;
}

int picture_bars(run *run)
{
    class_names names;
    FORWARD(class_names_read(run->options.class_names, &run->input.array, run->problem.classes, &names));
    int status = compute_and_draw(run, &names);
    class_names_release(&names);
    return status;
}
