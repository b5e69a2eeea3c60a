/* Teachers that are known by their most likely classes: the loss and the gradient of a distillation with what
   clsoftmax_top_teacher makes, against the definition of each tail in long double; and what it refuses. cli/faults.bats
   plants faults that this test must see. */
#include "support/device.h"
#include "support/random.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 24, CLASSES = 11 };

/* A batch whose teacher lists some classes of each row. */
typedef struct batch {
    uint64_t top;
    float student[ROWS][CLASSES], temperatures[ROWS], log_probabilities[ROWS * CLASSES];
    int64_t listed[ROWS * CLASSES];
} batch;

/* Draws logits, and of a teacher's the `top` largest, in any order. Every fifth row has an entry that lists no class,
   and the student masks a class in every seventh, in every eleventh all that are not listed. */
static void draw_batch(uint64_t seed, uint64_t top, float temperature, batch *b)
{
    uint64_t random = seed;
    b->top = top;
    for (int r = 0; r < ROWS; r++) {
        double y[CLASSES], sum = 0;
        int is_listed[CLASSES] = {0};
        b->temperatures[r] = temperature * (float)(1 + r % 3);
        for (int c = 0; c < CLASSES; c++) {
            b->student[r][c] = (float)(random_unit(&random) * 12 - 6);
            y[c] = (random_unit(&random) * 12 - 6) / (double)b->temperatures[r];
            sum += exp(y[c]);
        }
        for (uint64_t k = 0; k < top; k++) {
            int largest = -1;
            for (int c = 0; c < CLASSES; c++)
                if (!is_listed[c] && (largest < 0 || y[c] > y[largest]))
                    largest = c;
            const uint64_t at = (uint64_t)r * top + (k + (uint64_t)r) % top;
            is_listed[largest] = !(r % 5 == 1 && k > 0 && k == top - 1);
            b->listed[at] = is_listed[largest] ? largest : -1;
            b->log_probabilities[at] = is_listed[largest] ? (float)(y[largest] - log(sum)) : NAN;
        }
        for (int c = 0; c < CLASSES; c++)
            if (!is_listed[c] && (r % 11 == 3 || (r % 7 == 2 && c % 2 == 0)))
                b->student[r][c] = -INFINITY;
    }
}

/* What the definition of a tail says of a row. */
typedef struct truth {
    long double loss, gradient[CLASSES];
} truth;

static truth find_truth(const batch *b, int r, clsoftmax_tail tail)
{
    const long double temperature = (long double)b->temperatures[r];
    long double p[CLASSES], q[CLASSES] = {0}, sum = 0, of_listed = 0, tail_of_student = 0;
    int is_listed[CLASSES] = {0};
    truth t = {0, {0}};
    for (int c = 0; c < CLASSES; c++)
        sum += p[c] = expl((long double)b->student[r][c] / temperature);
    for (uint64_t k = 0; k < b->top; k++) {
        const int64_t class = b->listed[(uint64_t)r * b->top + k];
        if (class >= 0) {
            is_listed[class] = 1;
            of_listed += q[class] = expl((long double)b->log_probabilities[(uint64_t)r * b->top + k]);
        }
    }
    for (int c = 0; c < CLASSES; c++) {
        p[c] /= sum;
        tail_of_student += is_listed[c] ? 0 : p[c];
    }
    long double tail_of_teacher = tail == CLSOFTMAX_TAIL_BUCKET && tail_of_student > 0 ? 1 - of_listed : 0;
    tail_of_teacher = tail_of_teacher > 0 ? tail_of_teacher : 0;
    const long double whole = of_listed + tail_of_teacher;
    const long double weight = tail == CLSOFTMAX_TAIL_DROP && of_listed < 1 ? of_listed : 1;
    for (int c = 0; c < CLASSES; c++) {
        const long double spread = tail_of_student > 0 ? tail_of_teacher * p[c] / tail_of_student : 0;
        const long double own = (is_listed[c] ? q[c] : spread) / whole;
        t.loss += is_listed[c] && q[c] > 0 ? weight * own * (logl(own) - logl(p[c])) : 0;
        t.gradient[c] = weight * (p[c] - own) * temperature;
    }
    if (tail_of_teacher > 0)
        t.loss += tail_of_teacher / whole * logl(tail_of_teacher / whole / tail_of_student);
    t.loss *= temperature * temperature;
    return t;
}

/* Computes a distillation with the teacher that is made, and compares it with the definition. */
static void check_batch(const batch *b, clsoftmax_tail tail)
{
    float teacher[ROWS][CLASSES], weights[ROWS], gradient[ROWS][CLASSES], losses[ROWS];
    cr_assert_eq(clsoftmax_top_teacher(ROWS, CLASSES, b->top, b->listed, b->log_probabilities, 1, b->temperatures, tail,
                                       b->student[0], teacher[0], weights),
                 CLSOFTMAX_OK, "%s", clsoftmax_last_error());
    clsoftmax_context *cpu = test_open("cpu");
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    problem.outer = ROWS;
    problem.classes = CLASSES;
    problem.operation = CLSOFTMAX_OPERATION_DISTILLATION_GRADIENT;
    problem.temperature_per_row = 1;
    clsoftmax_arguments arguments = CLSOFTMAX_ARGUMENTS_INIT;
    arguments.logits = b->student;
    arguments.operand = teacher;
    arguments.weights = weights;
    arguments.temperatures = b->temperatures;
    arguments.results = gradient;
    arguments.losses = losses;
    clsoftmax_plan *plan = NULL;
    cr_assert_eq(clsoftmax_plan_create(cpu, &problem, &plan), CLSOFTMAX_OK);
    cr_assert_eq(clsoftmax_plan_run(plan, &arguments), CLSOFTMAX_OK, "%s", clsoftmax_last_error());
    for (int r = 0; r < ROWS; r++) {
        /* logits of a teacher are rounded to f32, which changes a q by 2^-24 of |y| / T */
        const truth t = find_truth(b, r, tail);
        const double square = (double)b->temperatures[r] * (double)b->temperatures[r];
        cr_expect(fabs((double)losses[r] - (double)t.loss) < 4e-6 * (square + (double)t.loss),
                  "tail %d, %d listed, row %d: %g, not %Lg", (int)tail, (int)b->top, r, (double)losses[r], t.loss);
        for (int c = 0; c < CLASSES; c++)
            cr_expect(fabs((double)gradient[r][c] - (double)t.gradient[c]) < 2e-6 * (double)b->temperatures[r],
                      "tail %d, %d listed, row %d, class %d: %g, not %Lg", (int)tail, (int)b->top, r, c,
                      (double)gradient[r][c], t.gradient[c]);
    }
    clsoftmax_plan_release(plan);
    clsoftmax_context_release(cpu);
}

Test(top_teacher, is_what_its_tail_says)
{
    const uint64_t tops[] = {1, 2, 5, CLASSES};
    const float temperatures[] = {0.5f, 1, 4};
    batch *b = malloc(sizeof *b);
    for (int k = 0; k < 4; k++)
        for (int t = 0; t < 3; t++)
            for (uint64_t seed = 1; seed <= 5; seed++) {
                draw_batch(seed, tops[k], temperatures[t], b);
                for (clsoftmax_tail tail = 0; tail < CLSOFTMAX_TAIL_COUNT; tail++)
                    check_batch(b, tail);
            }
    free(b);
}

/* Makes teachers of log-probabilities at T = 1, which are logits for any other, and of logits. */
Test(top_teacher, renormalized_are_logits)
{
    const int64_t listed[] = {2, 0};
    const float log_probabilities[] = {-0.5f, -1.5f}, logits[] = {900, -3};
    float teacher[3];
    cr_assert_eq(clsoftmax_top_teacher(1, 3, 2, listed, log_probabilities, 1, NULL, CLSOFTMAX_TAIL_RENORMALIZE, NULL,
                                       teacher, NULL),
                 CLSOFTMAX_OK);
    cr_expect(teacher[0] == -1.5f && teacher[1] == -INFINITY && teacher[2] == -0.5f);
    cr_assert_eq(
        clsoftmax_top_teacher(1, 3, 2, listed, logits, 1, NULL, CLSOFTMAX_TAIL_RENORMALIZE, NULL, teacher, NULL),
        CLSOFTMAX_OK);
    cr_expect(teacher[0] == -3 && teacher[1] == -INFINITY && teacher[2] == 900);
}

/* A tail of 2^-50 is what the teacher's largest class leaves, of which 1 less a sum has a few digits; and one that
   rounding has made negative is none. */
Test(top_teacher, a_tail_keeps_its_digits)
{
    const int64_t listed[] = {1};
    const float student[] = {3, 1, 3}, tiny = -0x1.555554p-50f, above = 0x1p-12f;
    float teacher[3];
    cr_assert_eq(clsoftmax_top_teacher(1, 3, 1, listed, &tiny, 1, NULL, CLSOFTMAX_TAIL_BUCKET, student, teacher, NULL),
                 CLSOFTMAX_OK);
    const double expected = log(-(double)tiny) - log(2);
    cr_expect(fabs((double)teacher[0] - expected) < 2e-6 && teacher[2] == teacher[0] && teacher[1] == tiny,
              "%g, not %g", (double)teacher[0], expected);
    cr_assert_eq(clsoftmax_top_teacher(1, 3, 1, listed, &above, 1, NULL, CLSOFTMAX_TAIL_BUCKET, student, teacher, NULL),
                 CLSOFTMAX_OK);
    cr_expect(teacher[0] == -INFINITY && teacher[2] == -INFINITY);
}

Test(top_teacher, refuses)
{
    const float student[3] = {1, 2, 3};
    float teacher[3], weight;
    const struct {
        const char *sentence;
        int64_t listed[2];
        float logarithms[2], temperature;
        clsoftmax_status status;
    } wrong[] = {
        {"class 1 is listed twice in row 0", {1, 1}, {-1, -2}, 1, CLSOFTMAX_INVALID_ARGUMENT},
        {"of class 2 in row 0 is nan", {1, 2}, {-1, NAN}, 1, CLSOFTMAX_INVALID_ARGUMENT},
        {"is 0.01; it takes a number that is not above 0.001", {1, 2}, {0.01f, -9}, 1, CLSOFTMAX_INVALID_ARGUMENT},
        {"add up to 1.2", {1, 2}, {-0.5f, -0.5f}, 1, CLSOFTMAX_INVALID_ARGUMENT},
        {"row 0 lists no class", {-1, 3}, {-1, -1}, 1, CLSOFTMAX_INVALID_ARGUMENT},
        {"row 0 lists no class", {-1, 2}, {-1, -INFINITY}, 1, CLSOFTMAX_INVALID_ARGUMENT},
        {"is beyond f32", {0, 2}, {-1, -9}, 0x1p126f, CLSOFTMAX_INVALID_ARGUMENT},
        {"temperature of row 0 is 0", {0, 2}, {-1, -9}, 0, CLSOFTMAX_INVALID_TEMPERATURE},
        {"temperature of row 0 is inf", {0, 2}, {-1, -9}, INFINITY, CLSOFTMAX_INVALID_TEMPERATURE},
        {"temperature of row 0 is nan", {0, 2}, {-1, -9}, NAN, CLSOFTMAX_INVALID_TEMPERATURE},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        cr_expect_eq(clsoftmax_top_teacher(1, 3, 2, wrong[i].listed, wrong[i].logarithms, wrong[i].temperature, NULL,
                                           CLSOFTMAX_TAIL_BUCKET, student, teacher, &weight),
                     wrong[i].status, "%s", wrong[i].sentence);
        cr_expect(strstr(clsoftmax_last_error(), wrong[i].sentence), "\"%s\", not \"%s\"", clsoftmax_last_error(),
                  wrong[i].sentence);
    }
    const int64_t listed[2] = {0, 1};
    const float logarithms[2] = {-1, -2};
#define REFUSES(classes, values, tail, student, teacher, weight)                                                       \
    cr_expect_eq(clsoftmax_top_teacher(1, 3, 2, classes, values, 1, NULL, tail, student, teacher, weight),             \
                 CLSOFTMAX_INVALID_ARGUMENT)
    REFUSES(NULL, logarithms, CLSOFTMAX_TAIL_DROP, NULL, teacher, &weight);
    REFUSES(listed, NULL, CLSOFTMAX_TAIL_DROP, NULL, teacher, &weight);
    REFUSES(listed, logarithms, CLSOFTMAX_TAIL_DROP, NULL, NULL, &weight);
    REFUSES(listed, logarithms, CLSOFTMAX_TAIL_DROP, NULL, teacher, NULL);
    REFUSES(listed, logarithms, CLSOFTMAX_TAIL_BUCKET, NULL, teacher, &weight);
    REFUSES(listed, logarithms, CLSOFTMAX_TAIL_COUNT, student, teacher, &weight);
    cr_expect_eq(clsoftmax_top_teacher(0, 3, 2, NULL, NULL, 1, NULL, CLSOFTMAX_TAIL_DROP, NULL, NULL, NULL),
                 CLSOFTMAX_OK);
}
