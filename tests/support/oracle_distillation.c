/* The oracle of distillation: what oracle_distillation.h declares. */
#include "oracle_distillation.h"

#include "oracle_f32.h"

#include <math.h>
#include <mpfr.h>
#include <stdlib.h>

#define PRECISION 400 /* holds differences of any two f32 exactly, and a divergence of 2^-150 with 250 bits */

/* A row: its probabilities, and their logarithms, which nothing underflows. */
typedef struct side {
    const float *x;
    mpfr_t *p, *log_p;
} side;

typedef struct truth {
    side student, teacher;
    mpfr_t sum, exact, scratch;
} truth;

static void make_side(side *s, const float *x, size_t classes)
{
    s->x = x;
    s->p = malloc(classes * sizeof *s->p);
    s->log_p = malloc(classes * sizeof *s->log_p);
    for (size_t i = 0; i < classes; i++)
        mpfr_inits2(PRECISION, s->p[i], s->log_p[i], (mpfr_ptr)NULL);
}

static void release_side(side *s, size_t classes)
{
    for (size_t i = 0; i < classes; i++)
        mpfr_clears(s->p[i], s->log_p[i], (mpfr_ptr)NULL);
    free(s->p);
    free(s->log_p);
}

/* Finds the probabilities of a side. Those of masked classes are 0, and their logarithms mean nothing. */
static void find_probabilities(truth *t, side *s, size_t classes, float temperature)
{
    mpfr_set_zero(t->sum, 1);
    for (size_t i = 0; i < classes; i++) {
        mpfr_set_zero(s->p[i], 1);
        mpfr_set_zero(s->log_p[i], 1);
        if (s->x[i] == -INFINITY)
            continue;
        if (!isinf(temperature)) {
            mpfr_set_flt(s->log_p[i], s->x[i], MPFR_RNDN);
            mpfr_div_d(s->log_p[i], s->log_p[i], (double)temperature, MPFR_RNDN);
        }
    }
    /* relative to the largest, since exp(x / T) may be beyond what MPFR has */
    size_t largest = 0;
    for (size_t i = 0; i < classes; i++)
        largest = s->x[i] > s->x[largest] ? i : largest;
    mpfr_set(t->exact, s->log_p[largest], MPFR_RNDN);
    for (size_t i = 0; i < classes; i++) {
        if (s->x[i] == -INFINITY)
            continue;
        mpfr_sub(s->log_p[i], s->log_p[i], t->exact, MPFR_RNDN);
        if (mpfr_cmp_d(s->log_p[i], -40000) > 0)
            mpfr_exp(s->p[i], s->log_p[i], MPFR_RNDN);
        mpfr_add(t->sum, t->sum, s->p[i], MPFR_RNDN);
    }
    mpfr_log(t->scratch, t->sum, MPFR_RNDN);
    for (size_t i = 0; i < classes; i++) {
        mpfr_div(s->p[i], s->p[i], t->sum, MPFR_RNDN);
        mpfr_sub(s->log_p[i], s->log_p[i], t->scratch, MPFR_RNDN);
    }
}

static void find_truth(truth *t, const distillation_case *c)
{
    mpfr_inits2(PRECISION, t->sum, t->exact, t->scratch, (mpfr_ptr)NULL);
    make_side(&t->student, c->x, c->classes);
    make_side(&t->teacher, c->y, c->classes);
    find_probabilities(t, &t->student, c->classes, c->temperature);
    find_probabilities(t, &t->teacher, c->classes, c->temperature);
}

static void release_truth(truth *t, const distillation_case *c)
{
    release_side(&t->student, c->classes);
    release_side(&t->teacher, c->classes);
    mpfr_clears(t->sum, t->exact, t->scratch, (mpfr_ptr)NULL);
}

/* Adds p ln(p / m) of a side to t->exact, times a factor, with m = share q + (1 - share) p of both. */
static void add_beside(truth *t, const side *own, size_t i, mpfr_t mixture, mpfr_t factor)
{
    if (mpfr_zero_p(own->p[i]))
        return;
    mpfr_div(t->scratch, own->p[i], mixture, MPFR_RNDN);
    mpfr_log(t->scratch, t->scratch, MPFR_RNDN);
    mpfr_mul(t->scratch, t->scratch, own->p[i], MPFR_RNDN);
    mpfr_fma(t->exact, t->scratch, factor, t->exact, MPFR_RNDN);
}

/* Writes a class's mixture. */
static void find_mixture(const truth *t, const distillation_case *c, size_t i, mpfr_t mixture)
{
    mpfr_t left;
    mpfr_init2(left, PRECISION);
    mpfr_set_d(left, 1 - (double)c->teacher_share, MPFR_RNDN); /* exact */
    mpfr_mul(left, left, t->student.p[i], MPFR_RNDN);
    mpfr_mul_d(mixture, t->teacher.p[i], (double)c->teacher_share, MPFR_RNDN);
    mpfr_add(mixture, mixture, left, MPFR_RNDN);
    mpfr_clear(left);
}

/* Writes into t->exact the Jensen-Shannon divergence, or without the teacher's part that of the student from the
   mixture. */
static void find_jensen_shannon(truth *t, const distillation_case *c, int with_teacher)
{
    mpfr_t mixture, of_teacher, of_student;
    mpfr_inits2(PRECISION, mixture, of_teacher, of_student, (mpfr_ptr)NULL);
    mpfr_set_d(of_teacher, (double)c->teacher_share, MPFR_RNDN);
    mpfr_ui_sub(of_student, 1, of_teacher, MPFR_RNDN);
    if (!with_teacher)
        mpfr_set_ui(of_student, 1, MPFR_RNDN);
    mpfr_set_zero(t->exact, 1);
    for (size_t i = 0; i < c->classes; i++) {
        find_mixture(t, c, i, mixture);
        if (with_teacher)
            add_beside(t, &t->teacher, i, mixture, of_teacher);
        add_beside(t, &t->student, i, mixture, of_student);
    }
    mpfr_clears(mixture, of_teacher, of_student, (mpfr_ptr)NULL);
}

/* Writes sum q (ln q - ln p) into t->exact, or sum p (ln p - ln q), and returns the largest |term|; infinite where the
   student excludes what the teacher does not, or the reverse. With a mixture no term is large: it returns 0. */
static double find_divergence(truth *t, const distillation_case *c)
{
    if (c->teacher_share > 0) {
        find_jensen_shannon(t, c, 1);
        return 0;
    }
    const side *from = c->is_reversed ? &t->student : &t->teacher, *to = c->is_reversed ? &t->teacher : &t->student;
    double largest = 0;
    mpfr_set_zero(t->exact, 1);
    for (size_t i = 0; i < c->classes; i++) {
        if (from->x[i] == -INFINITY)
            continue;
        if (to->x[i] == -INFINITY)
            return INFINITY;
        mpfr_sub(t->scratch, from->log_p[i], to->log_p[i], MPFR_RNDN);
        mpfr_mul(t->scratch, t->scratch, from->p[i], MPFR_RNDN);
        mpfr_add(t->exact, t->exact, t->scratch, MPFR_RNDN);
        const double size = fabs(mpfr_get_d(t->scratch, MPFR_RNDN));
        largest = size > largest ? size : largest;
    }
    return largest;
}

/* Returns the largest |ln q - ln p| of the row: a loss may be infinite if that is beyond f32. */
static double farthest(truth *t, const distillation_case *c)
{
    double largest = 0;
    for (size_t i = 0; i < c->classes; i++) {
        mpfr_sub(t->scratch, t->teacher.log_p[i], t->student.log_p[i], MPFR_RNDN);
        const double size = fabs(mpfr_get_d(t->scratch, MPFR_RNDN));
        largest = size > largest ? size : largest;
        if ((c->x[i] == -INFINITY) != (c->y[i] == -INFINITY))
            largest = INFINITY;
    }
    return largest;
}

double oracle_distillation_error(const distillation_case *c, float loss)
{
    truth t;
    find_truth(&t, c);
    const double largest = find_divergence(&t, c), temperature = (double)c->temperature;
    const double times = (double)c->weight * (c->is_squared ? temperature * temperature : 1);
    double ratio;
    if (c->weight == 0) {
        ratio = loss == 0 ? 0 : INFINITY;
    } else if (isinf(largest)) {
        ratio = loss == INFINITY ? 0 : INFINITY;
    } else if (loss == INFINITY && c->teacher_share == 0 && (largest >= 0x1p119 || farthest(&t, c) >= 0x1p125)) {
        ratio = 0;
    } else {
        mpfr_mul_d(t.exact, t.exact, (double)c->weight, MPFR_RNDN);
        for (int i = 0; i < 2 && c->is_squared; i++)
            mpfr_mul_d(t.exact, t.exact, temperature, MPFR_RNDN);
        const double size = fabs(mpfr_get_d(t.exact, MPFR_RNDN));
        ratio = oracle_ratio_of(loss, t.exact,
                                4 * oracle_spacing_at(size) + (double)c->classes * 0x1p-42 * (1 + largest) * times);
        ratio = loss < 0 || signbit(loss) ? INFINITY : ratio;
    }
    release_truth(&t, c);
    return ratio;
}

double oracle_distillation_gradient_error(const distillation_case *c, const float *gradient, size_t *worst)
{
    truth t;
    double largest = 0;
    find_truth(&t, c);
    const double largest_term = find_divergence(&t, c);
    if (c->teacher_share > 0)
        find_jensen_shannon(&t, c, 0);
    const double divergence = mpfr_get_d(t.exact, MPFR_RNDN);
    mpfr_set(t.sum, t.exact, MPFR_RNDN);
    for (size_t i = 0; i < c->classes; i++) {
        const double temperature = (double)c->temperature;
        const double p = mpfr_get_d(t.student.p[i], MPFR_RNDN), q = mpfr_get_d(t.teacher.p[i], MPFR_RNDN);
        const double step =
            fabs((double)c->scale * (double)c->weight) * (c->is_squared ? temperature : 1 / temperature);
        double of_terms = oracle_spacing_at(p > q ? p : q) / 2, subnormal = 0x1p-149;
        mpfr_sub(t.exact, t.student.p[i], t.teacher.p[i], MPFR_RNDN);
        if (c->is_reversed) {
            mpfr_sub(t.exact, t.student.log_p[i], t.teacher.log_p[i], MPFR_RNDN);
            const double d = fabs(mpfr_get_d(t.exact, MPFR_RNDN));
            mpfr_sub(t.exact, t.exact, t.sum, MPFR_RNDN);
            if (c->x[i] == -INFINITY)
                mpfr_set_zero(t.exact, 1);
            mpfr_mul(t.exact, t.exact, t.student.p[i], MPFR_RNDN);
            of_terms =
                p * (4 * 0x1p-24 * (d + divergence) + 0x1p-24 + (double)c->classes * 0x1p-42 * (1 + largest_term));
            subnormal *= (1 + step) * (1 + d + divergence);
        }
        if (c->teacher_share > 0) {
            find_mixture(&t, c, i, t.scratch);
            mpfr_set_zero(t.exact, 1);
            if (p > 0) {
                mpfr_div(t.exact, t.student.p[i], t.scratch, MPFR_RNDN);
                mpfr_log(t.exact, t.exact, MPFR_RNDN);
            }
            const double d = fabs(mpfr_get_d(t.exact, MPFR_RNDN)), left = 1 - (double)c->teacher_share;
            mpfr_sub(t.exact, t.exact, t.sum, MPFR_RNDN);
            mpfr_mul(t.exact, t.exact, t.student.p[i], MPFR_RNDN);
            mpfr_mul_d(t.exact, t.exact, left, MPFR_RNDN);
            of_terms = left * p * (6 * 0x1p-24 * (d + divergence) + 0x1p-24 + (double)c->classes * 0x1p-38);
            subnormal *= (1 + step) * (1 + d + divergence);
        }
        mpfr_mul_d(t.exact, t.exact, (double)c->scale, MPFR_RNDN);
        mpfr_mul_d(t.exact, t.exact, (double)c->weight, MPFR_RNDN);
        if (c->is_squared)
            mpfr_mul_d(t.exact, t.exact, temperature, MPFR_RNDN);
        else
            mpfr_div_d(t.exact, t.exact, temperature, MPFR_RNDN);
        const double exact = fabs(mpfr_get_d(t.exact, MPFR_RNDN));
        const int may_be_infinite = c->is_reversed && c->weight > 0 && farthest(&t, c) >= 0x1p125 && p > 0;
        if (may_be_infinite && isinf(gradient[i]))
            continue;
        const double error =
            oracle_ratio_of(gradient[i], t.exact, of_terms * step + oracle_spacing_at(exact) / 2 + subnormal);
        if (error > largest || i == 0)
            *worst = i;
        largest = error > largest ? error : largest;
    }
    release_truth(&t, c);
    return largest;
}
