/* SPDX-License-Identifier: MIT */
/*
 * The vendors' message bodies: bytes to facts, pure, each fuzzed. The framing in front (priority, time, host) is already
 * off, but for dialects that carry their own time and name inside.
 *
 * Called by parse/message.c alone, in the order of dialect_readers. A reader never keeps the text.
 */
#ifndef PARSE_DIALECT_H
#define PARSE_DIALECT_H

#include "model/fact.h"
#include "parse/mnemonic.h"

enum dialect_result {
	DIALECT_NOT_MINE, /* nothing of this dialect, or a line of it that proves nothing */
	DIALECT_READ,     /* ret is filled */
	DIALECT_MORE,     /* ours, correct so far, and cut at the end of the text: the next line may go on */
	DIALECT_BAD,      /* names our message and cannot be read: failure says why and where */
};

struct parse_failure {
	const char *reason; /* static text: what was wrong and what was expected */
	size_t offset;      /* into the text given */
};

struct reading {
	struct fact fact;
	size_t used; /* bytes of the text that belong to this message; what follows is another one or litter */
	/* The message's own time and host, for dialects that carry them in the body (FortiGate, audit). */
	bool has_own_time;
	bool own_time_has_zone;
	struct civil own_time; /* offset_minutes valid when own_time_has_zone */
	struct text own_host;  /* borrows from the text; empty when there is none */
	bool complete; /* DIALECT_MORE: a whole message, but its last character promises more (a comma) */
	struct parse_failure failure; /* DIALECT_BAD, DIALECT_MORE */
};

typedef enum dialect_result dialect_read(struct text body, struct reading *ret);

dialect_read dialect_cisco_read;      /* starts at '%': IOS, IOS XE, PIX (dialect_cisco.c) */
/* The same where the mnemonic at the start of the body was read already. */
enum dialect_result dialect_cisco_read_named(struct text body, struct mnemonic name, struct reading *ret);
dialect_read dialect_cisco_debug_read; /* ISAKMP: and ISAKMP-ERROR: debug lines, no mnemonic */
dialect_read dialect_asa_read;        /* starts at '%ASA-', '%FTD-' */
dialect_read dialect_fortigate_read;
dialect_read dialect_screenos_read;
dialect_read dialect_checkpoint_read;
dialect_read dialect_versa_read;
dialect_read dialect_zyxel_read;
dialect_read dialect_nortel_read;
dialect_read dialect_audit_read;      /* Linux audit record 1415 and its sisters */
dialect_read dialect_strongswan_read;
dialect_read dialect_libreswan_read;

/* An address as logs print it: IPv4 or IPv6, brackets and a trailing :port, [port] or #port taken off. Sets
 * FLAG_ADDRESS_MASKED in *flags and returns an unknown address for x.x.x.x, empty, placeholders. */
struct spimend_address dialect_address(struct text t, uint32_t *flags);

#endif
