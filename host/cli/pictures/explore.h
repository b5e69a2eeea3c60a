/* The data of the page of clsoftmax explore: cases, each at every temperature at which the slider stops. Used by
   command_explore.c. */
#ifndef CLSOFTMAX_EXPLORE_H
#define CLSOFTMAX_EXPLORE_H

#include "pictures/class_names.h"
#include "run/run.h"

#include <stdio.h>

/* The most rows and classes of an input that a page holds. */
enum { EXPLORE_ROWS = 50, EXPLORE_CLASSES = 100 };

/* Random logits: so many samples of each number of items. */
enum { EXPLORE_LEAST_ITEMS = 2, EXPLORE_MOST_ITEMS = 10, EXPLORE_SAMPLES = 20 };

/* The stops of the slider: 0, then 1e-4 to 1e4 in steps of 0.1 decades, to four digits as they are written, then inf.
 */
enum { EXPLORE_TEMPERATURES = 83 };
typedef struct explore_temperatures {
    char texts[EXPLORE_TEMPERATURES][16];
    float values[EXPLORE_TEMPERATURES];
} explore_temperatures;
void explore_list_temperatures(explore_temperatures *temperatures);

/* Makes random logits, uniform from 0 to 10 in steps of 0.01; the same ones each time. */
void explore_sample(unsigned items, unsigned sample, double *logits);

/* Writes the page's data as JSON; its rows are those of the job's input, if it has one. EXIT_DONE, or another status
   after a complaint. */
int explore_write(FILE *json, run *run, const class_names *names);

#endif
