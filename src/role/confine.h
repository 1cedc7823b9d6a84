/* SPDX-License-Identifier: MIT */
/*
 * What a role may do, taken away in two steps: identity and capabilities before it is executed, so that not even its first
 * instruction runs as root; landlock, limits and the system-call filter when it has begun, before it reads a byte.
 *
 *     sense  no capability, no file, no socket of its own but connections that come in where the parent listens
 *     core   no capability, files below the state directory alone, no socket of its own
 *     dial   no capability, no file; sockets of its own, IPv4 and IPv6, that connect and never listen
 *     act    CAP_NET_ADMIN (the kernel asks for it at every XFRM dump), no file, no socket of its own
 *     web    no capability, no file, no socket of its own but connections that come in where the parent listens
 *     ssh    no capability; executes ssh(1), which inherits all this: programs of the system, its configuration, the keys'
 *            folders to read, terminals; sockets of IPv4, IPv6 and unix. ssh needs too many calls for a list of those
 *            that it may make, and the list is another one in each release: those are refused that it never needs
 *     hook   no capability, a user of its own; executes the program of 'hook exec', which inherits all this: programs of the
 *            system and those beside it, the system's configuration to read, a directory to write; calls and sockets as ssh
 *
 * A forbidden system call ends the role at once: its SIGSYS handler tells the parent the number, then exits.
 */
#ifndef ROLE_CONFINE_H
#define ROLE_CONFINE_H

#include <stdbool.h>
#include <sys/types.h>

#include "model/config_device.h"
#include "model/config_hook.h"
#include "role/message.h"

#define CONFINE_CHANNEL_FD 3      /* where a role finds its channel to the parent */
#define CONFINE_VIOLATION_EXIT 159 /* 128 + SIGSYS */

/* In the forked child, as root: becomes uid and gid without supplementary groups, bounding set and capabilities empty
 * but for CAP_NET_ADMIN where asked; no new privileges; dies with its parent by `death_signal`. 0 or negative errno. */
int confine_identity(uid_t uid, gid_t gid, bool net_admin, int death_signal);

struct confine_report {
	int landlock;       /* the kernel's ABI number; 0: this kernel has none */
	int calls;          /* system calls that are allowed; 0: no filter */
	bool is_denied;     /* of ssh and hook: `calls` are those that are not */
	bool is_sanitized;  /* built with the address sanitizer, which needs more: no filter, no landlock */
};
/* What of the file system a role may reach. */
enum confine_access {
	CONFINE_OWN,     /* its own directory: files and unix sockets may be made in it */
	CONFINE_READ,    /* read what lies below */
	CONFINE_RUN,     /* and execute it */
	CONFINE_DEVICE,  /* read, write and control a device, or those below */
};
#define CONFINE_PLACES_MAX 192
struct confine_places {
	struct {
		enum confine_access access;
		char *path; /* owns */
	} at[CONFINE_PLACES_MAX];
	size_t count;
	int error; /* negative errno */
};
void confine_add_place(struct confine_places *places, enum confine_access access, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* What ssh(1) and its C library read, and the folders of the keys. */
void confine_add_ssh(struct confine_places *places, const struct config_devices *devices);
/* What a program of 'hook exec' may run and read. */
void confine_add_hook(struct confine_places *places, const struct config_hooks *hooks);
void confine_places_done(struct confine_places *places);

/* In the role: everything else. */
int confine_role(enum role role, const struct confine_places *places, struct confine_report *ret);

/* In a forked child behind confine_identity(), before it executes a program of the system that only reads: limits, landlock,
 * and no network. 0 or negative errno. */
int confine_program(const struct confine_places *places);
/* Its part: no socket, and none of the calls that are denied ssh. The number of calls, or negative errno. */
int confine_program_calls(void);

/* The system-call filter alone, also under sanitizers: for its test. Returns the number of calls that are allowed, of
 * ROLE_SSH and ROLE_HOOK that are not, or negative errno. */
int confine_calls(enum role role);
/* "socket", or NULL for a number that nobody knows. To be freed by memory_free(). */
char *confine_call_name(uint32_t arch, int32_t call);

#endif
