/* One row at many temperatures, for people to look at: a few classes by name, and all others together as "rest". Used
   by the pictures and the page. */
#ifndef CLSOFTMAX_ROW_SWEEP_H
#define CLSOFTMAX_ROW_SWEEP_H

#include "pictures/class_names.h"
#include "run/run.h"

typedef struct row_sweep {
    uint64_t items;        /* what is shown: classes, and "rest" as the last item where not all classes are shown */
    uint64_t *classes;     /* of each item; then those of the rest */
    uint64_t rest;         /* how many classes the last item stands for; 0: it is a class like any other */
    double *logits;        /* of each item, as the input has them; NaN for the rest */
    uint64_t count;        /* of temperatures */
    double *probabilities; /* [count][items]; that of the rest is a sum */
    clsoftmax_statistics *statistics; /* [count] */
} row_sweep;

/* Which row, at which temperatures. Of more than `most` classes, the `top` with the largest logits are shown, from the
   largest on; of fewer, all: in the order of their indices, or of their logits if `is_ranked`. */
typedef struct row_request {
    uint64_t row; /* of the input as it was opened: from run->first_row on */
    const float *temperatures;
    uint64_t count;
    uint64_t most, top;
    int is_ranked;
} row_request;

/* Makes the request of a picture: the row and the classes that the options ask for, but no more items than `room`,
   which is at least 2. Where that leaves classes out, a note about `about` says so. */
row_request row_sweep_request(const run *run, const float *temperatures, uint64_t count, uint64_t room,
                              const char *about);

/* Computes a row of the job's input, or logits in memory, on the job's first device. EXIT_DONE, or another status after
   a complaint, with nothing left. */
int row_sweep_read(run *run, const row_request *request, row_sweep *sweep);
int row_sweep_compute(run *run, const double *logits, uint64_t classes, const row_request *request, row_sweep *sweep);
void row_sweep_release(row_sweep *sweep);

/* Returns 1 for the item that is "rest". */
int row_sweep_is_rest(const row_sweep *sweep, uint64_t item);

/* Returns the name of an item: its class's name, or "rest (990)". `text` has ITEM_NAME_BYTES, for names that are made
   here. */
#define ITEM_NAME_BYTES 40
const char *row_sweep_name(const row_sweep *sweep, const class_names *names, uint64_t item, char *text);

#endif
