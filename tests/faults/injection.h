/* The frame of opencl_faults.c and file_faults.c, which make calls fail one after another: it goes through the
   scenarios, says which cases are in the sample, counts and prints violations, and ends the program. First it plants a
   fault of each kind into the program itself, to show that the program would see it. */
#ifndef CLSOFTMAX_INJECTION_H
#define CLSOFTMAX_INJECTION_H

#include <stddef.h>

enum { INJECTION_MOST_KINDS = 16 };

/* A program that injects faults. Scenarios are numbered from 0, violations by their kind. */
typedef struct injection {
    const char *program;      /* its name, which begins its messages */
    const char *const *kinds; /* of violations, each as "NAME: what it is" */
    int kind_count;
    unsigned long stride; /* without CLSOFTMAX_TEST_LONG, one case in so many is run */
    size_t scenario_count;
    const char *(*scenario_name)(size_t scenario);
    void (*run_scenario)(size_t scenario);   /* runs every case of the sample */
    void (*print_scenario)(size_t scenario); /* prints what was run, and begins to count anew */
    void (*plant)(int kind);                 /* runs a scenario with a fault that must be reported as this kind */
    void (*check_reached)(void);             /* reports the functions that no scenario has called */
} injection;

/* Plants the faults, then runs the scenarios that are named, or all. Returns the exit status of the program: 0, or 1
   after a violation, or where a planted fault was not seen. Ends the program with 2 if there is no scenario of a
   name. */
int injection_main(const injection *program, size_t count, char **names);

/* Names the case that runs from here on. Processes that are forked share this text and the counts. */
void injection_describe(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Counts a violation in the current case, and prints the first ones of its kind. */
void injection_report(int kind, const char *detail);

/* Returns the number of violations so far. */
unsigned long injection_violations(void);

/* Returns 1 while faults are planted. */
int injection_is_planting(void);

/* Returns 1 if the case of this number is in the sample, in which it stands for `times` as many cases as others. */
int injection_is_sampled(unsigned long number, unsigned long times);

/* Lets plant() take another sample than the program's: one case in `stride`, until it returns. */
void injection_sample(unsigned long stride);

/* Returns the number of the scenario, or ends the program with 2. */
size_t injection_find(const char *name);

#endif
