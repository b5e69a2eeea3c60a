/* Pictures of a row: bars at a few temperatures, curves over many. Used by plot and sweep. */
#ifndef CLSOFTMAX_PICTURE_H
#define CLSOFTMAX_PICTURE_H

#include "run/run.h"

/* Checks, before there is any work, whether the curves that the options ask for can be drawn. EXIT_DONE, or another
   status after a complaint. */
int picture_check(const run_options *options);

/* Draws the curves of sweep --plot, of an input that is open, into their file or on the terminal. EXIT_DONE, or another
   status after a complaint. */
int picture_curves(run *run);

/* Draws the bars of plot, of an input that is open, into their file, or as text on standard output. EXIT_DONE, or
   another status after a complaint. */
int picture_bars(run *run);

#endif
