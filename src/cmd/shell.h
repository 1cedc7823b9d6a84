/* SPDX-License-Identifier: MIT */
/* spimend shell, and spimend -c "COMMAND": the daemon's command line on a terminal, on a pipe, or for one command. */
#ifndef CMD_SHELL_H
#define CMD_SHELL_H

/* `argv[0]` is "shell" or "-c". Returns the exit status. */
int shell_main(int argc, char **argv);

#endif
