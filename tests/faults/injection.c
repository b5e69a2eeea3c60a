#include "injection.h"

#include <stdio.h>
#include <string.h>

enum { REPORTED = 20 };

void injection_report(injection_findings *findings, int kind, const char *kind_text, const char *detail)
{
    if (findings->counts[kind]++ < REPORTED && !findings->is_quiet)
        printf("  VIOLATION %s\n    in %s\n    %s\n", kind_text, findings->text, detail);
    fflush(stdout);
}

unsigned long injection_violations(const injection_findings *findings)
{
    unsigned long sum = 0;
    for (int i = 0; i < INJECTION_MOST_KINDS; i++)
        sum += findings->counts[i];
    return sum;
}

int injection_self_test(injection_findings *findings, int kinds, const char *const *kind_texts, void (*plant)(int kind))
{
    int seen = 0;
    for (int kind = 0; kind < kinds; kind++) {
        memset(findings, 0, sizeof *findings);
        findings->is_quiet = 1;
        plant(kind);
        seen += findings->counts[kind] > 0;
        if (findings->counts[kind] == 0)
            printf("self-test: not seen: %s\n", kind_texts[kind]);
    }
    printf("self-test: %d of %d planted faults seen\n", seen, kinds);
    memset(findings, 0, sizeof *findings);
    return seen == kinds;
}
