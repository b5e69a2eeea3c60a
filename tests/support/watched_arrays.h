/* The arrays of a call that kernel_watch runs, one for each row of the library's table of arrays (host/lib/array.h):
   what each holds before the call between its guard zones, and what it must hold afterwards. An array that is added to
   the table is watched, too. */
#ifndef CLSOFTMAX_TEST_WATCHED_ARRAYS_H
#define CLSOFTMAX_TEST_WATCHED_ARRAYS_H

#include "array.h"
#include "clsoftmax/clsoftmax_cl.h"

#include <stddef.h>

/* The array is from `begin` to `end` of so many bytes; the others are canaries. */
typedef struct watched_array {
    size_t begin, end, bytes;
    unsigned char *before, *expected;
    cl_mem buffer;
} watched_array;

/* Makes the arrays of a checked problem, of which matrices begin where their layouts say, and the others behind so many
   bytes of guards. Behind all of them there are as many. Inputs have data of every kind that kernels tell apart.
   Returns 0 if there is no memory. */
int watched_arrays_make(const clsoftmax_problem *problem, size_t guard_bytes, watched_array *arrays);
void watched_arrays_release(watched_array *arrays);

/* Returns the arguments of a call on what the arrays must hold afterwards, which begins as a copy of what they hold
   before. The caller passes a counter of invalid rows, for which a call on host memory has another type than one on
   buffers. */
clsoftmax_arguments watched_arrays_in_memory(watched_array *arrays, int in_place, uint64_t *invalid_rows);

/* Takes that counter into what the arrays must hold. */
void watched_arrays_count_invalid(watched_array *arrays, uint64_t invalid_rows);

/* Returns the arguments of a call on the buffers. */
clsoftmax_cl_arguments watched_arrays_in_buffers(const watched_array *arrays, int in_place);

/* Returns 1 if the bytes are as expected. Otherwise writes where the first wrong one is, guards before all others, and
   whether it is one of those. */
int watched_array_is_right(const watched_array *array, const unsigned char *now, size_t *at, int *is_guard);

#endif
