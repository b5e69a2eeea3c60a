/* How the items of a row are written: see item_text.h. */
#include "pictures/item_text.h"

#include <stdio.h>
#include <string.h>

const char *probability_text(double probability, char text[PROBABILITY_BYTES])
{
    int digits = PROBABILITY_DIGITS;
    do
        sprintf(text, "%.*g", digits, probability);
    while (probability < 1 && strcmp(text, "1") == 0 && ++digits <= 17);
    return text;
}
