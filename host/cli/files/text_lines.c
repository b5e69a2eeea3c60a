/* The lines of a text file: see text_lines.h. */
#include "files/text_lines.h"

#include "support/messages.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BYTE_ORDER_MARK "\xEF\xBB\xBF"

void text_lines_begin(const input_stream *stream, text_lines *lines)
{
    memset(lines, 0, sizeof *lines);
    lines->name = stream->name;
    lines->file = stream->file;
}

void text_lines_end(text_lines *lines)
{
    free(lines->buffer);
    lines->buffer = NULL;
}

/* Reads up to the next line feed; `next` stays NULL at the end of the file. */
static int fill_buffer(text_lines *lines)
{
    errno = 0;
    ssize_t length = getline(&lines->buffer, &lines->capacity, lines->file);
    COMPLAIN_IF(length < 0 && !feof(lines->file), ferror(lines->file) ? EXIT_WRONG : EXIT_FAILED, "%s: line %llu: %s",
                lines->name, (unsigned long long)lines->number + 1,
                strerror(errno)); /* getline also stops where memory ends */
    if (length < 0)
        return EXIT_DONE;
    lines->next = lines->buffer;
    lines->end = lines->buffer + length;
    if (lines->end[-1] == '\n')
        *--lines->end = '\0';
    if (lines->number == 0 && strncmp(lines->next, BYTE_ORDER_MARK, 3) == 0)
        lines->next += 3;
    return EXIT_DONE;
}

int text_lines_next(text_lines *lines, char **line)
{
    if (!lines->next)
        FORWARD(fill_buffer(lines));
    *line = lines->next;
    if (!*line)
        return EXIT_DONE;
    lines->number++;
    char *end = *line + strcspn(*line, "\r");
    COMPLAIN_IF(end < lines->end && *end == '\0', EXIT_WRONG, "%s: line %llu: a zero byte; this is not text",
                lines->name, (unsigned long long)lines->number);
    /* what follows a carriage return at the end is the line feed, or the end of the file, and no further line */
    lines->next = end + 1 < lines->end ? end + 1 : NULL;
    *end = '\0';
    return EXIT_DONE;
}
