/*
 * Logits in double precision, as f32 without losing what tells them apart. Softmax depends on differences of logits
 * alone, and f32 may round 100000001 and 100000002 to one number: so a row is taken relative to its largest logit
 * before it is rounded. Used for slabs of files, and for the one row of a picture.
 */
#ifndef CLSOFTMAX_RELATIVE_LOGITS_H
#define CLSOFTMAX_RELATIVE_LOGITS_H

#include "clsoftmax/clsoftmax.h"

/* Writes a dense array of (outer, classes, inner) as f32, and what was subtracted from each row into shifts[outer *
   inner]. That is 0 for a row that loses no more without, as one whose logits are all f32, and for one whose largest is
   no finite number. A logit farther below the largest than f32 reaches becomes -inf, a mask. */
void relative_logits(const double *exact, uint64_t outer, uint64_t classes, uint64_t inner, float *logits,
                     double *shifts);

/* Makes the statistics of a row relative to `shift` those of its logits as they were, at its temperature. */
void shift_statistics(double shift, float temperature, clsoftmax_statistics *statistics);

#endif
