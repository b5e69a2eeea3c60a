/* A row for each contender, with the same columns: a table, Markdown, CSV. */
#include "report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What a cell is made of. */
typedef struct row {
    const contender *contender;
    figures figures;
} row;

enum { CELL = 640 };

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

static void text_dtype(const row *row, char *text)
{
    snprintf(text, CELL, "%s", workload_dtypes(row->contender->workload));
}

static void text_note(const row *row, char *text)
{
    const contender *contender = row->contender;
    int is_choice = contender->kind == CONTENDER_LIBRARY && contender->strategy == CLSOFTMAX_STRATEGY_AUTO;
    snprintf(text, CELL, "%s", contender->reason[0] ? contender->reason : is_choice ? contender->detail : "");
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

static const struct {
    const char *title, *key; /* for people, for programs */
    int width;               /* in the table; negative: to the left */
    void (*text)(const row *row, char *text);
    double (*number)(const row *row); /* NaN: there is none */
    const char *format;
} columns[] = {
    {"device", "device", -6, text_device, NULL, NULL},
    {"strategy", "strategy", -14, text_name, NULL, NULL},
    {"shape", "shape", -14, text_shape, NULL, NULL},
    {"dtype", "dtype", -5, text_dtype, NULL, NULL},
    {"T", "temperature", 5, NULL, number_temperature, "%.4g"},
    {"median ms", "median_ms", 10, NULL, number_median, "%.4g"},
    {"best ms", "best_ms", 9, NULL, number_best, "%.4g"},
    {"spread %", "spread_percent", 8, NULL, number_spread, "%.1f"},
    {"GB/s", "gigabytes_per_second", 7, NULL, number_gigabytes, "%.2f"},
    {"share", "share_of_copy", 6, NULL, number_share, "%.3f"},
    {"rows/s", "rows_per_second", 10, NULL, number_rows, "%.4g"},
    {"ULP", "ulp", 7, NULL, number_ulp, "%.3g"},
    {"end-to-end ms", "end_to_end_ms", 13, NULL, number_end_to_end, "%.4g"},
    {"build ms", "build_ms", 8, NULL, number_build, "%.4g"},
    {"note", "note", -1, text_note, NULL, NULL},
};
enum { COLUMNS = sizeof columns / sizeof *columns };

/* The text of a cell; `missing` where there is no number. */
static void cell(const row *row, int column, const char *missing, char *text)
{
    if (columns[column].text) {
        columns[column].text(row, text);
        return;
    }
    double number = columns[column].number(row);
    snprintf(text, CELL, isnan(number) ? missing : columns[column].format, number);
}

/* Calls `print` for every contender that has a row of its own. */
static void for_each_row(FILE *file, const session *session, void (*print)(FILE *, const row *))
{
    for (size_t i = 0; i < session->contenders->count; i++) {
        const contender *contender = &session->contenders->items[i];
        row row = {contender, figures_of(contender, session->contenders)};
        /* End-to-end is a column of the contender before it, and a row only if it alone has failed. */
        if (contender->kind != CONTENDER_END_TO_END || (contender->reason[0] && !contender[-1].reason[0]))
            print(file, &row);
    }
}

static void end_nothing(FILE *file)
{
    (void)file; /* rows stand for themselves */
}

/* ---------------------------------------------------------------- Table */

static void table_begin(FILE *file, const session *session)
{
    for (size_t i = 0; i < session->device_count; i++) {
        const clsoftmax_device *info = &session->devices[i].info;
        fprintf(file, "%s: %s, %s %s\n", info->selector, info->name, info->platform, info->driver);
    }
    for (size_t i = 0; i < session->contenders->count; i++) {
        const contender *contender = &session->contenders->items[i];
        if (contender->kind == CONTENDER_PEER)
            fprintf(file, "%s: %s\n", contender->name, contender->detail);
    }
    for (int i = 0; i < COLUMNS; i++)
        fprintf(file, "%*s%s", columns[i].width, columns[i].title, i + 1 < COLUMNS ? "  " : "\n");
}

static void table_print(FILE *file, const row *row)
{
    char text[CELL];
    for (int i = 0; i < COLUMNS; i++) {
        cell(row, i, "-", text);
        fprintf(file, "%*s%s", columns[i].width, text, i + 1 < COLUMNS ? "  " : "\n");
    }
}

static void table_add(FILE *file, const session *session, const workload *workload, int is_first)
{
    (void)workload;
    if (!is_first)
        fputc('\n', file);
    for_each_row(file, session, table_print);
}

const report report_table = {"table", table_begin, table_add, end_nothing};

/* ---------------------------------------------------------------- Markdown */

static void markdown_begin(FILE *file, const session *session)
{
    (void)session;
    for (int i = 0; i < COLUMNS; i++)
        fprintf(file, "| %s %s", columns[i].title, i + 1 < COLUMNS ? "" : "|\n");
    for (int i = 0; i < COLUMNS; i++)
        fprintf(file, "| %s %s", columns[i].text ? "---" : "---:", i + 1 < COLUMNS ? "" : "|\n");
}

static void markdown_print(FILE *file, const row *row)
{
    char text[CELL];
    for (int i = 0; i < COLUMNS; i++) {
        cell(row, i, "", text);
        for (char *bar = text; (bar = strchr(bar, '|')) != NULL;)
            *bar = '/';
        fprintf(file, "| %s %s", text, i + 1 < COLUMNS ? "" : "|\n");
    }
}

static void markdown_add(FILE *file, const session *session, const workload *workload, int is_first)
{
    (void)workload, (void)is_first;
    for_each_row(file, session, markdown_print);
}

const report report_markdown = {"markdown", markdown_begin, markdown_add, end_nothing};

/* ---------------------------------------------------------------- CSV */

static void csv_begin(FILE *file, const session *session)
{
    (void)session;
    for (int i = 0; i < COLUMNS; i++)
        fprintf(file, "%s%c", columns[i].key, i + 1 < COLUMNS ? ',' : '\n');
}

/* In quotes where it has to be (RFC 4180). */
static void csv_print(FILE *file, const row *row)
{
    char text[CELL];
    for (int i = 0; i < COLUMNS; i++) {
        cell(row, i, "", text);
        int is_quoted = strpbrk(text, ",\"\n") != NULL;
        if (is_quoted)
            fputc('"', file);
        for (const char *c = text; *c; c++) {
            if (*c == '"')
                fputc('"', file);
            fputc(*c, file);
        }
        fprintf(file, "%s%c", is_quoted ? "\"" : "", i + 1 < COLUMNS ? ',' : '\n');
    }
}

static void csv_add(FILE *file, const session *session, const workload *workload, int is_first)
{
    (void)workload, (void)is_first;
    for_each_row(file, session, csv_print);
}

const report report_csv = {"csv", csv_begin, csv_add, end_nothing};
