/* Lists of temperatures, as a user writes them; the functions neither print nor complain. Used for -T of sweep and
   plot. */
#ifndef CLSOFTMAX_TEMPERATURE_LIST_H
#define CLSOFTMAX_TEMPERATURE_LIST_H

#include <stdint.h>

typedef struct temperature_list {
    float *values;
    uint64_t count;
} temperature_list;

/* Parses parts with commas between: a number from 0 to inf; lin:LO:HI:N, N numbers from LO to HI at equal distances;
   log:LO:HI:N, the same at equal ratios. Returns NULL, or what is wrong with the part that *where is set to; nothing is
   left then. */
const char *temperature_list_parse(const char *text, temperature_list *list, const char **where);

/* What temperature_list_parse returns where memory ends, which is no fault of the part. */
extern const char temperature_list_no_memory[];

void temperature_list_release(temperature_list *list);

/* Writes the shortest decimal that reads back to the same f32 into `text`, which has TEMPERATURE_BYTES, and returns it.
   Keeps errno. */
#define TEMPERATURE_BYTES 24
const char *temperature_text(float temperature, char *text);

#endif
