/*
 * split: several work-groups for each row, in three kernels. It is for GPUs, where rows are fewer than compute units,
 * or too long for one work-group.
 *
 * A row is divided into parts, each of which is a run of chunks (chunks.h) and has a work-group. The first kernel finds
 * the top of each part. The second sums each part relative to the top of all parts. The third computes and writes the
 * results of each part from the sums of all. These are three kernels because OpenCL lets no work-group wait for
 * another. An operation that adds up some of its terms later than the others has a kernel more for that, before the
 * last.
 *
 * Launch: for each kernel, rows * parts work-groups of WORK_GROUP_SIZE work-items, a power of two. If there are more
 * parts than chunks, some parts are empty.
 * Memory: a split_part in global memory for each part of each row at each temperature (interface.h). A row that is
 * longer than the device's memory comes in pieces, once for each kernel: each runs once for each piece. A piece has
 * some of the row's parts, and the kernel is given the logits and results of the piece alone.
 */
#include "strategies/split_top.cl"
#include "strategies/split_sums.cl"
#if HAS_LATER_TERMS
#include "strategies/split_later.cl"
#endif
#include "strategies/split_results.cl"
