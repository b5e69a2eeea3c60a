/* Pictures of a row: bars at a few temperatures, curves over many. */
#ifndef CLSOFTMAX_PICTURE_H
#define CLSOFTMAX_PICTURE_H

#include "run/run.h"

/* Whether the picture that the options ask for can be drawn, before there is any work. EXIT_DONE, or another status after a complaint. */
int picture_check(const run_options *options);

/* Of an input that is open: the curves of --plot, into their file or the terminal. EXIT_DONE, or another status after a complaint. */
int picture_curves(run *run);

/* The bars of clsoftmax plot: into its file, or as text on standard output. */
int picture_bars(run *run);

#endif
