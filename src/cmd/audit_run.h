/* SPDX-License-Identifier: MIT */
/* One run of the audit: what its two ways to tables share, saved files and the daemon's devices. Private to cmd/audit*.c. */
#ifndef CMD_AUDIT_RUN_H
#define CMD_AUDIT_RUN_H

#include "judge/audit.h"
#include "parse/device_output.h"
#include "record/audit.h"

struct audit_run {
	bool json;
	struct sa_audit *audit; /* owns */
	char (*hosts)[DEVICE_HOST_MAX]; /* owns; by device */
	struct audit_summary summary;
	bool *is_gone; /* owns; NULL: none; by finding: it was looked at once more, and is no more */
	bool trouble; /* exit status 2 */
	/* What is read: its name in findings, borrowed to the end, and in what is said of it. */
	const char *source, *said_of;
	int device, output;
	unsigned said;
	uint64_t unsaid;
	int error;
};

/* 0 or a negative code. */
int audit_run_init(struct audit_run *run, uint32_t devices);
void audit_run_done(struct audit_run *run);
/* On stderr: "spimend audit: WHERE: WHAT". Exit status 2 will come of it. */
void audit_run_say(struct audit_run *run, const char *where, const char *what);
/* Reads whole outputs of run->device into the audit; `command` is what was typed where its echo is not in it, else empty.
 * `damaged`: they end in the middle. 0 or a negative code; what cannot be read is said and counted. */
int audit_run_read(struct audit_run *run, struct text command, struct text bytes, bool damaged);
/* What `more` has read counts as read here. */
void audit_run_add_up(struct audit_run *run, const struct audit_run *more);

#endif
