/* Rows on the CPU, compiled once per instruction set from cpu_rows.c. */
#ifndef CLSOFTMAX_CPU_ROWS_H
#define CLSOFTMAX_CPU_ROWS_H

#include "clsoftmax/clsoftmax.h"
#include "numeric_core.h"

/* Rows up to this many classes keep their exponentials, so that each is computed once: 256 KiB, which a second-level
   cache holds beside the row. Longer rows compute them twice. */
#define CPU_SCRATCH_CLASSES 32768

/* Classes at a time: what a 32-bit lane of the sum takes. */
#define CPU_BLOCK CORE_FLUSH_AFTER

/* A thread's own memory. */
typedef struct cpu_scratch {
    float
        high[CPU_SCRATCH_CLASSES]; /* exponentials of a row between the sum and the results, high and low parts apart */
    float low[CPU_SCRATCH_CLASSES];
    float logits[CPU_BLOCK]; /* a block of logits that are not f32, or not neighbours */
    float results[CPU_BLOCK];
} cpu_scratch;

/* A call: a checked problem, checked arguments, the policies as the numeric core takes them. */
typedef struct cpu_call {
    const clsoftmax_problem *problem;
    const clsoftmax_arguments *arguments;
    uint32_t policies;
} cpu_call;

/* Computes rows [begin, end); returns how many of them had a temperature that is none. Wants the default float
   environment. */
typedef uint64_t cpu_rows_function(const cpu_call *call, uint64_t begin, uint64_t end, cpu_scratch *scratch);

cpu_rows_function cls_cpu_rows_baseline, cls_cpu_rows_avx2, cls_cpu_rows_avx512;

#endif
