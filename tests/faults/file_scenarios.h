/* The scenarios of file_faults, into which faults are put: commands, and the folder in which they run. */
#ifndef CLSOFTMAX_FILE_SCENARIOS_H
#define CLSOFTMAX_FILE_SCENARIOS_H

/* What is under the name p.npy before the command runs. */
typedef enum file_older {
    FILE_NONE,
    FILE_OLDER, /* a file */
    FILE_LEFT,  /* a file, and the temporary file of a process that was killed */
    FILE_LINK,  /* a symbolic link to a file */
    FILE_PIPE   /* a pipe that somebody reads */
} file_older;

typedef struct file_scenario {
    const char *name;
    /* with a space between them; "-" reads x.txt, or x.npy if results go to standard output as .npy. Results go to
       p.npy, p.svg or p.html, statistics to s.npy, or both to standard output */
    const char *arguments;
    const char *before; /* arguments of a command that runs first; NULL: none */
    file_older older;
    int threads;     /* of cpu; 0: one for each processor, which takes much longer to start and to end */
    unsigned stride; /* a case stands for so many, where runs take long or thousands are alike */
} file_scenario;

extern const file_scenario file_scenarios[];
extern const unsigned long file_scenario_count;

/* Makes a new folder with the inputs, and goes there. Returns 0 if that fails. */
int file_folder_enter(void);
void file_folder_leave(void);

/* The names to which commands write in the folder. Standard output and error come last. */
enum {
    FILE_RESULTS,
    FILE_STATISTICS,
    FILE_PICTURE,
    FILE_PAGE,
    FILE_FINAL_NAMES, /* those before are files that get their names at the end */
    FILE_OUTPUT = FILE_FINAL_NAMES,
    FILE_ERRORS,
    FILE_NAMES
};
extern const char *const file_names[FILE_NAMES];

/* Removes everything but the inputs, then makes what the scenario has before. */
void file_folder_prepare(const file_scenario *scenario);

/* Returns a name in the folder that is neither an input nor in file_names, in a static buffer; NULL if there is
   none. */
const char *file_folder_left(void);

/* Returns 1 if p.npy is still of the scenario's kind: the link to its file, or the pipe. */
int file_folder_has_kind(const file_scenario *scenario);

/* Reads a file, or what is in the pipe, and cuts it behind FILE_MOST_BYTES. Returns its size, or -1 if there is
   none. */
enum { FILE_MOST_BYTES = 1 << 21 };
long file_read(const file_scenario *scenario, int name, char *bytes);

/* The text of an older file. */
extern const char file_older_text[];

#endif
