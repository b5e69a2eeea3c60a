/* The combinations of wishes: what wishes.h declares. */
#include "wishes.h"

enum {
#define WISH_NUMBER(name, ...) WISH_##name,
    WISH_LIST(WISH_NUMBER)
#undef WISH_NUMBER
        WISHES
};

#define WISH_CHOICES(name, count, plain, every, apply) count,
#define WISH_PLAINEST(name, count, plain, every, apply) plain,
#define WISH_EVERYTHING(name, count, plain, every, apply) every,
static const unsigned choices[WISHES] = {WISH_LIST(WISH_CHOICES)};
static const unsigned plainest[WISHES] = {WISH_LIST(WISH_PLAINEST)};
static const unsigned everything[WISHES] = {WISH_LIST(WISH_EVERYTHING)};

static void choices_of(unsigned number, unsigned *wishes)
{
    for (int i = 0; i < WISHES; number /= choices[i++])
        wishes[i] = number % choices[i];
}

static int differences(const unsigned *a, const unsigned *b)
{
    int count = 0;
    for (int i = 0; i < WISHES; i++)
        count += a[i] != b[i];
    return count;
}

unsigned wishes_count(void)
{
    unsigned count = 1;
    for (int i = 0; i < WISHES; i++)
        count *= choices[i];
    return count;
}

int wishes_apply(unsigned number, clsoftmax_problem *problem)
{
    unsigned wishes[WISHES], choice;
    choices_of(number, wishes);
#define WISH_APPLY(name, count, plain, every, apply)                                                                   \
    choice = wishes[WISH_##name];                                                                                      \
    apply;
    WISH_LIST(WISH_APPLY)
#undef WISH_APPLY
    /* without results, their dtype says nothing; without statistics either, nothing is asked for */
    return problem->operation != CLSOFTMAX_OPERATION_NONE ||
           (problem->statistics && problem->results_dtype == CLSOFTMAX_F32);
}

int wishes_are_sampled(unsigned number)
{
    unsigned wishes[WISHES];
    choices_of(number, wishes);
    const int is_one_more = wishes[WISH_OPERATION] == CLSOFTMAX_OPERATION_NONE; /* it needs statistics as well */
    return differences(wishes, plainest) <= 1 + is_one_more || differences(wishes, everything) == 0;
}
