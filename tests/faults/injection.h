/* What opencl_faults.c and file_faults.c share: counting and reporting what was wrong, and the test of the program itself. */
#ifndef CLSOFTMAX_INJECTION_H
#define CLSOFTMAX_INJECTION_H

enum { INJECTION_MOST_KINDS = 16 };

typedef struct injection_findings {
    unsigned long counts[INJECTION_MOST_KINDS]; /* violations of each kind */
    int is_quiet;                               /* in the self-test */
    char text[400];                             /* of the current case */
} injection_findings;

/* Counts a violation, and prints the first ones of its kind. kind_text: "NAME: what it is". */
void injection_report(injection_findings *findings, int kind, const char *kind_text, const char *detail);

unsigned long injection_violations(const injection_findings *findings);

/* Each of `kinds` kinds of violation is planted, and must be seen: plant() is to run a scenario with that fault. 1 if all were. */
int injection_self_test(injection_findings *findings, int kinds, const char *const *kind_texts,
                        void (*plant)(int kind));

#endif
