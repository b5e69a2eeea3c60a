/* Lists of temperatures, as a user writes them: see temperature_list.h. */
#include "options/temperature_list.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The most temperatures of a list: more than anybody looks at, and few enough for memory. */
#define MOST_TEMPERATURES 1000000
#define TEXT_OF(number) #number
#define TEXT(macro) TEXT_OF(macro)

const char temperature_list_no_memory[] = "there is no memory for so many temperatures";

/* A number as it is written, and the f32 next to it. */
typedef struct number {
    float value;
    double written;
} number;

/* Reads a temperature at *text, and moves *text behind it. Returns NULL, or what is wrong with it. */
static const char *take_temperature(const char **text, number *temperature)
{
    char *end;
    temperature->written = strtod(*text, NULL);
    errno = 0;
    temperature->value = strtof(*text, &end);
    if (end == *text || !(temperature->value >= 0))
        return "a temperature is a number from 0 to inf";
    if (errno == ERANGE && isinf(temperature->value))
        return "larger than f32 holds; \"inf\" is the limit";
    temperature->value += 0.0f; /* -0 is 0 */
    *text = end;
    return NULL;
}

static int take_colon(const char **text)
{
    int is_there = **text == ':';
    *text += is_there;
    return is_there;
}

static const char *reserve(temperature_list *list, uint64_t count)
{
    if (count > MOST_TEMPERATURES - list->count)
        return "more than " TEXT(MOST_TEMPERATURES) " temperatures";
    float *grown = realloc(list->values, (size_t)(list->count + count) * sizeof *grown);
    if (!grown)
        return temperature_list_no_memory;
    list->values = grown;
    return NULL;
}

/* Returns number i of a range: an end as it was written, or a number between, which is rounded once. */
static float between(const number *low, const number *high, int is_log, uint64_t i, uint64_t count)
{
    if (i == 0 || count == 1)
        return low->value;
    if (i == count - 1)
        return high->value;
    double share = (double)i / (double)(count - 1), from = low->written, to = high->written;
    return (float)(is_log ? from * pow(to / from, share) : from + (to - from) * share);
}

/* Reads LO:HI:N at *text, and moves *text behind it. Returns NULL, or what is wrong with it. */
static const char *take_range(const char **text, int is_log, temperature_list *list)
{
    static const char form[] = "it takes lin:LO:HI:N or log:LO:HI:N, from LO to HI in N numbers";
    number low, high;
    const char *wrong = take_temperature(text, &low);
    if (!wrong && !take_colon(text))
        wrong = form;
    if (!wrong)
        wrong = take_temperature(text, &high);
    if (wrong || !take_colon(text) || **text < '0' || **text > '9')
        return wrong ? wrong : form;
    char *end;
    errno = 0;
    unsigned long long count = strtoull(*text, &end, 10);
    if (errno != 0 || count == 0)
        return "N is at least 1, and at most " TEXT(MOST_TEMPERATURES);
    if (isinf(low.value) || isinf(high.value))
        return "inf is no end of a range; it may stand beside it, as lin:1:9:9,inf";
    if (is_log && (low.value == 0 || high.value == 0))
        return "0 is no end of equal ratios; it may stand beside them, as 0,log:0.1:10:21";
    *text = end;
    wrong = reserve(list, count);
    for (uint64_t i = 0; !wrong && i < count; i++)
        list->values[list->count + i] = between(&low, &high, is_log, i, count);
    list->count += wrong ? 0 : count;
    return wrong;
}

static const char *take_part(const char **text, temperature_list *list)
{
    int is_log = strncmp(*text, "log:", 4) == 0;
    if (is_log || strncmp(*text, "lin:", 4) == 0) {
        *text += 4;
        return take_range(text, is_log, list);
    }
    number temperature;
    const char *wrong = take_temperature(text, &temperature);
    if (!wrong)
        wrong = reserve(list, 1);
    if (!wrong)
        list->values[list->count++] = temperature.value;
    return wrong;
}

const char *temperature_list_parse(const char *text, temperature_list *list, const char **where)
{
    const char *wrong;
    memset(list, 0, sizeof *list);
    do {
        *where = text;
        wrong = take_part(&text, list);
        if (!wrong && *text && *text != ',')
            wrong = "parts have a comma between";
    } while (!wrong && *text++ == ',');
    if (wrong)
        temperature_list_release(list);
    return wrong;
}

void temperature_list_release(temperature_list *list)
{
    free(list->values);
    memset(list, 0, sizeof *list);
}

const char *temperature_text(float temperature, char *text)
{
    int digits = 6, error = errno; /* that of strtof is of no interest, unlike that of a write before */
    do
        snprintf(text, TEMPERATURE_BYTES, "%.*g", digits, (double)temperature);
    while (strtof(text, NULL) != temperature && ++digits <= 9);
    errno = error;
    return text;
}
