/*
 * Runs an operation on a matrix of f32 from standard input, and writes its results to standard output:
 *
 *     run_operation OPERATION ROWS CLASSES TEMPERATURE ACCURACY <logits-and-operand >results
 *
 * compare_torch.py and torch.bats use it for operations that no command computes.
 */
#include "clsoftmax/clsoftmax.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Returns the number for which `name` gives the text; `count` if there is none, which the library refuses. */
static int find(const char *text, int count, const char *(*name)(int))
{
    int i = 0;
    while (i < count && strcmp(name(i), text) != 0)
        i++;
    return i;
}

static const char *operation_name(int operation)
{
    return clsoftmax_operation_name((clsoftmax_operation)operation);
}

static const char *accuracy_name(int accuracy)
{
    return clsoftmax_accuracy_name((clsoftmax_accuracy)accuracy);
}

/* Returns a matrix from standard input, or NULL. */
static float *read_matrix(size_t elements)
{
    float *matrix = malloc(elements * sizeof *matrix);
    if (matrix && fread(matrix, sizeof *matrix, elements, stdin) == elements)
        return matrix;
    free(matrix);
    return NULL;
}

/* Runs the plan in place of the logits, and writes the results. Returns 1, or 0 if something failed. */
static int run(const clsoftmax_problem *problem, float temperature, float *logits, const float *operand)
{
    const size_t elements = (size_t)(problem->outer * problem->classes);
    clsoftmax_context *context = NULL;
    clsoftmax_plan *plan = NULL;
    clsoftmax_arguments arguments = CLSOFTMAX_ARGUMENTS_INIT;
    arguments.logits = arguments.results = logits;
    arguments.operand = operand;
    arguments.temperature = temperature;
    const int has_run = clsoftmax_context_create("cpu", &context) == CLSOFTMAX_OK &&
                        clsoftmax_plan_create(context, problem, &plan) == CLSOFTMAX_OK &&
                        clsoftmax_plan_run(plan, &arguments) == CLSOFTMAX_OK;
    clsoftmax_plan_release(plan);
    clsoftmax_context_release(context);
    if (!has_run)
        fprintf(stderr, "run_operation: %s\n", clsoftmax_last_error());
    return has_run && fwrite(logits, sizeof *logits, elements, stdout) == elements;
}

int main(int argc, char **argv)
{
    if (argc != 6)
        return 2;
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    problem.operation = (clsoftmax_operation)find(argv[1], CLSOFTMAX_OPERATION_COUNT, operation_name);
    problem.outer = strtoull(argv[2], NULL, 10);
    problem.classes = strtoull(argv[3], NULL, 10);
    problem.accuracy = (clsoftmax_accuracy)find(argv[5], CLSOFTMAX_ACCURACY_COUNT, accuracy_name);
    const int has_operand = clsoftmax_operation_has_operand(problem.operation);
    float *logits = read_matrix((size_t)(problem.outer * problem.classes));
    float *operand = has_operand ? read_matrix((size_t)(problem.outer * problem.classes)) : NULL;
    const int is_done = logits && (operand || !has_operand) && run(&problem, strtof(argv[4], NULL), logits, operand);
    free(logits);
    free(operand);
    return is_done ? 0 : 1;
}
