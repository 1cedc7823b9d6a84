/* SPDX-License-Identifier: MIT */
/*
 * The part of ASN.1's Basic Encoding Rules that SNMP uses (RFC 3417 8): definite lengths, tags below 31. Reading and
 * writing, pure.
 *
 * Called by parse/snmp_message, parse/snmp_write and sense/usm. A reader borrows its bytes, never goes beyond them, and
 * stops at the first trouble: then `reason` is a static text and `at` its offset in the whole message. A writer fills its
 * room from the end to the front, so that every length is known when it is written; one that overflows says so, and nothing
 * of it is valid.
 */
#ifndef PARSE_SNMP_BER_H
#define PARSE_SNMP_BER_H

#include "model/snmp.h"

enum ber_tag {
	BER_INTEGER = 0x02, BER_OCTETS = 0x04, BER_NULL = 0x05, BER_OID = 0x06, BER_SEQUENCE = 0x30, BER_ADDRESS = 0x40,
	BER_COUNTER32 = 0x41, BER_UNSIGNED = 0x42, BER_TIMETICKS = 0x43, BER_OPAQUE = 0x44, BER_COUNTER64 = 0x46,
	BER_NO_SUCH_OBJECT = 0x80, BER_NO_SUCH_INSTANCE = 0x81, BER_END_OF_VIEW = 0x82,
	BER_GET = 0xa0, BER_RESPONSE = 0xa2, BER_TRAP_V1 = 0xa4, BER_INFORM = 0xa6, BER_TRAP_V2 = 0xa7, BER_REPORT = 0xa8,
};

struct ber {
	const uint8_t *bytes; /* borrows; of the whole message, so that offsets count from its start */
	size_t at, end;
	const char *reason;   /* static; NULL: all is well */
};

struct ber ber_of(const void *bytes, size_t len);
/* Trouble at `at`, unless there was some already. Returns false, for `return ber_fail(...)`. */
bool ber_fail(struct ber *b, size_t at, const char *reason);
/* The next value's tag; -1 at the end or after trouble. */
int ber_peek(const struct ber *b);
/* Takes a value; *ret_inside reads its content. */
bool ber_take(struct ber *b, struct ber *ret_inside, uint8_t *ret_tag);
/* The same, of one tag: `what` names it in the reason ("no PDU"). */
bool ber_enter(struct ber *b, uint8_t tag, const char *what, struct ber *ret_inside);
bool ber_take_integer(struct ber *b, const char *what, int64_t *ret); /* -2^31 to 2^31-1 */
bool ber_take_octets(struct ber *b, const char *what, struct text *ret);
bool ber_take_oid(struct ber *b, const char *what, struct snmp_oid *ret);
/* A value of any type that a variable may have. */
bool ber_take_value(struct ber *b, struct snmp_value *ret);

struct ber_writer {
	uint8_t *bytes; /* borrows */
	size_t room, at; /* what is written begins at `at` */
	bool overflow;
};

struct ber_writer ber_writer_of(void *bytes, size_t room);
void ber_put_bytes(struct ber_writer *w, const void *bytes, size_t len);
/* Closes what was written since `end` (an earlier w->at) as one value. */
void ber_put_head(struct ber_writer *w, uint8_t tag, size_t end);
void ber_put_integer(struct ber_writer *w, uint8_t tag, int64_t value);
void ber_put_octets(struct ber_writer *w, uint8_t tag, const void *bytes, size_t len);
void ber_put_oid(struct ber_writer *w, const struct snmp_oid *oid);
void ber_put_value(struct ber_writer *w, const struct snmp_value *value);

#endif
