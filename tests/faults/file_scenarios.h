/* Commands that faults are put into, and the folder that they run in. */
#ifndef CLSOFTMAX_FILE_SCENARIOS_H
#define CLSOFTMAX_FILE_SCENARIOS_H

/* What stands under the name p.npy before. */
typedef enum file_older {
    FILE_NONE,
    FILE_OLDER, /* a file */
    FILE_LEFT,  /* a file, and beside it what a process that was killed has left */
    FILE_LINK,  /* a symbolic link to a file */
    FILE_PIPE   /* a pipe that somebody reads */
} file_older;

typedef struct file_scenario {
    const char *name;
    const char *
        arguments; /* with a space between; results go to p.npy, p.svg or p.html, statistics to s.npy, or to standard output */
    const char *before; /* arguments of what has run before; NULL */
    file_older older;
    int threads;     /* of cpu; one is much faster to start and to end; 0: as many as there are processors */
    unsigned stride; /* every so manieth case: where runs take long, or are alike by the thousand */
} file_scenario;

extern const file_scenario file_scenarios[];
extern const unsigned long file_scenario_count;

/* Goes to a new empty folder, and makes the inputs there. 0 if that fails. */
int file_folder_enter(void);
void file_folder_leave(void);

/* The names that commands write to, in the folder. Standard output and error come last. */
enum {
    FILE_RESULTS,
    FILE_STATISTICS,
    FILE_PICTURE,
    FILE_PAGE,
    FILE_FINAL_NAMES, /* of files that get their names at the end */
    FILE_OUTPUT = FILE_FINAL_NAMES,
    FILE_ERRORS,
    FILE_NAMES
};
extern const char *const file_names[FILE_NAMES];

/* Everything but the inputs is removed; then stands there what the scenario has before. */
void file_folder_prepare(const file_scenario *scenario);

/* The first name in the folder that is neither an input nor in file_names, in a static buffer; NULL if there is none. */
const char *file_folder_left(void);

/* 1 if p.npy is still of the scenario's kind: a link leads where it led, a pipe is one. */
int file_folder_has_kind(const file_scenario *scenario);

/* The bytes of a file, or what is in the pipe; its size, or -1 if there is none. Larger ones than FILE_MOST_BYTES are cut. */
enum { FILE_MOST_BYTES = 1 << 21 };
long file_read(const file_scenario *scenario, int name, char *bytes);

/* What an older file holds. */
extern const char file_older_text[];

#endif
