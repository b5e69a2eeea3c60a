/* clsoftmax explore: a page with a temperature slider, whose numbers are in it. */
#include "commands/commands.h"
#include "pictures/embedded_files.h"
#include "pictures/explore.h"
#include "support/messages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where the page takes its data. */
static const char mark[] = "@DATA@";

static int write_page(const char *path, const char *data, size_t length)
{
    const char *page = (const char *)embedded_files[0].data;
    const char *at = memmem(page, embedded_files[0].length, mark, sizeof mark - 1);
    const char *rest = at + sizeof mark - 1;
    size_t before = (size_t)(at - page), behind = embedded_files[0].length - before - (sizeof mark - 1);
    output_file out;
    int status = output_file_open(&out, path);
    if (status == EXIT_DONE)
        status = output_file_write(&out, 0, before, page);
    if (status == EXIT_DONE)
        status = output_file_write(&out, before, length, data);
    if (status == EXIT_DONE)
        status = output_file_write(&out, before + length, behind, rest);
    if (status == EXIT_DONE)
        status = output_file_commit(&out);
    else
        output_file_abandon(&out);
    return status;
}

/* The page's data, in memory that is the caller's. */
static int compute_data(run *run, const class_names *names, char **data, size_t *length)
{
    FILE *json = open_memstream(data, length);
    int status = json ? explore_write(json, run, names) : EXIT_DONE, has_failed = !json || ferror(json);
    if (json && fclose(json) != 0)
        has_failed = 1;
    return has_failed && status == EXIT_DONE ? complain(EXIT_FAILED, "%s: no memory for the page", run->options.output)
                                             : status;
}

static int compute_and_write(run *run)
{
    const run_options *options = &run->options;
    class_names names;
    char *data = NULL;
    size_t length = 0;
    int status = class_names_read(options->class_names, run->problem.classes, &names);
    if (status != EXIT_DONE)
        return status;
    status = compute_data(run, &names, &data, &length);
    if (status == EXIT_DONE)
        status = write_page(options->output, data, length);
    free(data);
    class_names_release(&names);
    return status;
}

static int explore(int argc, char **argv, run *run)
{
    int status = run_options_parse(EXPLORE, argc, argv, &run->options);
    if (status != EXIT_DONE)
        return status;
    const run_options *options = &run->options;
    run->problem = options->problem;
    if (!options->input && options->class_names)
        return complain(EXIT_WRONG, "--class-names: without INPUT the page has items, which have numbers");
    if (!options->input && options->has_rows)
        return complain(EXIT_WRONG, "--rows: there is no INPUT that has any");
    if (options->input)
        status = run_open_input(run);
    if (status == EXIT_DONE && options->input && run->rows == 0)
        status = complain(EXIT_WRONG, "%s: there are no rows to show", options->input);
    if (status == EXIT_DONE)
        status = devices_open(options->device, &run->devices);
    return status == EXIT_DONE ? compute_and_write(run) : status;
}

int command_explore(int argc, char **argv)
{
    run run;
    run_begin(&run);
    int status = explore(argc, argv, &run);
    run_end(&run);
    return status;
}
