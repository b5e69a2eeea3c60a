/* The key of a shard: see shard_key.h. */
#include "run/shard_key.h"

#include <string.h>

#define FNV_OFFSET_BASIS 0xcbf29ce484222325u
#define FNV_PRIME 0x100000001b3u

/* Adds bytes to a hash: FNV-1a. */
static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        hash = (hash ^ ((const unsigned char *)bytes)[i]) * FNV_PRIME;
    return hash;
}

uint64_t shard_key(const run *run, const char *descr)
{
    const clsoftmax_problem *p = &run->problem;
    const uint64_t numbers[] = {p->outer,
                                p->classes,
                                p->inner,
                                p->operation,
                                p->logits_dtype,
                                p->results_dtype,
                                p->neg_inf_rows,
                                p->pos_inf,
                                p->operand_dtype,
                                (uint64_t)p->temperature_squared,
                                (uint64_t)run->options.has_probabilities,
                                run->options.tail,
                                run->first_row,
                                run->options.shard_count};
    uint64_t hash = hash_bytes(FNV_OFFSET_BASIS, numbers, sizeof numbers);
    hash = hash_bytes(hash, &run->options.temperature, sizeof run->options.temperature);
    hash = hash_bytes(hash, &run->options.z_loss, sizeof run->options.z_loss);
    hash = hash_bytes(hash, &run->options.label_smoothing, sizeof run->options.label_smoothing);
    hash = hash_bytes(hash, &run->options.teacher_share, sizeof run->options.teacher_share);
    hash = hash_bytes(hash, &run->options.alpha, sizeof run->options.alpha);
    for (unsigned c = 0; c < run->component_count; c++) {
        hash = hash_bytes(hash, &run->components[c].operation, sizeof run->components[c].operation);
        hash = hash_bytes(hash, &run->components[c].scale, sizeof run->components[c].scale);
    }
    hash = hash_bytes(hash, run->options.sweep.values, run->options.sweep.count * sizeof(float));
    hash = hash_bytes(hash, &run->input.version, sizeof run->input.version);
    hash = hash_bytes(hash, &run->temperatures.version, sizeof run->temperatures.version);
    hash = hash_bytes(hash, &run->operand.version, sizeof run->operand.version);
    hash = hash_bytes(hash, &run->teacher_classes.version, sizeof run->teacher_classes.version);
    hash = hash_bytes(hash, &run->labels.version, sizeof run->labels.version);
    hash = hash_bytes(hash, &run->weights.version, sizeof run->weights.version);
    if (run->class_weights)
        hash = hash_bytes(hash, run->class_weights, p->classes * sizeof *run->class_weights);
    return hash_bytes(hash, descr, strlen(descr));
}
