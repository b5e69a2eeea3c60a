/* Prints a digest of the bits that one compilation of the CPU path gives on fixed data. builds.bats compiles it with
   every compiler, level and instruction set, and wants one digest. */
#include "cpu_rows.h"
#include "support/fill.h"
#include "support/random.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

int main(void)
{
    enum { ROWS = 4, MOST_CLASSES = 5000 };
    static float x[ROWS * MOST_CLASSES], p[ROWS * MOST_CLASSES];
    enum { FLOATS = 1 << 16 };
    static _Alignas(64) float room[FLOATS];
    const cpu_scratch scratch = {room, FLOATS};
    /* not drawn: the exp of a C library may differ between machines */
    static const float temperatures[] = {0, 0x1p-149f, 0x1p-62f, 0.07f, 0.7f, 1, 3.05f, 20, 1e30f, INFINITY};
    uint64_t digest = 0xCBF29CE484222325u; /* FNV-1a */
    for (uint64_t seed = 1; seed <= 60; seed++) {
        uint64_t random = seed;
        fill kind = (fill)(seed % FILL_COUNT);
        size_t classes = seed % 10 == 0 ? MOST_CLASSES : 1 + (size_t)random_below(&random, 300);
        float temperature = temperatures[random_below(&random, sizeof temperatures / sizeof *temperatures)];
        fill_matrix(kind, &random, temperature, ROWS, classes, x);
        clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
        problem.outer = ROWS;
        problem.classes = classes;
        problem.logits_layout = problem.results_layout = (clsoftmax_layout){0, classes, 1, 1};
        problem.sweep = seed % 3 == 2; /* of one temperature */
        problem.sweep_stride = ROWS * classes;
        const clsoftmax_arguments arguments = {
            .logits = x, .results = p, .temperature = temperature, .temperatures = &temperature};
        const cpu_call call = {&problem, &arguments, 0, (int)seed % 2};
        cpu_rows_function *const functions[] = {CPU_FUNCTION(cls_cpu_lane), CPU_FUNCTION(cls_cpu_item),
                                                CPU_FUNCTION(cls_cpu_sweep)};
        cpu_rows_function *rows = functions[seed % 3];
        rows(&call, 0, ROWS, &scratch);
        for (size_t i = 0; i < ROWS * classes; i++) {
            uint32_t bits;
            memcpy(&bits, &p[i], sizeof bits);
            digest = (digest ^ bits) * 0x100000001B3u;
        }
    }
    printf("%016llx\n", (unsigned long long)digest);
    return 0;
}
