/* How the items of a row are written: see item_text.h. */
#include "pictures/item_text.h"

#include "support/text.h"

#include <stdio.h>
#include <string.h>

/* Returns the width of a character in pixels: that of DejaVu Sans at 14 pixels, which is wider than most fonts. */
static unsigned character_pixels(const char *character)
{
    unsigned columns = text_character_columns(character);
    if ((unsigned char)*character >= 0x80)
        return columns == 2 ? 15 : columns * 13;
    return strchr("MWmw@%", *character)                                                 ? 14
           : strchr(" ijltfrI.,:;!|'`()[]/\\-", *character)                             ? 6
           : (*character >= 'A' && *character <= 'Z') || strchr("&+<=>#~^", *character) ? 12
                                                                                        : 9;
}

static unsigned character_width(const char *character, name_unit unit)
{
    return unit == NAME_PIXELS ? character_pixels(character) : text_character_columns(character);
}

unsigned item_fit_name(const row_sweep *sweep, const class_names *names, uint64_t item, name_unit unit, unsigned most,
                       char *text)
{
    static const char ellipsis[] = "…";
    char number[ITEM_NAME_BYTES];
    const char *name = row_sweep_name(sweep, names, item, number), *end = name, *cut = name;
    unsigned dots = character_width(ellipsis, unit), width = 0, cut_width = dots;
    while (*end && width <= most && end - name < FITTED_NAME_BYTES - 8) {
        width += character_width(end, unit);
        end += text_character_bytes(end);
        if (width + dots <= most) {
            cut = end;
            cut_width = width + dots;
        }
    }
    int fits = !*end && width <= most;
    sprintf(text, "%.*s%s", (int)((fits ? end : cut) - name), name, fits ? "" : ellipsis);
    return fits ? width : cut_width;
}

unsigned items_widest_name(const row_sweep *sweep, const class_names *names, name_unit unit, unsigned most)
{
    char text[FITTED_NAME_BYTES];
    unsigned widest = 1;
    for (uint64_t i = 0; i < sweep->items; i++) {
        unsigned width = item_fit_name(sweep, names, i, unit, most, text);
        widest = width > widest ? width : widest;
    }
    return widest;
}

const char *probability_text(double probability, char text[PROBABILITY_BYTES])
{
    int digits = PROBABILITY_DIGITS;
    do
        snprintf(text, PROBABILITY_BYTES, "%.*g", digits, probability);
    while (probability < 1 && strcmp(text, "1") == 0 && ++digits <= 17);
    return text;
}
