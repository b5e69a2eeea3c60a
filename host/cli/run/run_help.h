/* What --help says of the commands that compute. */
#ifndef CLSOFTMAX_RUN_HELP_H
#define CLSOFTMAX_RUN_HELP_H

extern const char run_help[], sweep_help[], plot_help[], explore_help[];

#endif
