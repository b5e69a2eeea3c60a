/* What the library holds at a moment, memory and OpenCL objects, to see what a case has leaked. */
#ifndef CLSOFTMAX_FAULT_HELD_H
#define CLSOFTMAX_FAULT_HELD_H

#include "fault_layer.h"

#include <stddef.h>

typedef struct fault_held {
    long memory, objects[FAULT_OBJECT_COUNT];
} fault_held;

fault_held fault_held_now(void);

/* Returns 1 if the library holds what it held before; else writes the differences into `detail`. */
int fault_held_as_before(const fault_held *before, char *detail, size_t size);

#endif
