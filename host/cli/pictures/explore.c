/* The data of the page of clsoftmax explore: see explore.h. */
#include "pictures/explore.h"

#include "pictures/item_text.h"
#include "pictures/row_sweep.h"
#include "support/json.h"
#include "support/messages.h"
#include "support/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Significant digits of the numbers in the page. */
enum { DIGITS = PROBABILITY_DIGITS };

/* What the writing of every case needs. */
typedef struct page {
    FILE *json;
    run *run;
    const class_names *names;
    const explore_temperatures *temperatures;
} page;

/* ---------------------------------------------------------------- A case */

/* Formats what the page shows at a temperature: the probabilities, then the three numbers of the whole row, with spaces
   between. */
static void format_position(const row_sweep *sweep, uint64_t k, char *text)
{
    const clsoftmax_statistics *statistics = &sweep->statistics[k];
    char number[PROBABILITY_BYTES];
    for (uint64_t i = 0; i < sweep->items; i++)
        text += sprintf(text, "%s ", probability_text(sweep->probabilities[k * sweep->items + i], number));
    sprintf(text, "%s %.*g %.*g", probability_text((double)statistics->largest_probability, number), DIGITS,
            (double)statistics->entropy, DIGITS, (double)statistics->log_sum_exp);
}

/* Writes what is shown at each temperature. What reads as at the temperature before is written as "". `texts` are two,
   of `size` bytes each. */
static void write_texts(FILE *json, const row_sweep *sweep, char *texts, size_t size)
{
    char *now = texts, *before = texts + size;
    fputs(",\"at\":[", json);
    for (uint64_t k = 0; k < sweep->count; k++) {
        format_position(sweep, k, now);
        fprintf(json, "%s\"%s\"", k > 0 ? ",\n" : "", strcmp(now, before) != 0 ? now : "");
        char *swap = now;
        now = before;
        before = swap;
    }
    fputs("]", json);
}

static int write_positions(const page *page, const row_sweep *sweep)
{
    size_t size = (size_t)(sweep->items + 3) * 24;
    char *texts = calloc(2, size);
    COMPLAIN_IF(!texts, EXIT_FAILED, "%s: no memory for the page", page->run->options.output);
    write_texts(page->json, sweep, texts, size);
    free(texts);
    return EXIT_DONE;
}

static void write_items(FILE *json, const row_sweep *sweep, const class_names *names)
{
    fputs("[", json);
    for (uint64_t i = 0; i < sweep->items; i++) {
        char text[ITEM_NAME_BYTES];
        fputs(i > 0 ? "," : "", json);
        json_string(json, row_sweep_name(sweep, names, i, text));
    }
    fputs("]", json);
}

/* The rest has no logit. */
static void write_logits(FILE *json, const row_sweep *sweep)
{
    fputs("[", json);
    for (uint64_t i = 0; i < sweep->items; i++) {
        int is_rest = row_sweep_is_rest(sweep, i);
        fprintf(json, is_rest ? "%s\"\"" : "%s\"%.*g\"", i > 0 ? "," : "", DIGITS + 1, sweep->logits[i]);
    }
    fputs("]", json);
}

/* Writes the true label of a row and its prediction, both as names, and which item the label is; -1: none of them. */
static void write_label(FILE *json, const row_sweep *sweep, const class_names *names, int64_t label)
{
    char number[CLASS_NUMBER_BYTES];
    int64_t prediction = sweep->statistics[0].argmax, item = -1;
    int has_prediction = !isnan(sweep->statistics[0].largest_probability);
    for (uint64_t i = 0; i < sweep->items; i++)
        if (label >= 0 && !row_sweep_is_rest(sweep, i) && sweep->classes[i] == (uint64_t)label)
            item = (int64_t)i;
    fputs(",\"label\":", json);
    json_string(json, label < 0 ? "none" : class_names_text(names, (uint64_t)label, number));
    fputs(",\"prediction\":", json);
    json_string(json, has_prediction ? class_names_text(names, (uint64_t)prediction, number) : "none");
    fprintf(json, ",\"labelItem\":%lld,\"isRight\":%s", (long long)item,
            label < 0 || !has_prediction ? "null"
            : label == prediction        ? "true"
                                         : "false");
}

/* What is written of a case beside its numbers. */
typedef struct caption {
    const char *name, *note;
    const int64_t *label; /* of the row; NULL: labels are not given */
} caption;

static int write_case(const page *page, const row_sweep *sweep, const class_names *names, const caption *caption)
{
    FILE *json = page->json;
    fputs("{\"name\":", json);
    json_string(json, caption->name);
    fputs(",\"note\":", json);
    json_string(json, caption->note);
    if (caption->label)
        write_label(json, sweep, names, *caption->label);
    fprintf(json, ",\"rest\":%d,\"items\":", sweep->rest > 0);
    write_items(json, sweep, names);
    fputs(",\"logits\":", json);
    write_logits(json, sweep);
    FORWARD(write_positions(page, sweep));
    fputs("}", json);
    return EXIT_DONE;
}

static row_request request_row(const page *page, uint64_t row)
{
    return (row_request){.row = row,
                         .temperatures = page->temperatures->values,
                         .count = EXPLORE_TEMPERATURES,
                         .most = EXPLORE_CLASSES,
                         .top = EXPLORE_CLASSES - 1};
}

/* Writes a case of logits that are not the input's; its items have numbers. */
static int write_own_case(const page *page, const double *logits, unsigned count, const caption *caption)
{
    static const class_names no_names;
    const row_request request = request_row(page, 0);
    row_sweep sweep;
    FORWARD(row_sweep_compute(page->run, logits, count, &request, &sweep));
    int status = write_case(page, &sweep, &no_names, caption);
    row_sweep_release(&sweep);
    return status;
}

/* ---------------------------------------------------------------- Which cases */

typedef struct example {
    const char *name, *note;
    unsigned count;
    float numbers[3];
    int are_probabilities;
} example;

static const example examples[] = {
    {"10 20 30",
     "Logits 10 apart: at T = 1 the largest has nearly all, at T = 10 they are 1 apart.",
     3,
     {10, 20, 30},
     0},
    {"1 2 3", "Logits 1 apart.", 3, {1, 2, 3}, 0},
    {"3 1 3", "A tie: at T = 0 the two largest share the mass.", 3, {3, 1, 3}, 0},
    {"p = 0.25, 0.75", "Probabilities whose logarithms are the logits: at T = 1 they come back.", 2, {0.25f, 0.75f}, 1},
    {"1000 1001 1002",
     "Their exponentials are too large for f32; their probabilities are those of 0 1 2.",
     3,
     {1000, 1001, 1002},
     0},
};

static int write_example(const page *page, const example *example)
{
    double logits[3];
    for (unsigned i = 0; i < example->count; i++) {
        double number = (double)example->numbers[i];
        logits[i] = example->are_probabilities ? log(number) : number;
    }
    return write_own_case(page, logits, example->count, &(caption){example->name, example->note, NULL});
}

static int write_examples(const page *page)
{
    fputs("\"examples\":[", page->json);
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        fputs(i > 0 ? ",\n" : "\n", page->json);
        FORWARD(write_example(page, &examples[i]));
    }
    fputs("],\n", page->json);
    return EXIT_DONE;
}

static int write_samples_of(const page *page, unsigned items)
{
    fprintf(page->json, "{\"name\":\"%u\",\"cases\":[", items);
    for (unsigned sample = 0; sample < EXPLORE_SAMPLES; sample++) {
        double logits[EXPLORE_MOST_ITEMS];
        char note[60];
        explore_sample(items, sample, logits);
        snprintf(note, sizeof note, "Sample %u of %u: random, uniform from 0 to 10.", sample + 1,
                 (unsigned)EXPLORE_SAMPLES);
        fputs(sample > 0 ? ",\n" : "\n", page->json);
        FORWARD(write_own_case(page, logits, items, &(caption){"", note, NULL}));
    }
    fputs("]}", page->json);
    return EXIT_DONE;
}

/* Writes the choices of a page without an input: numbers of items. */
static int write_samples(const page *page)
{
    fputs("\"choice\":\"Number of items\",\"next\":\"Other random logits\",\"source\":\"\",\"first\":1,\"options\":[\n",
          page->json);
    for (unsigned items = EXPLORE_LEAST_ITEMS; items <= EXPLORE_MOST_ITEMS; items++) {
        fputs(items > EXPLORE_LEAST_ITEMS ? ",\n" : "", page->json);
        FORWARD(write_samples_of(page, items));
    }
    fputs("]", page->json);
    return EXIT_DONE;
}

static int write_row(const page *page, uint64_t row)
{
    const row_request request = request_row(page, row);
    row_sweep sweep;
    char note[100] = "";
    double number;
    int64_t label;
    if (page->run->options.labels)
        FORWARD(run_read_labels(page->run, row - page->run->first_row, 1, &number, &label));
    FORWARD(row_sweep_read(page->run, &request, &sweep));
    if (sweep.rest > 0)
        snprintf(note, sizeof note, "The %d largest logits; \"rest\" is the sum of the other probabilities.",
                 EXPLORE_CLASSES - 1);
    fprintf(page->json, "{\"name\":\"%llu\",\"cases\":[", (unsigned long long)row);
    const caption caption = {"", note, page->run->options.labels ? &label : NULL};
    int status = write_case(page, &sweep, page->names, &caption);
    fputs("]}", page->json);
    row_sweep_release(&sweep);
    return status;
}

/* Writes what the page says of its input; nothing of standard input, which has no name. */
static void write_source(const page *page, uint64_t count)
{
    const run *run = page->run;
    const char *slash = strrchr(run->options.input, '/');
    char name[200], source[400];
    snprintf(name, sizeof name, "%s", slash ? slash + 1 : run->options.input);
    text_clean(name);
    snprintf(source, sizeof source, "Rows: %llu of %llu, of %s.", (unsigned long long)count,
             (unsigned long long)run->rows, name);
    json_string(page->json, strcmp(run->options.input, "-") == 0 ? "" : source);
}

/* Writes the choices of a page with an input: its rows. */
static int write_rows(const page *page)
{
    const run *run = page->run;
    uint64_t count = run->rows < EXPLORE_ROWS ? run->rows : EXPLORE_ROWS;
    fputs("\"choice\":\"Row\",\"next\":\"Next row\",\"source\":", page->json);
    write_source(page, count);
    fputs(",\"first\":0,\"options\":[\n", page->json);
    for (uint64_t i = 0; i < count; i++) {
        fputs(i > 0 ? ",\n" : "", page->json);
        FORWARD(write_row(page, run->first_row + i));
    }
    fputs("]", page->json);
    return EXIT_DONE;
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
    FORWARD(write_examples(&page));
    FORWARD(run->options.input ? write_rows(&page) : write_samples(&page));
    fputs("}", json);
    return EXIT_DONE;
}
