/* A progress bar on standard error: see progress.h. */
#include "support/progress.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { WIDTH = 30, LINE = 110 };

#define LONG_WORK_SECONDS 1.0 /* before a bar that nobody asked for appears */
#define DRAWING_SECONDS 0.2   /* from one drawing to the next */

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void draw(progress *progress, uint64_t done)
{
    static const char bar[] = "##############################";
    _Static_assert(sizeof bar == WIDTH + 1, "a full bar has the whole width");
    double part = progress->total > 0 ? (double)done / (double)progress->total : 1;
    double seconds = now() - progress->begun, rate = seconds > 0 ? (double)done / seconds : 0;
    char speed[80] = "";
    int filled = (int)(part * WIDTH);
    if (progress->unit_bytes > 0 && rate > 0)
        snprintf(speed, sizeof speed, "  %.3g %s/s  %.2f GB/s  %.0f s left", rate, progress->unit,
                 rate * (double)progress->unit_bytes * 1e-9, (double)(progress->total - done) / rate);
    fprintf(stderr, "\r[%.*s%*s] %3.0f%%  %llu of %llu %s%-*s", filled, bar, WIDTH - filled, "", 100 * part,
            (unsigned long long)done, (unsigned long long)progress->total, progress->unit, LINE - WIDTH - 50, speed);
    fflush(stderr);
    progress->drawn = now();
}

void progress_begin(progress *progress, int wanted, uint64_t total, const char *unit, uint64_t unit_bytes)
{
    memset(progress, 0, sizeof *progress);
    progress->is_shown = wanted == 1 || (wanted == -1 && isatty(STDERR_FILENO));
    progress->is_asked_for = wanted == 1;
    progress->total = total;
    progress->unit = unit;
    progress->unit_bytes = unit_bytes;
    progress->begun = now();
    if (progress->is_asked_for)
        draw(progress, 0);
}

void progress_draw(progress *progress, uint64_t done)
{
    double least = progress->drawn > 0 ? progress->drawn + DRAWING_SECONDS
                                       : progress->begun + (progress->is_asked_for ? 0 : LONG_WORK_SECONDS);
    if (progress->is_shown && now() >= least)
        draw(progress, done);
}

void progress_end(progress *progress)
{
    if (progress->drawn > 0)
        fprintf(stderr, "\r%*s\r", LINE, "");
    progress->drawn = 0;
}
