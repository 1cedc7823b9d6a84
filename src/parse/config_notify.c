/* SPDX-License-Identifier: MIT */
/* Where messages go and come from: logging and SNMP. Words to members of struct config and back, as config_value.c. */
#include <inttypes.h>

#include "parse/config_private.h"

#define PORT_MOST 65535
#define BUFFER_LEAST 4096u
#define BUFFER_MOST (64u << 20)
#define PORT_SYSLOG 514
#define PORT_SYSLOG_TLS 6514
#define PORT_TRAP 162

static const char *const levels[] = { "emergencies", "alerts", "critical", "errors", "warnings", "notifications", "informational",
				      "debugging" };

static bool full(struct buffer *why, const char *what, unsigned limit)
{
	buffer_printf(why, "at most %u %s", limit, what);
	return false;
}

/* A text that others will print and send: printable, without blanks (words have none). */
static bool read_name(struct text t, char to[CONFIG_NAME_MAX], struct buffer *why)
{
	bool is_fine = t.len > 0 && t.len < CONFIG_NAME_MAX;

	for (size_t i = 0; is_fine && i < t.len; i++)
		is_fine = (unsigned char)t.at[i] > 0x20 && (unsigned char)t.at[i] < 0x7f;
	if (!is_fine) { /* not repeated: it may be a secret */
		buffer_add_string(why, "a name of at most 63 printable characters is expected");
		return false;
	}
	memset(to, 0, CONFIG_NAME_MAX);
	text_copy(t, to, CONFIG_NAME_MAX);
	return true;
}

static bool read_port(struct text t, uint16_t *ret, struct buffer *why)
{
	uint32_t port;

	if (!config_read_count(t, 1, PORT_MOST, &port, why))
		return false;
	*ret = (uint16_t)port;
	return true;
}

static bool read_level(struct text t, uint32_t *ret)
{
	uint64_t number;
	int named;

	if (text_decimal(t, 7, &number) == 0) {
		*ret = (uint32_t)number;
		return true;
	}
	named = config_read_choice(t, levels, 8);
	if (named < 0)
		return false;
	*ret = (uint32_t)named;
	return true;
}

/* --- logging ---------------------------------------------------------------------------------------------------------- */

static bool set_buffer(const struct text *at, size_t count, struct config *c, struct buffer *why)
{
	struct config with = { .log_buffer_bytes = 65536, .log_buffer_level = 7 };

	for (size_t i = 0; i < count; i++) {
		uint64_t bytes;

		if (read_level(at[i], &with.log_buffer_level))
			continue;
		if (text_decimal(at[i], BUFFER_MOST, &bytes) < 0 || bytes < BUFFER_LEAST)
			return config_say_expected(why, "size or severity", at[i],
						   "4096 to 67108864 bytes, or emergencies to debugging (0 to 7) are expected");
		with.log_buffer_bytes = (uint32_t)bytes;
	}
	c->log_buffer_bytes = with.log_buffer_bytes;
	c->log_buffer_level = with.log_buffer_level;
	return true;
}

static uint32_t find_log_host(const struct config *c, const struct spimend_address *address)
{
	uint32_t i = 0;

	while (i < c->log_host_count && !spimend_address_equal(&c->log_hosts[i].address, address))
		i++;
	return i;
}

static bool take_log_option(struct text word, struct text value, struct config_log_host *h, bool *has_port,
			    struct buffer *why)
{
	static const char *const transports[] = { "udp", "tcp", "tls" }, *const formats[] = { "rfc3164", "rfc5424" };
	static const char *const options[] = { "transport", "port", "format", "ca-file" };
	int choice;

	switch (config_read_choice(word, options, 4)) {
	case 0:
		choice = config_read_choice(value, transports, TRANSPORTS);
		if (choice < 0)
			return config_say_expected(why, "transport", value, "udp, tcp or tls is expected");
		h->transport = (enum log_transport)choice;
		return true;
	case 1:
		*has_port = true;
		return read_port(value, &h->port, why);
	case 2:
		choice = config_read_choice(value, formats, FORMATS);
		if (choice < 0)
			return config_say_expected(why, "format", value, "rfc3164 or rfc5424 is expected");
		h->format = (enum log_format)choice;
		return true;
	case 3:
		if (!config_is_path(value))
			return config_say_expected(why, "file", value, "an absolute path of at most 107 bytes is expected");
		text_copy(value, h->ca_file, sizeof(h->ca_file));
		return true;
	default:
		return config_say_expected(why, "word", word, "transport, port, format or ca-file is expected");
	}
}

static bool set_log_host(const struct text *at, size_t count, struct config *c, struct buffer *why, bool *again)
{
	struct config_log_host host;
	bool has_port = false;
	uint32_t i;

	memset(&host, 0, sizeof(host));
	if (!config_read_address(at[0], &host.address, why))
		return false;
	for (size_t k = 1; k < count; k += 2)
		if (!take_log_option(at[k], k + 1 < count ? at[k + 1] : TEXT_NONE, &host, &has_port, why))
			return false;
	if (host.ca_file[0] && host.transport != TRANSPORT_TLS) {
		buffer_add_string(why, "'ca-file' goes with 'transport tls'");
		return false;
	}
	if (!has_port)
		host.port = host.transport == TRANSPORT_TLS ? PORT_SYSLOG_TLS : PORT_SYSLOG;
	i = find_log_host(c, &host.address);
	if (i == CONFIG_HOSTS_MAX)
		return full(why, "hosts", CONFIG_HOSTS_MAX);
	*again = i < c->log_host_count && memcmp(&c->log_hosts[i], &host, sizeof(host)) != 0;
	if (i == c->log_host_count)
		c->log_host_count++;
	c->log_hosts[i] = host;
	return true;
}

/* --- snmp-server ------------------------------------------------------------------------------------------------------ */

static uint32_t find_snmp_host(const struct config *c, const struct spimend_address *address)
{
	uint32_t i = 0;

	while (i < c->snmp_host_count && !spimend_address_equal(&c->snmp_hosts[i].address, address))
		i++;
	return i;
}

/* "version 2c", "version 3 priv"; *k is the word behind it afterwards. */
static bool take_version(const struct text *at, size_t count, size_t *k, struct config_snmp_host *h, struct buffer *why)
{
	static const char *const names[] = { "noauth", "auth", "priv" };
	struct text version = *k + 1 < count ? at[*k + 1] : TEXT_NONE;
	int level;

	*k += 2;
	if (text_equal_nocase(version, TEXT("2c")))
		return true;
	if (!text_equal(version, TEXT("3")))
		return config_say_expected(why, "version", version, "2c or 3 is expected");
	h->version = 3;
	level = *k < count ? config_read_choice(at[*k], names, SNMP_LEVELS) : -1;
	if (level < 0)
		return config_say_expected(why, "level", *k < count ? at[*k] : TEXT_NONE, "noauth, auth or priv is expected");
	h->level = (enum snmp_level)level;
	(*k)++;
	return true;
}

static bool set_snmp_host(const struct text *at, size_t count, struct config *c, struct buffer *why, bool *again)
{
	struct config_snmp_host host;
	size_t k = 1;
	uint32_t i;

	memset(&host, 0, sizeof(host));
	host.version = 2;
	host.port = PORT_TRAP;
	if (!config_read_address(at[0], &host.address, why))
		return false;
	if (k < count && text_equal_nocase(at[k], TEXT("traps")))
		k++;
	if (k < count && text_equal_nocase(at[k], TEXT("version")) && !take_version(at, count, &k, &host, why))
		return false;
	if (!read_name(k < count ? at[k++] : TEXT_NONE, host.name, why))
		return false;
	for (; k < count; k++) {
		if (text_equal_nocase(at[k], TEXT("udp-port")) && k + 1 < count) {
			if (!read_port(at[++k], &host.port, why))
				return false;
		} else if (text_equal_nocase(at[k], TEXT("event-manager"))) {
			host.event_manager = host.names_kinds = true;
		} else {
			return config_say_expected(why, "word", at[k], "udp-port PORT or event-manager is expected");
		}
	}
	host.event_manager = true; /* the only kind that there is: with or without its name */
	i = find_snmp_host(c, &host.address);
	if (i == CONFIG_HOSTS_MAX)
		return full(why, "hosts", CONFIG_HOSTS_MAX);
	*again = i < c->snmp_host_count && memcmp(&c->snmp_hosts[i], &host, sizeof(host)) != 0;
	if (i == c->snmp_host_count)
		c->snmp_host_count++;
	c->snmp_hosts[i] = host;
	return true;
}

static uint32_t find_community(const struct config *c, struct text name)
{
	uint32_t i = 0;

	while (i < c->community_count && !text_equal(text_of(c->communities[i].name), name))
		i++;
	return i;
}

static bool set_community(const struct text *at, size_t count, struct config *c, struct buffer *why)
{
	uint32_t i = find_community(c, at[0]);
	char name[CONFIG_NAME_MAX];

	if (!read_name(at[0], name, why))
		return false;
	if (count > 2 || (count == 2 && !text_equal_nocase(at[1], TEXT("ro")) && !text_equal_nocase(at[1], TEXT("rw"))))
		return config_say_expected(why, "word", at[1], "ro or rw is expected, or nothing");
	if (i == CONFIG_COMMUNITIES_MAX)
		return full(why, "communities", CONFIG_COMMUNITIES_MAX);
	if (i == c->community_count)
		memcpy(c->communities[c->community_count++].name, name, sizeof(name));
	return true;
}

static uint32_t find_user(const struct config *c, struct text name)
{
	uint32_t i = 0;

	while (i < c->snmp_user_count && !text_equal(text_of(c->snmp_users[i].name), name))
		i++;
	return i;
}

static bool set_user(const struct text *at, size_t count, struct config *c, struct buffer *why, bool *again)
{
	uint32_t i = find_user(c, at[0]);
	struct config_snmp_user user;

	memset(&user, 0, sizeof(user));
	if (!read_name(at[0], user.name, why))
		return false;
	if (count != 3 || !text_equal_nocase(at[1], TEXT("key-file"))) {
		buffer_add_string(why, "'key-file PATH' is expected behind the user's name: keys have no place in this file");
		return false;
	}
	if (!config_is_path(at[2]))
		return config_say_expected(why, "file", at[2], "an absolute path of at most 107 bytes is expected");
	text_copy(at[2], user.key_file, sizeof(user.key_file));
	if (i == CONFIG_USERS_MAX)
		return full(why, "users", CONFIG_USERS_MAX);
	*again = i < c->snmp_user_count && memcmp(&c->snmp_users[i], &user, sizeof(user)) != 0;
	if (i == c->snmp_user_count)
		c->snmp_user_count++;
	c->snmp_users[i] = user;
	return true;
}

/* --- For config_value.c ----------------------------------------------------------------------------------------------- */

bool config_notify_set(const struct config_row *row, const struct text *at, size_t count, struct config *config,
		       struct buffer *why, bool *again)
{
	switch (row->type) {
	case VALUE_LOG_BUFFER:
		return set_buffer(at, count, config, why);
	case VALUE_SEVERITY:
		return read_level(at[0], &config->log_trap_level) ||
		       config_say_expected(why, "severity", at[0], "emergencies to debugging, or 0 to 7, is expected");
	case VALUE_LOG_HOST:
		return set_log_host(at, count, config, why, again);
	case VALUE_SNMP_HOST:
		return set_snmp_host(at, count, config, why, again);
	case VALUE_COMMUNITY:
		return set_community(at, count, config, why);
	default:
		return set_user(at, count, config, why, again);
	}
}

#define TAKE_OUT(array, count, i) \
	do { \
		(count)--; \
		memmove(&(array)[i], &(array)[(i) + 1], ((count) - (i)) * sizeof((array)[0])); \
		memset(&(array)[count], 0, sizeof((array)[0])); \
	} while (0)

static bool unset_address(const struct config_row *row, struct text word, struct config *c, struct buffer *why)
{
	struct spimend_address address;
	uint32_t i;

	if (!config_read_address(word, &address, why))
		return false;
	i = row->type == VALUE_LOG_HOST ? find_log_host(c, &address) : find_snmp_host(c, &address);
	if (row->type == VALUE_LOG_HOST && i < c->log_host_count)
		TAKE_OUT(c->log_hosts, c->log_host_count, i);
	else if (row->type == VALUE_SNMP_HOST && i < c->snmp_host_count)
		TAKE_OUT(c->snmp_hosts, c->snmp_host_count, i);
	else
		return config_say_expected(why, "nothing to take back:", word, "no line before names it");
	return true;
}

bool config_notify_unset(const struct config_row *row, const struct text *at, size_t count, struct config *config,
			 struct buffer *why)
{
	uint32_t i;

	(void)count;
	switch (row->type) {
	case VALUE_LOG_BUFFER:
		config->log_buffer_bytes = 0;
		config->log_buffer_level = 7;
		return true;
	case VALUE_SEVERITY:
		config->log_trap_level = 7;
		return true;
	case VALUE_LOG_HOST:
	case VALUE_SNMP_HOST:
		return unset_address(row, at[0], config, why);
	case VALUE_COMMUNITY:
		i = find_community(config, at[0]);
		if (i < config->community_count) {
			TAKE_OUT(config->communities, config->community_count, i);
			return true;
		}
		break;
	default:
		i = find_user(config, at[0]);
		if (i < config->snmp_user_count) {
			TAKE_OUT(config->snmp_users, config->snmp_user_count, i);
			return true;
		}
		break;
	}
	buffer_add_string(why, "nothing to take back: no line before names it");
	return false;
}

static void print_log_hosts(const struct config_row *row, const struct config *c, struct buffer *out)
{
	char address[SPIMEND_ADDRESS_TEXT_MAX];

	for (uint32_t i = 0; i < c->log_host_count; i++) {
		const struct config_log_host *h = &c->log_hosts[i];

		buffer_printf(out, "%s %s", row->keywords, spimend_address_print(&h->address, address));
		if (h->transport != TRANSPORT_UDP)
			buffer_printf(out, " transport %s", log_transport_name(h->transport));
		if (h->port != (h->transport == TRANSPORT_TLS ? PORT_SYSLOG_TLS : PORT_SYSLOG))
			buffer_printf(out, " port %u", h->port);
		if (h->format != FORMAT_RFC3164)
			buffer_printf(out, " format %s", log_format_name(h->format));
		if (h->ca_file[0])
			buffer_printf(out, " ca-file %s", h->ca_file);
		buffer_add_char(out, '\n');
	}
}

static void print_snmp_hosts(const struct config_row *row, const struct config *c, struct buffer *out)
{
	char address[SPIMEND_ADDRESS_TEXT_MAX];

	for (uint32_t i = 0; i < c->snmp_host_count; i++) {
		const struct config_snmp_host *h = &c->snmp_hosts[i];

		buffer_printf(out, "%s %s", row->keywords, spimend_address_print(&h->address, address));
		if (h->version == 3)
			buffer_printf(out, " version 3 %s", snmp_level_name(h->level));
		buffer_printf(out, " %s", h->name);
		if (h->port != PORT_TRAP)
			buffer_printf(out, " udp-port %u", h->port);
		buffer_printf(out, "%s\n", h->names_kinds ? " event-manager" : "");
	}
}

void config_notify_print(const struct config_row *row, const struct config *c, const struct config *standard,
			 struct buffer *out)
{
	switch (row->type) {
	case VALUE_LOG_BUFFER:
		if (c->log_buffer_bytes == 0)
			buffer_printf(out, "no %s\n", row->keywords);
		else if (c->log_buffer_bytes != standard->log_buffer_bytes || c->log_buffer_level != standard->log_buffer_level)
			buffer_printf(out, "%s %" PRIu32 " %s\n", row->keywords, c->log_buffer_bytes, levels[c->log_buffer_level]);
		break;
	case VALUE_SEVERITY:
		if (c->log_trap_level != standard->log_trap_level)
			buffer_printf(out, "%s %s\n", row->keywords, levels[c->log_trap_level]);
		break;
	case VALUE_LOG_HOST:
		print_log_hosts(row, c, out);
		break;
	case VALUE_SNMP_HOST:
		print_snmp_hosts(row, c, out);
		break;
	case VALUE_COMMUNITY:
		for (uint32_t i = 0; i < c->community_count; i++)
			buffer_printf(out, "%s %s ro\n", row->keywords, c->communities[i].name);
		break;
	case VALUE_SNMP_USER:
		for (uint32_t i = 0; i < c->snmp_user_count; i++)
			buffer_printf(out, "%s %s key-file %s\n", row->keywords, c->snmp_users[i].name, c->snmp_users[i].key_file);
		break;
	default: /* of the compiler of src/eem, which prints its own */
		break;
	}
}
