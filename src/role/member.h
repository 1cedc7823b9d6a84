/* SPDX-License-Identifier: MIT */
/*
 * What the roles have in common: they are executed by the parent with one descriptor, are told their
 * configuration, confine themselves, say that they are ready, answer pings, receive what they need, and end with the parent.
 *
 * Called by the roles' files. Never here: what a role does.
 */
#ifndef ROLE_MEMBER_H
#define ROLE_MEMBER_H

#include "base/buffer.h"
#include "model/config.h"
#include "role/channel.h"
#include "role/log.h"
#include "role/loop.h"

#define MEMBER_CORE_DIRECTORY "core" /* below the state directory: core's own */
#define MEMBER_JOURNAL_DIRECTORY MEMBER_CORE_DIRECTORY "/devices" /* in it: a journal a device */
#define MEMBER_SSH_DIRECTORY "ssh" /* ssh's own: sockets of connections that are shared */
#define MEMBER_RECORDER_DIRECTORY "recorder" /* core's: the flight recorder's ring ... */
#define MEMBER_EVIDENCE_DIRECTORY "evidence" /* ... and what is frozen of it, a file an incident */
#define MEMBER_WEB_DIRECTORY "web" /* root's own: the token of the page */
#define MEMBER_HOOK_DIRECTORY "hook" /* of the program of 'hook exec': where it runs and may write */
#define MEMBER_FLASH_DIRECTORY "flash" /* and this one: disk0: and flash: of the command line */

/* What the parent hands every role in a sealed memfd: this, the text that `config` was read from, and the file's. */
struct member_bundle {
	struct config config;  /* as it runs */
	struct config ceiling; /* as the file has it: config_is_within() */
	uint32_t text_len, startup_len;
};

struct member {
	enum role role;
	struct loop *loop;             /* owns */
	struct log log;
	struct config *config;         /* owns */
	struct config ceiling;         /* as the file has it */
	struct buffer text, startup;   /* what `config` was read from; the file */
	uint64_t config_serial;        /* of what core had sent; 0: it came from the file */
	struct role_start start;
	struct channel *parent;        /* owns */
	const struct member_calls *calls; /* borrows */
	void *context;                 /* borrows */
	bool wants_log;                /* asked for a log socket, which did not come yet */
	int status;                    /* exit status */
};

struct member_calls {
	/* Confined, with a configuration. Negative errno: the role ends, the parent starts it again later. */
	int (*begin)(void *context, struct member *member);
	/* A descriptor or several, the callee's from now on; or resource->error. */
	void (*resource)(void *context, const struct role_resource *resource, const int *fds, size_t fd_count);
	/* What else the parent tells that role alone; NULL: nothing. */
	void (*told)(void *context, enum message_type type, const union message_item *item);
	/* member->config is new. */
	void (*reload)(void *context);
	void (*end)(void *context);
	/* What became of a MESSAGE_SAVE. NULL: this role sends none. */
	void (*saved)(void *context, const struct role_saved *saved);
};

/* The whole life of a role; returns its exit status. */
int member_run(enum role role, const struct member_calls *calls, void *context);
/* Asks the parent to open something again. */
void member_want(struct member *member, enum resource kind, uint32_t index, const char *name);
void member_close_fds(const int *fds, size_t fd_count);

#endif
