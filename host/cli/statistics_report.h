/* Statistics of rows, for people and for programs. */
#ifndef CLSOFTMAX_STATISTICS_REPORT_H
#define CLSOFTMAX_STATISTICS_REPORT_H

#include "clsoftmax/clsoftmax.h"

#include <stdio.h>

/* A table with a line of column names; the negative log-likelihood only if there are labels. */
void statistics_print(FILE *file, const clsoftmax_statistics *statistics, uint64_t rows, int has_labels);

/* One line, "# mean negative_log_likelihood ..., accuracy ... (N of M rows labelled)". */
void statistics_print_summary(FILE *file, const clsoftmax_statistics *statistics, const int64_t *labels, uint64_t rows);

/* The records as an .npy file of named columns, one record a row. 1, or 0 with errno. */
int statistics_write_npy(FILE *file, const clsoftmax_statistics *statistics, uint64_t rows);

#endif
