/* Reports with a row for each contender: a table, Markdown, CSV. They differ in how a line is written. All have the
   same columns, except the table, which leaves some out so that a terminal of 100 columns holds it. Part of report.h.
 */
#include "report.h"
#include "wrapped.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What the cells of a row are made of. */
typedef struct row {
    const contender *contender;
    figures figures;
} row;

enum { CELL = 640 }; /* bytes of a cell's text */

/* ---------------------------------------------------------------- Columns */

static void text_device(const row *row, char *text)
{
    snprintf(text, CELL, "%s", contender_device(row->contender));
}

static void text_name(const row *row, char *text)
{
    snprintf(text, CELL, "%s", row->contender->name);
}

static void text_shape(const row *row, char *text)
{
    const workload *workload = row->contender->workload;
    snprintf(text, CELL, "%llux%llu%s", (unsigned long long)workload->rows,
             (unsigned long long)workload->problem.classes, workload->axis == 0 ? " axis 0" : "");
}

static void text_operation(const row *row, char *text)
{
    snprintf(text, CELL, "%s", clsoftmax_operation_name(row->contender->workload->problem.operation));
}

static void text_dtype(const row *row, char *text)
{
    snprintf(text, CELL, "%s", workload_dtypes(row->contender->workload));
}

/* Returns why a contender was not measured, or what auto chose; "" if there is nothing to note. */
static const char *note_of(const contender *contender)
{
    int is_choice = contender->kind == CONTENDER_LIBRARY && contender->strategy == CLSOFTMAX_STRATEGY_AUTO;
    return contender->reason[0] ? contender->reason : is_choice ? contender->detail : "";
}

static void text_note(const row *row, char *text)
{
    snprintf(text, CELL, "%s", note_of(row->contender));
}

static double number_temperature(const row *row)
{
    return (double)row->contender->workload->temperature;
}

static double number_median(const row *row)
{
    return 1e3 * row->figures.time.median;
}

static double number_best(const row *row)
{
    return 1e3 * row->figures.time.best;
}

static double number_spread(const row *row)
{
    return 1e2 * row->figures.time.spread;
}

static double number_gigabytes(const row *row)
{
    return 1e-9 * row->figures.bytes_per_second;
}

static double number_share(const row *row)
{
    return row->figures.share;
}

static double number_rows(const row *row)
{
    return row->contender->kind == CONTENDER_COPY ? NAN : row->figures.rows_per_second;
}

static double number_ulp(const row *row)
{
    return row->contender->ulp;
}

static double number_end_to_end(const row *row)
{
    return 1e3 * row->figures.end_to_end;
}

static double number_build(const row *row)
{
    return row->contender->build_seconds > 0 ? 1e3 * row->contender->build_seconds : NAN;
}

/* A column has a text, or a number with its format. Columns that are wide are in the table only with --wide. */
static const struct {
    const char *title, *key; /* for people, for programs */
    int width;               /* in the table; negative: aligned to the left */
    void (*text)(const row *row, char *text);
    double (*number)(const row *row); /* NaN: there is none */
    const char *format;
    int is_wide;
} columns[] = {
    {"device", "device", -6, text_device, NULL, NULL, 0},
    {"strategy", "strategy", -14, text_name, NULL, NULL, 0},
    {"shape", "shape", -14, text_shape, NULL, NULL, 1},
    {"dtype", "dtype", -5, text_dtype, NULL, NULL, 1},
    {"T", "temperature", 5, NULL, number_temperature, "%.4g", 1},
    {"operation", "operation", -22, text_operation, NULL, NULL, 1},
    {"median ms", "median_ms", 10, NULL, number_median, "%.4g", 0},
    {"best ms", "best_ms", 9, NULL, number_best, "%.4g", 1},
    {"spread %", "spread_percent", 8, NULL, number_spread, "%.1f", 0},
    {"GB/s", "gigabytes_per_second", 7, NULL, number_gigabytes, "%.2f", 0},
    {"share", "share_of_copy", 6, NULL, number_share, "%.3f", 0},
    {"rows/s", "rows_per_second", 10, NULL, number_rows, "%.4g", 1},
    {"ULP", "ulp", 7, NULL, number_ulp, "%.3g", 0},
    {"end-to-end ms", "end_to_end_ms", 13, NULL, number_end_to_end, "%.4g", 0},
    {"build ms", "build_ms", 8, NULL, number_build, "%.4g", 0},
    {"note", "note", -1, text_note, NULL, NULL, 1},
};
enum { COLUMNS = sizeof columns / sizeof *columns };

/* ---------------------------------------------------------------- Lines */

typedef char line_cells[COLUMNS][CELL];

/* How a report writes a line. */
typedef struct line_format {
    const char *missing; /* stands where there is no number */
    const char *begin, *between, *end;
    int is_narrow; /* wide columns are left out */
    void (*write)(FILE *file, int column, const char *text);
} line_format;

static void write_line(FILE *file, const line_format *format, line_cells cells)
{
    const char *before = format->begin;
    for (int i = 0; i < COLUMNS; i++) {
        if (format->is_narrow && columns[i].is_wide)
            continue;
        fputs(before, file);
        format->write(file, i, cells[i]);
        before = format->between;
    }
    fputs(format->end, file);
}

/* Writes the titles of the columns, or the keys. */
static void write_titles(FILE *file, const line_format *format, int are_keys)
{
    line_cells cells;
    for (int i = 0; i < COLUMNS; i++)
        snprintf(cells[i], CELL, "%s", are_keys ? columns[i].key : columns[i].title);
    write_line(file, format, cells);
}

static void write_row(FILE *file, const line_format *format, const row *row)
{
    line_cells cells;
    for (int i = 0; i < COLUMNS; i++) {
        double number = columns[i].number ? columns[i].number(row) : 0;
        if (columns[i].text)
            columns[i].text(row, cells[i]);
        else
            snprintf(cells[i], CELL, isnan(number) ? format->missing : columns[i].format, number);
    }
    write_line(file, format, cells);
}

/* Returns 1 for a contender with a row of its own. End-to-end is a column of the contender before it, and has a row
   only if it alone has failed. */
static int has_row(const contender *contender)
{
    return contender->kind != CONTENDER_END_TO_END || (contender->reason[0] && !contender[-1].reason[0]);
}

/* Writes the rows of a workload. */
static void write_rows(FILE *file, const line_format *format, const session *session)
{
    for (size_t i = 0; i < session->contenders->count; i++) {
        const contender *contender = &session->contenders->items[i];
        const row row = {contender, figures_of(contender, session->contenders)};
        if (has_row(contender))
            write_row(file, format, &row);
    }
}

/* ---------------------------------------------------------------- Table */

static void write_aligned(FILE *file, int column, const char *text)
{
    fprintf(file, "%*s", columns[column].width, text);
}

static const line_format wide_format = {"-", "", "  ", "\n", 0, write_aligned};
static const line_format narrow_format = {"-", "", "  ", "", 1, write_aligned};

static void table_begin(FILE *file, const session *session)
{
    char line[CELL];
    for (size_t i = 0; i < session->device_count; i++) {
        const clsoftmax_device *info = &session->devices[i].info;
        snprintf(line, sizeof line, "%s: %s, %s %s", info->selector, info->name, info->platform, info->driver);
        write_wrapped(file, line, 5);
    }
    for (size_t i = 0; i < session->contenders->count; i++) {
        const contender *contender = &session->contenders->items[i];
        if (contender->kind != CONTENDER_PEER)
            continue;
        snprintf(line, sizeof line, "%s: %s", contender->name, contender->detail);
        write_wrapped(file, line, 5);
    }
    if (session->options->wide)
        write_titles(file, &wide_format, 0);
}

/* Returns the place of the first row with this note. There is one. */
static size_t first_with_note(const contender_list *list, const char *note)
{
    size_t place = 0;
    while (!has_row(&list->items[place]) || strcmp(note_of(&list->items[place]), note) != 0)
        place++;
    return place;
}

/* Returns 1 for a row with a note that no row before it has. */
static int is_new_note(const contender_list *list, size_t place)
{
    const char *note = note_of(&list->items[place]);
    return has_row(&list->items[place]) && note[0] && first_with_note(list, note) == place;
}

/* Returns the number of a row's note, from 1 on; equal notes have the same number. 0 without a note. */
static int note_number(const contender_list *list, size_t place)
{
    const char *note = note_of(&list->items[place]);
    int number = 0;
    if (!note[0])
        return 0;
    for (size_t i = 0, first = first_with_note(list, note); i <= first; i++)
        number += is_new_note(list, i);
    return number;
}

/* Writes a workload with its name above the rows, and the notes below, to which marks at the ends of rows refer. */
static void write_narrow(FILE *file, const session *session)
{
    const contender_list *list = session->contenders;
    char line[CELL];
    fprintf(file, "\n%s\n", workload_label(session->workload));
    write_titles(file, &narrow_format, 0);
    fputc('\n', file);
    for (size_t i = 0; i < list->count; i++) {
        const row row = {&list->items[i], figures_of(&list->items[i], list)};
        if (!has_row(row.contender))
            continue;
        write_row(file, &narrow_format, &row);
        fprintf(file, note_number(list, i) > 0 ? "  [%d]\n" : "\n", note_number(list, i));
    }
    for (size_t i = 0; i < list->count; i++) {
        if (!is_new_note(list, i))
            continue;
        snprintf(line, sizeof line, "[%d] %s", note_number(list, i), note_of(&list->items[i]));
        write_wrapped(file, line, 4);
    }
}

static void table_add(FILE *file, const session *session)
{
    if (!session->options->wide) {
        write_narrow(file, session);
        return;
    }
    if (!session->is_first)
        fputc('\n', file);
    write_rows(file, &wide_format, session);
}

const report report_table = {"table", table_begin, table_add, break_even_write};

/* ---------------------------------------------------------------- Markdown */

/* Writes a slash for a bar, which would end the cell. */
static void write_without_bars(FILE *file, int column, const char *text)
{
    (void)column;
    for (const char *c = text; *c; c++)
        fputc(*c == '|' ? '/' : *c, file);
}

static const line_format markdown_format = {"", "| ", " | ", " |\n", 0, write_without_bars};

static void markdown_begin(FILE *file, const session *session)
{
    (void)session;
    write_titles(file, &markdown_format, 0);
    for (int i = 0; i < COLUMNS; i++)
        fprintf(file, "| %s %s", columns[i].text ? "---" : "---:", i + 1 < COLUMNS ? "" : "|\n");
}

static void markdown_add(FILE *file, const session *session)
{
    write_rows(file, &markdown_format, session);
}

const report report_markdown = {"markdown", markdown_begin, markdown_add, break_even_write};

/* ---------------------------------------------------------------- CSV */

/* Writes a cell in quotes if it needs them (RFC 4180). */
static void write_quoted(FILE *file, int column, const char *text)
{
    (void)column;
    int is_quoted = strpbrk(text, ",\"\n") != NULL;
    if (is_quoted)
        fputc('"', file);
    for (const char *c = text; *c; c++) {
        if (*c == '"')
            fputc('"', file);
        fputc(*c, file);
    }
    if (is_quoted)
        fputc('"', file);
}

static const line_format csv_format = {"", "", ",", "\n", 0, write_quoted};

static void csv_begin(FILE *file, const session *session)
{
    (void)session;
    write_titles(file, &csv_format, 1);
}

static void csv_add(FILE *file, const session *session)
{
    write_rows(file, &csv_format, session);
}

const report report_csv = {"csv", csv_begin, csv_add, NULL};
