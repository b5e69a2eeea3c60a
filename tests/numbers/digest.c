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

/* Computes rows in parts of one block each, as one thread of several does that finds no other. */
static uint64_t in_parts(cpu_parts_function *parts_function, const cpu_call *call, cpu_shares *shares,
                         const cpu_room *room)
{
    enum { MOST_ROWS = 8192, MOST_PARTS = 8192 };
    static cpu_cut_row row[MOST_ROWS];
    static cpu_part part[MOST_PARTS];
    static atomic_uchar claimed[CPU_PHASES * MOST_PARTS];
    cpu_call cut_call = *call;
    cut_call.ranges = cls_problem_temperatures(call->problem);
    cut_call.range_temperatures = 1;
    const size_t parts = (size_t)(call->problem->classes + CPU_BLOCK - 1) / CPU_BLOCK;
    const cpu_cut cut = {0, shares->rows * cut_call.ranges, parts, CPU_BLOCK, 3, row, part, claimed};
    if (cut.rows > MOST_ROWS || cut.rows * parts > MOST_PARTS) {
        fprintf(stderr, "digest: %zu rows of %zu parts are more than there is room for\n", cut.rows, parts);
        exit(2);
    }
    cpu_cut_begin(&cut);
    return parts_function(&cut_call, &cut, 1, room);
}

#define IN_PARTS(core)                                                                                                 \
    static uint64_t in_parts_##core(const cpu_call *call, cpu_shares *shares, const cpu_room *room)                    \
    {                                                                                                                  \
        return in_parts(CPU_JOIN(cls_cpu_parts, core, CPU_ISA), call, shares, room);                                   \
    }
IN_PARTS(faithful)
IN_PARTS(lean)

static int run(void *rows_, const clsoftmax_problem *problem, const clsoftmax_arguments *arguments)
{
    enum { FLOATS = 1 << 16, SHARE_ROWS = 71 }; /* bundles and panels that go on in the next share */
    static _Alignas(64) float floats[FLOATS + CPU_ROOM_BEHIND];
    const cpu_room room = {floats, FLOATS};
    const digest_rows *rows = rows_;
    clsoftmax_problem checked;
    clsoftmax_status status = cls_problem_check(problem, &checked);
    if (status != CLSOFTMAX_OK)
        return (int)status;
    clsoftmax_arguments with_operand = *arguments; /* as clsoftmax_plan_run does */
    if (cls_operand_is_logits(&checked))
        with_operand.operand = arguments->logits;
    const int stream = arguments->results != arguments->logits && problem->classes % 2;
    const cpu_call call = {
        &checked, &with_operand, cls_problem_policies(&checked), stream, 1, cls_problem_temperatures(&checked)};
    cpu_shares shares = {cls_problem_rows(&checked), SHARE_ROWS, 0};
    *arguments->invalid_rows = (cls_problem_is_lean(&checked) ? rows->lean : rows->faithful)(&call, &shares, &room);
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
            {CPU_JOIN(cls_cpu_lane, faithful, CPU_ISA), CPU_JOIN(cls_cpu_lane, lean, CPU_ISA)},
            {in_parts_faithful, in_parts_lean}};
        static const char *const names[] = {"one by one", "side by side", "in parts"};
        for (unsigned k = 0; k < 3; k++) {
            digest_rows rows = functions[k];
            if (k == 1 &&
                cls_has_operand(&(clsoftmax_problem){.operation = line->operation})) /* no lane has an operand */
                continue;
            compared++;
            char name[80];
            uint64_t found;
            if (digest_of(line, band, run, &rows, &found) == 0 && found == table[i / DIGEST_BANDS][band])
                continue;
            digest_line_name(line, name, sizeof name);
            printf("%s %s, %s: %016llx\n", name, digest_band_name(band), names[k], (unsigned long long)found);
            different++;
        }
    }
    printf("%u compared, %u different\n", compared, different);
    return different > 0;
}
