/* Names of classes: see class_names.h. */
#include "pictures/class_names.h"

#include "files/text_lines.h"
#include "support/messages.h"
#include "support/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Adds the name of the next class. For complaints it stands in `file`, and is counted there in units of `what`. */
static int add_name(class_names *names, const char *name, const char *file, const char *what)
{
    char **at = &names->names[names->count];
    unsigned long long number = names->count + 1;
    COMPLAIN_IF(!text_is_utf8(name), EXIT_WRONG,
                "%s: %s %llu: not UTF-8; a name for each class is wanted, one on each line", file, what, number);
    *at = strdup(name);
    COMPLAIN_IF(!*at, EXIT_FAILED, "%s: %s %llu: no memory for a name", file, what, number);
    text_clean(*at);
    names->count++;
    return EXIT_DONE;
}

/* Reads a name from each line; blank lines at the end are none. */
static int read_lines(text_lines *lines, uint64_t classes, class_names *names)
{
    for (char *line;;) {
        FORWARD(text_lines_next(lines, &line));
        if (!line)
            break;
        if (names->count == classes && !line[strspn(line, " \t")])
            continue;
        COMPLAIN_IF(names->count == classes, EXIT_WRONG, "%s: more than %llu lines, for %llu classes", lines->name,
                    (unsigned long long)classes, (unsigned long long)classes);
        FORWARD(add_name(names, line, lines->name, "line"));
    }
    COMPLAIN_IF(names->count < classes, EXIT_WRONG, "%s: %llu names for %llu classes", lines->name,
                (unsigned long long)names->count, (unsigned long long)classes);
    return EXIT_DONE;
}

static int read_file(const char *path, uint64_t classes, class_names *names)
{
    input_stream stream;
    text_lines lines;
    FORWARD(input_stream_open(path, &stream));
    text_lines_begin(&stream, &lines);
    int status = read_lines(&lines, classes, names);
    text_lines_end(&lines);
    input_stream_close(&stream);
    return status;
}

static int take_header(const array *logits, uint64_t classes, class_names *names)
{
    for (uint64_t i = 0; i < classes; i++)
        FORWARD(add_name(names, logits->names[i], "the header", "name"));
    return EXIT_DONE;
}

int class_names_read(const char *path, const array *logits, uint64_t classes, class_names *names)
{
    int has_header = logits->names && logits->shape[logits->dimensions - 1] == classes;
    memset(names, 0, sizeof *names);
    if (!path && !has_header)
        return EXIT_DONE;
    names->names = calloc((size_t)classes, sizeof *names->names);
    COMPLAIN_IF(!names->names, EXIT_FAILED, "no memory for the names of %llu classes", (unsigned long long)classes);
    int status = path ? read_file(path, classes, names) : take_header(logits, classes, names);
    if (status != EXIT_DONE)
        class_names_release(names);
    return status;
}

void class_names_release(class_names *names)
{
    for (uint64_t i = 0; i < names->count; i++)
        free(names->names[i]);
    free(names->names);
    memset(names, 0, sizeof *names);
}

const char *class_names_text(const class_names *names, uint64_t class, char *number)
{
    snprintf(number, CLASS_NUMBER_BYTES, "%llu", (unsigned long long)class);
    return class < names->count ? names->names[class] : number;
}
