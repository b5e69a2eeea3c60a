#include "cli.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static void print_line(const char *format, va_list arguments)
{
    char message[4096];
    vsnprintf(message, sizeof message, format, arguments);
    fputs("clsoftmax: ", stderr);
    size_t length = strlen(message);
    while (length > 0 && message[length - 1] == '\n')
        message[--length] = '\0';
    for (const char *c = message; *c; c++) {
        if (*c == '\n')
            fputs(" | ", stderr);
        else
            fputc(*c, stderr);
    }
    fputc('\n', stderr);
}

int complain(int status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_line(format, arguments);
    va_end(arguments);
    return status;
}

void notice(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_line(format, arguments);
    va_end(arguments);
}

int complain_library(const char *what, clsoftmax_status status)
{
    const char *error = clsoftmax_last_error();
    const char *reason = strstr(error, ": "); /* behind the library's function, which says nothing to a user */
    int wrong = status < CLSOFTMAX_OUT_OF_HOST_MEMORY || status == CLSOFTMAX_DEVICE_NOT_FOUND;
    return complain(wrong ? EXIT_WRONG : EXIT_FAILED, "%s: %s", what, reason ? reason + 2 : error);
}

int open_device(const char *selector, clsoftmax_context **context)
{
    clsoftmax_status status = clsoftmax_context_create(selector, context);
    if (status != CLSOFTMAX_OK)
        return complain_library("--device", status);
    if (clsoftmax_context_notice(*context))
        notice("note: %s", clsoftmax_context_notice(*context));
    return EXIT_DONE;
}

int parse_temperature(const char *text, float *temperature)
{
    if (text[0] == '@')
        return complain(EXIT_WRONG, "-T %s: a temperature for each row is not there yet; give one number", text);
    char *end;
    errno = 0;
    *temperature = strtof(text, &end);
    if (end == text || *end || !(*temperature >= 0))
        return complain(EXIT_WRONG, "-T %s: the temperature is a number from 0 to inf", text);
    if (errno == ERANGE && isinf(*temperature))
        return complain(EXIT_WRONG, "-T %s: larger than f32 holds; \"inf\" is the limit", text);
    return EXIT_DONE;
}

int next_option(int argc, char **argv, const char *short_options, const struct option *long_options)
{
    opterr = 0; /* the complaint is ours */
    int option = getopt_long(argc, argv, short_options, long_options, NULL);
    const char *word = optind > 0 && optind <= argc ? argv[optind - 1] : "";
    if (option == '?')
        complain(EXIT_WRONG, "%s: no such option, or not with that argument; see clsoftmax %s --help", word, argv[0]);
    if (option == ':')
        complain(EXIT_WRONG, "%s: an argument is missing; see clsoftmax %s --help", word, argv[0]);
    return option == ':' ? '?' : option;
}
