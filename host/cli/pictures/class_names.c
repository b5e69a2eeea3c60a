#include "pictures/class_names.h"

#include "support/messages.h"
#include "support/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Takes the end off a line of so many bytes. */
static size_t strip_end(char *line, size_t length)
{
    while (length > 0 && (line[length - 1] == '\n' || line[length - 1] == '\r'))
        line[--length] = '\0';
    return length;
}

static int add_name(class_names *names, char *line, size_t length, uint64_t classes, const char *path)
{
    length = strip_end(line, length);
    if (names->count == classes)
        return complain(EXIT_WRONG, "%s: more than %llu lines, for %llu classes", path, (unsigned long long)classes,
                        (unsigned long long)classes);
    const int has_zero = strlen(line) < length;
    if (has_zero || !text_is_utf8(line))
        return complain(EXIT_WRONG, "%s: line %llu: %s", path, (unsigned long long)names->count + 1,
                        has_zero ? "a zero byte" : "not UTF-8; a name for each class is wanted, one a line");
    text_clean(line);
    names->names[names->count] = strdup(line);
    if (!names->names[names->count])
        return complain(EXIT_FAILED, "%s: no memory for %llu names", path, (unsigned long long)classes);
    names->count++;
    return EXIT_DONE;
}

static int read_lines(FILE *file, const char *path, uint64_t classes, class_names *names)
{
    char *line = NULL;
    size_t capacity = 0;
    int status = EXIT_DONE;
    ssize_t length;
    errno = 0;
    while (status == EXIT_DONE && (length = getline(&line, &capacity, file)) >= 0)
        status = add_name(names, line, (size_t)length, classes, path);
    if (status == EXIT_DONE && !feof(file)) /* getline also stops where memory does */
        status = complain(ferror(file) ? EXIT_WRONG : EXIT_FAILED, "%s: %s", path, strerror(errno));
    free(line);
    if (status == EXIT_DONE && names->count < classes)
        status = complain(EXIT_WRONG, "%s: %llu names for %llu classes", path, (unsigned long long)names->count,
                          (unsigned long long)classes);
    return status;
}

int class_names_read(const char *path, uint64_t classes, class_names *names)
{
    memset(names, 0, sizeof *names);
    if (!path)
        return EXIT_DONE;
    FILE *file = fopen(path, "r");
    if (!file)
        return complain(EXIT_WRONG, "%s: %s", path, strerror(errno));
    names->names = calloc((size_t)classes, sizeof *names->names);
    int status = names->names
                     ? read_lines(file, path, classes, names)
                     : complain(EXIT_FAILED, "%s: no memory for %llu names", path, (unsigned long long)classes);
    fclose(file);
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
