/* From a selector to an open device. */
#ifndef CLSOFTMAX_SELECT_H
#define CLSOFTMAX_SELECT_H

#include "context.h"

/* Opens what the selector names (see clsoftmax_context_create) into a context that is zeroed but for `process`. */
clsoftmax_status cls_select(const char *selector, clsoftmax_context *context);

#endif
