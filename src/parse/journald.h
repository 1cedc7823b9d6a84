/* SPDX-License-Identifier: MIT */
/*
 * Entries of systemd's journal as `journalctl --output=export` prints them (systemd: JOURNAL_EXPORT_FORMATS): lines
 * NAME=VALUE, or NAME, eight bytes of length, little endian, and so many bytes; an empty line ends an entry. And one entry
 * as a line of a log, so that parse/log reads it as it reads a file.
 *
 * Called by sense with whatever a pipe gave, cut anywhere. Pure; no allocation, and memory of fixed size: of a field are
 * kept as many bytes as are looked at, the rest is passed over, be it gigabytes.
 *
 * Names that begin with '_' were written by journald itself, all others by whoever logged.
 */
#ifndef PARSE_JOURNALD_H
#define PARSE_JOURNALD_H

#include "base/text.h"

#define JOURNALD_MESSAGE_MAX 8192 /* bytes of a message that are kept */
#define JOURNALD_WORD_MAX 64      /* of every other field: a host's name has at most 64 (sethostname(2)) */
#define JOURNALD_NAME_MAX 64      /* of a field's name: journald takes no longer one */
#define JOURNALD_LINE_EXTRA (4 * JOURNALD_WORD_MAX) /* a line is at most so much longer than its message */
/* What of an entry is read: journalctl need print no more. It adds __CURSOR, both time stamps and _BOOT_ID by itself. */
#define JOURNALD_FIELDS "MESSAGE,SYSLOG_IDENTIFIER,SYSLOG_PID,_PID,_HOSTNAME,_TRANSPORT,_SOURCE_REALTIME_TIMESTAMP,N_DROPPED"

enum journald_word {
	JOURNALD_TAKEN,      /* __REALTIME_TIMESTAMP: when journald took it, in microseconds of UNIX time; orders the journal */
	JOURNALD_SOURCE,     /* _SOURCE_REALTIME_TIMESTAMP: when it was said, where that is known */
	JOURNALD_HOST,       /* _HOSTNAME */
	JOURNALD_TRANSPORT,  /* _TRANSPORT: "driver" is journald itself */
	JOURNALD_PID,        /* _PID */
	JOURNALD_IDENTIFIER, /* SYSLOG_IDENTIFIER */
	JOURNALD_SAID_PID,   /* SYSLOG_PID */
	JOURNALD_DROPPED,    /* N_DROPPED: messages of a program that journald threw away for their rate */
	JOURNALD_WORDS
};

struct journald { /* zeroed at the start of a stream */
	uint8_t at;          /* enum of parse/journald.c: within a name, a value, a length, ... */
	uint8_t taking;      /* enum journald_word, JOURNALD_WORDS for the message, beyond for what is passed over */
	uint8_t length_bytes;
	bool is_told;        /* the entry was given: the next byte begins another */
	uint64_t left;       /* of the length, or of the bytes */
	char name[JOURNALD_NAME_MAX];
	size_t name_len;
	struct {
		bool has;
		uint8_t len;
		char bytes[JOURNALD_WORD_MAX];
	} words[JOURNALD_WORDS];
	bool has_message, is_cut;
	bool has_any; /* field in this entry */
	size_t message_len;
	char message[JOURNALD_MESSAGE_MAX];
};

struct journald_entry { /* borrows from the reader, until the next call */
	struct text message, host, identifier, pid; /* empty: there was none */
	uint64_t taken_us, said_us;  /* UNIX time; 0: not known. said_us is taken_us where nothing else is known */
	uint64_t dropped;
	bool has_message, is_cut;
};

enum journald_step {
	JOURNALD_ENTRY,  /* one was taken */
	JOURNALD_MORE,   /* `bytes` is used up */
	JOURNALD_BROKEN, /* no such format: nothing that follows can be trusted */
};

/* Takes the first entry off `bytes`, which need not be whole: the reader keeps what it has seen. *ret_why (static) says what
 * broke it. Of a field that comes twice the first counts. */
enum journald_step journald_take(struct journald *reader, struct text *bytes, struct journald_entry *ret,
				 const char **ret_why);

/* Writes TIME HOST IDENTIFIER[PID]: MESSAGE, with 0 for a PID that is not known (the kernel has none), to `to`, which has
 * room for the message, `host` and JOURNALD_LINE_EXTRA; without a line break, also where the message has some: one entry is
 * one line, and nobody writes a second one into it. `host` is whom it is from where it names nobody. Returns the length. */
size_t journald_print(const struct journald_entry *entry, struct text host, char *to);

#endif
