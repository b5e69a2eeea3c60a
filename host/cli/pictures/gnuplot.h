/* Pictures drawn by gnuplot, which reads a script from its standard input. No shell, and no file's name in the script. */
#ifndef CLSOFTMAX_GNUPLOT_H
#define CLSOFTMAX_GNUPLOT_H

#include "files/output_file.h"

#include <stdio.h>
#include <sys/types.h>

typedef struct gnuplot {
    FILE *script;  /* what gnuplot reads */
    FILE *errors;  /* what it says */
    FILE *picture; /* in memory, before it goes to standard output, a device or a pipe; NULL: gnuplot writes the file */
    const char *about; /* what complaints begin with: an option */
    const char *path;  /* of the picture; NULL for standard output */
    output_file out;
    pid_t process; /* 0: none */
} gnuplot;

/* How it is to look. */
typedef struct gnuplot_style {
    unsigned width, height; /* pixels; on a terminal its own size counts */
    int is_dark;
} gnuplot_style;

/* EXIT_DONE, or EXIT_FAILED after a complaint that names the package where there is no gnuplot: better known before the work. */
int gnuplot_check(const char *about);

/* Starts it, with a terminal for the path's ending (.svg, .png, .pdf; path NULL: text) and the colours of the style. EXIT_DONE, or EXIT_FAILED
   after a complaint, with nothing left. */
int gnuplot_open(gnuplot *gnuplot, const char *about, const char *path, const gnuplot_style *style);

/* A clean text (text.h) in quotes, of which gnuplot understands nothing. */
void gnuplot_quote(gnuplot *gnuplot, const char *text);

/* The colour of the nth kind of thing: Okabe and Ito's, which colour-blind readers tell apart. */
const char *gnuplot_colour(unsigned n, int is_dark);

/* The colour of text and axes. */
const char *gnuplot_ink(int is_dark);

/* Ends the script. The picture gets its name, or goes where it is to, if gnuplot did well and all of it is there. EXIT_DONE, or EXIT_FAILED
   after a complaint (none for a closed pipe). */
int gnuplot_close(gnuplot *gnuplot);

#endif
