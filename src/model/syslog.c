/* SPDX-License-Identifier: MIT */
#include "model/syslog.h"

#include <string.h>

#include "base/memory.h"

static bool is_address(const struct spimend_address *a)
{
	return a->family == 0 || a->family == 4 || a->family == 6;
}

static bool is_fact(const struct fact *f)
{
	return (unsigned)f->kind < FACT_KINDS && (unsigned)f->dialect < DIALECT_COUNT && (unsigned)f->reason <= REASON_CLEARED &&
	       is_address(&f->src) && is_address(&f->dst) && is_bool(&f->controller_keyed) && is_bool(&f->encap_udp) &&
	       memchr(f->interface, 0, sizeof(f->interface)) &&
	       (f->protocol == SPIMEND_PROTOCOL_UNKNOWN || f->protocol == SPIMEND_PROTOCOL_ESP ||
		f->protocol == SPIMEND_PROTOCOL_AH);
}

bool syslog_valid_claim(const struct syslog_claim *c)
{
	return is_fact(&c->fact) && is_address(&c->source) && c->way < SYSLOG_WAYS && c->file < SYSLOG_FILES_MAX &&
	       memchr(c->host, 0, sizeof(c->host)) && is_bool(&c->has_at) && is_bool(&c->has_heard) && is_bool(&c->is_repeat) &&
	       is_bool(&c->is_alone) && memchr(c->text, 0, sizeof(c->text));
}

bool syslog_valid_heard(const struct syslog_heard *heard)
{
	return heard->host[0] && memchr(heard->host, 0, sizeof(heard->host));
}

bool syslog_valid_counts(const struct syslog_counts *counts)
{
	return is_address(&counts->foreign_last);
}

static bool begins(const struct spimend_address *a, unsigned first, unsigned bits)
{
	return (unsigned)(a->bytes[0] << 8 | a->bytes[1]) >> (16 - bits) == first >> (16 - bits);
}

enum syslog_class syslog_class_of(const struct spimend_address *a)
{
	static const uint8_t one[16] = { [15] = 1 };

	if (a->family == 6) {
		if (memcmp(a->bytes, one, sizeof(one)) == 0)
			return SYSLOG_LOOPBACK;
		if (begins(a, 0xfe80, 10)) /* RFC 4291 2.5.6 */
			return SYSLOG_LINK_LOCAL;
		return begins(a, 0xfc00, 7) ? SYSLOG_PRIVATE : SYSLOG_PUBLIC; /* RFC 4193 */
	}
	if (begins(a, 0x7f00, 8))
		return SYSLOG_LOOPBACK;
	if (begins(a, 0xa9fe, 16)) /* RFC 3927 */
		return SYSLOG_LINK_LOCAL;
	/* RFC 1918, and RFC 6598 between a carrier and its customers */
	return begins(a, 0x0a00, 8) || begins(a, 0xac10, 12) || begins(a, 0xc0a8, 16) || begins(a, 0x6440, 10) ? SYSLOG_PRIVATE
														   : SYSLOG_PUBLIC;
}

const char *syslog_class_name(enum syslog_class class)
{
	static const char *const names[SYSLOG_CLASSES] = { "loopback", "link-local", "private", "public" };

	return (unsigned)class < SYSLOG_CLASSES ? names[class] : "?";
}

const char *syslog_fate_name(enum syslog_fate fate)
{
	static const char *const names[SYSLOG_FATES] = { "taken", "foreign", "no-room", "empty", "own" };

	return (unsigned)fate < SYSLOG_FATES ? names[fate] : "?";
}
