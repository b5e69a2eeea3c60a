/* From how many rows on a device is faster than cpu, and the sentence that says so. See verdict.h. */
#include "verdict.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { CLAUSE = 256, NUMBER = 32 }; /* bytes of a clause, and of a number in it */

/* ---------------------------------------------------------------- The verdict */

/* How many standard errors of each median are doubt. */
#define DOUBT 2

static int is_device_faster(const duel *duel)
{
    const summary *cpu = &duel->cpu, *device = &duel->device;
    return device->median * (1 + DOUBT * device->uncertainty) < cpu->median * (1 - DOUBT * cpu->uncertainty);
}

/* Returns the rows at which both are equally fast, between a size at which the device is not faster and the next one,
   at which it is. The difference of their times is a straight line over the rows, since each takes some time for a call
   and some for each row. */
static uint64_t crossing(const duel *slower, const duel *faster)
{
    double before = slower->device.median - slower->cpu.median;
    double after = faster->device.median - faster->cpu.median;
    if (before < 0) /* the device was ahead already, within the doubt */
        return faster->rows;
    return slower->rows + (uint64_t)llround(before / (before - after) * (double)(faster->rows - slower->rows));
}

verdict verdict_of(const duel *duels, size_t count)
{
    verdict verdict = {OUTCOME_UNKNOWN, 0, 0, 0};
    size_t slower = count, faster = count; /* behind the last size at which the device is slower, or faster */
    if (count == 0)
        return verdict;
    verdict.least = duels[0].rows;
    verdict.most = duels[count - 1].rows;
    while (slower > 0 && is_device_faster(&duels[slower - 1]))
        slower--;
    while (faster > 0 && !is_device_faster(&duels[faster - 1]))
        faster--;
    verdict.outcome = slower == 0      ? OUTCOME_ALWAYS
                      : faster == 0    ? OUTCOME_NEVER
                      : slower < count ? OUTCOME_FROM
                                       : OUTCOME_SOMETIMES;
    if (verdict.outcome == OUTCOME_FROM)
        verdict.rows = crossing(&duels[slower - 1], &duels[slower]);
    if (verdict.outcome == OUTCOME_SOMETIMES)
        verdict.rows = duels[faster - 1].rows;
    return verdict;
}

/* ---------------------------------------------------------------- The sentence */

/* Rounds to two digits, since more are not known. */
static uint64_t round_rows(uint64_t rows)
{
    uint64_t unit = 1;
    while (rows / unit >= 100)
        unit *= 10;
    return (rows + unit / 2) / unit * unit;
}

/* Writes a count with a comma before every three digits: "16,384". */
static const char *count_text(char text[NUMBER], uint64_t count)
{
    char digits[NUMBER];
    int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)count), at = 0;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            text[at++] = ',';
        text[at++] = digits[i];
    }
    text[at] = '\0';
    return text;
}

/* Writes a number of bytes with about two digits: "4.8 MB". */
static const char *bytes_text(char text[NUMBER], double bytes)
{
    static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB"};
    int unit = 0;
    for (; bytes >= 999.5 && unit < 4; unit++)
        bytes /= 1000;
    snprintf(text, NUMBER, unit > 0 && bytes < 9.95 ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
    return text;
}

/* Writes rows as a reader thinks of them: "1,200 rows of 1,000 classes (4.8 MB)". */
static void batch_text(char text[CLAUSE], const verdict_subject *subject, uint64_t rows)
{
    char count[NUMBER], classes[NUMBER], bytes[NUMBER];
    snprintf(text, CLAUSE, "%s row%s of %s class%s (%s)", count_text(count, rows), rows == 1 ? "" : "s",
             count_text(classes, subject->classes), subject->classes == 1 ? "" : "es",
             bytes_text(bytes, (double)rows * (double)subject->row_bytes));
}

/* Writes what the device does, which follows its name or "it". */
static void clause_text(char text[CLAUSE], const verdict_subject *subject, const verdict *verdict)
{
    char batch[CLAUSE], most[CLAUSE], least[NUMBER];
    batch_text(batch, subject, verdict->outcome == OUTCOME_FROM ? round_rows(verdict->rows) : verdict->rows);
    batch_text(most, subject, verdict->most);
    count_text(least, verdict->least);
    switch (verdict->outcome) {
    case OUTCOME_UNKNOWN:
        snprintf(text, CLAUSE, "was not timed: %.200s", subject->reason);
        break;
    case OUTCOME_NEVER:
        snprintf(text, CLAUSE, "did not beat cpu at any size that was measured, from %s to %.150s", least, most);
        break;
    case OUTCOME_SOMETIMES:
        snprintf(text, CLAUSE, "beats cpu at some sizes up to %.80s, but not at the largest that was measured, %.80s",
                 batch, most);
        break;
    case OUTCOME_FROM:
        snprintf(text, CLAUSE, "beats cpu from about %.150s on", batch);
        break;
    case OUTCOME_ALWAYS:
        snprintf(text, CLAUSE, "beats cpu at every size that was measured, from %s to %.150s", least, most);
        break;
    }
}

void verdict_write(char *text, size_t size, const verdict_subject *subject, const verdict *with, const verdict *without)
{
    char with_transfers[CLAUSE], without_transfers[CLAUSE];
    clause_text(with_transfers, subject, with);
    clause_text(without_transfers, subject, without);
    if (strcmp(with_transfers, without_transfers) == 0)
        snprintf(text, size, "%s (%s) %s%s.", subject->selector, subject->name, with_transfers,
                 with->outcome == OUTCOME_UNKNOWN ? "" : ", with transfers and without");
    else
        snprintf(text, size, "With transfers, %s (%s) %s. Without transfers, it %s.", subject->selector, subject->name,
                 with_transfers, without_transfers);
}
