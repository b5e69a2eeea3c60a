/* Introduces clsoftmax_loss: logistic regression by full-batch gradient descent, written by hand. Its features are what
   a small network says of scans of digits, ten numbers each; it learns weights that turn these into better logits. */
#include <clsoftmax/clsoftmax.h>
#include <stdint.h>
#include <stdio.h>

enum { SCANS = 700, FEATURES = 11, CLASSES = 10, STEPS = 200 }; /* the last feature is 1, for a bias */

static float features[SCANS][FEATURES], logits[SCANS][CLASSES], gradient[SCANS][CLASSES], weights[CLASSES][FEATURES];
static int64_t labels[SCANS];

/* Reads the two .npy files, whose headers have 128 bytes: SCANS x 10 of f32, and SCANS labels of 32 bits. */
static int read_scans(const char *of_features, const char *of_labels)
{
    static float numbers[SCANS][FEATURES - 1];
    static int32_t digits[SCANS];
    FILE *f = fopen(of_features, "rb"), *l = fopen(of_labels, "rb");
    if (!f || !l || fseek(f, 128, SEEK_SET) || fseek(l, 128, SEEK_SET) || fread(numbers, sizeof numbers, 1, f) != 1 ||
        fread(digits, sizeof digits, 1, l) != 1)
        return 0;
    for (int i = 0; i < SCANS; i++) {
        for (int k = 0; k < FEATURES - 1; k++)
            features[i][k] = numbers[i][k];
        features[i][FEATURES - 1] = 1;
        labels[i] = digits[i];
    }
    return fclose(f) == 0 && fclose(l) == 0;
}

/* Computes the logits of all scans. Returns how many have their largest logit at their label. */
static int predict(void)
{
    int right = 0;
    for (int i = 0; i < SCANS; i++) {
        int best = 0;
        for (int c = 0; c < CLASSES; c++) {
            logits[i][c] = 0;
            for (int k = 0; k < FEATURES; k++)
                logits[i][c] += weights[c][k] * features[i][k];
            best = logits[i][c] > logits[i][best] ? c : best;
        }
        right += best == labels[i];
    }
    return right;
}

/* Takes the weights a step down the gradient, which the library gives by the logits. */
static void learn(float rate)
{
    for (int i = 0; i < SCANS; i++)
        for (int c = 0; c < CLASSES; c++)
            for (int k = 0; k < FEATURES; k++)
                weights[c][k] -= rate * gradient[i][c] * features[i][k];
}

int main(int argc, char **argv)
{
    clsoftmax_context *context = NULL;
    if (argc != 3 || !read_scans(argv[1], argv[2]))
        return fprintf(stderr, "usage: training digits_val_student_logits.npy digits_val_labels.npy\n"), 2;
    clsoftmax_status status = clsoftmax_context_create("cpu", &context);
    for (int step = 0; step <= STEPS && status == CLSOFTMAX_OK; step++) {
        double mean = 0;
        const int right = predict();
        status = clsoftmax_loss(context, SCANS, CLASSES, logits[0], 1.0f, labels, gradient[0], NULL, &mean);
        if (step % 50 == 0)
            printf("step %3d: loss %.4f, %d of %d right\n", step, mean, right, SCANS);
        learn(0.1f);
    }
    if (status != CLSOFTMAX_OK)
        fprintf(stderr, "%s\n", clsoftmax_last_error());
    clsoftmax_context_release(context);
    return status != CLSOFTMAX_OK;
}
