/* SPDX-License-Identifier: MIT */
/*
 * OpenSSH's ssh on a pseudo-terminal: how it is called, and the process. Called by the role ssh alone.
 *
 * Nothing but the configuration reaches its arguments: an address that is printed from its bytes, names of letters and
 * digits, paths without anything that ssh or a shell would read into. No file of the user's or the system's is read
 * (-F none); the host key must stand in the known-hosts file already, no key is taken on first use; no agent, no
 * forwarding, no escape character, no local command. A password is never an argument: see repair/ssh_ask.h. What ssh itself
 * says comes over a pipe of its own and never mixes with what the device prints.
 */
#ifndef REPAIR_SSH_H
#define REPAIR_SSH_H

#include <sys/types.h>

#include "base/buffer.h"
#include "model/config_device.h"

#define SSH_PATH "/usr/bin/ssh"
#define SSH_CONNECT_S 10     /* for the TCP connection and the key exchange */
#define SSH_ALIVE_S 5        /* it asks in that distance, three times, whether the device is there */
#define SSH_COLUMNS 512      /* of the terminal: devices.md 3 */

/* The arguments, each NUL-terminated, one behind the other. `sockets`: a directory of our own for the shared connections to
 * hosts that are gone through. `slip`: repair/ssh_ask.h; that of a host in between has SSH_JUMP_SLIP behind it. 0; -EINVAL
 * with the reason in `why`: it cannot be called so. */
#define SSH_JUMP_SLIP ".jump"
/* Whether they are shared: a socket's path has room for so much, and a directory with a longer one is gone without. */
bool ssh_shares_jumps(const char *sockets);
int ssh_arguments(const struct config_devices *devices, uint32_t device, const char *sockets, const char *slip,
		  struct buffer *ret, struct buffer *why);

struct ssh_process {
	pid_t pid;      /* 0: none */
	int pid_fd;     /* owns: readable when it has ended */
	int terminal;   /* owns; what the device prints and is typed; non-blocking */
	int complaints; /* owns; what ssh says; non-blocking */
};
/* `ask`: what it runs to be told a password; NULL: it has a key. 0 or a negative errno: then *ret is untouched. */
struct ssh_ask {
	const char *program, *slip;
};
int ssh_start(const struct buffer *arguments, const struct ssh_ask *ask, struct ssh_process *ret);
/* Kills it if it is not over, waits for it, closes all. */
void ssh_end(struct ssh_process *process);

/* The first line of a secret that is kept in a file: a regular file that nobody else may read. -EPERM: others may; -EINVAL:
 * empty, too long, or with control characters. `ret` is NUL-terminated and to be wiped by who asked. */
int ssh_read_secret(const char *path, char *ret, size_t size);
const char *ssh_secret_trouble(int error); /* what its error means */

#endif
