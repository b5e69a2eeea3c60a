/* Pictures drawn by gnuplot: see gnuplot.h. */
#include "pictures/gnuplot.h"

#include "support/messages.h"
#include "support/process.h"
#include "support/values.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* ---------------------------------------------------------------- The process */

/* Starts gnuplot, with the signals that this program ignores as they are by default. Returns 0, or an errno. */
static int spawn(char *const *arguments, const posix_spawn_file_actions_t *actions, pid_t *process)
{
    posix_spawnattr_t attributes;
    sigset_t defaults;
    int error = posix_spawnattr_init(&attributes);
    if (error != 0)
        return error;
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    sigaddset(&defaults, SIGXFSZ);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    error = posix_spawnp(process, "gnuplot", actions, &attributes, arguments, environ);
    posix_spawnattr_destroy(&attributes);
    return error;
}

/* Starts gnuplot with three files as its standard streams. Returns 0, or an errno. */
static int start(char *const *arguments, const int *files, pid_t *process)
{
    posix_spawn_file_actions_t actions;
    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0)
        return error;
    for (int i = 0; i < 3 && error == 0; i++)
        error = posix_spawn_file_actions_adddup2(&actions, files[i], i);
    if (error == 0)
        error = spawn(arguments, &actions, process);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

static int complain_start(const char *about, int error)
{
    return error == ENOENT || error == EACCES
               ? complain(EXIT_FAILED, "%s: gnuplot is not installed (Debian, Ubuntu: gnuplot-nox)", about)
               : complain(EXIT_FAILED, "%s: gnuplot: %s", about, strerror(error));
}

/* Waits for the end of gnuplot. Returns NULL if it ended well; else how it ended, or why that is not known. */
static const char *wait_for(pid_t process)
{
    static char text[40];
    int status;
    pid_t ended;
    do
        ended = waitpid(process, &status, 0);
    while (ended < 0 && errno == EINTR);
    if (ended < 0)
        return strerror(errno);
    if (WIFSIGNALED(status))
        return strsignal(WTERMSIG(status));
    snprintf(text, sizeof text, "exit status %d", WEXITSTATUS(status));
    return WEXITSTATUS(status) != 0 ? text : NULL;
}

int gnuplot_check(const char *about)
{
    char *const arguments[] = {"gnuplot", "--version", NULL};
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    pid_t process = 0;
    COMPLAIN_IF(nothing < 0, EXIT_FAILED, "%s: /dev/null: %s", about, strerror(errno));
    int error = start(arguments, (int[]){nothing, nothing, nothing}, &process);
    const char *failure = error == 0 ? wait_for(process) : NULL;
    close(nothing);
    if (error != 0)
        return complain_start(about, error);
    COMPLAIN_IF(failure, EXIT_FAILED, "%s: gnuplot --version failed: %s", about, failure);
    return EXIT_DONE;
}

/* ---------------------------------------------------------------- The script */

static void set_text_terminal(FILE *script)
{
    unsigned columns, rows;
    int is_terminal = terminal_size(&columns, &rows) && columns >= 40 && rows >= 16;
    fprintf(script, "set terminal dumb noenhanced size %u,%u\n", is_terminal ? columns - 1 : 100,
            is_terminal && rows < 32 ? rows - 1 : 30);
}

/* Returns the size of texts, which comes to the same for each kind of picture. */
static const char *font_size(const char *path)
{
    return ends_with(path, ".svg") ? "14" : ends_with(path, ".png") ? "11" : "10.5";
}

static void set_terminal(gnuplot *g, const gnuplot_style *style)
{
    const char *background = style->is_dark ? "#0d1117" : "#ffffff", *ink = gnuplot_ink(style->is_dark);
    unsigned width = style->width, height = style->height;
    if (!g->path)
        set_text_terminal(g->script);
    else if (ends_with(g->path, ".svg"))
        fprintf(g->script, "set terminal svg noenhanced size %u,%u dynamic font 'sans,%s' background '%s'\n", width,
                height, font_size(g->path), background);
    else if (ends_with(g->path, ".png"))
        fprintf(g->script, "set terminal pngcairo noenhanced size %u,%u font 'sans,%s' background '%s'\n", width,
                height, font_size(g->path), background);
    else /* 96 pixels to an inch */
        fprintf(g->script, "set terminal pdfcairo noenhanced size %.3f,%.3f font 'sans,%s' background '%s'\n",
                width / 96.0, height / 96.0, font_size(g->path), background);
    fprintf(g->script, "set encoding utf8\nset border linecolor rgb '%s'\nset key textcolor rgb '%s'\n", ink, ink);
    for (const char *const *part = (const char *const[]){"xlabel", "ylabel", "title", "xtics", "ytics", NULL}; *part;
         part++)
        fprintf(g->script, "set %s textcolor rgb '%s'\n", *part, ink);
    for (unsigned i = 0; i < 8; i++)
        fprintf(g->script, "set linetype %u linecolor rgb '%s'\n", i + 1, gnuplot_colour(i, style->is_dark));
}

void gnuplot_set_bold(gnuplot *gnuplot)
{
    if (gnuplot->path)
        fprintf(gnuplot->script, " font 'sans Bold,%s'", font_size(gnuplot->path));
}

const char *gnuplot_ink(int is_dark)
{
    return is_dark ? "#e6edf3" : "#1f2328";
}

const char *gnuplot_colour(unsigned n, int is_dark)
{
    static const char *const on_white[] = {"#0072b2", "#e69f00", "#cc79a7", "#009e73",
                                           "#d55e00", "#56b4e9", "#000000", "#999999"};
    static const char *const on_black[] = {"#56b4e9", "#e69f00", "#f0e442", "#cc79a7",
                                           "#009e73", "#d55e00", "#ffffff", "#999999"};
    return (is_dark ? on_black : on_white)[n % 8];
}

/* Writes a text in single quotes, in which characters of `doubled` stand for themselves when they are doubled. */
static void quote(FILE *script, const char *text, const char *doubled)
{
    fputc('\'', script);
    for (const char *c = text; *c; c++) {
        if (strchr(doubled, *c))
            fputc(*c, script);
        fputc(*c, script);
    }
    fputc('\'', script);
}

void gnuplot_quote(gnuplot *gnuplot, const char *text)
{
    quote(gnuplot->script, text, "'");
}

void gnuplot_quote_tic(gnuplot *gnuplot, const char *text)
{
    quote(gnuplot->script, text, "'%");
}

/* ---------------------------------------------------------------- From start to end */

/* Opens a file in memory, where no disk can be full. Returns NULL with errno. */
static FILE *open_in_memory(void)
{
    int descriptor = memfd_create("gnuplot", MFD_CLOEXEC);
    FILE *file = descriptor >= 0 ? fdopen(descriptor, "r+") : NULL;
    int error = errno;
    if (!file && descriptor >= 0)
        close(descriptor);
    errno = error;
    return file;
}

/* Returns the file that gnuplot writes. It is looked at afterwards, since gnuplot ends well even where its writes fail.
 */
static FILE *drawn(const gnuplot *g)
{
    return g->picture ? g->picture : g->out.file;
}

/* Starts gnuplot for a picture whose output is open. EXIT_DONE, or EXIT_FAILED after a complaint. */
static int open_process(gnuplot *g)
{
    char *const arguments[] = {"gnuplot", "-d", NULL}; /* -d: without the user's own settings */
    int ends[2], has_file = g->path && g->out.temporary[0];
    g->errors = open_in_memory();
    g->picture = g->errors && !has_file ? open_in_memory() : NULL;
    COMPLAIN_IF(!g->errors || !drawn(g) || pipe2(ends, O_CLOEXEC) != 0, EXIT_FAILED, "%s: gnuplot: %s", g->about,
                strerror(errno));
    int error = start(arguments, (int[]){ends[0], fileno(drawn(g)), fileno(g->errors)}, &g->process);
    close(ends[0]);
    g->script = error == 0 ? fdopen(ends[1], "w") : NULL;
    if (g->script)
        return EXIT_DONE;
    int status = error != 0 ? complain_start(g->about, error)
                            : complain(EXIT_FAILED, "%s: gnuplot: %s", g->about, strerror(errno));
    close(ends[1]);
    return status;
}

static void abandon(gnuplot *g)
{
    if (g->script)
        fclose(g->script);
    if (g->process > 0)
        wait_for(g->process);
    if (g->errors)
        fclose(g->errors);
    if (g->picture)
        fclose(g->picture);
    output_file_abandon(&g->out);
    memset(g, 0, sizeof *g);
}

static int open_output_and_process(gnuplot *g)
{
    FORWARD(g->path ? output_file_open(&g->out, g->path) : finish_output(stdout));
    return open_process(g);
}

int gnuplot_open(gnuplot *gnuplot, const char *about, const char *path, const gnuplot_style *style)
{
    memset(gnuplot, 0, sizeof *gnuplot);
    gnuplot->about = about;
    gnuplot->path = path;
    int status = open_output_and_process(gnuplot);
    if (status == EXIT_DONE)
        set_terminal(gnuplot, style);
    else
        abandon(gnuplot);
    return status;
}

/* Reads what gnuplot said, without the lines that show where in the script; "" if it said nothing. */
static void read_errors(FILE *errors, char *text, size_t size)
{
    char line[300];
    text[0] = '\0';
    rewind(errors);
    while (fgets(line, sizeof line, errors) && strlen(text) + strlen(line) + 1 < size) {
        line[strcspn(line, "\n")] = '\0';
        const char *word = line + strspn(line, " \t^");
        if (*word && strncmp(line, "gnuplot>", 8) != 0)
            snprintf(text + strlen(text), size - strlen(text), "%s%s", text[0] ? " | " : "", word);
    }
}

/* Reads the last bytes of a file. Returns how many they are, or -1 with errno. */
static ssize_t read_end(int descriptor, char *end, size_t size)
{
    off_t length = lseek(descriptor, 0, SEEK_END);
    return length < 0 ? -1 : read_at(descriptor, length > (off_t)size ? (uint64_t)length - size : 0, end, size);
}

static int complain_part(const gnuplot *g)
{
    return complain(EXIT_FAILED, "%s: gnuplot did not write all of it; is there room on the disk?", g->about);
}

/* Checks that the picture ends as one of its kind does. */
static int check_whole(gnuplot *g)
{
    char end[64];
    ssize_t length = read_end(fileno(drawn(g)), end, sizeof end);
    COMPLAIN_IF(length < 0, EXIT_FAILED, "%s: %s", g->about, strerror(errno));
    const char *mark = !g->path                     ? "\n"
                       : ends_with(g->path, ".svg") ? "</svg>"
                       : ends_with(g->path, ".png") ? "IEND"
                                                    : "%%EOF";
    return memmem(end, (size_t)length, mark, strlen(mark)) ? EXIT_DONE : complain_part(g);
}

static int copy_bytes(gnuplot *g, const char *bytes, size_t length)
{
    if (g->path)
        return output_file_write(&g->out, 0, length, bytes); /* a device or pipe is written on from where it stands */
    return fwrite(bytes, 1, length, stdout) == length ? EXIT_DONE : finish_output(stdout);
}

/* Copies the picture from memory to where it is printed. */
static int copy_picture(gnuplot *g)
{
    char bytes[4096];
    off_t size = lseek(fileno(g->picture), 0, SEEK_END);
    COMPLAIN_IF(size < 0, EXIT_FAILED, "%s: %s", g->about, strerror(errno));
    for (uint64_t done = 0; done < (uint64_t)size;) {
        ssize_t length = read_at(fileno(g->picture), done, bytes, sizeof bytes);
        COMPLAIN_IF(length < 0, EXIT_FAILED, "%s: %s", g->about, strerror(errno));
        FORWARD(length > 0 ? copy_bytes(g, bytes, (size_t)length) : complain_part(g));
        done += (uint64_t)length;
    }
    return g->path ? EXIT_DONE : finish_output(stdout);
}

/* Closes the script. Returns 0, or the errno of any write to it; fclose tells of the last one alone. */
static int close_script(gnuplot *g)
{
    int error = ferror(g->script) ? errno : 0;
    if (fclose(g->script) != 0 && error == 0)
        error = errno;
    g->script = NULL;
    return error;
}

/* Judges how gnuplot ended, from the errno of its script and from how its process ended, and looks at the picture. */
static int check_end(gnuplot *g, int error, const char *failure, const char *said)
{
    COMPLAIN_IF(error != 0 && error != EPIPE, EXIT_FAILED, "%s: gnuplot: %s", g->about, strerror(error));
    if (error != 0 || failure)
        return complain(EXIT_FAILED, "%s: gnuplot failed: %s", g->about,
                        said[0]   ? said
                        : failure ? failure
                                  : strerror(error));
    FORWARD(check_whole(g));
    if (said[0])
        notice("note: gnuplot: %s", said);
    return EXIT_DONE;
}

static int finish(gnuplot *g, int error)
{
    char said[600];
    const char *failure = wait_for(g->process);
    g->process = 0;
    read_errors(g->errors, said, sizeof said);
    FORWARD(check_end(g, error, failure, said));
    if (g->picture)
        FORWARD(copy_picture(g));
    return g->path ? output_file_commit(&g->out) : EXIT_DONE;
}

int gnuplot_close(gnuplot *g)
{
    int status = finish(g, close_script(g));
    abandon(g);
    return status;
}
