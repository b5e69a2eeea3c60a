/* clsoftmax plot: draws bars of a row's logits and probabilities. pictures/picture_bars.c draws them. */
#include "commands/commands.h"
#include "pictures/gnuplot.h"
#include "pictures/picture.h"
#include "support/messages.h"

static int plot(int argc, char **argv, run *run)
{
    FORWARD(run_options_parse(PLOT, argc, argv, &run->options));
    if (run->options.output)
        FORWARD(gnuplot_check(run->options.output));
    run->problem = run->options.problem;
    FORWARD(run_open_input(run));
    FORWARD(devices_open(run->options.device, &run->devices));
    return picture_bars(run);
}

int command_plot(int argc, char **argv)
{
    static run run; /* much for a stack; there is one job */
    run_begin(&run);
    int status = plot(argc, argv, &run);
    run_end(&run);
    return status;
}
