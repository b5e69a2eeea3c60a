#include "class_names.h"

#include "cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of the UTF-8 character at `text`, 0 for what is none: pictures and pages of it could not be read. */
static unsigned character_bytes(const unsigned char *text)
{
    unsigned bytes = text[0] < 0x80   ? 1
                     : text[0] < 0xC2 ? 0
                     : text[0] < 0xE0 ? 2
                     : text[0] < 0xF0 ? 3
                     : text[0] < 0xF5 ? 4
                                      : 0;
    for (unsigned i = 1; i < bytes; i++)
        if ((text[i] & 0xC0) != 0x80)
            return 0;
    int is_long = (text[0] == 0xE0 && text[1] < 0xA0) || (text[0] == 0xF0 && text[1] < 0x90);
    int is_none = (text[0] == 0xED && text[1] >= 0xA0) || (text[0] == 0xF4 && text[1] >= 0x90);
    return is_long || is_none ? 0 : bytes;
}

static int is_utf8(const char *text)
{
    unsigned bytes = 1;
    for (const unsigned char *c = (const unsigned char *)text; *c && bytes > 0; c += bytes)
        bytes = character_bytes(c);
    return bytes > 0;
}

static int add_name(class_names *names, char *line, uint64_t classes, const char *path)
{
    line[strcspn(line, "\r\n")] = '\0';
    if (names->count == classes)
        return complain(EXIT_WRONG, "%s: more than %llu lines, for %llu classes", path, (unsigned long long)classes,
                        (unsigned long long)classes);
    if (!is_utf8(line))
        return complain(EXIT_WRONG, "%s: line %llu: not UTF-8", path, (unsigned long long)names->count + 1);
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
    errno = 0;
    while (status == EXIT_DONE && getline(&line, &capacity, file) >= 0)
        status = add_name(names, line, classes, path);
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
