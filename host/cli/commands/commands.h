/* The commands of clsoftmax, one in each command_*.c. main.c calls them; clsoftmax-mpi calls command_run, command_loss
   and command_distill. */
#ifndef CLSOFTMAX_COMMANDS_H
#define CLSOFTMAX_COMMANDS_H

/* Runs a command. argv[0] is what the user calls it by, as "clsoftmax run". Returns the exit status of the process, or
   EXIT_ANSWERED after --help, which is to become EXIT_DONE. */
int command_run(int argc, char **argv);
int command_sweep(int argc, char **argv);
int command_plot(int argc, char **argv);
int command_explore(int argc, char **argv);
int command_loss(int argc, char **argv);
int command_distill(int argc, char **argv);
int command_devices(int argc, char **argv);
int command_verify(int argc, char **argv);

#endif
