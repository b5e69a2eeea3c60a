/* A progress bar on standard error. */
#ifndef CLSOFTMAX_PROGRESS_H
#define CLSOFTMAX_PROGRESS_H

#include <stdint.h>

/* Draws `done` of `total` in place; at done = total the line is cleared. */
void progress_draw(uint64_t done, uint64_t total, const char *unit);

#endif
