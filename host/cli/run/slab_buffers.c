/* The memory in which a worker has its slab: see slab_buffers.h. */
#include "run/slab_buffers.h"

#include "support/messages.h"

#include <stdlib.h>
#include <string.h>

/* Each buffer begins at a multiple of this, a page, which is what devices want of memory that they share with the host.
 */
#define ALIGNMENT 4096

typedef struct buffer {
    void **place;
    uint64_t row_bytes; /* 0: not needed */
} buffer;

enum { BUFFERS = 25 };

static void list_buffers(const run *run, slab_buffers *b, buffer *buffers)
{
    const clsoftmax_problem *p = &run->problem;
    uint64_t temperatures = run_temperatures(run);
    uint64_t results = clsoftmax_operation_has_results(p->operation)
                           ? temperatures * p->classes * clsoftmax_dtype_size(p->results_dtype)
                           : 0;
    uint64_t losses = clsoftmax_operation_has_loss(p->operation) ? temperatures * sizeof(float) : 0;
    uint64_t statistics = p->statistics ? temperatures * sizeof(clsoftmax_statistics) : 0;
    /* Components of a mix are f32. The last may be where the mix of f32 will be, unless it is to be compared. */
    int is_mix = run_is_mix(run), verify = run->options.verify;
    uint64_t wide = is_mix && results > 0 ? p->classes * sizeof(float) : 0;
    int is_mixed_there = p->results_dtype == CLSOFTMAX_F32 && !verify;
    int is_double = run->input.array.is_double;
    int has_operand = run_operand_path(run) != NULL, is_double_operand = has_operand && run->operand.array.is_double;
    const uint64_t top = run_teacher_top(run);
    const int is_bucket = top > 0 && run->options.tail == CLSOFTMAX_TAIL_BUCKET;
    const buffer all[BUFFERS] = {
        {&b->logits, p->classes * clsoftmax_dtype_size(p->logits_dtype)},
        {(void **)&b->exact_logits, is_double ? p->classes * sizeof(double) : 0},
        {(void **)&b->shifts, is_double ? sizeof(double) : 0},
        {&b->operand, has_operand ? p->classes * clsoftmax_dtype_size(p->operand_dtype) : 0},
        {(void **)&b->exact_operand, is_double_operand ? p->classes * sizeof(double) : 0},
        {(void **)&b->operand_shifts, is_double_operand ? sizeof(double) : 0},
        {(void **)&b->listed_numbers, top * sizeof(double)},
        {(void **)&b->listed, top * sizeof(int64_t)},
        {(void **)&b->log_probabilities, top * sizeof(float)},
        {(void **)&b->teacher_weights, top > 0 ? sizeof(float) : 0},
        {(void **)&b->student, is_bucket && p->logits_dtype != CLSOFTMAX_F32 ? p->classes * sizeof(float) : 0},
        {&b->results, run->in_place ? 0 : results},
        {&b->component_results[0], wide},
        {&b->component_results[1], is_mixed_there ? 0 : wide},
        {&b->other_results, verify ? (is_mix ? wide : results) : 0},
        {(void **)&b->temperatures, p->temperature_per_row ? sizeof(float) : 0},
        {(void **)&b->label_numbers, run->options.labels || run_has_weights(run) ? sizeof(double) : 0},
        {(void **)&b->labels, run->options.labels ? sizeof(int64_t) : 0},
        {(void **)&b->weights, run_has_weights(run) ? sizeof(float) : 0},
        {(void **)&b->losses, losses},
        {(void **)&b->component_losses[0], is_mix ? losses : 0},
        {(void **)&b->component_losses[1], is_mix ? losses : 0},
        {(void **)&b->other_losses, verify ? losses : 0},
        {(void **)&b->statistics, statistics},
        {(void **)&b->other_statistics, verify ? statistics : 0},
    };
    memcpy(buffers, all, sizeof all);
}

uint64_t slab_buffers_row_bytes(const run *run)
{
    slab_buffers unused;
    buffer buffers[BUFFERS];
    uint64_t bytes = 0;
    list_buffers(run, &unused, buffers);
    for (int i = 0; i < BUFFERS; i++)
        bytes += buffers[i].row_bytes;
    return bytes;
}

static uint64_t buffer_bytes(const buffer *buffer, uint64_t rows)
{
    return (rows * buffer->row_bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

int slab_buffers_take(const run *run, slab_buffers *b)
{
    uint64_t rows = run->slabs.most_rows, left = run->slabs.end - run->slabs.begin, bytes = 0;
    buffer buffers[BUFFERS];
    rows = rows < left ? rows : left;
    list_buffers(run, b, buffers);
    for (int i = 0; i < BUFFERS; i++)
        bytes += buffer_bytes(&buffers[i], rows);
    b->memory = aligned_alloc(ALIGNMENT, bytes > 0 ? (size_t)bytes : ALIGNMENT);
    COMPLAIN_IF(!b->memory, EXIT_FAILED, "%s: no memory for %llu rows at a time (%llu bytes); --memory makes it fewer",
                run->options.input, (unsigned long long)rows, (unsigned long long)bytes);
    char *place = b->memory;
    for (int i = 0; i < BUFFERS; i++) {
        *buffers[i].place = buffers[i].row_bytes > 0 ? place : NULL;
        place += buffer_bytes(&buffers[i], rows);
    }
    if (run->in_place)
        b->results = b->logits;
    void **const last_results = &b->component_results[run->component_count - 1];
    float **const last_losses = &b->component_losses[run->component_count - 1];
    *last_results = *last_results ? *last_results : b->results;
    *last_losses = *last_losses ? *last_losses : b->losses;
    return EXIT_DONE;
}

void slab_buffers_release(slab_buffers *buffers)
{
    free(buffers->memory);
    memset(buffers, 0, sizeof *buffers);
}
