/* clsoftmax plot: bars of a row's logits and probabilities. */
#include "commands/commands.h"
#include "pictures/gnuplot.h"
#include "pictures/picture.h"
#include "support/messages.h"

static int plot(int argc, char **argv, run *run)
{
    int status = run_options_parse(PLOT, argc, argv, &run->options);
    if (status == EXIT_DONE && run->options.output)
        status = gnuplot_check(run->options.output);
    if (status != EXIT_DONE)
        return status;
    run->problem = run->options.problem;
    status = run_open_input(run);
    if (status == EXIT_DONE)
        status = devices_open(run->options.device, &run->devices);
    return status == EXIT_DONE ? picture_bars(run) : status;
}

int command_plot(int argc, char **argv)
{
    run run;
    run_begin(&run);
    int status = plot(argc, argv, &run);
    run_end(&run);
    return status;
}
