/* SPDX-License-Identifier: MIT */
#include "model/config_notify.h"

#include <string.h>

#include "base/hash.h"

void config_notify_default(struct config_notify *ret)
{
	/* B20: the place that the note's applets wait for. Today's MIB has it at ...9.10.134; both are understood. */
	static const struct snmp_oid root = { 9, { 1, 3, 6, 1, 4, 1, 9, 10, 91 } };

	ret->trap_port = SNMP_TRAP_PORT;
	ret->eem_root = root;
	ret->log_level = 7; /* IOS has 6: but a debug is switched on to be sent (B18) */
	ret->buffer_level = 7;
	ret->buffer_size = NOTIFY_BUFFER_STANDARD;
	text_copy(TEXT("/etc/ssl/certs/ca-certificates.crt"), ret->tls_trust, sizeof(ret->tls_trust));
}

static uint64_t mark_of(const void *entry, size_t size)
{
	static const struct hash_key key = { 5, 6 };

	return hash_bytes(&key, entry, size); /* entries are zeroed before they are filled: equal ones are equal bytes */
}

uint64_t notify_host_mark(const struct notify_host *host)
{
	return mark_of(host, sizeof(*host));
}

uint64_t notify_log_host_mark(const struct notify_log_host *host)
{
	return mark_of(host, sizeof(*host));
}

const char *notify_security_name(enum notify_security security)
{
	static const char *const names[NOTIFY_SECURITIES] = { "2c", "3 noauth", "3 auth", "3 priv" };

	return (unsigned)security < NOTIFY_SECURITIES ? names[security] : "?";
}

const char *notify_host_how(const struct notify_host *host)
{
	static const char *const informs[NOTIFY_SECURITIES] = { "2c informs", "3 noauth informs", "3 auth informs", "3 priv informs" };

	return host->informs && (unsigned)host->security < NOTIFY_SECURITIES ? informs[host->security]
									     : notify_security_name(host->security);
}

const char *notify_hash_name(enum notify_hash hash)
{
	static const char *const names[NOTIFY_HASHES] = { "none", "sha", "sha224", "sha256", "sha384", "sha512" };

	return (unsigned)hash < NOTIFY_HASHES ? names[hash] : "?";
}

const char *notify_transport_name(enum notify_transport transport)
{
	static const char *const names[NOTIFY_TRANSPORTS] = { "udp", "tcp", "tls" };

	return (unsigned)transport < NOTIFY_TRANSPORTS ? names[transport] : "?";
}

const char *notify_level_name(uint8_t level)
{
	static const char *const names[8] = { "emergencies", "alerts", "critical", "errors", "warnings", "notifications",
					      "informational", "debugging" };

	return level < 8 ? names[level] : "?";
}

uint16_t notify_standard_port(enum notify_transport transport)
{
	return transport == NOTIFY_TLS ? SYSLOG_TLS_PORT : transport == NOTIFY_TCP ? SYSLOG_TCP_PORT : SYSLOG_UDP_PORT;
}
