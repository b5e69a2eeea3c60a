// Introduces the library to C++: a std::unique_ptr releases a context or a plan when it leaves its scope, and a status
// becomes an exception. The softmax of a matrix in vectors, on the device that "auto" takes.
#include <clsoftmax/clsoftmax.h>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <vector>

struct release {
    void operator()(clsoftmax_context *context) const { clsoftmax_context_release(context); }
    void operator()(clsoftmax_plan *plan) const { clsoftmax_plan_release(plan); }
};
using context_ptr = std::unique_ptr<clsoftmax_context, release>;
using plan_ptr = std::unique_ptr<clsoftmax_plan, release>;

void check(clsoftmax_status status)
{
    if (status != CLSOFTMAX_OK)
        throw std::runtime_error(clsoftmax_last_error());
}

context_ptr open_device(const char *device)
{
    clsoftmax_context *context = nullptr;
    check(clsoftmax_context_create(device, &context));
    return context_ptr(context);
}

plan_ptr make_plan(const context_ptr &context, const clsoftmax_problem &problem)
{
    clsoftmax_plan *plan = nullptr;
    check(clsoftmax_plan_create(context.get(), &problem, &plan));
    return plan_ptr(plan);
}

int main()
try {
    const std::vector<float> logits{10, 20, 30, 3, 1, 3};
    std::vector<float> probabilities(logits.size());

    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    problem.outer = 2; // rows
    problem.classes = 3;
    clsoftmax_arguments arguments = CLSOFTMAX_ARGUMENTS_INIT;
    arguments.logits = logits.data();
    arguments.results = probabilities.data();
    arguments.temperature = 10;

    const context_ptr context = open_device("auto");
    const plan_ptr plan = make_plan(context, problem); // released before its context
    check(clsoftmax_plan_run(plan.get(), &arguments));
    std::printf("%.9g %.9g %.9g\n", probabilities[0], probabilities[1], probabilities[2]);
} catch (const std::exception &error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
