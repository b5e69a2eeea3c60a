/* The measurement: verifying contenders, and the rounds. See rounds.h. */
#include "rounds.h"

#include <math.h>
#include <string.h>

enum { LEAST_ROUNDS = 5 };

/* The standard error of a median, as a fraction of it, at which the median is known well enough. */
#define ENOUGH_UNCERTAINTY 0.005

/* Returns the largest error of a peer, as a difference. A peer that is further off has computed something else. In 16
   bits peers round between their steps, and keep few digits of a difference of gradients. */
static double peer_error(const truth *truth, const workload *workload)
{
    return truth->scale * (workload->problem.results_dtype == CLSOFTMAX_F32 ? 0.01 : 0.1);
}

static int is_ours(const contender *contender)
{
    return contender->kind == CONTENDER_LIBRARY || contender->kind == CONTENDER_END_TO_END;
}

/* Runs a contender: one call that is not timed, in which caches, threads and the system's scheduler settle, then those
   that are. */
static int run_warm(contender *contender, unsigned first, unsigned passes, double *seconds)
{
    const contender_functions *functions = contender->functions;
    if (functions->wake)
        functions->wake(contender);
    int has_run = functions->run(contender, first, 1, seconds) && functions->run(contender, first + 1, passes, seconds);
    if (functions->rest)
        functions->rest(contender);
    return has_run;
}

/* ---------------------------------------------------------------- Verification */

/* Computes slot 0 anew, over what no operation writes. */
static int compute_results(contender *contender)
{
    const workload *workload = contender->workload;
    double seconds;
    workload_spoil(workload, 0);
    if (contender->device && bench_device_write(contender->device, workload, 0) != CL_SUCCESS)
        return contender_fail(contender, "the device's results cannot be written");
    if (!run_warm(contender, 0, 1, &seconds))
        return 0;
    return !contender->functions->fetch || contender->functions->fetch(contender, 0);
}

static int verify(contender *contender, const truth *truth)
{
    const workload *workload = contender->workload;
    if (!compute_results(contender))
        return 0;
    if (contender->kind == CONTENDER_COPY)
        return 1;
    distance distance = truth_distance(truth, workload, 0);
    contender->ulp = distance.ulp;
    if (contender->kind == CONTENDER_PEER)
        return distance.absolute <= peer_error(truth, workload) ||
               contender_fail(contender, "WRONG: %.3g from the exact %s", distance.absolute, truth_name(workload));
    int is_reference = contender->device->info.type == CLSOFTMAX_DEVICE_REFERENCE;
    if (!is_reference && !workload_is_expected(workload, 0, contender->accuracy))
        return contender_fail(contender, "WRONG: its bits are not those of device cpu (%.3g ULP)", distance.ulp);
    return distance.ulp <= truth_promised(workload, contender->accuracy) ||
           contender_fail(contender, "WRONG: %.3g ULP from the exact %s", distance.ulp, truth_name(workload));
}

/* Makes a contender ready to be measured, or notes why it is not. Returns 0 if a result of ours is wrong or missing. */
static int prepare(contender *contender, const workload *workload, const truth *truth)
{
    contender->workload = workload;
    contender->reason[0] = '\0';
    contender->build_seconds = 0;
    contender->ulp = NAN;
    samples_clear(&contender->samples);
    if (!contender->functions->prepare(contender))
        return 1;
    return verify(contender, truth) || !is_ours(contender);
}

/* ---------------------------------------------------------------- Rounds */

static int is_measured(const contender *contender)
{
    return contender->reason[0] == '\0';
}

/* Returns 1 for a very slow contender that has the least number of samples: it leaves the time to the others. */
static int has_enough(const contender *contender, const round_limits *limits)
{
    const samples *samples = &contender->samples;
    double spent = 0;
    for (size_t i = 0; i < samples->count; i++)
        spent += samples->seconds[i] * (contender->workload->passes + 1);
    return limits->rounds == 0 && samples->count >= LEAST_ROUNDS && spent > limits->seconds / 4;
}

/* Runs each contender once. The order goes on by one from round to round, so that none is always first, or after the
   same one. Each takes the slots after those of the contender before it, which are the ones used longest ago. */
static void run_round(contender_list *list, const round_limits *limits, unsigned round, unsigned *next_slot)
{
    for (size_t i = 0; i < list->count; i++) {
        contender *contender = &list->items[(i + round) % list->count];
        const workload *workload = contender->workload;
        double seconds;
        if (!is_measured(contender) || has_enough(contender, limits))
            continue;
        if (run_warm(contender, *next_slot, workload->passes, &seconds))
            if (!samples_add(&contender->samples, seconds / workload->passes))
                contender_fail(contender, "no memory for samples");
        *next_slot = (*next_slot + 1 + workload->passes) % workload->slots;
    }
}

static int is_enough(const contender_list *list, const round_limits *limits, unsigned rounds, double seconds)
{
    if (limits->rounds > 0)
        return rounds >= limits->rounds;
    if (rounds < LEAST_ROUNDS)
        return 0;
    double worst = 0;
    for (size_t i = 0; i < list->count; i++)
        if (is_measured(&list->items[i]) && !has_enough(&list->items[i], limits))
            worst = fmax(worst, samples_summary(&list->items[i].samples).uncertainty);
    return seconds >= limits->seconds || (rounds >= 2 * LEAST_ROUNDS && worst < ENOUGH_UNCERTAINTY);
}

int rounds_run(contender_list *list, const workload *workload, const truth *truth, const round_limits *limits)
{
    int all_right = 1;
    for (size_t i = 0; i < list->count; i++)
        all_right &= prepare(&list->items[i], workload, truth);
    unsigned next_slot = 0;
    double start = now();
    for (unsigned round = 0; !limits->verify_only && !is_enough(list, limits, round, now() - start); round++)
        run_round(list, limits, round, &next_slot);
    return all_right;
}

void rounds_finish(contender_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].functions->finish)
            list->items[i].functions->finish(&list->items[i]);
}
