/* clsoftmax: the command. */
#include "support/cli.h"

#include <string.h>

const char program_name[] = "clsoftmax";

static const char help[] =
    "usage: clsoftmax COMMAND [OPTION...]\n"
    "\n"
    "Softmax with temperature for matrices of logits, on any OpenCL device or on the CPU, with the same bits on each.\n"
    "\n"
    "commands:\n"
    "  run INPUT     probabilities of every row of a matrix (.npy, .txt, .csv, or - for text on standard input)\n"
    "  sweep INPUT   the same at many temperatures at once, and curves of them\n"
    "  plot INPUT    bars of a row's logits and probabilities\n"
    "  explore       a page with a temperature slider\n"
    "  devices       what there is to compute on, and which one is taken by default\n"
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
    "  clsoftmax verify -d gpu\n"
    "\n"
    "exit status: 0 done; 1 it failed while running; 2 the request or the input is wrong\n";

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        char *called; /* what its messages call it */
        int (*run)(int, char **);
    } commands[] = {{"run", "clsoftmax run", command_run},
                    {"sweep", "clsoftmax sweep", command_sweep},
                    {"plot", "clsoftmax plot", command_plot},
                    {"explore", "clsoftmax explore", command_explore},
                    {"devices", "clsoftmax devices", command_devices},
                    {"verify", "clsoftmax verify", command_verify}};

    begin_process();
    const char *word = argc > 1 ? argv[1] : "";
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0) {
        return print_help(help);
    }
    if (strcmp(word, "--version") == 0) {
        printf("clsoftmax %s\n", clsoftmax_version());
        return finish_output(stdout);
    }
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(word, commands[i].name) == 0) {
            argv[1] = commands[i].called;
            return commands[i].run(argc - 1, argv + 1);
        }
    if (argc < 2)
        return complain(EXIT_WRONG,
                        "a command is missing: run, sweep, plot, explore, devices or verify; see clsoftmax --help");
    return complain(
        EXIT_WRONG,
        "%s: no such command; there are run, sweep, plot, explore, devices and verify; see clsoftmax --help", word);
}
