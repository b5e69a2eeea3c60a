/* How --help of run, sweep, plot and explore begins and ends; the options between come from their rows. Used by
   run_options.c. */
#ifndef CLSOFTMAX_RUN_HELP_H
#define CLSOFTMAX_RUN_HELP_H

#include "options/run_options.h"

typedef struct run_help {
    const char *introduction, *examples;
} run_help;

const run_help *run_help_of(run_command command);

#endif
