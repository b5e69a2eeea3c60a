/* The fields of a line of text: see text_fields.h. Numbers are read in the C locale, which a program has until it asks
   for another. */
#include "files/text_fields.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int is_space(char c)
{
    return c == ' ' || c == '\t';
}

void text_cut_comment(char *line)
{
    for (char *at = line; (at = strchr(at, '#')) != NULL; at++)
        if (at == line || is_space(at[-1])) {
            *at = '\0';
            return;
        }
}

char *text_trim(char *line)
{
    size_t length = strlen(line);
    while (length > 0 && is_space(line[length - 1]))
        line[--length] = '\0';
    return line + strspn(line, " \t");
}

/* ---------------------------------------------------------------- Delimiters */

static int is_delimiter(char c, char decimal)
{
    return c == ';' || (c == ',' && decimal != ',');
}

/* Notes a delimiter, unless it is known or there are two. */
static void note_delimiter(char found, char delimiters[2])
{
    if (!delimiters[0])
        delimiters[0] = found;
    else if (!delimiters[1] && delimiters[0] != found)
        delimiters[1] = found;
}

void text_find_delimiters(const char *line, char decimal, char delimiters[2])
{
    delimiters[0] = delimiters[1] = '\0';
    for (const char *at = line; *at; at++) {
        if (is_delimiter(*at, decimal))
            note_delimiter(*at, delimiters);
        if (!is_space(*at))
            continue;
        const char *behind = at + strspn(at, " \t");
        if (at > line && !is_delimiter(at[-1], decimal) && !is_delimiter(*behind, decimal))
            note_delimiter(memchr(at, '\t', (size_t)(behind - at)) ? '\t' : ' ', delimiters);
        at = behind - 1;
    }
}

const char *text_delimiter_name(char delimiter)
{
    return delimiter == ',' ? "commas" : delimiter == ';' ? "semicolons" : delimiter == '\t' ? "tabs" : "spaces";
}

/* ---------------------------------------------------------------- Fields */

/* Takes the quotes off a field that begins with one. Returns what stands behind it. */
static char *unquote(char *field)
{
    char *to = field, *from = field + 1;
    while (*from && (*from != '"' || from[1] == '"')) {
        from += *from == '"';
        *to++ = *from++;
    }
    char *behind = from + (*from == '"');
    *to = '\0';
    return behind;
}

char *text_next_field(char **rest, char delimiter)
{
    char *field = *rest + strspn(*rest, delimiter == '\t' ? " " : " \t"), *behind = field;
    if (*field == '"')
        behind = unquote(field);
    char *end = behind + (delimiter == ' ' ? strcspn(behind, " \t") : strcspn(behind, (char[]){delimiter, '\0'}));
    *rest = *end ? end + 1 : NULL;
    *end = '\0';
    if (delimiter == ' ' && *rest)
        *rest += strspn(*rest, " \t");
    return behind > field ? field : text_trim(field);
}

/* ---------------------------------------------------------------- Numbers */

/* Reads what Microsoft's C library has written for a number that is not finite: a 1, a point, one of these words, and
   zeros to the number of digits. Returns 1 if the field is one. */
static int is_microsoft_number(const char *field, double *number)
{
    static const struct {
        const char *word;
        double value;
    } words[] = {{"1.#INF", INFINITY}, {"1.#QNAN", NAN}, {"1.#SNAN", NAN}, {"1.#IND", NAN}};
    int is_negative = *field == '-';
    field += *field == '-' || *field == '+';
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t length = strlen(words[i].word);
        if (strncasecmp(field, words[i].word, length) != 0 || field[length + strspn(field + length, "0")])
            continue;
        *number = is_negative ? -words[i].value : words[i].value;
        return 1;
    }
    return 0;
}

static const char *parse_number(const char *field, int is_f32, double *number)
{
    if (is_microsoft_number(field, number))
        return NULL;
    char *end;
    errno = 0;
    *number = is_f32 ? (double)strtof(field, &end) : strtod(field, &end);
    if (end == field || *end)
        return "is not a number";
    if (errno == ERANGE && isinf(*number))
        return is_f32 ? "is finite, but larger than f32 holds" : "is finite, but too large";
    return NULL;
}

const char *text_number(char *field, char decimal, int is_f32, double *number)
{
    char *comma = decimal == ',' ? strchr(field, ',') : NULL;
    if (decimal == ',' && strchr(field, '.'))
        return "is not a number with a decimal comma";
    if (comma)
        *comma = '.';
    const char *why = parse_number(field, is_f32, number);
    if (why && comma)
        *comma = ','; /* so that messages have the field as it is */
    if (why && strchr(field, '#'))
        return "is not a number; a comment begins at the start of a line or behind a space";
    if (why && decimal == '.' && strchr(field, ','))
        return "is not a number; --decimal comma reads commas as decimal points";
    return why;
}
