/* A column of labels: see label_column.h. */
#include "pictures/label_column.h"

#include <math.h>

/* Labels that touch, moved as one: how many they are, and the mean of where they would begin. */
typedef struct cluster {
    unsigned count;
    double begin;
} cluster;

static cluster join(cluster a, cluster b)
{
    unsigned count = a.count + b.count;
    return (cluster){count, (a.begin * a.count + b.begin * b.count) / count};
}

/* Taken from label i, i times the pitch leaves numbers that only need to be in order: pooling those that are not is
   isotonic regression. */
void label_column_spread(double *places, unsigned count, double pitch, double low, double high)
{
    cluster clusters[MOST_LABELS];
    unsigned used = 0, at = 0;
    for (unsigned i = 0; i < count; i++) {
        clusters[used++] = (cluster){1, places[i] - i * pitch};
        for (; used > 1 && clusters[used - 1].begin < clusters[used - 2].begin; used--)
            clusters[used - 2] = join(clusters[used - 2], clusters[used - 1]);
    }
    for (unsigned k = 0; k < used; k++) {
        double begin = fmax(low, fmin(clusters[k].begin, high - (count - 1) * pitch));
        for (unsigned end = at + clusters[k].count; at < end; at++)
            places[at] = begin + at * pitch;
    }
}
