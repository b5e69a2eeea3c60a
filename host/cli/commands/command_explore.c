/* clsoftmax explore: writes a page with a temperature slider. All numbers that the page shows are stored in it;
   pictures/explore.c computes them. */
#include "commands/commands.h"
#include "files/output_file.h"
#include "pictures/embedded_files.h"
#include "pictures/explore.h"
#include "support/messages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where the page takes its data. */
static const char mark[] = "@DATA@";

/* Writes the page, with the data in place of the mark, into a file that is open. */
static int write_parts(output_file *out, const char *data, size_t length)
{
    const char *page = (const char *)embedded_files[0].data;
    const char *at = memmem(page, embedded_files[0].length, mark, sizeof mark - 1);
    const char *rest = at + sizeof mark - 1;
    size_t before = (size_t)(at - page), behind = embedded_files[0].length - before - (sizeof mark - 1);
    FORWARD(output_file_write(out, 0, before, page));
    FORWARD(output_file_write(out, before, length, data));
    FORWARD(output_file_write(out, before + length, behind, rest));
    return output_file_commit(out);
}

static int write_page(const char *path, const char *data, size_t length)
{
    output_file out;
    FORWARD(output_file_open(&out, path));
    int status = write_parts(&out, data, length);
    output_file_abandon(&out); /* does nothing to a file that is committed */
    return status;
}

/* Writes the page's data into memory that is the caller's. */
static int compute_data(run *run, const class_names *names, char **data, size_t *length)
{
    FILE *json = open_memstream(data, length);
    COMPLAIN_IF(!json, EXIT_FAILED, "%s: no memory for the page", run->options.output);
    int status = explore_write(json, run, names), has_failed = ferror(json);
    has_failed = fclose(json) != 0 || has_failed;
    COMPLAIN_IF(has_failed && status == EXIT_DONE, EXIT_FAILED, "%s: no memory for the page", run->options.output);
    return status;
}

static int compute_and_write(run *run, const class_names *names)
{
    char *data = NULL;
    size_t length = 0;
    int status = compute_data(run, names, &data, &length);
    if (status == EXIT_DONE)
        status = write_page(run->options.output, data, length);
    free(data);
    return status;
}

static int open_input(run *run)
{
    const run_options *options = &run->options;
    if (options->input) {
        FORWARD(run_open_input(run));
        COMPLAIN_IF(run->rows == 0, EXIT_WRONG, "%s: there are no rows to show", options->input);
        return EXIT_DONE;
    }
    COMPLAIN_IF(options->class_names, EXIT_WRONG, "--class-names: without INPUT there are no classes to name");
    COMPLAIN_IF(options->labels, EXIT_WRONG, "--labels: there is no INPUT whose rows have any");
    COMPLAIN_IF(options->has_rows, EXIT_WRONG, "--rows: there is no INPUT that has any");
    return EXIT_DONE;
}

static int explore(int argc, char **argv, run *run)
{
    class_names names;
    FORWARD(run_options_parse(EXPLORE, argc, argv, &run->options));
    run->problem = run->options.problem;
    FORWARD(open_input(run));
    FORWARD(devices_open(run->options.device, &run->devices));
    FORWARD(class_names_read(run->options.class_names, &run->input.array, run->problem.classes, &names));
    int status = compute_and_write(run, &names);
    class_names_release(&names);
    return status;
}

int command_explore(int argc, char **argv)
{
    static run run; /* much for a stack; there is one job */
    run_begin(&run);
    int status = explore(argc, argv, &run);
    run_end(&run);
    return status;
}
