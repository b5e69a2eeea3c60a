/* clsoftmax run, the main job; clsoftmax sweep, the same at many temperatures; clsoftmax loss and clsoftmax distill,
   the losses of rows. The steps of the job are in run/run.h. */
#include "commands/commands.h"
#include "pictures/picture.h"
#include "run/ranks.h"
#include "run/run.h"
#include "support/messages.h"

static int parse_and_prepare(run_command command, int argc, char **argv, run *run)
{
    FORWARD(run_options_parse(command, argc, argv, &run->options));
    if (run->options.picture)
        FORWARD(picture_check(&run->options));
    return run_prepare(run);
}

/* Rank 0 prepares first: what is wrong for it is wrong for all ranks, and is to be said once. EXIT_ANSWERED after
   --help. */
static int prepare_ranks(run_command command, int argc, char **argv, run *run)
{
    int is_first = ranks_index() == 0, status = is_first ? parse_and_prepare(command, argc, argv, run) : EXIT_DONE;
    if (ranks_agree(status == EXIT_ANSWERED))
        return EXIT_ANSWERED;
    FORWARD(ranks_agree(status));
    return ranks_agree(is_first ? EXIT_DONE : parse_and_prepare(command, argc, argv, run));
}

/* Returns 1 if there are results or statistics to compute; there are none where a picture takes the place of the text
   of a sweep. */
static int has_rows_to_compute(const run *run)
{
    return run->problem.operation != CLSOFTMAX_OPERATION_NONE || run->problem.statistics;
}

static int do_job(run_command command, int argc, char **argv, run *run)
{
    FORWARD(prepare_ranks(command, argc, argv, run));
    if (run->options.explain)
        return ranks_index() == 0 ? run_explain(run) : EXIT_DONE;
    if (has_rows_to_compute(run))
        FORWARD(run_compute(run));
    return run->options.picture ? picture_curves(run) : EXIT_DONE;
}

static int run_command_line(run_command command, int argc, char **argv)
{
    static run run; /* much for a stack; there is one job */
    run_begin(&run);
    int status = do_job(command, argc, argv, &run);
    run_end(&run);
    return status;
}

int command_run(int argc, char **argv)
{
    return run_command_line(RUN, argc, argv);
}

int command_sweep(int argc, char **argv)
{
    return run_command_line(SWEEP, argc, argv);
}

int command_loss(int argc, char **argv)
{
    return run_command_line(LOSS, argc, argv);
}

int command_distill(int argc, char **argv)
{
    return run_command_line(DISTILL, argc, argv);
}
