/* Command lines: those of `run` or, where that is the first word, of `sweep`, `plot` or `explore`, as words with zero
   bytes between them. Options that are accepted must be within their ranges. */
#include "support/messages.h"
#include "fuzz.h"
#include "options/run_options.h"

#include <getopt.h>

const char program_name[] = "fuzz";

static run_command command_of(const char *word)
{
    return strcmp(word, "sweep") == 0     ? SWEEP
           : strcmp(word, "plot") == 0    ? PLOT
           : strcmp(word, "explore") == 0 ? EXPLORE
                                          : RUN;
}

static void check_sweep(const run_options *options)
{
    FUZZ_CHECK((options->command & (SWEEP | PLOT)) == 0 || options->sweep.count > 0);
    for (uint64_t i = 0; i < options->sweep.count; i++)
        FUZZ_CHECK(options->sweep.values[i] >= 0);
}

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
    optind = 0; /* getopt starts over */
    run_command command = count > 1 ? command_of(arguments[1]) : RUN;
    int skipped = command == RUN ? 0 : 1;
    int status = run_options_parse(command, count - skipped, arguments + skipped, &options);
    FUZZ_CHECK(status == EXIT_DONE || status == EXIT_WRONG || status == EXIT_FAILED || status == EXIT_ANSWERED);
    if (status == EXIT_DONE) {
        FUZZ_CHECK((options.input != NULL || command == EXPLORE) && options.memory > 0);
        check_sweep(&options);
        FUZZ_CHECK(options.temperatures || options.temperature >= 0);
        FUZZ_CHECK(options.shard_count == 0 || options.shard_index < options.shard_count);
        FUZZ_CHECK(!options.has_rows || options.rows_begin <= options.rows_end);
    }
    run_options_release(&options);
    free(words);
    return 0;
}
