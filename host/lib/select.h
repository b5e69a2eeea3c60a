/* Opens devices by their selectors: for api.c. */
#ifndef CLSOFTMAX_SELECT_H
#define CLSOFTMAX_SELECT_H

#include "context.h"

/* Opens the device that the selector names (see clsoftmax_context_create) into a context in which everything is zero
   but `process`. */
clsoftmax_status cls_select(const char *selector, clsoftmax_context *context);

#endif
