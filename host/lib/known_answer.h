/* A small problem whose bits are known, with which a device shows that it computes as the contract says. For
   cpu/cpu_backend.c: a compiler that was allowed to reorder arithmetic changes these bits. */
#ifndef CLSOFTMAX_KNOWN_ANSWER_H
#define CLSOFTMAX_KNOWN_ANSWER_H

#include "context.h"

/* Computes the problem on a context that is open, with a strategy. DEVICE_UNUSABLE if a bit is wrong. */
clsoftmax_status cls_check_known_answer(clsoftmax_context *context, clsoftmax_strategy strategy);

#endif
