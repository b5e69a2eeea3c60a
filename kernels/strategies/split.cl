/*
 * split: several work-groups to a row, in three kernels, because OpenCL lets no work-group wait for another.
 *
 * For GPUs, where rows are fewer than compute units or too long for one work-group. Each kernel has `parts` work-groups for
 * each row, which take turns of its chunks: the first kernel finds the top of each part, the second sums each part relative
 * to the maximum of all, the third writes the results of each part by the sum of all.
 * Launch: rows * parts work-groups of WORK_GROUP_SIZE, a power of two, for each kernel; parts is at most the number of
 * chunks, or some parts are empty.
 *
 * A row that is longer than the device's memory comes in pieces, three times: each kernel runs once for each piece, which
 * has some of the row's parts and, to the kernel, is all there is of logits and results.
 */
#include "strategies/split_top.cl"
#include "strategies/split_sums.cl"
#include "strategies/split_results.cl"
