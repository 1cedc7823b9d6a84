/* SPDX-License-Identifier: MIT */
/*
 * How a password gets to ssh: ssh itself asks for it, before anybody is logged in, by running the program SSH_ASKPASS.
 * That is the daemon's own, once more. So nothing that a device prints can ask, nothing is typed on its terminal, and
 * the password stands in no argument and no environment: ssh's environment has the path of a slip, the slip has the path
 * of the file with the password, and who takes the slip away may answer. There is one for each host of a log-in, so each
 * is told its password once; who asks again is ended, because ssh would try an empty one, and devices count those.
 *
 * ssh_ask_allow() and ssh_ask_forbid() are the role ssh's, ssh_ask_answer() is the whole of what SSH_ASKPASS does.
 */
#ifndef REPAIR_SSH_ASK_H
#define REPAIR_SSH_ASK_H

#include <stdbool.h>

#define SSH_ASK_VARIABLE "SPIMEND_ASK" /* the path of a slip */

/* Writes a slip: whoever takes it may have the password in that file. One that is left from before goes. 0 or negative
 * errno. */
int ssh_ask_allow(const char *slip, const char *password_file);
/* Takes it back. True: somebody had taken it. */
bool ssh_ask_forbid(const char *slip);
/* The password to standard output; or why not to standard error, and the ssh that asks is ended. Returns an exit status. */
int ssh_ask_answer(const char *slip);

#endif
