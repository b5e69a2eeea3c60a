/* The command line of `run`: words with zero bytes between. */
#include "cli.h"
#include "fuzz.h"
#include "run_options.h"

#include <getopt.h>

const char program_name[] = "fuzz";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { MOST_WORDS = 20 };
    char *words = malloc(size + 1), *arguments[MOST_WORDS + 2] = {"clsoftmax run"};
    int count = 1;
    memcpy(words, data, size);
    words[size] = '\0';
    for (size_t at = 0; at < size && count <= MOST_WORDS; at += strlen(words + at) + 1)
        arguments[count++] = words + at;
    run_options options;
    optind = 0; /* starts over */
    int status = run_options_parse(RUN, count, arguments, &options);
    FUZZ_CHECK(status == EXIT_DONE || status == EXIT_WRONG || status == EXIT_FAILED || status == -1);
    if (status == EXIT_DONE) {
        FUZZ_CHECK(options.input != NULL && options.memory > 0);
        FUZZ_CHECK(options.temperatures || options.temperature >= 0);
        FUZZ_CHECK(options.shard_count == 0 || options.shard_index < options.shard_count);
        FUZZ_CHECK(!options.has_rows || options.rows_begin <= options.rows_end);
    }
    free(words);
    return 0;
}
