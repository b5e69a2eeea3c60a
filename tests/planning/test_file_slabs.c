/* How the rows of a file are cut into shards and slabs (host/cli/run/slabs.h): every element is in one slab of one
   shard, and in no other. */
#include "run/slabs.h"

#include <criterion/criterion.h>
#include <stdlib.h>

typedef struct shape {
    uint64_t outer, classes, inner;
} shape;

static const shape shapes[] = {{1, 1, 1}, {7, 3, 1}, {5, 2, 4}, {1, 3, 11}, {3, 1, 2}, {0, 3, 2}};

/* Counts how often each element is in a slab of the shard, and checks that the rows of slabs follow one another. */
static void count_shard(shape s, uint64_t most_rows, uint64_t index, uint64_t shards, unsigned char *times)
{
    slabs slabs = {.classes = s.classes, .inner = s.inner, .most_rows = most_rows};
    shard_rows(s.outer * s.inner, index, shards, &slabs.begin, &slabs.end);
    for (uint64_t row = slabs.begin; row < slabs.end;) {
        slab slab = slabs_next(&slabs, row);
        cr_assert(slab.row == row && slab.rows > 0 && slab.rows <= most_rows);
        cr_assert(slab.rows == slab.outer * slab.inner);
        slab_stretches stretches = slabs_stretches(&slabs, &slab);
        cr_assert(stretches.count * stretches.length == slab.rows * s.classes);
        for (uint64_t i = 0; i < stretches.count; i++)
            for (uint64_t k = 0; k < stretches.length; k++) {
                uint64_t at = stretches.first + i * stretches.stride + k;
                cr_assert(at < s.outer * s.classes * s.inner);
                times[at]++;
                /* dense, the slab is (outer, classes, inner): stretch i, element k stands at i * length + k */
                uint64_t dense = i * stretches.length + k, column = dense % slab.inner,
                         o = dense / slab.inner / s.classes;
                uint64_t class_index = dense / slab.inner % s.classes, r = slab.row + o * slab.inner + column;
                cr_assert(at == (r / s.inner * s.classes + class_index) * s.inner + r % s.inner);
            }
        row += slab.rows;
    }
}

Test(file_slabs, each_element_is_in_one_slab_of_one_shard)
{
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (uint64_t most_rows = 1; most_rows <= 13; most_rows++)
            for (uint64_t shards = 1; shards <= 9; shards++) {
                shape s = shapes[i];
                uint64_t elements = s.outer * s.classes * s.inner;
                unsigned char *times = calloc(elements + 1, 1);
                for (uint64_t index = 0; index < shards; index++)
                    count_shard(s, most_rows, index, shards, times);
                for (uint64_t at = 0; at < elements; at++)
                    cr_assert(times[at] == 1, "element %llu of shape %zu is in %d slabs", (unsigned long long)at, i,
                              times[at]);
                free(times);
            }
}

Test(file_slabs, shards_are_as_equal_as_can_be)
{
    uint64_t begin, end, covered = 0;
    for (uint64_t index = 0; index < 7; index++) {
        shard_rows(UINT64_MAX - 3, index, 7, &begin, &end);
        cr_assert(begin == covered && end - begin >= (UINT64_MAX - 3) / 7 && end - begin <= (UINT64_MAX - 3) / 7 + 1);
        covered = end;
    }
    cr_assert(covered == UINT64_MAX - 3);
}
