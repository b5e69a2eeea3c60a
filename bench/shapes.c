/* The shapes of --shapes: the named sets, and reading the text. See shapes.h. */
#include "shapes.h"

#include "support/lists.h"
#include "support/messages.h"
#include "support/values.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *shapes, *meaning;
} sets[] = {
    {"bars", "1024x32768,256x128256,16384x1000,65536x128,1000000x10,64x1048576", "rows from short to long"},
    {"llm", "256x32000,512x50257,256x128256,64x151936,128x262144", "vocabularies of language models"},
    {"imagenet", "256x1000,16384x1000,2048x21841", "image classes"},
    {"tiny", "1x10,1x1000,32x10,32x1000,256x100", "matrices so small that the call itself takes most of the time"},
    {"few-rows", "1x128256,4x128256,16x128256,1x1048576,4x1048576", "fewer rows than a GPU has compute units"},
    {"square", "1024x1024,2048x2048,4096x4096,8192x8192", "square matrices, to compare both axes"},
    {"classes", "bytes=128M:classes=2..1048576",
     "rows of all lengths in the same bytes, to find lengths that are slow"},
};
enum { SETS = sizeof sets / sizeof *sets };

void shapes_print_sets(FILE *file)
{
    for (size_t i = 0; i < SETS; i++)
        fprintf(file, "  %s\n      %s: %s\n", sets[i].name, sets[i].meaning, sets[i].shapes);
}

static int add_shape(shape_list *list, uint64_t rows, uint64_t classes)
{
    COMPLAIN_IF(rows == 0 || classes == 0 || classes > ((uint64_t)1 << 36) / rows, EXIT_WRONG,
                "--shapes %llux%llu: from 1 to 2^36 values", (unsigned long long)rows, (unsigned long long)classes);
    shape *items = realloc(list->items, (list->count + 1) * sizeof *items);
    COMPLAIN_IF(!items, EXIT_FAILED, "no memory for shapes");
    items[list->count] = (shape){rows, classes};
    list->items = items;
    list->count++;
    return EXIT_DONE;
}

/* Reads a number, which K, M or G may follow, and moves *cursor behind it. Returns 1, or 0 for anything else. */
static int read_number(const char **cursor, uint64_t *number)
{
    if (!take_number(cursor, number))
        return 0;
    unsigned shift = **cursor == 'K' ? 10 : **cursor == 'M' ? 20 : **cursor == 'G' ? 30 : 0;
    if (*number > UINT64_MAX >> shift)
        return 0;
    *number <<= shift;
    *cursor += shift > 0;
    return 1;
}

typedef struct range {
    uint64_t first, last; /* 0: not given */
} range;

/* Reads "rows=", "classes=" or "bytes=" and a number, or two numbers with ".." between, and moves *cursor behind it.
   Returns 1, or 0 for anything else, or for a key that was read before. */
static int read_range(const char **cursor, range ranges[3])
{
    static const char *const keys[3] = {"rows=", "classes=", "bytes="};
    for (int i = 0; i < 3; i++) {
        size_t length = strlen(keys[i]);
        if (strncmp(*cursor, keys[i], length) != 0 || ranges[i].first != 0)
            continue;
        *cursor += length;
        if (!read_number(cursor, &ranges[i].first))
            return 0;
        ranges[i].last = ranges[i].first;
        if (strncmp(*cursor, "..", 2) == 0) {
            *cursor += 2;
            return read_number(cursor, &ranges[i].last) && ranges[i].first > 0 && ranges[i].first <= ranges[i].last;
        }
        return ranges[i].first > 0;
    }
    return 0;
}

/* Adds the shapes of two ranges: every value of the first with every value of the second. Rows or classes that were not
   given follow from the bytes. */
static int add_ranges(shape_list *list, const range ranges[3])
{
    int first = ranges[0].first > 0 ? 0 : 1, second = ranges[2].first > 0 ? 2 : 1;
    for (uint64_t a = ranges[first].first; a <= ranges[first].last; a *= 2)
        for (uint64_t b = ranges[second].first; b <= ranges[second].last; b *= 2) {
            uint64_t other = second == 2 ? b / sizeof(float) / a : b;
            FORWARD(add_shape(list, first == 0 ? a : other, first == 0 ? other : a));
        }
    return EXIT_DONE;
}

/* Adds the shapes of one item of the list. */
static int add_item(const char *text, void *context)
{
    shape_list *list = context;
    const char *cursor = text;
    range ranges[3] = {{0, 0}, {0, 0}, {0, 0}};
    uint64_t rows, classes;
    for (size_t i = 0; i < SETS; i++)
        if (strcmp(text, sets[i].name) == 0)
            return shapes_parse(sets[i].shapes, list);
    if (read_number(&cursor, &rows) && *cursor++ == 'x' && read_number(&cursor, &classes) && !*cursor)
        return add_shape(list, rows, classes);
    cursor = text;
    if (read_range(&cursor, ranges) && *cursor++ == ':' && read_range(&cursor, ranges) && !*cursor)
        return add_ranges(list, ranges);
    return complain(EXIT_WRONG, "--shapes %s: it takes ROWSxCLASSES, two of rows=, classes= and bytes=, or a named set",
                    text);
}

int shapes_parse(const char *text, shape_list *list)
{
    return for_each_item("--shapes", text, add_item, list);
}

void shapes_release(shape_list *list)
{
    free(list->items);
    list->items = NULL;
    list->count = 0;
}
