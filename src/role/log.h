/* SPDX-License-Identifier: MIT */
/*
 * What a process of the daemon says to people: one line to stderr (-f), to the journal's socket, or to syslog.
 *
 * The socket is opened by the parent and handed on; a role asks for a new one when it broke (the journal was restarted).
 * Lines never block: what the other end does not take is counted. Texts from outside must be printable when they come here;
 * control characters are replaced all the same.
 */
#ifndef ROLE_LOG_H
#define ROLE_LOG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <syslog.h>

#define LOG_TEXT_MAX 1024
#define LOG_FIELDS_MAX 8

enum log_sink { SINK_STDERR, SINK_JOURNAL, SINK_SYSLOG, SINKS };

struct log {
	enum log_sink sink;
	int fd;           /* owns, but for SINK_STDERR */
	const char *role; /* borrows: "core" */
	bool marks;       /* stderr is the journal's: "<4>" in front, sd-daemon(3); it adds time and host itself */
	bool times;       /* stderr is a file or a pipe: "2026-11-22T11:42:03.123Z hub " in front, as a syslog server writes */
	char host[64];
	bool broken;      /* the socket needs to be opened anew */
	uint64_t lost;    /* lines */
};

struct log_field { /* for the journal: NAME=value; other sinks leave them out */
	const char *name, *value;
};

/* To stderr. */
void log_init(struct log *log, const char *role);
void log_done(struct log *log);
/* Which sink a daemon in the background has here: the journal where it is, else syslog. */
enum log_sink log_choose(void);
/* Parent: a connected socket of that sink. 0 or negative errno. */
int log_open(enum log_sink sink, int *ret_fd);
/* Says everything there from now on. Takes the fd. */
void log_use(struct log *log, enum log_sink sink, int fd);

/* Severity as in syslog.h: LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO. */
void log_say(struct log *log, int severity, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* A line as an IOS device writes it, for programs that read device logs: facility local7, the tag in front at most. The
 * journal gets its mnemonic and the fields beside it, at most LOG_FIELDS_MAX - 1; their values have no line feed. */
void log_device_line(struct log *log, int severity, const char *line, const struct log_field *fields, size_t count);

#endif
