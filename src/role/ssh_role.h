/* SPDX-License-Identifier: MIT */
/*
 * The role ssh in its parts: role/ssh_role.c lives with core, sense and the loop and hands orders to sessions,
 * role/ssh_session.c is one log-in, role/ssh_hold.c says who is left alone for now. Private to the three.
 *
 * It types what core orders, by the verbs of model/device_order.h, and reads nothing of what comes back: the bytes go to
 * sense as they are, which says when there is a prompt, and which tells core what stood in front of it.
 */
#ifndef ROLE_SSH_ROLE_H
#define ROLE_SSH_ROLE_H

#include <limits.h>
#include <time.h>

#include "model/device_order.h"
#include "repair/ssh.h"
#include "role/member.h"

#define REACH_ORDERS_MAX 4096           /* that wait */
#define REACH_STARTS_MAX 16             /* at once until the device prints something: a key exchange on both ends */
#define REACH_LOGIN_NS (30 * SECOND_NS) /* from the start of ssh to a device that is ready for commands */
#define REACH_QUIET_NS (15 * SECOND_NS) /* a device that prints nothing for so long, and gives no prompt, hangs */
#define REACH_IDLE_NS (30 * SECOND_NS)  /* then a session is ended: devices have few lines */
#define REACH_AGAIN_FIRST (5 * SECOND_NS)  /* after a log-in that failed nobody tries that device ... */
#define REACH_AGAIN_MOST (300 * SECOND_NS) /* ... twice as long each time */

#define REACH_DENIED_FIRST (60 * SECOND_NS) /* the same, where a password was not taken */
#define REACH_DENIED_LONGEST (3600 * SECOND_NS)
#define REACH_DENIED_MOST 3                 /* devices in a row: then that password is tried on no other either */

struct reach;

enum session_phase { SESSION_NONE, SESSION_STARTS, SESSION_ENABLES, SESSION_PREPARES, SESSION_IDLE, SESSION_BUSY };

struct session {
	struct reach *reach;       /* borrows */
	uint32_t number;           /* number % DEVICE_SESSIONS_MAX is its place */
	enum session_phase phase;
	uint32_t device;
	enum platform platform;
	struct ssh_process process;
	struct loop_source *terminal_source, *complaints_source, *end_source;
	struct device_order order; /* request 0: none */
	bool printed;              /* something came from the device: somebody is logged in */
	bool through;              /* ssh says that the host in between let it in */
	bool typed;                /* the order's command went out */
	bool confirmed;            /* Enter was typed to the order's "[confirm]" */
	bool gave_secret;          /* once is enough */
	bool paused;               /* sense does not keep up */
	unsigned prepared;         /* steps of the log-in that are done */
	int64_t deadline;          /* mono: of the log-in, of the order, or of being idle */
	int64_t order_deadline;    /* while the log-in is under way */
	int64_t heard;             /* mono: something was printed or typed last */
	char said[DEVICE_REASON_MAX]; /* ssh's own last words */
};

struct waiting {
	struct device_order order;
	int64_t deadline;          /* mono */
	uint32_t next;
};

struct reach {
	struct member *member;     /* borrows */
	struct channel *core, *sense; /* own */
	struct loop_timer *timer;
	struct config_devices devices; /* as the sessions know them */
	char sockets[CONFIG_PATH_MAX + 8];
	struct session sessions[DEVICE_SESSIONS_MAX];
	int16_t session_of[DEVICES_MAX]; /* -1: none */
	struct {
		int64_t again, wait, denied_wait; /* mono; nanoseconds */
		uint16_t denied; /* 1 more than the place of the login whose password was not taken; 0: another reason */
	} failed[DEVICES_MAX];
	struct reach_login {       /* of one with a password */
		uint16_t first;    /* 1 more than the place of the first with the same user and password, where the rest stands */
		bool proved;       /* a device took it, and none refused it since */
		unsigned denied;   /* by so many devices in a row */
		int64_t again, wait; /* mono; nanoseconds */
		struct timespec changed; /* of its file, when it was not taken last; 0: it always was */
	} logins[DEVICE_LOGINS_MAX];
	char program[PATH_MAX];    /* this one, which ssh runs to ask for a password */
	struct waiting waiting[REACH_ORDERS_MAX];
	uint32_t first, last, unused; /* of `waiting`, as a list; REACH_ORDERS_MAX: none */
	uint32_t rounds;           /* of session numbers */
};

/* The result of an order; nobody may be there to hear it. */
void reach_tell(struct reach *reach, uint64_t request, enum device_outcome outcome, bool typed, const char *why);

/* --- ssh_hold.c --- */

/* With these devices: nothing is known. */
void hold_begin(struct reach *reach);
/* A device took that password, and none refused it since. */
bool hold_is_proved(const struct reach *reach, uint32_t device, bool by_jump);

/* A log-in failed; its password, or that of the host in between, was not taken. */
void hold_after_failure(struct reach *reach, uint32_t device);
void hold_after_denial(struct reach *reach, uint32_t device, bool by_jump);
/* The password was taken; the log-in is through. */
void hold_taken(struct reach *reach, uint32_t device, bool by_jump);
void hold_end(struct reach *reach, uint32_t device);
/* True: nobody logs in to it now, and `why`. */
bool hold_is_held(struct reach *reach, uint32_t device, int64_t now, char *why, size_t size);
/* True: another log-in will tell whether the password is right. */
bool hold_must_wait(const struct reach *reach, uint32_t device);

/* --- ssh_session.c --- */

/* Starts ssh for that device. False: it was told why not. */
bool session_begin(struct reach *reach, struct session *s, uint32_t device, const struct device_order *order,
		   int64_t deadline);
/* Types an order's command. The session is SESSION_IDLE. */
void session_take(struct session *s, const struct device_order *order, int64_t deadline);
/* What sense makes of its bytes. */
void session_seen(struct session *s, const struct device_seen *seen);
/* Ends it; an order that it had ends with `outcome`. `why` NULL: nothing to add. */
void session_end(struct session *s, enum device_outcome outcome, const char *why);
/* When session_late() is to be called. */
int64_t session_due(const struct session *s);
void session_late(struct session *s);
/* sense keeps up again. */
void session_resume(struct session *s);

#endif
