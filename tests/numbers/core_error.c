/* Prints the worst error of the numeric core over a fixed set of rows, against MPFR. The exit status is 1 if it reaches
   1 ULP, or, compiled with the lean core (CORE_LEAN), 3: more than is ever measured, and less than the 4 that are
   promised. cli/faults.bats compiles it with faults planted into the core, and each must be seen. */
#include "cpu_rows.h"
#include "support/fill.h"
#include "support/oracle.h"
#include "support/random.h"

#include <stdio.h>

int main(void)
{
    enum { CLASSES = 700 };
    enum { MANY_CLASSES = 12000 }; /* of large exponentials, which overflow an integer that is not flushed in time */
    static float x[MANY_CLASSES], p[MANY_CLASSES];
    enum { FLOATS = 1 << 16 };
    static _Alignas(64) float floats[FLOATS];
    const cpu_room room = {floats, FLOATS};
    double worst = 0;
    for (uint64_t seed = 0; seed <= 2000; seed++) {
        uint64_t random = seed;
        float temperature = fill_temperature(&random);
        int ties = seed > 400; /* whose errors do not cancel each other */
        size_t classes = 1 + (size_t)random_below(&random, ties ? 60 : CLASSES);
        fill_matrix(ties ? FILL_PEAK : (fill)(seed % FILL_COUNT), &random, temperature, 1, classes, x);
        if (seed == 0) {
            classes = MANY_CLASSES;
            temperature = 1;
            for (size_t i = 0; i < classes; i++)
                x[i] = 0.69f; /* just below ln 2 */
        }
        clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
        problem.outer = 1;
        problem.classes = classes;
        problem.logits_layout = problem.results_layout = (clsoftmax_layout){0, classes, 1, 1};
        const clsoftmax_arguments arguments = {.logits = x, .results = p, .temperature = temperature};
        const cpu_call call = {&problem, &arguments, 0, (int)seed % 2};
        cpu_shares one_row = {1, 1, 0};
        CPU_FUNCTION(cls_cpu_item)(&call, &one_row, &room);
        row_error error = oracle_row_error(x, p, classes, temperature);
        worst = error.ulp > worst ? error.ulp : worst;
    }
    printf("worst %.4f ULP\n", worst);
    return worst < (CORE_LEAN ? 3 : 1) ? 0 : 1;
}
