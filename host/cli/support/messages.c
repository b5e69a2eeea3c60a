/* Messages on standard error: see messages.h. */
#include "support/messages.h"

#include "support/text.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

/* Prints a message by one call of the stream, so that the lines of several threads do not mix. It may quote file names
   and other texts of strangers, so that it is cleaned. */
static void print_line(const char *format, va_list arguments)
{
    char message[4096], line[2 * sizeof message];
    vsnprintf(message, sizeof message, format, arguments);
    size_t length = strlen(message);
    while (length > 0 && message[length - 1] == '\n')
        message[--length] = '\0';
    size_t used = (size_t)snprintf(line, 200, "%.100s: ", program_name);
    for (const char *c = message; *c && used < sizeof line - 8; c++)
        used += (size_t)sprintf(line + used, *c == '\n' ? " | " : "%c", *c);
    line[used] = '\0';
    text_clean(line);
    used = strlen(line);
    line[used] = '\n';
    fwrite(line, 1, used + 1, stderr);
}

/* 0: every complaint is printed. 1: the next one is printed. 2: the one has been printed, and no other will be. */
static atomic_int complaints;

void complain_once(int on)
{
    atomic_store(&complaints, on);
}

int complain(int status, const char *format, ...)
{
    va_list arguments;
    int one = 1;
    if (!atomic_compare_exchange_strong(&complaints, &one, 2) && one == 2)
        return status;
    va_start(arguments, format);
    print_line(format, arguments);
    va_end(arguments);
    return status;
}

int notices_are_quiet;

void notice(const char *format, ...)
{
    va_list arguments;
    if (notices_are_quiet)
        return;
    va_start(arguments, format);
    print_line(format, arguments);
    va_end(arguments);
}
