#include "pictures/explore.h"

#include "pictures/row_sweep.h"
#include "support/json.h"
#include "support/messages.h"
#include "support/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Significant digits of what is stored, and so of what is shown. */
enum { DIGITS = 4 };

/* What every case is written with. */
typedef struct page {
    FILE *json;
    run *run;
    const class_names *names;
    const explore_temperatures *temperatures;
} page;

/* ---------------------------------------------------------------- A case */

/* Probabilities, then the numbers of all together, with spaces between. */
static void format_position(const row_sweep *sweep, uint64_t k, char *text)
{
    const clsoftmax_statistics *statistics = &sweep->statistics[k];
    const double numbers[] = {(double)statistics->largest_probability, (double)statistics->entropy,
                              (double)statistics->log_sum_exp};
    for (uint64_t i = 0; i < sweep->items; i++)
        text += sprintf(text, "%.*g ", DIGITS, sweep->probabilities[k * sweep->items + i]);
    for (int i = 0; i < 3; i++)
        text += sprintf(text, i < 2 ? "%.*g " : "%.*g", DIGITS, numbers[i]);
}

/* A position that reads as the one before is stored as "". */
static int write_positions(const page *page, const row_sweep *sweep)
{
    size_t room = (size_t)(sweep->items + 3) * 24;
    char *texts = calloc(2, room), *now = texts, *before = texts ? texts + room : NULL;
    if (!texts)
        return complain(EXIT_FAILED, "%s: no memory for the page", page->run->options.output);
    fputs(",\"at\":[", page->json);
    for (uint64_t k = 0; k < sweep->count; k++) {
        format_position(sweep, k, now);
        fprintf(page->json, "%s\"%s\"", k > 0 ? ",\n" : "", strcmp(now, before) != 0 ? now : "");
        char *swap = now;
        now = before;
        before = swap;
    }
    fputs("]", page->json);
    free(texts);
    return EXIT_DONE;
}

static int write_case(const page *page, const row_sweep *sweep, const class_names *names, const char *name,
                      const char *note)
{
    FILE *json = page->json;
    fputs("{\"name\":", json);
    json_string(json, name);
    fputs(",\"note\":", json);
    json_string(json, note);
    fprintf(json, ",\"rest\":%d,\"items\":[", sweep->rest > 0);
    for (uint64_t i = 0; i < sweep->items; i++) {
        char room[ITEM_NAME_BYTES];
        fputs(i > 0 ? "," : "", json);
        json_string(json, row_sweep_name(sweep, names, i, room));
    }
    fputs("],\"logits\":[", json);
    for (uint64_t i = 0; i < sweep->items; i++) {
        int is_rest = sweep->rest > 0 && i + 1 == sweep->items;
        fprintf(json, is_rest ? "%s\"\"" : "%s\"%.*g\"", i > 0 ? "," : "", DIGITS + 1, (double)sweep->logits[i]);
    }
    fputs("]", json);
    int status = write_positions(page, sweep);
    fputs("}", json);
    return status;
}

static row_request request_row(const page *page, uint64_t row)
{
    row_request request = {row, page->temperatures->values, EXPLORE_TEMPERATURES, EXPLORE_CLASSES, EXPLORE_CLASSES - 1};
    return request;
}

/* Of logits that are not the input's; their items have numbers. */
static int write_logits(const page *page, const float *logits, unsigned count, const char *name, const char *note)
{
    static const class_names no_names;
    const row_request request = request_row(page, 0);
    row_sweep sweep;
    int status = row_sweep_compute(page->run, logits, count, &request, &sweep);
    if (status == EXIT_DONE)
        status = write_case(page, &sweep, &no_names, name, note);
    row_sweep_release(&sweep);
    return status;
}

/* ---------------------------------------------------------------- Which cases */

static int write_examples(const page *page)
{
    static const struct {
        const char *name, *note;
        unsigned count;
        float numbers[3];
        int are_probabilities;
    } examples[] = {
        {"10 20 30",
         "Logits 10 apart: at T = 1 the largest has nearly all, at T = 10 they are 1 apart.",
         3,
         {10, 20, 30},
         0},
        {"1 2 3", "Logits 1 apart.", 3, {1, 2, 3}, 0},
        {"3 1 3", "A tie: at T = 0 the two largest share the mass.", 3, {3, 1, 3}, 0},
        {"p = 0.25, 0.75",
         "Probabilities whose logarithms are the logits: at T = 1 they come back.",
         2,
         {0.25f, 0.75f},
         1},
        {"1000 1001 1002",
         "Their exponentials are too large for f32; their probabilities are those of 0 1 2.",
         3,
         {1000, 1001, 1002},
         0},
    };
    int status = EXIT_DONE;
    fputs("\"examples\":[", page->json);
    for (size_t e = 0; e < sizeof examples / sizeof *examples && status == EXIT_DONE; e++) {
        float logits[3];
        for (unsigned i = 0; i < examples[e].count; i++) {
            double number = (double)examples[e].numbers[i];
            logits[i] = examples[e].are_probabilities ? (float)log(number) : (float)number;
        }
        fputs(e > 0 ? ",\n" : "\n", page->json);
        status = write_logits(page, logits, examples[e].count, examples[e].name, examples[e].note);
    }
    fputs("],\n", page->json);
    return status;
}

static int write_samples_of(const page *page, unsigned items)
{
    int status = EXIT_DONE;
    fprintf(page->json, "{\"name\":\"%u\",\"cases\":[", items);
    for (unsigned sample = 0; sample < EXPLORE_SAMPLES && status == EXIT_DONE; sample++) {
        float logits[EXPLORE_MOST_ITEMS];
        char note[60];
        explore_sample(items, sample, logits);
        snprintf(note, sizeof note, "Sample %u of %u: random, uniform from 0 to 10.", sample + 1,
                 (unsigned)EXPLORE_SAMPLES);
        fputs(sample > 0 ? ",\n" : "\n", page->json);
        status = write_logits(page, logits, items, "", note);
    }
    fputs("]}", page->json);
    return status;
}

static int write_samples(const page *page)
{
    int status = EXIT_DONE;
    fputs("\"choice\":\"Number of items\",\"next\":\"Other random logits\",\"source\":\"\",\"first\":1,\"options\":[\n",
          page->json);
    for (unsigned items = EXPLORE_LEAST_ITEMS; items <= EXPLORE_MOST_ITEMS && status == EXIT_DONE; items++) {
        fputs(items > EXPLORE_LEAST_ITEMS ? ",\n" : "", page->json);
        status = write_samples_of(page, items);
    }
    fputs("]", page->json);
    return status;
}

static int write_row(const page *page, uint64_t row)
{
    const row_request request = request_row(page, row);
    row_sweep sweep;
    char note[100] = "";
    int status = row_sweep_read(page->run, &request, &sweep);
    if (status == EXIT_DONE && sweep.rest > 0)
        snprintf(note, sizeof note, "The %d largest logits; \"rest\" is the sum of the other probabilities.",
                 EXPLORE_CLASSES - 1);
    fprintf(page->json, "{\"name\":\"%llu\",\"cases\":[", (unsigned long long)row);
    if (status == EXIT_DONE)
        status = write_case(page, &sweep, page->names, "", note);
    fputs("]}", page->json);
    row_sweep_release(&sweep);
    return status;
}

static int write_rows(const page *page)
{
    const run *run = page->run;
    uint64_t count = run->rows < EXPLORE_ROWS ? run->rows : EXPLORE_ROWS;
    const char *slash = strrchr(run->options.input, '/');
    char name[200], source[400];
    int status = EXIT_DONE;
    snprintf(name, sizeof name, "%s", slash ? slash + 1 : run->options.input);
    text_clean(name);
    snprintf(source, sizeof source, "Rows: %llu of %llu, of %s.", (unsigned long long)count,
             (unsigned long long)run->rows, name);
    fputs("\"choice\":\"Row\",\"next\":\"Next row\",\"source\":", page->json);
    json_string(page->json, strcmp(run->options.input, "-") == 0 ? "" : source);
    fputs(",\"first\":0,\"options\":[\n", page->json);
    for (uint64_t i = 0; i < count && status == EXIT_DONE; i++) {
        fputs(i > 0 ? ",\n" : "", page->json);
        status = write_row(page, run->first_row + i);
    }
    fputs("]", page->json);
    return status;
}

int explore_write(FILE *json, run *run, const class_names *names)
{
    explore_temperatures temperatures = {.values = {0}};
    explore_list_temperatures(&temperatures);
    const page page = {json, run, names, &temperatures};
    fprintf(json, "{\"version\":\"%s\",\"digits\":%d,\"temperatures\":[", clsoftmax_version(), DIGITS);
    for (int i = 0; i < EXPLORE_TEMPERATURES; i++)
        fprintf(json, "%s\"%s\"", i > 0 ? "," : "", temperatures.texts[i]);
    fputs("],\n", json);
    int status = write_examples(&page);
    if (status == EXIT_DONE)
        status = run->options.input ? write_rows(&page) : write_samples(&page);
    fputs("}", json);
    return status;
}
