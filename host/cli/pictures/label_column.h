/* A column of labels beside a picture, which may not touch each other. Used by the curves. */
#ifndef CLSOFTMAX_LABEL_COLUMN_H
#define CLSOFTMAX_LABEL_COLUMN_H

/* The most labels that a column holds. */
enum { MOST_LABELS = 256 };

/* Moves places, which are in order from the smallest on, apart by `pitch` at least and into [low, high], all of them
   together as little as can be (least squares). `count` is at most MOST_LABELS, and the range has room for so many. */
void label_column_spread(double *places, unsigned count, double pitch, double low, double high);

#endif
