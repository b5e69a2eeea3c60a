/* clsoftmax: finds the command that the first word names, and runs it. */
#include "clsoftmax/clsoftmax.h"
#include "commands/commands.h"
#include "support/messages.h"
#include "support/process.h"

#include <stdio.h>
#include <string.h>

const char program_name[] = "clsoftmax";

static const char help[] =
    "usage: clsoftmax COMMAND [OPTION...]\n"
    "\n"
    "Softmax with temperature for matrices of logits, on any OpenCL device or on the CPU, with the same bits on each.\n"
    "\n"
    "commands:\n"
    "  run INPUT     computes the probabilities of every row of a matrix: .npy, .txt, .csv, or - for standard input\n"
    "  sweep INPUT   computes them at many temperatures at once, and draws curves of them\n"
    "  plot INPUT    draws bars of a row's logits and probabilities\n"
    "  explore       writes a page with a temperature slider\n"
    "  loss LOGITS LABELS  computes the cross-entropy of every row at a temperature, and its gradient\n"
    "  distill STUDENT TEACHER  computes how far every row is from a teacher's at a temperature, and the gradient\n"
    "  devices       lists what there is to compute on, and which device is taken by default\n"
    "  verify        checks a device: its bits against the CPU path, its error against double precision\n"
    "\n"
    "  clsoftmax COMMAND --help tells more; clsoftmax --version tells the version.\n"
    "\n"
    "examples:\n"
    "  echo \"10 20 30\" | clsoftmax run -T 10 -\n"
    "  clsoftmax run logits.npy -T 0.7 -o probabilities.npy\n"
    "  clsoftmax sweep logits.npy -T 0,log:0.1:100:31,inf --stats\n"
    "  echo \"10 20 30\" | clsoftmax plot -T 1,10,100 -\n"
    "  clsoftmax explore -o temperature.html\n"
    "  clsoftmax loss logits.npy labels.npy -T 2 --gradient gradient.npy\n"
    "  clsoftmax distill student.npy teacher.npy -T 4 --gradient gradient.npy\n"
    "  clsoftmax verify -d gpu\n"
    "\n"
    "exit status: 0 done; 1 it failed while running; 2 the request or the input is wrong\n";

typedef struct command {
    const char *name;
    char *called; /* what its messages call it */
    int (*run)(int, char **);
} command;

static const command commands[] = {
    {"run", "clsoftmax run", command_run},
    {"sweep", "clsoftmax sweep", command_sweep},
    {"plot", "clsoftmax plot", command_plot},
    {"explore", "clsoftmax explore", command_explore},
    {"loss", "clsoftmax loss", command_loss},
    {"distill", "clsoftmax distill", command_distill},
    {"devices", "clsoftmax devices", command_devices},
    {"verify", "clsoftmax verify", command_verify},
};

/* Returns NULL if no command has that name. */
static const command *find_command(const char *word)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(word, commands[i].name) == 0)
            return &commands[i];
    return NULL;
}

int main(int argc, char **argv)
{
    begin_process();
    COMPLAIN_IF(
        argc < 2, EXIT_WRONG,
        "a command is missing: run, sweep, plot, explore, loss, distill, devices or verify; see clsoftmax --help");
    const char *word = argv[1];
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0) {
        fputs(help, stdout);
        return finish_output(stdout);
    }
    if (strcmp(word, "--version") == 0) {
        printf("clsoftmax %s\n", clsoftmax_version());
        return finish_output(stdout);
    }
    const command *command = find_command(word);
    COMPLAIN_IF(!command, EXIT_WRONG,
                "%s: no such command; there are run, sweep, plot, explore, loss, distill, devices and verify; see "
                "clsoftmax --help",
                word);
    argv[1] = command->called;
    int status = command->run(argc - 1, argv + 1);
    return status == EXIT_ANSWERED ? EXIT_DONE : status;
}
