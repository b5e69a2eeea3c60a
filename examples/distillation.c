/* Introduces clsoftmax_distill: a student learns from a teacher's logits instead of from labels. The teacher is a
   network that names digits; the student, a linear map by hand, sees what a smaller network says of the same scans. Run
   it at T = 1 and at T = 4: at T = 1 the teacher is so sure that it says little more than a label does. */
#include <clsoftmax/clsoftmax.h>
#include <stdio.h>
#include <stdlib.h>

enum { SCANS = 700, FEATURES = 11, CLASSES = 10, STEPS = 200 }; /* the last feature is 1, for a bias */

static float features[SCANS][FEATURES], teacher[SCANS][CLASSES], student[SCANS][CLASSES], gradient[SCANS][CLASSES],
    weights[CLASSES][FEATURES];

/* Reads an .npy file of SCANS x 10 f32, whose header has 128 bytes. */
static int read_logits(const char *path, float (*logits)[CLASSES])
{
    FILE *file = fopen(path, "rb");
    int is_read = file && fseek(file, 128, SEEK_SET) == 0 && fread(logits, sizeof teacher, 1, file) == 1;
    return is_read && fclose(file) == 0;
}

/* Computes the student's logits. Returns for how many scans its largest one is where the teacher's is. */
static int predict(void)
{
    int same = 0;
    for (int i = 0; i < SCANS; i++) {
        int best = 0, of_teacher = 0;
        for (int c = 0; c < CLASSES; c++) {
            student[i][c] = 0;
            for (int k = 0; k < FEATURES; k++)
                student[i][c] += weights[c][k] * features[i][k];
            best = student[i][c] > student[i][best] ? c : best;
            of_teacher = teacher[i][c] > teacher[i][of_teacher] ? c : of_teacher;
        }
        same += best == of_teacher;
    }
    return same;
}

/* Takes the weights a step down the gradient, which the library gives by the student's logits. */
static void learn(float rate)
{
    for (int i = 0; i < SCANS; i++)
        for (int c = 0; c < CLASSES; c++)
            for (int k = 0; k < FEATURES; k++)
                weights[c][k] -= rate * gradient[i][c] * features[i][k];
}

int main(int argc, char **argv)
{
    static float numbers[SCANS][CLASSES];
    clsoftmax_context *context = NULL;
    if (argc != 4 || !read_logits(argv[1], numbers) || !read_logits(argv[2], teacher))
        return fprintf(stderr, "usage: distillation FEATURES.npy TEACHER.npy T\n"), 2;
    for (int i = 0; i < SCANS; i++)
        for (int k = 0; k < FEATURES; k++)
            features[i][k] = k < CLASSES ? numbers[i][k] : 1;
    clsoftmax_status status = clsoftmax_context_create("cpu", &context);
    for (int step = 0; step <= STEPS && status == CLSOFTMAX_OK; step++) {
        double mean = 0;
        const int same = predict();
        status = clsoftmax_distill(context, SCANS, CLASSES, student[0], teacher[0], strtof(argv[3], NULL), gradient[0],
                                   NULL, &mean);
        if (step % 50 == 0)
            printf("step %3d: loss %.4f, %d of %d as the teacher\n", step, mean, same, SCANS);
        learn(0.1f);
    }
    if (status != CLSOFTMAX_OK)
        fprintf(stderr, "%s\n", clsoftmax_last_error());
    clsoftmax_context_release(context);
    return status != CLSOFTMAX_OK;
}
