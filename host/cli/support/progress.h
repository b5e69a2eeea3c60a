/* A progress bar on standard error: how much is done, how fast, how long the rest will take. Used by run, sweep and
   clsoftmax-bench. */
#ifndef CLSOFTMAX_PROGRESS_H
#define CLSOFTMAX_PROGRESS_H

#include <stdint.h>

typedef struct progress {
    int is_shown, is_asked_for;
    uint64_t total;
    const char *unit;
    uint64_t unit_bytes; /* that each unit moves; 0: no speed is shown */
    double begun, drawn; /* seconds; drawn 0: not yet */
} progress;

/* Begins a bar. wanted: 1 yes, 0 no, -1 for long work where standard error is a terminal. */
void progress_begin(progress *progress, int wanted, uint64_t total, const char *unit, uint64_t unit_bytes);

/* Draws the bar in place, a few times a second at most. */
void progress_draw(progress *progress, uint64_t done);

/* Clears the line. */
void progress_end(progress *progress);

#endif
