/* The values of options, read from text: see values.h. */
#include "support/values.h"

#include "support/messages.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);
    return length > end_length && strcasecmp(text + length - end_length, end) == 0;
}

/* ---------------------------------------------------------------- Whole numbers */

int take_number(const char **text, uint64_t *number)
{
    char *end;
    if (**text < '0' || **text > '9')
        return 0;
    errno = 0;
    *number = strtoull(*text, &end, 10);
    *text = end;
    return errno == 0;
}

int parse_count(const char *option, const char *text, uint64_t least, uint64_t most, uint64_t *count)
{
    const char *rest = text;
    if (take_number(&rest, count) && !*rest && *count >= least && *count <= most)
        return EXIT_DONE;
    COMPLAIN_IF(most == UINT64_MAX, EXIT_WRONG, "%s %s: it takes a whole number from %llu on", option, text,
                (unsigned long long)least);
    return complain(EXIT_WRONG, "%s %s: it takes a whole number from %llu to %llu", option, text,
                    (unsigned long long)least, (unsigned long long)most);
}

int parse_integer(const char *option, const char *text, int *number)
{
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    COMPLAIN_IF(end == text || *end || errno != 0 || value < INT_MIN || value > INT_MAX, EXIT_WRONG,
                "%s %s: it takes a whole number", option, text);
    *number = (int)value;
    return EXIT_DONE;
}

int parse_size(const char *option, const char *text, uint64_t *bytes)
{
    static const char units[] = "kMGT";
    const char *rest = text;
    int is_number = take_number(&rest, bytes);
    const char *unit = *rest ? strchr(units, *rest == 'K' ? 'k' : *rest) : NULL;
    unsigned shift = unit ? 10 * (unsigned)(unit - units + 1) : 0;
    rest += unit ? 1 : 0;
    rest += unit && strcmp(rest, "iB") == 0 ? 2 : unit && strcmp(rest, "B") == 0 ? 1 : 0;
    COMPLAIN_IF(!is_number || *rest || *bytes == 0 || *bytes > UINT64_MAX >> shift, EXIT_WRONG,
                "%s %s: it takes a size as 512M or 2G", option, text);
    *bytes <<= shift;
    return EXIT_DONE;
}

/* ---------------------------------------------------------------- Other numbers */

int parse_seconds(const char *option, const char *text, double *seconds)
{
    char *end;
    *seconds = strtod(text, &end);
    COMPLAIN_IF(end == text || *end || !(*seconds >= 0), EXIT_WRONG, "%s %s: it takes seconds", option, text);
    return EXIT_DONE;
}

int parse_temperature(const char *option, const char *text, float *temperature)
{
    char *end;
    errno = 0;
    *temperature = strtof(text, &end);
    COMPLAIN_IF(end == text || *end || !(*temperature >= 0), EXIT_WRONG,
                "%s %s: the temperature is a number from 0 to inf", option, text);
    COMPLAIN_IF(errno == ERANGE && isinf(*temperature), EXIT_WRONG,
                "%s %s: larger than f32 holds; \"inf\" is the limit", option, text);
    return EXIT_DONE;
}

/* ---------------------------------------------------------------- Names */

int parse_choice(const char *option, const char *text, const char *const *names, int count, int *choice)
{
    char all[200] = "";
    for (int i = 0; i < count; i++) {
        if (strcmp(text, names[i]) == 0) {
            *choice = i;
            return EXIT_DONE;
        }
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", i ? ", " : "", names[i]);
    }
    return complain(EXIT_WRONG, "%s %s: it takes one of %s", option, text, all);
}
