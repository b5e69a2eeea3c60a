/* Names of classes: see class_names.h. */
#include "pictures/class_names.h"

#include "support/messages.h"
#include "support/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Takes the line break off a line of `length` bytes. Returns the length that is left. */
static size_t strip_end(char *line, size_t length)
{
    while (length > 0 && (line[length - 1] == '\n' || line[length - 1] == '\r'))
        line[--length] = '\0';
    return length;
}

static int add_name(class_names *names, char *line, size_t length, uint64_t classes, const char *path)
{
    length = strip_end(line, length);
    COMPLAIN_IF(names->count == classes, EXIT_WRONG, "%s: more than %llu lines, for %llu classes", path,
                (unsigned long long)classes, (unsigned long long)classes);
    const int has_zero = strlen(line) < length;
    COMPLAIN_IF(has_zero || !text_is_utf8(line), EXIT_WRONG, "%s: line %llu: %s", path,
                (unsigned long long)names->count + 1,
                has_zero ? "a zero byte" : "not UTF-8; a name for each class is wanted, one on each line");
    text_clean(line);
    names->names[names->count] = strdup(line);
    COMPLAIN_IF(!names->names[names->count], EXIT_FAILED, "%s: no memory for %llu names", path,
                (unsigned long long)classes);
    names->count++;
    return EXIT_DONE;
}

/* Reads a name from each line; *line is getline's, and the caller's to release. */
static int read_lines(FILE *file, const char *path, uint64_t classes, class_names *names, char **line)
{
    size_t capacity = 0;
    errno = 0;
    for (ssize_t length; (length = getline(line, &capacity, file)) >= 0;)
        FORWARD(add_name(names, *line, (size_t)length, classes, path));
    COMPLAIN_IF(!feof(file), ferror(file) ? EXIT_WRONG : EXIT_FAILED, "%s: %s", path,
                strerror(errno)); /* getline also stops where memory ends */
    COMPLAIN_IF(names->count < classes, EXIT_WRONG, "%s: %llu names for %llu classes", path,
                (unsigned long long)names->count, (unsigned long long)classes);
    return EXIT_DONE;
}

static int read_file(FILE *file, const char *path, uint64_t classes, class_names *names)
{
    char *line = NULL;
    names->names = calloc((size_t)classes, sizeof *names->names);
    COMPLAIN_IF(!names->names, EXIT_FAILED, "%s: no memory for %llu names", path, (unsigned long long)classes);
    int status = read_lines(file, path, classes, names, &line);
    free(line);
    return status;
}

int class_names_read(const char *path, uint64_t classes, class_names *names)
{
    memset(names, 0, sizeof *names);
    if (!path)
        return EXIT_DONE;
    FILE *file = fopen(path, "r");
    COMPLAIN_IF(!file, EXIT_WRONG, "%s: %s", path, strerror(errno));
    int status = read_file(file, path, classes, names);
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
