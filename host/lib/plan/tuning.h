/*
 * The tuning numbers: what planning and the CPU path take from measurements, not from the limits of a device. They
 * never change a bit of a result. There is one default row, and rows for devices by type, platform and name. The first
 * row that matches a device replaces some numbers of the default row.
 *
 * Used by host/lib/plan, by the CPU path, and by clsoftmax_device_tuning, which lists them for people.
 */
#ifndef CLSOFTMAX_TUNING_H
#define CLSOFTMAX_TUNING_H

#include "clsoftmax/clsoftmax.h"

/* X(name, default, meaning). The section "Tuning numbers" of docs/experiments.md names the measurements behind each. */
#define CLS_TUNING_LIST(X)                                                                                             \
    X(access_bytes, 16, "bytes that a work-item of a work-group reads at once")                                        \
    X(register_classes, 32, "logits of a row that a work-item holds in registers at most")                             \
    X(register_pairs, 16, "logits that it holds together with their exponentials at most")                             \
    X(register_pairs_in_sweep, 8,                                                                                      \
      "logits that it holds with their exponentials in a sweep, where they are needed again")                          \
    X(passing_classes, 8, "logits that it holds of a row too long for registers, or of the shortest rows")             \
    X(passing_work_group, 256, "work-items of a group that a row too long for its registers passes through")           \
    X(smallest_work_group, 64, "work-items of a group that keeps a row in registers at least")                         \
    X(unaligned_sweep_work_group, 512, "work-items of such a group at most in a sweep with accesses of one element")   \
    X(long_row_classes, 1024, "rows of so many classes get long_row_work_group work-items to a group")                 \
    X(long_row_work_group, 256, "work-items of a group of work-items with long rows each")                             \
    X(short_row_work_group, 64, "work-items of a group of work-items with short rows each")                            \
    X(groups_per_unit, 6, "work-groups of split that a compute unit should have at a time")                            \
    X(launch_bytes_per_unit, 128 << 10, "bytes of logits that a launch of split has for each compute unit at least")   \
    X(most_parts, 256, "parts of a row that is split at most")                                                         \
    X(split_temperatures, 32, "temperatures of a sweep in one launch of split at most")                                \
    X(least_room, 256, "classes that the room for kept rows has at least")                                             \
    X(column_vectors, 4, "vectors of columns that a work-item has abreast at most")                                    \
    X(items_per_unit, 4, "work-items of column that a compute unit should have before vectors go abreast")             \
    X(two_abreast_classes, 8, "rows of at most so many classes go two vectors abreast in lane")                        \
    X(share_elements, 16384, "elements that a work-item takes at least, one row after another")                        \
    X(few_rows_classes, 24576, "rows of so many classes are split if they are fewer than the compute units")           \
    X(one_group_classes, 65536, "longer rows are split whatever their number")                                         \
    X(lane_classes, 64, "rows of at most so many classes go to lane")                                                  \
    X(transposed_lane_classes, 64, "rows of at most so many neighbouring classes are transposed onto lanes in OpenCL") \
    X(lane_classes_beside_item, 64, "rows of at most so many go to lane where item has vectors of 16 floats")          \
    X(lane_classes_beside_f32_item, 64,                                                                                \
      "rows of at most so many go to lane on cpu where item reads and writes f32, without statistics")                 \
    X(panel_classes_per_row, 2,                                                                                        \
      "cpu computes a panel, however full, in the time of one row for so many classes, one after another")             \
    X(temperatures_on_lanes, 12, "statistics of a sweep of so many temperatures go to column")                         \
    X(fewest_tile_bytes, 4 << 20, "bytes of the largest array of a tile at least")                                     \
    X(most_tile_bytes, 32 << 20, "bytes of the largest array of a tile at most")                                       \
    X(tiles_of_a_matrix, 8, "tiles that a matrix is cut into, within those bounds")                                    \
    X(thread_elements, 40960, "elements for each thread of cpu at least: fewer take less time than threads to wake")   \
    X(awake_thread_elements, 8192,                                                                                     \
      "elements for each thread of cpu at least where threads are awake, and for each share of rows")                  \
    X(shares_per_thread, 16, "shares of rows, or parts of a row, for each thread of cpu at most")                      \
    X(cut_classes, 114688, "a row of fewer classes is never cut into parts for all threads of cpu")                    \
    X(part_classes, 8192, "classes of such a part at least")                                                           \
    X(few_rows_per_thread, 8, "from so many rows for each thread of cpu on, none is computed by all of them together") \
    X(stream_bytes_per_thread, 4 << 20, "more bytes of results for each thread are written past the caches by cpu")    \
    X(least_room_bytes, 1 << 19, "bytes of a cpu thread's room at least")                                              \
    X(small_cache_bytes, 2 << 20,                                                                                      \
      "a smaller second-level cache gives a cpu thread twice its size as room, up to this")                            \
    X(most_room_bytes, 8 << 20, "bytes of a cpu thread's room at most")

typedef struct cls_tuning {
#define CLS_TUNING_FIELD(name, value, meaning) uint64_t name;
    CLS_TUNING_LIST(CLS_TUNING_FIELD)
#undef CLS_TUNING_FIELD
} cls_tuning;

/* Returns the numbers of a device, found by its type, platform and name. They live as long as the library. */
const cls_tuning *cls_tuning_of_device(const clsoftmax_device *device);

/* Returns the numbers of a device of this type of which nothing else is known. */
const cls_tuning *cls_tuning_of_type(clsoftmax_device_type type);

#endif
