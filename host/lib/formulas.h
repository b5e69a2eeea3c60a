/*
 * The formulas of the operations in double precision, straight from their definitions, for device "reference"
 * (reference.c), which finds what they take. They share nothing with the numeric core, because `verify` and the tests
 * compare the other devices with them. An operation without a formula does not compile.
 */
#ifndef CLSOFTMAX_FORMULAS_H
#define CLSOFTMAX_FORMULAS_H

#include "clsoftmax/clsoftmax.h"

/* What a result is computed from: z is (x - max) / T, rest the sum of exp(z) over the row without the first maximum. */
typedef struct formula_of {
    double z, rest;
    int is_maximum;       /* 1: z is the first maximum's */
    int is_label;         /* 1: the class is the row's label */
    int is_without_label; /* 1: the row has none, but its loss is one of a label */
    double weight, scale, z_loss, log_sum_exp, temperature;
    double operand, mean_operand, sum_operand; /* of the class; over the row, with and without probabilities */
    double mean_z;                             /* over the row, with probabilities */
    double smoothing, unmasked;                /* the share of the label that is spread, and over how many classes */
    int is_masked;                             /* 1: the class is not one of them */
    double teacher;                            /* the probability of the class in the teacher's row */
    double log_difference, divergence;         /* ln p - ln q of the class, and of the row the divergence */
    double teacher_share, student_divergence;  /* with a mixture: KL(p || m) */
    int is_squared;                            /* 1: T^2 is wanted */
} formula_of;

/* Returns the result of a class; NaN for an operation that has none. */
double cls_formula(clsoftmax_operation operation, formula_of of);

/* Returns p - q, where d is ln p - ln q. */
double cls_difference_of(double p, double q, double d);

/* Returns ln(own / mixture) of probabilities above 0; difference: own - mixture. */
double cls_log_beside(double own, double mixture, double difference);

#endif
