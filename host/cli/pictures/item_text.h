/* How the items of a row are written: their probabilities. Used by the pictures and the page. */
#ifndef CLSOFTMAX_ITEM_TEXT_H
#define CLSOFTMAX_ITEM_TEXT_H

/* Writes a probability to four significant digits, or to more where it is below 1 and would read 1. Returns `text`. */
enum { PROBABILITY_DIGITS = 4, PROBABILITY_BYTES = 32 };
const char *probability_text(double probability, char text[PROBABILITY_BYTES]);

#endif
