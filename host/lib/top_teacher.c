/*
 * A teacher that is known by its most likely classes alone: clsoftmax_top_teacher of the public header. A row of all
 * classes is made of them, so that the operations of a distillation need not know; what becomes of the other classes,
 * the tail, is chosen by the caller.
 */
#include "status.h"

#include <float.h>
#include <math.h>

/* How much log-probabilities may be above 0, and probabilities together above 1, since they were rounded. */
#define MOST_EXCESS 1e-3

/* A row of the arrays. */
typedef struct top_row {
    uint64_t number, classes, top;
    const int64_t *listed;
    const float *log_probabilities;
    double temperature, most; /* no log-probability is larger */
    const float *student;     /* for a bucket */
    float *teacher;
} top_row;

/* Returns 1 if an entry of a row lists a class, and 0 if it is none. */
static int lists_class(const top_row *row, uint64_t entry)
{
    return (uint64_t)row->listed[entry] < row->classes;
}

/* Writes the logits of the classes that a row lists. All others become NaN, which no logit is. */
static clsoftmax_status place_listed(const top_row *row)
{
    for (uint64_t c = 0; c < row->classes; c++)
        row->teacher[c] = NAN;
    for (uint64_t k = 0; k < row->top; k++) {
        if (!lists_class(row, k))
            continue;
        float *place = &row->teacher[row->listed[k]];
        const double logarithm = (double)row->log_probabilities[k];
        const unsigned long long class = (unsigned long long)row->listed[k], number = (unsigned long long)row->number;
        CLS_FAIL_IF(!(logarithm <= row->most), CLSOFTMAX_INVALID_ARGUMENT,
                    "the log-probability of class %llu in row %llu is %g; it takes a number that is not above %g",
                    class, number, logarithm, row->most);
        CLS_FAIL_IF(!isnan(*place), CLSOFTMAX_INVALID_ARGUMENT, "class %llu is listed twice in row %llu", class,
                    number);
        *place = (float)(row->temperature * logarithm);
        CLS_FAIL_IF(isinf(*place) && !isinf(logarithm), CLSOFTMAX_INVALID_ARGUMENT,
                    "%g, the log-probability of class %llu in row %llu, times the temperature is beyond f32", logarithm,
                    class, number);
    }
    return CLSOFTMAX_OK;
}

/* Finds the probability of the listed classes together, which is infinite if they are no probabilities, and that of the
   tail. What the largest leaves of 1 keeps its digits. */
static clsoftmax_status find_shares(const top_row *row, double *of_listed, double *of_tail)
{
    double largest = -INFINITY, others = 0;
    for (uint64_t k = 0; k < row->top; k++) {
        if (!lists_class(row, k))
            continue;
        const double logarithm = (double)row->log_probabilities[k];
        others += exp(logarithm < largest ? logarithm : largest);
        largest = logarithm < largest ? largest : logarithm;
    }
    *of_listed = exp(largest) + others;
    *of_tail = -expm1(largest) - others; /* rounding may make it negative */
    CLS_FAIL_IF(!(largest > -INFINITY), CLSOFTMAX_INVALID_ARGUMENT,
                "row %llu lists no class with a probability above 0", (unsigned long long)row->number);
    CLS_FAIL_IF(row->most <= MOST_EXCESS && *of_listed > 1 + MOST_EXCESS, CLSOFTMAX_INVALID_ARGUMENT,
                "the probabilities of row %llu add up to %g, which is above 1", (unsigned long long)row->number,
                *of_listed);
    return CLSOFTMAX_OK;
}

/* Returns ln of the sum of exp(x / T) of the student's tail, times T; -INFINITY if all of it is masked. */
static double tail_log_sum(const top_row *row)
{
    double largest = -INFINITY, sum = 0;
    for (uint64_t c = 0; c < row->classes; c++)
        if (isnan(row->teacher[c]) && (double)row->student[c] > largest)
            largest = (double)row->student[c];
    for (uint64_t c = 0; c < row->classes; c++)
        if (isnan(row->teacher[c]) && (double)row->student[c] > -INFINITY)
            sum += exp(((double)row->student[c] - largest) / row->temperature);
    return sum > 0 ? largest + row->temperature * log(sum) : -INFINITY;
}

/* Writes the logits of the tail: the student's, moved so that they have the teacher's share. Without one, or where no
   class could have it, they are -inf. */
static void fill_tail(const top_row *row, double share)
{
    const double of_student = share > 0 ? tail_log_sum(row) : -INFINITY;
    const int has_share = of_student > -INFINITY;
    const double up = has_share ? row->temperature * log(share) - of_student : 0;
    for (uint64_t c = 0; c < row->classes; c++)
        if (isnan(row->teacher[c]))
            row->teacher[c] = has_share ? (float)((double)row->student[c] + up) : -INFINITY;
}

static clsoftmax_status make_row(const top_row *row, clsoftmax_tail tail, float *weight)
{
    double of_listed, of_tail;
    CLS_FAIL_IF(!(row->temperature > 0 && isfinite(row->temperature)), CLSOFTMAX_INVALID_TEMPERATURE,
                "the temperature of row %llu is %g; log-probabilities have one that is above 0 and finite",
                (unsigned long long)row->number, row->temperature);
    CLS_FORWARD(place_listed(row));
    CLS_FORWARD(find_shares(row, &of_listed, &of_tail));
    fill_tail(row, tail == CLSOFTMAX_TAIL_BUCKET ? of_tail : 0);
    if (weight)
        *weight = tail == CLSOFTMAX_TAIL_DROP ? (float)fmin(1, of_listed) : 1;
    return CLSOFTMAX_OK;
}

clsoftmax_status clsoftmax_top_teacher(uint64_t rows, uint64_t classes, uint64_t top, const int64_t *top_classes,
                                       const float *log_probabilities, float temperature, const float *temperatures,
                                       clsoftmax_tail tail, const float *student, float *teacher, float *weights)
{
    CLS_FAIL_IF(tail < 0 || tail >= CLSOFTMAX_TAIL_COUNT, CLSOFTMAX_INVALID_ARGUMENT, "%d is no tail", (int)tail);
    CLS_FAIL_IF(rows > 0 && (!top_classes || !log_probabilities || !teacher), CLSOFTMAX_INVALID_ARGUMENT,
                "top_classes, log_probabilities or teacher is NULL");
    CLS_FAIL_IF(rows > 0 && tail == CLSOFTMAX_TAIL_BUCKET && !student, CLSOFTMAX_INVALID_ARGUMENT,
                "student is NULL; the bucket of its tail is made of its logits");
    CLS_FAIL_IF(rows > 0 && tail == CLSOFTMAX_TAIL_DROP && !weights, CLSOFTMAX_INVALID_ARGUMENT,
                "weights is NULL; without its tail a row has one");
    for (uint64_t r = 0; r < rows; r++) {
        const top_row row = {.number = r,
                             .classes = classes,
                             .top = top,
                             .listed = top_classes + r * top,
                             .log_probabilities = log_probabilities + r * top,
                             .temperature = (double)(temperatures ? temperatures[r] : temperature),
                             .most = tail == CLSOFTMAX_TAIL_RENORMALIZE ? (double)FLT_MAX : MOST_EXCESS,
                             .student = student ? student + r * classes : NULL,
                             .teacher = teacher + r * classes};
        CLS_FORWARD(make_row(&row, tail, weights ? &weights[r] : NULL));
    }
    return CLSOFTMAX_OK;
}
