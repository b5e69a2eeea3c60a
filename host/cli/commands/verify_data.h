/* The built-in data of clsoftmax verify: rows of every kind, and temperatures from 0 to inf. Used by command_verify.c.
 */
#ifndef CLSOFTMAX_VERIFY_DATA_H
#define CLSOFTMAX_VERIFY_DATA_H

#include <stdint.h>

enum {
    VERIFY_DATA_SETS = 11,
    VERIFY_TEMPERATURES = 12,
    VERIFY_OVERFLOWING = 2 /* of the temperatures, the last ones: their squares overflow */
};

/* Returns logit i of a row; *state is that of the random numbers. */
typedef float verify_generator(uint64_t *state, uint64_t row, uint64_t i);

typedef struct verify_data_set {
    const char *name; /* what a case that has failed is reported with */
    verify_generator *generate;
    uint64_t rows, classes;
} verify_data_set;

extern const verify_data_set verify_data_sets[VERIFY_DATA_SETS];
extern const float verify_temperatures[VERIFY_TEMPERATURES];

#endif
