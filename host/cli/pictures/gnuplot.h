/* Pictures drawn by gnuplot, which reads a script from its standard input. There is no shell, and no file's name is in
   the script. Used by plot and sweep, and by clsoftmax-bench. */
#ifndef CLSOFTMAX_GNUPLOT_H
#define CLSOFTMAX_GNUPLOT_H

#include "files/output_file.h"

#include <stdio.h>
#include <sys/types.h>

typedef struct gnuplot {
    FILE *script;  /* what gnuplot reads */
    FILE *errors;  /* what it says */
    FILE *picture; /* in memory, before it goes to standard output, a device or a pipe; NULL: gnuplot writes the file */
    const char *about; /* what complaints begin with: an option, or the path */
    const char *path;  /* of the picture; NULL for standard output */
    output_file out;
    pid_t process; /* 0: none */
} gnuplot;

/* The most pixels that a picture is high: beyond that, viewers scale it down until nothing can be read. */
enum { GNUPLOT_MOST_HEIGHT = 4000 };

typedef struct gnuplot_style {
    unsigned width, height; /* pixels; on a terminal its own size counts */
    int is_dark;
} gnuplot_style;

/* Checks that gnuplot can be started, so that a missing one is known before the work. EXIT_DONE, or EXIT_FAILED after a
   complaint that names the package. */
int gnuplot_check(const char *about);

/* Starts gnuplot, with a terminal for the path's ending (.svg, .png, .pdf; path NULL: text) and the colours of the
   style. EXIT_DONE, or EXIT_FAILED after a complaint, with nothing left. */
int gnuplot_open(gnuplot *gnuplot, const char *about, const char *path, const gnuplot_style *style);

/* Writes a clean text (see support/text.h) in quotes, so that gnuplot takes nothing in it for a command. */
void gnuplot_quote(gnuplot *gnuplot, const char *text);

/* Writes a clean text in quotes as the label of a tic, which gnuplot would take for a format of numbers. */
void gnuplot_quote_tic(gnuplot *gnuplot, const char *text);

/* Returns the colour of the nth kind of thing: Okabe and Ito's, which colour-blind readers tell apart. */
const char *gnuplot_colour(unsigned n, int is_dark);

/* Writes the option that makes a text bold, in the size of all others. */
void gnuplot_set_bold(gnuplot *gnuplot);

/* Returns the colour of text and axes. */
const char *gnuplot_ink(int is_dark);

/* Ends the script. If gnuplot did well and all of the picture is there, the picture gets its name, or goes to where it
   is printed. EXIT_DONE, or EXIT_FAILED: after a complaint, unless a closed pipe is the reason. */
int gnuplot_close(gnuplot *gnuplot);

#endif
