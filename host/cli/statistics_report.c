#include "statistics_report.h"

#include "array.h"

#include <math.h>
#include <stddef.h>

void statistics_print(FILE *file, const clsoftmax_statistics *statistics, uint64_t rows, int has_labels)
{
    fprintf(file, "argmax maximum log_sum_exp entropy largest_probability margin%s\n",
            has_labels ? " negative_log_likelihood" : "");
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

void statistics_print_summary(FILE *file, const clsoftmax_statistics *statistics, const int64_t *labels, uint64_t rows)
{
    double sum = 0;
    uint64_t labelled = 0, right = 0;
    for (uint64_t i = 0; i < rows; i++) {
        if (isnan(statistics[i].negative_log_likelihood))
            continue;
        labelled++;
        sum += (double)statistics[i].negative_log_likelihood;
        right += statistics[i].argmax == labels[i];
    }
    fprintf(file, "# mean negative_log_likelihood %.9g, accuracy %.9g (%llu of %llu rows have a label and a result)\n",
            labelled ? sum / (double)labelled : (double)NAN, labelled ? (double)right / (double)labelled : (double)NAN,
            (unsigned long long)labelled, (unsigned long long)rows);
}

int statistics_write_npy(FILE *file, const clsoftmax_statistics *statistics, uint64_t rows)
{
    /* the record as it stands in memory */
    _Static_assert(sizeof(clsoftmax_statistics) == 32 && offsetof(clsoftmax_statistics, argmax) == 24, "layout");
    const char *descr = "[('maximum', '<f4'), ('log_sum_exp', '<f4'), ('entropy', '<f4'), "
                        "('largest_probability', '<f4'), ('margin', '<f4'), ('negative_log_likelihood', '<f4'), "
                        "('argmax', '<i8')]";
    return npy_write(file, descr, 1, &rows, statistics, rows * sizeof *statistics);
}
