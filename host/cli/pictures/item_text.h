/* How the items of a row are written: names that fit where they stand, and probabilities. Used by the pictures and the
   page. */
#ifndef CLSOFTMAX_ITEM_TEXT_H
#define CLSOFTMAX_ITEM_TEXT_H

#include "pictures/row_sweep.h"

/* How wide a name is: in columns of a terminal, or in pixels of a picture, estimated for a wide font. */
typedef enum name_unit { NAME_COLUMNS, NAME_PIXELS } name_unit;

/* Writes the name of an item into `text`, which has FITTED_NAME_BYTES; one that is wider than `most` is cut, and ends
   with an ellipsis. Returns how wide it is then. */
enum { FITTED_NAME_BYTES = 1024 };
unsigned item_fit_name(const row_sweep *sweep, const class_names *names, uint64_t item, name_unit unit, unsigned most,
                       char *text);

/* Returns the width of the widest name, cut to `most`. */
unsigned items_widest_name(const row_sweep *sweep, const class_names *names, name_unit unit, unsigned most);

/* Writes a probability to four significant digits, or to more where it is below 1 and would read 1. Returns `text`. */
enum { PROBABILITY_DIGITS = 4, PROBABILITY_BYTES = 32 };
const char *probability_text(double probability, char text[PROBABILITY_BYTES]);

#endif
