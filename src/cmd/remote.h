/* SPDX-License-Identifier: MIT */
/* spimend status, incidents, explain, watch: what the daemon says, over its control socket; approve, deny: what it is
 * told. */
#ifndef CMD_REMOTE_H
#define CMD_REMOTE_H

/* `argv[0]` is the command's name. Returns the exit status. */
int remote_main(int argc, char **argv);

#endif
