/* Introduces clsoftmax_run: the softmax of a matrix in host memory, on the device that "auto" takes. Begin here; the
   README has the same program. */
#include <clsoftmax/clsoftmax.h>
#include <stdio.h>

int main(void)
{
    const float logits[2][3] = {{10, 20, 30}, {3, 1, 3}};
    float probabilities[2][3];
    clsoftmax_context *context = NULL;
    clsoftmax_status status = clsoftmax_context_create("auto", &context); /* a GPU, or else the CPU */
    if (status == CLSOFTMAX_OK)
        status = clsoftmax_run(context, 2, 3, logits[0], 10.0f, probabilities[0]);
    if (status == CLSOFTMAX_OK)
        printf("%.9g %.9g %.9g\n", probabilities[0][0], probabilities[0][1], probabilities[0][2]);
    else
        fprintf(stderr, "%s\n", clsoftmax_last_error());
    clsoftmax_context_release(context);
    return status != CLSOFTMAX_OK;
}
