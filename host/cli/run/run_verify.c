/* --verify of a job: the devices that compute everything again, and the verdict. slab_compute.c compares. */
#include "run/run.h"
#include "support/messages.h"

#include <stdio.h>
#include <string.h>

int run_open_verifiers(run *run)
{
    FORWARD(devices_open("cpu", &run->cpu));
    return devices_open("reference", &run->reference);
}

/* Returns the most ULP that any component may be away from reference. */
static uint64_t most_allowed_ulp(const run *run)
{
    uint64_t most = 0;
    for (unsigned c = 0; c < run->component_count; c++) {
        const clsoftmax_problem problem = run_component_problem(run, c);
        const uint64_t allowed = allowed_ulp(&problem);
        most = allowed > most ? allowed : most;
    }
    return most;
}

int run_say_verdict(const run *run)
{
    const comparison *bits = &run->bits, *ulp = &run->ulp;
    const char *device = device_selector(&run->devices.of[0]);
    int is_reference = strcmp(device, "reference") == 0;
    int has_passed =
        ulp->worst_ulp <= most_allowed_ulp(run) && ulp->beyond == 0 && (bits->different == 0 || is_reference);
    char statistics[100] = "";
    if (run->problem.statistics)
        snprintf(statistics, sizeof statistics, ", statistics of %llu rows beyond their bounds",
                 (unsigned long long)ulp->beyond);
    notice("verify: %s: %llu of %llu values differ from cpu in bits, at most %llu ULP from reference%s: %s",
           run->devices.count > 1 ? run->options.device : device, (unsigned long long)bits->different,
           (unsigned long long)bits->values, (unsigned long long)ulp->worst_ulp, statistics,
           has_passed ? "passed" : "FAILED");
    return has_passed ? EXIT_DONE : EXIT_FAILED;
}
