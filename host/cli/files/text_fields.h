/* The fields of a line of text, and what separates them. Used by array_text.c. */
#ifndef CLSOFTMAX_TEXT_FIELDS_H
#define CLSOFTMAX_TEXT_FIELDS_H

/* Whether the first line of a text file holds names instead of numbers. */
typedef enum text_header {
    TEXT_NO_HEADER,
    TEXT_HEADER,
    TEXT_PERHAPS_HEADER /* it does if it has no number */
} text_header;

/* How text files are read: what --delimiter, --decimal and --header say. */
typedef struct text_format {
    char delimiter; /* ',', ';', '\t', or ' ' for any number of spaces and tabs; 0: whichever a file has */
    char decimal;   /* '.' or ',' */
    text_header header;
} text_format;

/* Removes the comment of a line: from a # at its start or behind a space. */
void text_cut_comment(char *line);

/* Cuts spaces and tabs off the end of a line, and returns where it begins behind those at its start. */
char *text_trim(char *line);

/* Finds what separates the fields of a trimmed line: two different ones where it mixes them, else {one, 0}; {0, 0} for
   a single field. Spaces beside a delimiter are nothing, and a comma is no delimiter where it is the decimal point. */
void text_find_delimiters(const char *line, char decimal, char delimiters[2]);

/* Returns the delimiter in the plural, for messages. */
const char *text_delimiter_name(char delimiter);

/* Takes the next field off *rest, the rest of a trimmed line, which becomes NULL with the last; spaces around the field
   are removed. One in double quotes may hold delimiters, and two quotes for one. */
char *text_next_field(char **rest, char delimiter);

/* Reads a whole field as a number: the nearest f32 if is_f32, so that it is rounded once, else the nearest double.
   inf and nan are understood, and how Microsoft's C library writes them: 1.#INF, -1.#IND, 1.#QNAN. Returns NULL, or why
   it is none. */
const char *text_number(char *field, char decimal, int is_f32, double *number);

#endif
