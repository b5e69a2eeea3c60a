/* Statistics of rows, for people and for programs. Used by run and sweep. */
#ifndef CLSOFTMAX_STATISTICS_REPORT_H
#define CLSOFTMAX_STATISTICS_REPORT_H

#include "clsoftmax/clsoftmax.h"

#include <stdio.h>

/* Prints the names of the columns, that of the negative log-likelihood only if there are labels. */
void statistics_print_names(FILE *file, int has_labels);

/* Prints a line for each of `rows`. */
void statistics_print(FILE *file, const clsoftmax_statistics *statistics, uint64_t rows, int has_labels);

/* What the rows with a label and a result come to. */
typedef struct label_summary {
    double negative_log_likelihood; /* their sum */
    uint64_t labelled, right, rows; /* rows with a label and a result; those whose argmax is the label; all rows */
} label_summary;

void label_summary_add(label_summary *summary, const clsoftmax_statistics *statistics, const int64_t *labels,
                       uint64_t rows);

/* Prints the rest of a line: "N of M rows are right, accuracy ..., mean negative log-likelihood ...". */
void label_summary_print(FILE *file, const label_summary *summary);

/* The records in the header of an .npy file: named columns, as they stand in memory. */
extern const char statistics_descr[];

#endif
