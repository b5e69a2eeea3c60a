/* The problems that kernel_watch runs: what watched_shapes.h declares. */
#include "watched_shapes.h"

#include "wishes.h"

#define LANE CLSOFTMAX_STRATEGY_LANE
#define ITEM CLSOFTMAX_STRATEGY_ITEM
#define GROUP CLSOFTMAX_STRATEGY_GROUP
#define SPLIT CLSOFTMAX_STRATEGY_SPLIT
#define COLUMN CLSOFTMAX_STRATEGY_COLUMN
#define PLAIN CLSOFTMAX_STRATEGY_PLAIN
enum { THREE_LEVELS = 333 }; /* classes */

const watched_shape watched_shapes[] = {
    {LANE, 1, ODD, 9, 5, 0, "width 1:"},
    {LANE, 2, DENSE, 9, 5, 0, "width 2:"},
    {LANE, 4, ODD, 11, 7, 0, "width 4:"},
    {LANE, 8, DENSE, 19, 11, 0, "width 8:"},
    {LANE, 16, ODD, 37, 13, 0, "width 16:"},
    {LANE, 16, DENSE, 19, 64, 0, "width 16:"},
    {LANE, 4, STRIDED, 9, 7, 0, "width 4:"},
    {LANE, 4, DENSE, 6, THREE_LEVELS, 0, "levels 3"},
    {LANE, 4, DENSE, 9, 1, 1, "work-group 1:"}, /* one work-item has several vectors of rows */
    {LANE, 8, DENSE, 17, 3, 1, "work-group 1:"},
    {LANE, 16, DENSE, 33, 5, 1, "up to 32 kept"},
    {LANE, 16, DENSE, 37, 21, 1, "up to 64 kept"},
    {LANE, 16, ODD, 35, 67, 1, "up to 160 kept"},
    {ITEM, 1, STRIDED, 9, 19, 4, "width 1:"},
    {ITEM, 4, ODD, 9, 19, 2, "width 4:work-group 2"},
    {ITEM, 16, DENSE, 9, 35, 2, "width 16:work-group 2"},
    {ITEM, 2, ODD, 9, 19, 1, "width 2:"},
    {ITEM, 4, DENSE, 9, 19, 1, "width 4:"},
    {ITEM, 8, ODD, 9, 35, 1, "width 8:"},
    {ITEM, 16, ODD, 9, 35, 1, "width 16:"},
    {ITEM, 16, DENSE, 11, 35, 1, "width 16:work-group 1:"}, /* neighbouring rows share cache lines */
    {ITEM, 4, DENSE, 7, THREE_LEVELS, 2, "levels 3"},
    {GROUP, 1, ODD, 7, 11, 2, "8 x 1 kept"},
    {GROUP, 1, DENSE, 7, 24, 4, " kept"},
    {GROUP, 1, DENSE, 7, 40, 4, " kept"},
    {GROUP, 1, ODD, 7, 45, 4, "16 x 1 kept"},
    {GROUP, 1, DENSE, 7, 104, 4, " kept"},
    {GROUP, 1, STRIDED, 7, 101, 4, "32 x 1 kept"},
    {GROUP, 1, DENSE, 7, 200, 4, " at a time"},
    {GROUP, 1, ODD, 7, 141, 4, "8 x 1 at a time"},
    {GROUP, 1, ODD, 7, 99, 32, "work-group 32"},
    {GROUP, 1, COLUMNS, 5, 99, 32, "work-group 32"},
    {GROUP, 1, ODD, 2, 270, 512, "8 x 1 kept"},
    {GROUP, 1, ODD, 7, THREE_LEVELS, 16, "levels 3"},
    {GROUP, 1, DENSE, 7, THREE_LEVELS + 3, 16, "levels 3"},
    {SPLIT, 1, ODD, 7, 67, 2, "work-group 2:"},
    {SPLIT, 1, DENSE, 7, 72, 4, "work-group 4:"},
    {SPLIT, 1, STRIDED, 2, 131, 4, "work-group 4:"},
    {SPLIT, 1, ODD, 2, 270, 32, "work-group 32:"},
    {SPLIT, 1, ODD, 3, THREE_LEVELS, 4, "levels 3"},
    {SPLIT, 1, DENSE, 3, THREE_LEVELS + 3, 4, "levels 3"},
    {COLUMN, 1, COLUMNS, 7, 19, 4, "width 1:"},
    {COLUMN, 2, COLUMNS, 7, 19, 4, "width 2:"},
    {COLUMN, 4, COLUMNS, 7, 19, 4, "width 4:"},
    {COLUMN, 8, COLUMNS, 19, 19, 4, "width 8:"},
    {COLUMN, 16, COLUMNS, 19, 19, 4, "width 16:"},
    {COLUMN, 4, COLUMNS, 7, 257, 1, "width 4:"},
    {COLUMN, 4, STRIDED, 5, 19, 4, "width 1:"},
    {COLUMN, 4, ODD, 5, 35, 4, "width 4:"}, /* for sweeps with temperatures on the lanes */
    {COLUMN, 16, DENSE, 5, 19, 4, "width 16:"},
    {COLUMN, 4, COLUMNS, 7, THREE_LEVELS, 4, "levels 3"},
    {PLAIN, 1, ODD, 7, 19, 8, "work-group 8:"},
    {PLAIN, 1, DENSE, 7, 3, 1, "work-group 1:"},
    {PLAIN, 1, STRIDED, 7, 35, 4, "work-group 4:"},
    {PLAIN, 1, COLUMNS, 5, 35, 16, "work-group 16:"},
    {PLAIN, 1, ODD, 3, THREE_LEVELS, 16, "levels 3"},
};
const unsigned watched_shape_count = sizeof watched_shapes / sizeof *watched_shapes;

static clsoftmax_layout layout_of(const watched_shape *shape, size_t element_bytes, uint64_t guard_bytes)
{
    const uint64_t guard = guard_bytes / element_bytes, odd = shape->layout == DENSE ? 0 : 3;
    const uint64_t apart = shape->layout == STRIDED ? 2 : 1;
    if (shape->layout == COLUMNS || (shape->layout == STRIDED && shape->strategy == COLUMN))
        return (clsoftmax_layout){guard + odd, 0, shape->rows * apart + odd, apart};
    return (clsoftmax_layout){guard + odd, shape->classes * apart + odd, apart, 0};
}

clsoftmax_problem watched_problem(const watched_shape *shape, unsigned wishes, uint64_t guard_bytes)
{
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    wishes_apply(wishes, &problem);
    problem.strategy = shape->strategy;
    problem.work_group_size = shape->work_group_size;
    problem.classes = shape->classes;
    problem.logits_layout = layout_of(shape, clsoftmax_dtype_size(problem.logits_dtype), guard_bytes);
    problem.results_layout = layout_of(shape, clsoftmax_dtype_size(problem.results_dtype), guard_bytes);
    const int is_column = problem.logits_layout.outer_stride == 0;
    problem.outer = is_column ? 1 : shape->rows;
    problem.inner = is_column ? shape->rows : 1;
    if (problem.pos_inf == CLSOFTMAX_POS_INF_LIMIT)
        problem.neg_inf_rows = CLSOFTMAX_NEG_INF_ROWS_UNIFORM;
    else if (problem.temperature_per_row || problem.sweep > 0)
        problem.neg_inf_rows = CLSOFTMAX_NEG_INF_ROWS_ZERO;
    problem.temperature_squared = problem.sweep == 0; /* a sweep has infinite ones, whose square would be refused */
    return problem;
}
