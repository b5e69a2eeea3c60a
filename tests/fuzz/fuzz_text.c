/* The reader of texts: the first byte chooses what the numbers are and how they are written, the rest is the file.
   Numbers that are read, written and read again must be the same. */
#include "support/messages.h"
#include "fuzz.h"
#include "files/array_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

const char program_name[] = "fuzz";

static int read_text(const void *data, size_t size, const text_format *format, array_content content, array *out)
{
    char path[FUZZ_PATH_BYTES];
    int file = fuzz_file(data, size, path);
    memset(out, 0, sizeof *out);
    out->content = content;
    input_stream stream;
    FUZZ_CHECK(input_stream_open(path, &stream) == EXIT_DONE);
    int status = array_read_text(&stream, format, out);
    input_stream_close(&stream);
    close(file);
    return status;
}

/* Writes logits as text, reads it, and compares. */
static void check_round_trip(const array *first)
{
    char *text = NULL;
    size_t length = 0;
    float *values = malloc((size_t)first->elements * sizeof *values);
    FUZZ_CHECK(values);
    for (uint64_t i = 0; i < first->elements; i++)
        values[i] = (float)((double *)first->values)[i];
    FILE *stream = open_memstream(&text, &length);
    FUZZ_CHECK(array_write_text(stream, values, CLSOFTMAX_F32, first->elements, first->shape[1]) == EXIT_DONE);
    fclose(stream);
    array second;
    const text_format as_written = {.decimal = '.'};
    FUZZ_CHECK(read_text(text, length, &as_written, ARRAY_LOGITS, &second) == EXIT_DONE);
    FUZZ_CHECK(second.elements == first->elements && second.shape[1] == first->shape[1]);
    for (uint64_t i = 0; i < first->elements; i++) {
        float a = values[i], b = (float)((double *)second.values)[i];
        FUZZ_CHECK((isnan(a) && isnan(b)) || memcmp(&a, &b, sizeof a) == 0);
    }
    free(values);
    array_release(&second);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    static const char delimiters[] = {'\0', ',', ';', '\t', ' '};
    const unsigned choice = data[0] / 4;
    text_format format = {delimiters[choice % 5], choice / 5 % 2 ? ',' : '.', (text_header)(choice / 10 % 3)};
    if (format.delimiter == format.decimal)
        format.delimiter = '\0';
    array read;
    int status = read_text(data + 1, size - 1, &format, (array_content)(data[0] % 4), &read);
    FUZZ_CHECK(status == EXIT_DONE || status == EXIT_WRONG);
    if (status != EXIT_DONE)
        return 0;
    for (uint64_t i = 0; read.names && i < read.shape[1]; i++)
        FUZZ_CHECK(read.names[i]);
    FUZZ_CHECK(read.dimensions == 2 && read.elements == read.shape[0] * read.shape[1] && read.elements > 0);
    if (read.content == ARRAY_LOGITS)
        check_round_trip(&read);
    array_release(&read);
    return 0;
}
