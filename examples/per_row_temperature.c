/* Introduces plans, which are made once and run as often as you like. This one has a temperature for each row, takes
   f16 logits, and gives log-probabilities and statistics in one pass. */
#include <clsoftmax/clsoftmax.h>
#include <stdio.h>

int main(void)
{
    const uint16_t logits[3][3] = {
        {0x3C00, 0x4000, 0x4200}, {0x3C00, 0x4000, 0x4200}, {0x3C00, 0x4000, 0x4200}}; /* 1 2 3 as f16 */
    const float temperatures[3] = {0, 1, 10};
    const int64_t labels[3] = {2, 2, 2};
    float log_probabilities[3][3];
    clsoftmax_statistics statistics[3];

    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    problem.outer = 3;
    problem.classes = 3;
    problem.operation = CLSOFTMAX_OPERATION_LOG_SOFTMAX;
    problem.logits_dtype = CLSOFTMAX_F16;
    problem.temperature_per_row = 1;
    problem.statistics = 1;

    clsoftmax_arguments arguments = CLSOFTMAX_ARGUMENTS_INIT;
    arguments.logits = logits;
    arguments.results = log_probabilities;
    arguments.temperatures = temperatures;
    arguments.labels = labels;
    arguments.statistics = statistics;

    clsoftmax_context *context = NULL;
    clsoftmax_plan *plan = NULL;
    clsoftmax_status status = clsoftmax_context_create("auto", &context);
    if (status == CLSOFTMAX_OK)
        status = clsoftmax_plan_create(context, &problem, &plan);
    if (status == CLSOFTMAX_OK)
        status = clsoftmax_plan_run(plan, &arguments); /* run it again with other arrays */
    if (status != CLSOFTMAX_OK)
        fprintf(stderr, "%s\n", clsoftmax_last_error());
    for (int row = 0; row < 3 && status == CLSOFTMAX_OK; row++)
        printf("T = %g: ln p = %.6g %.6g %.6g, entropy %.6g, -ln p[2] = %.6g\n", temperatures[row],
               log_probabilities[row][0], log_probabilities[row][1], log_probabilities[row][2], statistics[row].entropy,
               statistics[row].negative_log_likelihood);
    clsoftmax_plan_release(plan);
    clsoftmax_context_release(context);
    return status != CLSOFTMAX_OK;
}
