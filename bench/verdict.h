/*
 * The answer to "should I send this batch to the device?": from how many rows on a device is faster than cpu. It is
 * derived from the times of both at several numbers of rows, and from nothing else. break_even.c measures the times.
 */
#ifndef CLSOFTMAX_BENCH_VERDICT_H
#define CLSOFTMAX_BENCH_VERDICT_H

#include "samples.h"

#include <stdint.h>

/* The times of a call on this many rows, which were measured in the same rounds. Medians are positive. */
typedef struct duel {
    uint64_t rows;
    summary cpu, device;
} duel;

typedef enum outcome {
    OUTCOME_UNKNOWN,   /* no size was measured */
    OUTCOME_NEVER,     /* the device is faster at no size */
    OUTCOME_SOMETIMES, /* it is faster at some sizes, but not at the largest */
    OUTCOME_FROM,      /* it is faster from some size on */
    OUTCOME_ALWAYS     /* it is faster at every size */
} outcome;

typedef struct verdict {
    outcome outcome;
    uint64_t rows; /* FROM: where both are equally fast; SOMETIMES: the largest size at which the device is faster */
    uint64_t least, most; /* the sizes that were measured, in rows */
} verdict;

/* Judges duels, which are sorted by their rows. A device is faster at a size if its median is lower by more than twice
   the standard errors of both medians. */
verdict verdict_of(const duel *duels, size_t count);

/* What the sentence names besides the verdicts. */
typedef struct verdict_subject {
    const char *selector, *name; /* of the device */
    uint64_t classes, row_bytes; /* of the logits */
    const char *reason;          /* why there are no times, where there are none */
} verdict_subject;

/* Writes one or two sentences that tell both verdicts: with transfers from and to host memory, and without. */
void verdict_write(char *text, size_t size, const verdict_subject *subject, const verdict *with,
                   const verdict *without);

#endif
