/*
 * Reports of what was measured: a table, Markdown and CSV (report_rows.c) for people and spreadsheets, JSON
 * (report_json.c) with everything. main.c writes one of them; plot.c and explain.c use the session.
 */
#ifndef CLSOFTMAX_BENCH_REPORT_H
#define CLSOFTMAX_BENCH_REPORT_H

#include "break_even.h"
#include "contender.h"
#include "options.h"

#include <stdio.h>

/* What reports are about. */
typedef struct session {
    const bench_options *options;
    const bench_device *devices;
    size_t device_count;
    const contender_list *contenders;
    const workload *workload; /* NULL before the first */
    int is_first;             /* the workload is the first */
} session;

/* A kind of report. begin is called once, add for each workload, end once. */
typedef struct report {
    const char *name;
    void (*begin)(FILE *file, const session *session);
    void (*add)(FILE *file, const session *session);
    void (*end)(FILE *file, const break_even *break_even); /* NULL: the report has no break-even */
} report;

extern const report report_table, report_markdown, report_csv, report_json;

/* Finds a report by its name. EXIT_DONE, or EXIT_WRONG after a complaint that begins with the option. */
int report_choose(const char *option, const char *name, const report **chosen);

/* The numbers of a contender that was measured. NaN stands for what there is not. */
typedef struct figures {
    summary time;
    double bytes_per_second; /* of one read of the logits, one of the operand, and one write of the results */
    double share;            /* of the fastest copy that is a limit for the contender */
    double rows_per_second;
    double end_to_end; /* median seconds from host memory to host memory */
} figures;
figures figures_of(const contender *contender, const contender_list *list);

#endif
