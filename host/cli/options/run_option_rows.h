/* The rows of the options of run, sweep, plot and explore. Used by run_options.c alone. */
#ifndef CLSOFTMAX_RUN_OPTION_ROWS_H
#define CLSOFTMAX_RUN_OPTION_ROWS_H

#include "support/options.h"

/* Their setters fill in a run_options; option_row.commands holds bits of run_command. */
extern const option_row run_option_rows[];

#endif
