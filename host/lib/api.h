/* Checks that every way into the library makes. */
#ifndef CLSOFTMAX_API_H
#define CLSOFTMAX_API_H

#include "context.h"

/* FORKED if the context is another process's. */
clsoftmax_status cls_check_process(const clsoftmax_context *context);

#endif
