#include "support/cli.h"

#include "support/text.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A closed descriptor would be taken by the next file that is opened, a result, and get what is printed. The other direction of
   /dev/null holds its place, so that reading or writing it stays an error. */
void begin_process(void)
{
    signal(SIGPIPE, SIG_IGN); /* a closed pipe is an error of the write, and ends quietly */
    signal(SIGXFSZ, SIG_IGN); /* so is a file that the system's limit forbids */
    signal(SIGCHLD, SIG_DFL); /* ignored by whoever started this process, it would leave no child to wait for */
    for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; descriptor++)
        if (fcntl(descriptor, F_GETFD) < 0)
            (void)!open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

/* One call of the stream, so that lines of several threads do not mix. Names and numbers in it may be of strangers. */
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

/* 0: every complaint is printed; 1: the next one is; 2: none any more. */
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

int complain_library(const char *what, clsoftmax_status status)
{
    int wrong = status < CLSOFTMAX_OUT_OF_HOST_MEMORY || status == CLSOFTMAX_DEVICE_NOT_FOUND;
    return complain(wrong ? EXIT_WRONG : EXIT_FAILED, "%s: %s", what, clsoftmax_last_error());
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

int ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);
    return length > end_length && strcmp(text + length - end_length, end) == 0;
}

ssize_t read_at(int descriptor, uint64_t offset, void *to, size_t room)
{
    size_t done = 0;
    for (ssize_t count = 1; count != 0 && done < room;) {
        count = pread(descriptor, (char *)to + done, room - done, (off_t)(offset + done));
        if (count < 0 && errno != EINTR)
            return -1;
        done += count > 0 ? (size_t)count : 0;
    }
    return (ssize_t)done;
}

int finish_output(FILE *file)
{
    int failed = ferror(file); /* errno is then of the write that failed, the last one */
    if (!failed && fflush(file) == 0)
        return EXIT_DONE;
    return errno == EPIPE ? EXIT_FAILED : complain(EXIT_FAILED, "standard output: %s", strerror(errno));
}

int print_help(const char *text)
{
    fputs(text, stdout);
    return finish_output(stdout);
}

int parse_temperature(const char *text, float *temperature)
{
    char *end;
    errno = 0;
    *temperature = strtof(text, &end);
    if (end == text || *end || !(*temperature >= 0))
        return complain(EXIT_WRONG, "-T %s: the temperature is a number from 0 to inf", text);
    if (errno == ERANGE && isinf(*temperature))
        return complain(EXIT_WRONG, "-T %s: larger than f32 holds; \"inf\" is the limit", text);
    return EXIT_DONE;
}

int choose(const char *option, const char *text, const char *const *names, int count)
{
    char all[200] = "";
    for (int i = 0; i < count; i++) {
        if (strcmp(text, names[i]) == 0)
            return i;
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", i ? ", " : "", names[i]);
    }
    complain(EXIT_WRONG, "%s %s: it takes one of %s", option, text, all);
    return -1;
}

void print_strategies(FILE *file)
{
    fprintf(file, "\nstrategies; auto takes the first whose rule holds:\n");
    for (clsoftmax_strategy strategy = CLSOFTMAX_STRATEGY_AUTO; ++strategy < CLSOFTMAX_STRATEGY_COUNT;)
        fprintf(file, "  %-7s %s\n          %s\n", clsoftmax_strategy_name(strategy), clsoftmax_strategy_idea(strategy),
                clsoftmax_strategy_rule(strategy));
}

int parse_strategy(const char *text, clsoftmax_strategy *strategy)
{
    const char *names[CLSOFTMAX_STRATEGY_COUNT];
    for (int i = 0; i < CLSOFTMAX_STRATEGY_COUNT; i++)
        names[i] = clsoftmax_strategy_name((clsoftmax_strategy)i);
    int choice = choose("--strategy", text, names, CLSOFTMAX_STRATEGY_COUNT);
    *strategy = choice >= 0 ? (clsoftmax_strategy)choice : CLSOFTMAX_STRATEGY_AUTO;
    return choice >= 0 ? EXIT_DONE : EXIT_WRONG;
}

int choose_dtype(const char *option, const char *text)
{
    const char *names[CLSOFTMAX_DTYPE_COUNT];
    for (int i = 0; i < CLSOFTMAX_DTYPE_COUNT; i++)
        names[i] = clsoftmax_dtype_name((clsoftmax_dtype)i);
    return choose(option, text, names, CLSOFTMAX_DTYPE_COUNT);
}

int next_option(int argc, char **argv, const char *short_options, const struct option *long_options)
{
    opterr = 0; /* the complaint is ours */
    int option = getopt_long(argc, argv, short_options, long_options, NULL);
    if (option != '?' && option != ':')
        return option;
    char letter[3] = {'-', (char)optopt, '\0'};
    int is_letter = optopt > ' ' && optopt < 127 && strchr(short_options, optopt) != NULL;
    const char *word = is_letter || (option == '?' && optopt > ' ' && optopt < 127) ? letter : argv[optind - 1];
    complain(EXIT_WRONG,
             option == ':' ? "%s: an argument is missing; see %s --help"
                           : "%s: no such option, or not with that argument; see %s --help",
             word, argv[0]);
    return '?';
}
