/* What was measured, for people and for programs. */
#ifndef CLSOFTMAX_BENCH_REPORT_H
#define CLSOFTMAX_BENCH_REPORT_H

#include "contender.h"
#include "options.h"

#include <stdio.h>

/* What reports are about. */
typedef struct session {
    const bench_options *options;
    const bench_device *devices;
    size_t device_count;
    const contender_list *contenders;
} session;

/* A kind of report: begin, add for each workload, end. */
typedef struct report {
    const char *name;
    void (*begin)(FILE *file, const session *session);
    void (*add)(FILE *file, const session *session, const workload *workload, int is_first);
    void (*end)(FILE *file);
} report;

extern const report report_table, report_markdown, report_csv, report_json;

/* A report by its name among all, as a number; -1 after a complaint. */
int report_choose(const char *name);
const report *report_of(int number);

/* Numbers of a contender that was measured; NaN for what there is not. */
typedef struct figures {
    summary time;
    double bytes_per_second; /* one read and one write of the array */
    double share;            /* of the fastest copy that is a limit for it */
    double rows_per_second;
    double end_to_end; /* median seconds from host memory to host memory */
} figures;
figures figures_of(const contender *contender, const contender_list *list);

#endif
