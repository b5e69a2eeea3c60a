/*
 * Puts the source of a kernel together: see opencl_source.h. A device's compiler gets one text and has no folder to
 * include from. So the #include lines of kernels/ are resolved here: each file is written once, where it is first
 * included, behind a #line of its own, so that a build log names real files and lines.
 *
 * Files come from the library itself (kernels/embed.cmake), or from the folder that CLSOFTMAX_KERNEL_DIR names, for
 * work on kernels.
 */
#include "opencl_source.h"

#include "../plan/strategy.h"
#include "../status.h"
#include "kernel_sources.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_FILES 32 /* which one kernel includes at most */
#define MOST_PATH 128 /* bytes of a path in kernels/, with its terminator */

/* A source that is being written. */
typedef struct source {
    FILE *out;
    char written[MOST_FILES][MOST_PATH]; /* paths of the files that are in it */
    size_t count;
} source;

/* ---------------------------------------------------------------- Files */

/* Reads a whole file of the folder CLSOFTMAX_KERNEL_DIR. The caller frees *text. */
static clsoftmax_status read_from_folder(const char *folder, const char *path, char **text, size_t *length)
{
    char full[4096], block[4096];
    snprintf(full, sizeof full, "%s/%s", folder, path);
    FILE *file = fopen(full, "rb");
    CLS_FAIL_IF(!file, CLSOFTMAX_DEVICE_UNUSABLE, "CLSOFTMAX_KERNEL_DIR: cannot read %s", full);
    FILE *memory = open_memstream(text, length);
    for (size_t read; memory && (read = fread(block, 1, sizeof block, file)) > 0;)
        fwrite(block, 1, read, memory);
    int is_unread = ferror(file);
    fclose(file);
    int is_unwritten = !memory || ferror(memory);
    if (memory && fclose(memory) != 0)
        is_unwritten = 1;
    if (!is_unread && !is_unwritten)
        return CLSOFTMAX_OK;
    free(*text);
    *text = NULL;
    CLS_FAIL_IF(is_unread, CLSOFTMAX_DEVICE_UNUSABLE, "CLSOFTMAX_KERNEL_DIR: cannot read %s", full);
    return cls_fail(CLSOFTMAX_OUT_OF_HOST_MEMORY, "no memory for the source of a kernel");
}

/* Returns the embedded file with this path, or NULL. */
static const cls_kernel_source *find_embedded(const char *path)
{
    const cls_kernel_source *embedded = cls_kernel_sources;
    while (embedded->name && strcmp(embedded->name, path) != 0)
        embedded++;
    return embedded->name ? embedded : NULL;
}

/* ---------------------------------------------------------------- Includes */

static clsoftmax_status write_file(source *source, const char *path);

/* Reads the path of an `#include "path"` line. Returns 0 for any other line. */
static int is_include(const char *line, size_t length, char *path)
{
    static const char begin[] = "#include \"";
    const size_t skipped = sizeof begin - 1;
    if (length <= skipped || memcmp(line, begin, skipped) != 0)
        return 0;
    const char *end = memchr(line + skipped, '"', length - skipped);
    size_t count = end ? (size_t)(end - line) - skipped : 0;
    if (count == 0 || count >= MOST_PATH)
        return 0;
    memcpy(path, line + skipped, count);
    path[count] = '\0';
    return 1;
}

/* Writes the lines of a file. Each #include is replaced by the file that it names. */
static clsoftmax_status write_lines(source *source, const char *path, const char *text, size_t length)
{
    char included[MOST_PATH];
    const char *end = text + length;
    fprintf(source->out, "\n#line 1 \"%s\"\n", path);
    for (unsigned number = 1; text < end; number++) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        size_t line = newline ? (size_t)(newline - text) + 1 : (size_t)(end - text);
        if (is_include(text, line, included)) {
            CLS_FORWARD(write_file(source, included));
            fprintf(source->out, "\n#line %u \"%s\"\n", number + 1, path);
        } else {
            fwrite(text, 1, line, source->out);
        }
        text += line;
    }
    return CLSOFTMAX_OK;
}

/* Writes a file of kernels/, unless it has been written before. */
static clsoftmax_status write_file(source *source, const char *path)
{
    for (size_t i = 0; i < source->count; i++)
        if (strcmp(source->written[i], path) == 0)
            return CLSOFTMAX_OK;
    CLS_FAIL_IF(source->count == MOST_FILES, CLSOFTMAX_UNSUPPORTED, "a kernel includes more than %d files", MOST_FILES);
    snprintf(source->written[source->count++], MOST_PATH, "%s", path);
    const char *folder = getenv("CLSOFTMAX_KERNEL_DIR");
    if (folder && *folder) {
        char *text = NULL;
        size_t length = 0;
        CLS_FORWARD(read_from_folder(folder, path, &text, &length));
        clsoftmax_status status = write_lines(source, path, text, length);
        free(text);
        return status;
    }
    const cls_kernel_source *embedded = find_embedded(path);
    CLS_FAIL_IF(!embedded, CLSOFTMAX_UNSUPPORTED, "there is no kernel source %s", path);
    return write_lines(source, path, (const char *)embedded->data, embedded->length);
}

clsoftmax_status cls_opencl_source(const cls_variant *variant, char **text)
{
    char defines[CLS_MOST_DEFINES];
    size_t length;
    source source = {.count = 0};
    *text = NULL;
    cls_variant_defines(variant, defines, sizeof defines);
    source.out = open_memstream(text, &length);
    CLS_FAIL_IF(!source.out, CLSOFTMAX_OUT_OF_HOST_MEMORY, "no memory for the source of a kernel");
    fputs(defines, source.out);
    clsoftmax_status status = write_file(&source, cls_strategy_of(variant->strategy)->kernels(variant)->file);
    int incomplete = ferror(source.out);
    if ((fclose(source.out) != 0 || incomplete) && status == CLSOFTMAX_OK)
        status = cls_fail(CLSOFTMAX_OUT_OF_HOST_MEMORY, "no memory for the source of a kernel");
    if (status != CLSOFTMAX_OK) {
        free(*text);
        *text = NULL;
    }
    return status;
}
