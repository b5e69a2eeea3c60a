/* Rows on the CPU, compiled once per instruction set from cpu_rows.c. */
#ifndef CLSOFTMAX_CPU_ROWS_H
#define CLSOFTMAX_CPU_ROWS_H

#include <stddef.h>
#include <stdint.h>

/* Rows up to this many classes keep their exponentials, so that each is computed once: 256 KiB, which a second-level
   cache holds beside the row. Longer rows compute them twice. */
#define CPU_SCRATCH_CLASSES 32768

/* Exponentials of a row between the sum and the probabilities, high and low parts apart. */
typedef struct cpu_scratch {
    float high[CPU_SCRATCH_CLASSES];
    float low[CPU_SCRATCH_CLASSES];
} cpu_scratch;

/* softmax of rows [begin, end) of a row-major matrix; probabilities may be logits. Wants the default float environment.
 */
typedef void cpu_rows_function(const float *logits, float *probabilities, uint64_t begin, uint64_t end,
                               uint64_t classes, float temperature, cpu_scratch *scratch);

cpu_rows_function cls_cpu_rows_baseline, cls_cpu_rows_avx2, cls_cpu_rows_avx512;

#endif
