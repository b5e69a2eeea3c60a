/* What the sweeps share: counting and reporting what was wrong, and the test of the sweep itself. */
#ifndef CLSOFTMAX_SWEEP_H
#define CLSOFTMAX_SWEEP_H

enum { SWEEP_MOST_KINDS = 16 };

typedef struct sweep_findings {
    unsigned long counts[SWEEP_MOST_KINDS]; /* violations of each kind */
    int is_quiet;                           /* in the self-test */
    char text[400];                         /* of the current case */
} sweep_findings;

/* Counts a violation, and prints the first ones of its kind. kind_text: "NAME: what it is". */
void sweep_report(sweep_findings *findings, int kind, const char *kind_text, const char *detail);

unsigned long sweep_violations(const sweep_findings *findings);

/* Each of `kinds` kinds of violation is planted, and must be seen: plant() is to sweep a scenario with that fault. 1 if all were. */
int sweep_self_test(sweep_findings *findings, int kinds, const char *const *kind_texts, void (*plant)(int kind));

#endif
