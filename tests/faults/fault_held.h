/* What the library holds: memory of its own, and OpenCL's objects. */
#ifndef CLSOFTMAX_FAULT_HELD_H
#define CLSOFTMAX_FAULT_HELD_H

#include "fault_layer.h"

#include <stddef.h>

typedef struct fault_held {
    long memory, objects[FAULT_OBJECT_COUNT];
} fault_held;

fault_held fault_held_now(void);

/* 1 if it is what it was; else what has changed is written into `detail`. */
int fault_held_as_before(const fault_held *before, char *detail, size_t size);

#endif
