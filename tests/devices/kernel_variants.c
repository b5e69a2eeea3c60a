/* kernel_variants FOLDER [--all]: writes the source of every kernel that planning gives a GPU into the folder, one file
   for each variant, named by its label, with the text that the device's compiler would get. ./dev gpu-check compiles
   them by gpu_check.sh. Without --all it takes a sample of the wishes: the plainest problem, those that differ from it
   in one wish, and the one that asks for everything. */
#include "opencl/opencl_source.h"
#include "problem.h"
#include "support/wishes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* GPUs with small and large work-groups and local memories, as AMD and NVIDIA make them. */
static const cls_limits gpus[] = {
    {CLSOFTMAX_DEVICE_GPU, 104, 1, 256, 64 << 10, (uint64_t)16 << 30, (uint64_t)64 << 30, 128, 8 << 20, 0, NULL},
    {CLSOFTMAX_DEVICE_GPU, 132, 1, 1024, 48 << 10, (uint64_t)35 << 30, (uint64_t)140 << 30, 512, 50 << 20, 0, NULL},
};

enum { MOST_CLASSES_LOG2 = 21 }; /* beyond CORE_TWO_LEVEL_CLASSES */

static void die(const char *what, const char *why)
{
    fprintf(stderr, "kernel_variants: %s: %s\n", what, why);
    exit(2);
}

/* Writes the source of a variant, unless a file has its label already, which is then of the same variant. */
static void write_variant(const char *folder, const cls_variant *variant)
{
    char label[256], path[4096], *text;
    cls_variant_label(variant, label, sizeof label);
    snprintf(path, sizeof path, "%s/%s.cl", folder, label);
    FILE *file = fopen(path, "wx");
    if (!file && errno == EEXIST)
        return;
    if (!file)
        die(path, strerror(errno));
    if (cls_opencl_source(variant, &text) != CLSOFTMAX_OK)
        die(label, clsoftmax_last_error());
    if (fputs(text, file) < 0 || fclose(file) != 0)
        die(path, strerror(errno));
    free(text);
}

/* Writes the variants that are planned for a problem on each GPU, if it is valid and can be planned. */
static void write_variants_of(const char *folder, const clsoftmax_problem *problem)
{
    clsoftmax_problem checked;
    cls_decision decision;
    if (cls_problem_check(problem, &checked) != CLSOFTMAX_OK)
        return;
    for (size_t i = 0; i < sizeof gpus / sizeof *gpus; i++) {
        if (cls_decide(&checked, &gpus[i], &decision) == CLSOFTMAX_OK)
            write_variant(folder, &decision.variant);
    }
}

/* Writes the variants for few and many rows, short and long, along the last axis and along another, by every
   strategy. */
static void write_shapes(const char *folder, clsoftmax_problem problem)
{
    for (int strategy = 0; strategy < CLSOFTMAX_STRATEGY_COUNT; strategy++) {
        problem.strategy = (clsoftmax_strategy)strategy;
        for (unsigned classes_log2 = 0; classes_log2 <= MOST_CLASSES_LOG2; classes_log2++) {
            problem.classes = (uint64_t)1 << classes_log2;
            for (problem.outer = 1; problem.outer <= 1 << 16; problem.outer <<= 16) {
                for (problem.inner = 1; problem.inner <= 1 << 10; problem.inner <<= 10)
                    write_variants_of(folder, &problem);
            }
        }
    }
}

int main(int argc, char **argv)
{
    const int all = argc == 3 && strcmp(argv[2], "--all") == 0;
    if (argc != 2 && !all)
        die("usage", "kernel_variants FOLDER [--all]");
    for (unsigned number = 0; number < wishes_count(); number++) {
        clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
        if (wishes_apply(number, &problem) && (all || wishes_are_sampled(number)))
            write_shapes(argv[1], problem);
    }
    return 0;
}
