/* SPDX-License-Identifier: MIT */
/* Values of struct config_notify: words to members and back. IOS's forms, with what IOS has beyond ours refused by name. */
#include <inttypes.h>

#include "base/memory.h"
#include "parse/config_private.h"
#include "spimend/error.h"

static bool full(struct buffer *why, const char *what, unsigned limit)
{
	buffer_printf(why, "at most %u %s", limit, what);
	return false;
}

static bool is_word(struct text t, const char *word)
{
	return text_equal_nocase(t, text_of(word));
}

struct reader { /* of a line's words */
	const struct text *words;
	size_t count, at;
	struct buffer *why;
};

static struct text next(struct reader *r)
{
	return r->at < r->count ? r->words[r->at++] : TEXT_NONE;
}

static bool take(struct reader *r, const char *word)
{
	if (r->at >= r->count || !is_word(r->words[r->at], word))
		return false;
	r->at++;
	return true;
}

static bool take_port(struct reader *r, uint16_t *ret)
{
	uint32_t port;

	if (!config_read_count(next(r), 1, 65535, &port, r->why))
		return false;
	*ret = (uint16_t)port;
	return true;
}

static bool unknown(struct reader *r, const char *expected)
{
	return config_say_expected(r->why, "word", next(r), expected);
}

/* --- snmp-server host --------------------------------------------------------------------------------------------- */

static bool take_version(struct reader *r, struct notify_host *host)
{
	static const char *const levels[] = { "noauth", "auth", "priv" };
	struct text version = next(r);
	int level;

	if (is_word(version, "2c"))
		return true;
	if (is_word(version, "1")) /* it cannot say that a value was not given, and has no SNMPv2 exceptions */
		return config_say_expected(r->why, "version", version, "traps are sent with version 2c or 3");
	if (!is_word(version, "3"))
		return config_say_expected(r->why, "version", version, "2c or 3 is expected");
	level = config_read_choice(r->at < r->count ? r->words[r->at] : TEXT_NONE, levels, 3);
	if (level < 0)
		return config_say_expected(r->why, "level", next(r), "auth, noauth or priv is expected");
	r->at++;
	host->security = (enum notify_security)(NOTIFY_V3_NOAUTH + level);
	return true;
}

static bool read_snmp_host(struct reader *r, struct notify_host *host)
{
	memset(host, 0, sizeof(*host));
	host->port = SNMP_TRAP_PORT;
	if (!config_read_address(next(r), &host->address, r->why))
		return false;
	host->informs = take(r, "informs");
	if (!host->informs)
		(void)take(r, "traps");
	if (take(r, "version") && !take_version(r, host))
		return false;
	if (!config_take_word(next(r), 1, host->name, sizeof(host->name), "the community or user", r->why))
		return false;
	host->event_manager = true;
	while (r->at < r->count) {
		if (take(r, "udp-port")) {
			if (!take_port(r, &host->port))
				return false;
		} else if (!take(r, "event-manager")) {
			return unknown(r, "'udp-port PORT' or 'event-manager' is expected; other traps are not sent");
		}
	}
	return true;
}

static bool same_target(const struct notify_host *a, const struct notify_host *b)
{
	return spimend_address_equal(&a->address, &b->address) && a->port == b->port && strcmp(a->name, b->name) == 0;
}

static bool set_snmp_host(struct reader *r, struct config_notify *n, bool *again)
{
	struct notify_host host;
	uint32_t i = 0;

	if (!read_snmp_host(r, &host))
		return false;
	while (i < n->host_count && !same_target(&n->hosts[i], &host))
		i++;
	if (i == NOTIFY_HOSTS_MAX)
		return full(r->why, "SNMP hosts", NOTIFY_HOSTS_MAX);
	*again = i < n->host_count && memcmp(&n->hosts[i], &host, sizeof(host)) != 0;
	n->hosts[i] = host;
	n->host_count += i == n->host_count;
	return true;
}

/* "no snmp-server host ADDRESS" takes all of that address back; with the rest of the line, that one. */
static bool unset_snmp_host(struct reader *r, struct config_notify *n)
{
	struct spimend_address address;
	struct notify_host host;
	uint32_t kept = 0;
	bool all = r->count == 1;

	if (all ? !config_read_address(r->words[0], &address, r->why) : !read_snmp_host(r, &host))
		return false;
	for (uint32_t i = 0; i < n->host_count; i++)
		if (all ? !spimend_address_equal(&n->hosts[i].address, &address) : !same_target(&n->hosts[i], &host))
			n->hosts[kept++] = n->hosts[i];
	if (kept == n->host_count)
		return config_say_expected(r->why, "nothing to take back:", r->words[0], "no line before names it");
	memset(&n->hosts[kept], 0, (n->host_count - kept) * sizeof(n->hosts[0]));
	n->host_count = kept;
	return true;
}

/* --- snmp-server community ---------------------------------------------------------------------------------------- */

static bool change_community(struct reader *r, struct config_notify *n, bool wanted)
{
	char name[NOTIFY_NAME_MAX];
	uint32_t i = 0;

	if (!config_take_word(next(r), 1, name, sizeof(name), "the community", r->why))
		return false;
	if (r->at < r->count && !take(r, "ro") && !take(r, "rw"))
		return unknown(r, "ro, rw or nothing is expected");
	if (r->at < r->count)
		return unknown(r, "the end of the line is expected");
	while (i < n->community_count && strcmp(n->communities[i], name) != 0)
		i++;
	if (wanted && i == NOTIFY_COMMUNITIES_MAX)
		return full(r->why, "communities", NOTIFY_COMMUNITIES_MAX);
	if (wanted) {
		memcpy(n->communities[i], name, sizeof(name));
		n->community_count += i == n->community_count;
		return true;
	}
	if (i == n->community_count) {
		buffer_add_string(r->why, "no line before names that community");
		return false;
	}
	n->community_count--;
	memmove(n->communities[i], n->communities[i + 1], (n->community_count - i) * sizeof(n->communities[0]));
	memset(n->communities[n->community_count], 0, sizeof(n->communities[0]));
	return true;
}

/* --- logging ------------------------------------------------------------------------------------------------------ */

static bool read_log_host(struct reader *r, struct notify_log_host *host)
{
	static const char *const transports[] = { "udp", "tcp", "tls" };
	static const char *const formats[] = { "rfc3164", "rfc5424" };
	bool has_port = false;

	memset(host, 0, sizeof(*host));
	if (!config_read_address(next(r), &host->address, r->why))
		return false;
	while (r->at < r->count) {
		int choice;

		if (take(r, "transport")) {
			choice = config_read_choice(next(r), transports, 3);
			if (choice < 0)
				return config_say_expected(r->why, "transport", r->words[r->at - 1], "udp, tcp or tls is expected");
			host->transport = (enum notify_transport)choice;
		} else if (take(r, "port")) {
			if (!take_port(r, &host->port))
				return false;
			has_port = true;
		} else if (take(r, "format")) {
			choice = config_read_choice(next(r), formats, 2);
			if (choice < 0)
				return config_say_expected(r->why, "format", r->words[r->at - 1], "rfc3164 or rfc5424 is expected");
			host->rfc5424 = choice == 1;
		} else if (take(r, "server")) {
			if (!config_take_word(next(r), 1, host->server, sizeof(host->server), "the server's name", r->why))
				return false;
		} else {
			return unknown(r, "'transport', 'port', 'format' or 'server' is expected");
		}
	}
	if (!has_port)
		host->port = notify_standard_port(host->transport);
	if (host->server[0] && host->transport != NOTIFY_TLS)
		return config_say_expected(r->why, "server", text_of(host->server), "a name is only checked with 'transport tls'");
	return true;
}

static uint32_t find_log_host(const struct config_notify *n, const struct spimend_address *address, uint16_t port)
{
	uint32_t i = 0;

	while (i < n->log_host_count &&
	       !(spimend_address_equal(&n->log_hosts[i].address, address) && n->log_hosts[i].port == port))
		i++;
	return i;
}

static bool set_log_host(struct reader *r, struct config_notify *n, bool *again)
{
	struct notify_log_host host;
	uint32_t i;

	if (!read_log_host(r, &host))
		return false;
	i = find_log_host(n, &host.address, host.port);
	if (i == NOTIFY_LOG_HOSTS_MAX)
		return full(r->why, "syslog servers", NOTIFY_LOG_HOSTS_MAX);
	*again = i < n->log_host_count && memcmp(&n->log_hosts[i], &host, sizeof(host)) != 0;
	n->log_hosts[i] = host;
	n->log_host_count += i == n->log_host_count;
	return true;
}

static bool unset_log_host(struct reader *r, struct config_notify *n)
{
	struct notify_log_host host;
	uint32_t kept = 0;
	bool all = r->count == 1;

	if (!read_log_host(r, &host))
		return false;
	for (uint32_t i = 0; i < n->log_host_count; i++)
		if (!spimend_address_equal(&n->log_hosts[i].address, &host.address) ||
		    (!all && n->log_hosts[i].port != host.port))
			n->log_hosts[kept++] = n->log_hosts[i];
	if (kept == n->log_host_count)
		return config_say_expected(r->why, "nothing to take back:", r->words[0], "no line before names it");
	memset(&n->log_hosts[kept], 0, (n->log_host_count - kept) * sizeof(n->log_hosts[0]));
	n->log_host_count = kept;
	return true;
}

static bool read_level(struct text t, uint8_t *ret, struct buffer *why)
{
	const char *names[8];
	int level;

	for (uint8_t i = 0; i < 8; i++)
		names[i] = notify_level_name(i);
	level = t.len == 1 && t.at[0] >= '0' && t.at[0] <= '7' ? t.at[0] - '0' : config_read_choice(t, names, 8);
	if (level < 0)
		return config_say_expected(why, "level", t, "emergencies, alerts, critical, errors, warnings, notifications, "
					   "informational or debugging is expected, or its number");
	*ret = (uint8_t)level;
	return true;
}

static bool set_buffered(struct reader *r, struct config_notify *n)
{
	uint32_t size = n->buffer_size ? n->buffer_size : NOTIFY_BUFFER_STANDARD;
	uint8_t level = n->buffer_level;

	if (r->at < r->count && r->words[r->at].len > 1 && char_is_digit(r->words[r->at].at[0]) &&
	    !config_read_count(next(r), NOTIFY_BUFFER_LEAST, NOTIFY_BUFFER_MOST, &size, r->why))
		return false;
	if (r->at < r->count && !read_level(next(r), &level, r->why))
		return false;
	if (r->at < r->count)
		return unknown(r, "'logging buffered [SIZE] [LEVEL]' is expected");
	n->buffer_size = size;
	n->buffer_level = level;
	return true;
}

/* --- ip host ------------------------------------------------------------------------------------------------------ */

static uint32_t find_name(const struct config_notify *n, struct text name)
{
	uint32_t i = 0;

	while (i < n->name_count && !text_equal_nocase(text_of(n->names[i].name), name))
		i++;
	return i;
}

static bool set_name(struct reader *r, struct config_notify *n, bool *again)
{
	struct notify_known known = { .name = "" };
	uint32_t i;

	if (!config_take_word(next(r), 1, known.name, sizeof(known.name), "the name", r->why) ||
	    !config_read_address(next(r), &known.address, r->why))
		return false;
	i = find_name(n, text_of(known.name));
	if (i == NOTIFY_NAMES_MAX)
		return full(r->why, "names", NOTIFY_NAMES_MAX);
	*again = i < n->name_count && memcmp(&n->names[i], &known, sizeof(known)) != 0;
	n->names[i] = known;
	n->name_count += i == n->name_count;
	return true;
}

static bool unset_name(struct reader *r, struct config_notify *n)
{
	uint32_t i = find_name(n, r->words[0]);

	if (i == n->name_count)
		return config_say_expected(r->why, "nothing to take back:", r->words[0], "no line before names it");
	n->name_count--;
	memmove(&n->names[i], &n->names[i + 1], (n->name_count - i) * sizeof(n->names[0]));
	memset(&n->names[n->name_count], 0, sizeof(n->names[0]));
	return true;
}

/* --- Single values ------------------------------------------------------------------------------------------------ */

static bool set_engine(struct text t, struct config_notify *n, struct buffer *why)
{
	uint8_t engine[NOTIFY_ENGINE_MAX] = { 0 };

	if (t.len < 10 || t.len > 2 * NOTIFY_ENGINE_MAX || t.len % 2)
		return config_say_expected(why, "engine", t, "5 to 32 bytes in hex are expected");
	for (size_t i = 0; i < t.len; i++) {
		int digit = char_hex(t.at[i]);

		if (digit < 0)
			return config_say_expected(why, "engine", t, "5 to 32 bytes in hex are expected");
		engine[i / 2] = (uint8_t)(engine[i / 2] << 4 | digit);
	}
	n->engine_len = (uint8_t)(t.len / 2);
	memcpy(n->engine, engine, sizeof(engine));
	return true;
}

static bool set_oid(struct text t, struct config_notify *n, struct buffer *why)
{
	struct snmp_oid oid;
	bool is_prefix;

	if (!snmp_oid_parse(t, &oid, &is_prefix) || oid.len > SNMP_OID_MAX - 8)
		return config_say_expected(why, "identifier", t, "numbers with dots are expected, such as 1.3.6.1.4.1.9.10.134");
	n->eem_root = oid;
	return true;
}

bool config_notify_set(const struct config_row *row, const struct text *words, size_t count, struct config_notify *n,
		       struct buffer *why, bool *again)
{
	struct reader r = { .words = words, .count = count, .why = why };

	switch (row->type) {
	case VALUE_TRAP_PORT:
		return take_port(&r, &n->trap_port);
	case VALUE_OID:
		return set_oid(words[0], n, why);
	case VALUE_ENGINE:
		return set_engine(words[0], n, why);
	case VALUE_LEVEL:
		return read_level(words[0], &n->log_level, why);
	case VALUE_BUFFERED:
		return set_buffered(&r, n);
	case VALUE_SNMP_HOST:
		return set_snmp_host(&r, n, again);
	case VALUE_COMMUNITY:
		return change_community(&r, n, true);
	case VALUE_SNMP_GROUP:
		return config_group_set(words, count, n, why);
	case VALUE_SNMP_USER:
		return config_user_set(words, count, n, why, again);
	case VALUE_LOG_HOST:
		return set_log_host(&r, n, again);
	case VALUE_IP_HOST:
		return set_name(&r, n, again);
	default:
		return false;
	}
}

bool config_notify_unset(const struct config_row *row, const struct text *words, size_t count, struct config_notify *n,
			 const struct config_notify *standard, struct buffer *why)
{
	struct reader r = { .words = words, .count = count, .why = why };

	switch (row->type) {
	case VALUE_TRAP_PORT:
		n->trap_port = standard->trap_port;
		return true;
	case VALUE_OID:
		n->eem_root = standard->eem_root;
		return true;
	case VALUE_ENGINE:
		n->engine_len = 0;
		memset(n->engine, 0, sizeof(n->engine));
		return true;
	case VALUE_LEVEL:
		n->log_level = standard->log_level;
		return true;
	case VALUE_BUFFERED:
		n->buffer_size = 0; /* as IOS: none */
		n->buffer_level = standard->buffer_level;
		return true;
	case VALUE_SNMP_HOST:
		return unset_snmp_host(&r, n);
	case VALUE_COMMUNITY:
		return change_community(&r, n, false);
	case VALUE_SNMP_GROUP:
		return config_group_unset(words[0], n, why);
	case VALUE_SNMP_USER:
		return config_user_unset(words[0], n, why);
	case VALUE_IP_HOST:
		return unset_name(&r, n);
	case VALUE_LOG_HOST:
		return unset_log_host(&r, n);
	default:
		return false;
	}
}

/* --- Printing ----------------------------------------------------------------------------------------------------- */

/* A community of that name is told from the keyword by the version in front of it. */
static bool is_keyword(struct text name)
{
	return is_word(name, "traps") || is_word(name, "informs") || is_word(name, "version");
}

static void print_hosts(const struct config_row *row, const struct config_notify *n, struct buffer *out)
{
	char address[SPIMEND_ADDRESS_TEXT_MAX];

	for (uint32_t i = 0; i < n->host_count; i++) {
		const struct notify_host *host = &n->hosts[i];

		buffer_printf(out, "%s %s ", row->keywords, spimend_address_print(&host->address, address));
		buffer_add_string(out, host->informs ? "informs " : "");
		if (host->security != NOTIFY_V2C || is_keyword(text_of(host->name)))
			buffer_printf(out, "version %s ", notify_security_name(host->security));
		buffer_add_string(out, host->name);
		if (host->port != SNMP_TRAP_PORT)
			buffer_printf(out, " udp-port %u", host->port);
		buffer_add_string(out, " event-manager\n");
	}
}

static void print_log_hosts(const struct config_row *row, const struct config_notify *n, struct buffer *out)
{
	char address[SPIMEND_ADDRESS_TEXT_MAX];

	for (uint32_t i = 0; i < n->log_host_count; i++) {
		const struct notify_log_host *host = &n->log_hosts[i];

		buffer_printf(out, "%s %s", row->keywords, spimend_address_print(&host->address, address));
		if (host->transport != NOTIFY_UDP)
			buffer_printf(out, " transport %s", notify_transport_name(host->transport));
		if (host->port != notify_standard_port(host->transport))
			buffer_printf(out, " port %u", host->port);
		if (host->rfc5424)
			buffer_add_string(out, " format rfc5424");
		if (host->server[0])
			buffer_printf(out, " server %s", host->server);
		buffer_add_char(out, '\n');
	}
}

void config_notify_print_one(const struct config_row *row, const struct config_notify *n, struct buffer *out)
{
	char oid[SNMP_OID_TEXT_MAX];

	switch (row->type) {
	case VALUE_TRAP_PORT:
		buffer_printf(out, "%u", n->trap_port);
		break;
	case VALUE_OID:
		buffer_add_string(out, snmp_oid_print(&n->eem_root, oid));
		break;
	case VALUE_ENGINE:
		for (uint8_t i = 0; i < n->engine_len; i++)
			buffer_printf(out, "%02x", n->engine[i]);
		break;
	case VALUE_LEVEL:
		buffer_add_string(out, notify_level_name(n->log_level));
		break;
	case VALUE_BUFFERED:
		buffer_printf(out, "%" PRIu32 " %s", n->buffer_size, notify_level_name(n->buffer_level));
		break;
	default:
		break;
	}
}

void config_notify_print(const struct config_row *row, const struct config_notify *n, const struct config_notify *standard,
			 struct buffer *out)
{
	struct buffer now = { 0 }, before = { 0 };
	char address[SPIMEND_ADDRESS_TEXT_MAX];

	switch (row->type) {
	case VALUE_SNMP_HOST:
		print_hosts(row, n, out);
		return;
	case VALUE_COMMUNITY:
		for (uint32_t i = 0; i < n->community_count; i++)
			buffer_printf(out, "%s %s\n", row->keywords, n->communities[i]);
		return;
	case VALUE_SNMP_GROUP:
		config_group_print(row, n, out);
		return;
	case VALUE_SNMP_USER:
		config_user_print(row, n, out);
		return;
	case VALUE_LOG_HOST:
		print_log_hosts(row, n, out);
		return;
	case VALUE_IP_HOST:
		for (uint32_t i = 0; i < n->name_count; i++)
			buffer_printf(out, "%s %s %s\n", row->keywords, n->names[i].name, spimend_address_print(&n->names[i].address, address));
		return;
	default:
		break;
	}
	if (row->type == VALUE_BUFFERED && n->buffer_size == 0) {
		buffer_printf(out, "no %s\n", row->keywords);
		return;
	}
	config_notify_print_one(row, n, &now);
	config_notify_print_one(row, standard, &before);
	if (!text_equal(buffer_text(&now), buffer_text(&before)))
		buffer_printf(out, "%s%s %.*s\n", row->block == CONFIG_TOP ? "" : " ", row->keywords, TEXT_ARG(buffer_text(&now)));
	buffer_done(&now);
	buffer_done(&before);
}
