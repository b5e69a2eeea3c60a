/* Statistics of rows as text, and what labels come to: see statistics_report.h. */
#include "results/statistics_report.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>

void statistics_print_names(FILE *file, int has_labels)
{
    fprintf(file, "argmax maximum log_sum_exp entropy largest_probability margin%s\n",
            has_labels ? " negative_log_likelihood" : "");
}

void statistics_print(FILE *file, const clsoftmax_statistics *statistics, uint64_t rows, int has_labels)
{
    for (uint64_t i = 0; i < rows; i++) {
        const clsoftmax_statistics *s = &statistics[i];
        fprintf(file, "%lld %.9g %.9g %.9g %.9g %.9g", (long long)s->argmax, (double)s->maximum, (double)s->log_sum_exp,
                (double)s->entropy, (double)s->largest_probability, (double)s->margin);
        if (has_labels)
            fprintf(file, " %.9g", (double)s->negative_log_likelihood);
        if (fputc('\n', file) == EOF)
            return;
    }
}

void label_summary_add(label_summary *summary, const clsoftmax_statistics *statistics, const int64_t *labels,
                       uint64_t rows)
{
    for (uint64_t i = 0; i < rows; i++) {
        if (isnan(statistics[i].negative_log_likelihood))
            continue;
        summary->labelled++;
        summary->negative_log_likelihood += (double)statistics[i].negative_log_likelihood;
        summary->right += statistics[i].argmax == labels[i];
    }
    summary->rows += rows;
}

void label_summary_print(FILE *file, const label_summary *summary)
{
    double labelled = summary->labelled > 0 ? (double)summary->labelled : (double)NAN;
    uint64_t others = summary->rows - summary->labelled;
    fprintf(file, "%llu of %llu rows are right, accuracy %.9g, mean negative log-likelihood %.9g",
            (unsigned long long)summary->right, (unsigned long long)summary->labelled,
            (double)summary->right / labelled, summary->negative_log_likelihood / labelled);
    if (others > 0)
        fprintf(file, "; %llu more have no label or no result", (unsigned long long)others);
    fputc('\n', file);
}

_Static_assert(sizeof(clsoftmax_statistics) == 32 && offsetof(clsoftmax_statistics, argmax) == 24, "layout");
const char statistics_descr[] = "[('maximum', '<f4'), ('log_sum_exp', '<f4'), ('entropy', '<f4'), "
                                "('largest_probability', '<f4'), ('margin', '<f4'), "
                                "('negative_log_likelihood', '<f4'), ('argmax', '<i8')]";
