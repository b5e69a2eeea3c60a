/* This library as a peer: clsoftmax [DEVICE [STRATEGY]], by default "cpu" and "auto". ../compare_builds.sh compiles it
   with the header and the library of each of two builds, so that both can be timed in one run. */
#include "clsoftmax/clsoftmax.h"
#include "peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *device = "cpu", *strategy_name = "auto";
static clsoftmax_context *context;
static clsoftmax_plan *plan;
static float temperature;
static float *losses; /* NULL: the operation has none */

/* Returns the first line of the library's last error. */
static const char *last_error(void)
{
    static char reason[300];
    const char *text = clsoftmax_last_error();
    snprintf(reason, sizeof reason, "%.*s", (int)strcspn(text, "\n"), text);
    return reason;
}

static const char *open_library(unsigned threads, char *version, size_t size)
{
    char text[16];
    snprintf(text, sizeof text, "%u", threads);
    setenv("CLSOFTMAX_THREADS", text, 1);
    setenv("POCL_MAX_PTHREAD_COUNT", text, 1);
    if (clsoftmax_context_create(device, &context) != CLSOFTMAX_OK)
        return last_error();
    snprintf(version, size, "clsoftmax %s, %.40s on %.60s", clsoftmax_version(), strategy_name,
             clsoftmax_context_device(context)->name);
    return NULL;
}

/* Finds a strategy by its name. Returns CLSOFTMAX_STRATEGY_COUNT if there is none, which the library refuses. */
static clsoftmax_strategy find_strategy(void)
{
    int i = 0;
    while (i < CLSOFTMAX_STRATEGY_COUNT && strcmp(clsoftmax_strategy_name((clsoftmax_strategy)i), strategy_name) != 0)
        i++;
    return (clsoftmax_strategy)i;
}

/* Finds an operation by its name. Returns CLSOFTMAX_OPERATION_COUNT if there is none, which the library refuses. */
static clsoftmax_operation find_operation(const char *name)
{
    int i = 0;
    while (i < CLSOFTMAX_OPERATION_COUNT && strcmp(clsoftmax_operation_name((clsoftmax_operation)i), name) != 0)
        i++;
    return (clsoftmax_operation)i;
}

/* Finds a dtype by its name. Returns CLSOFTMAX_DTYPE_COUNT if there is none, which the library refuses. */
static clsoftmax_dtype find_dtype(const char *name)
{
    int i = 0;
    while (i < CLSOFTMAX_DTYPE_COUNT && strcmp(clsoftmax_dtype_name((clsoftmax_dtype)i), name) != 0)
        i++;
    return (clsoftmax_dtype)i;
}

static const char *prepare(const peer_problem *asked)
{
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    problem.outer = asked->axis == 0 ? 1 : asked->rows;
    problem.classes = asked->classes;
    problem.inner = asked->axis == 0 ? asked->rows : 1;
    problem.operation = find_operation(asked->operation);
    problem.logits_dtype = problem.operand_dtype = find_dtype(asked->logits_dtype);
    problem.results_dtype = find_dtype(asked->results_dtype);
    problem.strategy = find_strategy();
    temperature = asked->temperature;
    if (clsoftmax_operation_has_loss(problem.operation) && !(losses = malloc((size_t)asked->rows * sizeof *losses)))
        return "no memory for losses";
    return clsoftmax_plan_create(context, &problem, &plan) == CLSOFTMAX_OK ? NULL : last_error();
}

static const char *compute(const peer_arrays *arrays)
{
    clsoftmax_arguments arguments = CLSOFTMAX_ARGUMENTS_INIT;
    arguments.logits = arrays->logits;
    arguments.results = arrays->results;
    arguments.operand = arrays->operand;
    arguments.labels = arrays->labels;
    arguments.losses = losses;
    arguments.temperature = temperature;
    return clsoftmax_plan_run(plan, &arguments) == CLSOFTMAX_OK ? NULL : last_error();
}

static void finish(void)
{
    clsoftmax_plan_release(plan);
    plan = NULL;
    free(losses);
    losses = NULL;
}

int main(int argc, char **argv)
{
    static const peer_functions functions = {open_library, prepare, compute, finish, 1};
    device = argc > 1 ? argv[1] : device;
    strategy_name = argc > 2 ? argv[2] : strategy_name;
    int status = peer_serve(&functions);
    clsoftmax_context_release(context);
    return status;
}
