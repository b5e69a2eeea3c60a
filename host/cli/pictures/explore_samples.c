/* The temperatures and the random logits of the page of clsoftmax explore: see explore.h. */
#include "pictures/explore.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

void explore_list_temperatures(explore_temperatures *temperatures)
{
    snprintf(temperatures->texts[0], sizeof *temperatures->texts, "0");
    for (int i = 1; i < EXPLORE_TEMPERATURES - 1; i++) {
        double temperature = pow(10, -4 + (i - 1) * 0.1);
        snprintf(temperatures->texts[i], sizeof *temperatures->texts, temperature < 9999.5 ? "%.4g" : "%.0f",
                 temperature);
    }
    snprintf(temperatures->texts[EXPLORE_TEMPERATURES - 1], sizeof *temperatures->texts, "inf");
    for (int i = 0; i < EXPLORE_TEMPERATURES; i++)
        temperatures->values[i] = strtof(temperatures->texts[i], NULL);
}

/* Returns a random number that its place alone decides: splitmix64 (Steele, Lea, Flood 2014). */
static uint64_t mix(uint64_t place)
{
    uint64_t z = (place + 1) * 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

void explore_sample(unsigned items, unsigned sample, double *logits)
{
    for (unsigned i = 0; i < items; i++) {
        char text[16];
        unsigned hundredths = (unsigned)(mix(((uint64_t)items * EXPLORE_SAMPLES + sample) * 16 + i) % 1001);
        snprintf(text, sizeof text, "%u.%02u", hundredths / 100, hundredths % 100);
        logits[i] = (double)strtof(text, NULL);
    }
}
