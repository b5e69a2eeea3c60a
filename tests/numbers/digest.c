/* digest TABLE STEP: compares what one compilation of the CPU path computes with every STEP-th digest of the table
   (digests.txt), and says which differ. builds.bats compiles it with every compiler, level and instruction set, for
   x86-64 and aarch64. */
#include "cpu_rows.h"
#include "problem.h"
#include "support/digest_problems.h"

#include <stdio.h>
#include <stdlib.h>

/* The functions that compute the rows of a problem, with either core. */
typedef struct digest_rows {
    cpu_rows_function *faithful, *lean;
} digest_rows;

static int run(void *rows_, const clsoftmax_problem *problem, const clsoftmax_arguments *arguments)
{
    enum { FLOATS = 1 << 16 };
    static _Alignas(64) float floats[FLOATS + CPU_ROOM_BEHIND];
    const cpu_room room = {floats, FLOATS};
    const digest_rows *rows = rows_;
    clsoftmax_problem checked;
    clsoftmax_status status = cls_problem_check(problem, &checked);
    if (status != CLSOFTMAX_OK)
        return (int)status;
    const int stream = arguments->results != arguments->logits && problem->classes % 2;
    const cpu_call call = {&checked, arguments, cls_problem_policies(&checked), stream};
    *arguments->invalid_rows =
        (cls_problem_is_lean(&checked) ? rows->lean : rows->faithful)(&call, 0, cls_problem_rows(&checked), &room);
    return 0;
}

int main(int count, char **arguments)
{
    static digest_line lines[DIGEST_MOST_LINES];
    static uint64_t table[DIGEST_MOST_LINES][DIGEST_BANDS];
    const unsigned line_count = digest_lines(lines);
    unsigned step = count == 3 ? (unsigned)atoi(arguments[2]) : 0, compared = 0, different = 0;
    if (step == 0 || !digest_table_read(arguments[1], table)) {
        fprintf(stderr, "digest: wants a table with the lines of digest_problems.c, and a step\n");
        return 2;
    }
    for (unsigned i = 0; i < line_count * DIGEST_BANDS; i += step) {
        const digest_line *line = &lines[i / DIGEST_BANDS];
        const digest_band band = (digest_band)(i % DIGEST_BANDS);
        const int is_sweep = line->temperatures == DIGEST_SWEEP;
        const digest_rows functions[] = {
            {is_sweep ? CPU_JOIN(cls_cpu_sweep, faithful, CPU_ISA) : CPU_JOIN(cls_cpu_item, faithful, CPU_ISA),
             is_sweep ? CPU_JOIN(cls_cpu_sweep, lean, CPU_ISA) : CPU_JOIN(cls_cpu_item, lean, CPU_ISA)},
            {CPU_JOIN(cls_cpu_lane, faithful, CPU_ISA), CPU_JOIN(cls_cpu_lane, lean, CPU_ISA)}};
        for (unsigned k = 0; k < 2; k++, compared++) {
            digest_rows rows = functions[k];
            char name[80];
            uint64_t found;
            if (digest_of(line, band, run, &rows, &found) == 0 && found == table[i / DIGEST_BANDS][band])
                continue;
            digest_line_name(line, name, sizeof name);
            printf("%s %s, %s: %016llx\n", name, digest_band_name(band), k ? "side by side" : "one by one",
                   (unsigned long long)found);
            different++;
        }
    }
    printf("%u compared, %u different\n", compared, different);
    return different > 0;
}
