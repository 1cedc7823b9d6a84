/* SPDX-License-Identifier: MIT */
/* Values of the configuration: words to members of struct config and back. */
#include <inttypes.h>

#include "parse/config_private.h"
#include "spimend/error.h"

#define COUNT_MOST 1000000000.0

static void *member(struct config *config, size_t at)
{
	return (char *)config + at;
}

static const void *const_member(const struct config *config, size_t at)
{
	return (const char *)config + at;
}

void config_quote(struct buffer *out, struct text t)
{
	struct text shown = text_first(t, 60);

	for (size_t i = 0; i < shown.len; i++)
		buffer_add_char(out, shown.at[i] >= 0x20 && shown.at[i] < 0x7f ? shown.at[i] : '.');
	buffer_add_string(out, shown.len < t.len ? "..." : "");
}

void config_print_seconds(struct buffer *out, int64_t ns)
{
	int64_t rest = ns % SECOND_NS;

	buffer_printf(out, "%" PRId64, ns / SECOND_NS);
	if (rest == 0)
		return;
	buffer_add_char(out, '.');
	for (int64_t unit = SECOND_NS / 10; rest; rest %= unit, unit /= 10)
		buffer_add_char(out, (char)('0' + rest / unit));
}

bool config_say_expected(struct buffer *why, const char *what, struct text got, const char *expected)
{
	buffer_printf(why, "%s '", what);
	config_quote(why, got);
	buffer_printf(why, "': %s", expected);
	return false;
}

static bool say_range(struct buffer *why, const char *what, struct text got, double least, double most)
{
	buffer_printf(why, "%s '", what);
	config_quote(why, got);
	buffer_printf(why, "': from %.15g to %.15g is expected", least, most);
	return false;
}

/* "60", "0.3", "1.000000001" */
static bool read_seconds(struct text t, double least, double most, int64_t *ret, struct buffer *why)
{
	struct text rest = t;
	uint64_t whole, fraction = 0;
	size_t digits, places = 0;
	int64_t ns;

	if (!text_take_digits(&rest, 9, &whole, &digits) ||
	    (text_take_char(&rest, '.') && !text_take_digits(&rest, 9, &fraction, &places)) || rest.len)
		return config_say_expected(why, "time", t, "seconds are expected, such as 60 or 0.3");
	for (; places < 9; places++)
		fraction *= 10;
	ns = (int64_t)whole * SECOND_NS + (int64_t)fraction;
	if ((double)ns < least * SECOND_NS || (double)ns > most * SECOND_NS)
		return say_range(why, "time", t, least, most);
	*ret = ns;
	return true;
}

bool config_read_count(struct text t, double least, double most, uint32_t *ret, struct buffer *why)
{
	uint64_t value;
	int result = text_decimal(t, (uint64_t)most, &value);

	if (result == SPIMEND_E_SYNTAX)
		return config_say_expected(why, "number", t, "a whole number is expected");
	if (result < 0 || value < (uint64_t)least)
		return say_range(why, "number", t, least, most);
	*ret = (uint32_t)value;
	return true;
}

static bool is_name(struct text t, size_t size)
{
	if (t.len == 0 || t.len >= size || t.at[0] == '-' || text_equal(t, TEXT(".")) || text_equal(t, TEXT("..")))
		return false;
	for (size_t i = 0; i < t.len; i++)
		if (!char_is_alpha(t.at[i]) && !char_is_digit(t.at[i]) && !memchr("._-", t.at[i], 3))
			return false;
	return true;
}

bool config_is_path(struct text t)
{
	if (t.len < 2 || t.len >= CONFIG_PATH_MAX || t.at[0] != '/')
		return false;
	for (size_t i = 0; i < t.len; i++)
		if (t.at[i] <= 0x20 || t.at[i] >= 0x7f)
			return false;
	return true;
}

/* What the kernel takes as a name (dev_valid_name), printable. */
static bool is_interface(struct text t)
{
	if (t.len == 0 || t.len >= GATEWAY_INTERFACE_MAX || text_equal(t, TEXT(".")) || text_equal(t, TEXT("..")))
		return false;
	for (size_t i = 0; i < t.len; i++)
		if (t.at[i] <= 0x20 || t.at[i] >= 0x7f || t.at[i] == '/' || t.at[i] == ':')
			return false;
	return true;
}

int config_read_choice(struct text t, const char *const *names, int count)
{
	int found = -1;

	for (int i = 0; i < count; i++) {
		if (t.len == 0 || !text_starts_nocase(text_of(names[i]), t))
			continue;
		if (found >= 0)
			return -1;
		found = i;
	}
	return found;
}

/* Copies the value over the whole array, so that equal configurations are equal bytes. */
static bool take_string(struct text t, char *to, size_t size)
{
	bool same = text_equal(text_of(to), t);

	memset(to, 0, size);
	text_copy(t, to, size);
	return same;
}

static bool set_string(const struct config_row *row, struct text t, struct config *config, struct buffer *why)
{
	if (row->type == VALUE_NAME && !is_name(t, CONFIG_NAME_MAX))
		return config_say_expected(why, "name", t, "letters, digits, '.', '_' and '-' are expected, at most 63");
	if (row->type == VALUE_SSH_PATH && !config_read_ssh_path(t, why))
		return false;
	if (row->type == VALUE_PATH && !config_is_path(t))
		return config_say_expected(why, "path", t, "an absolute path of at most 107 bytes without blanks is expected");
	take_string(t, member(config, row->at), row->type == VALUE_NAME ? CONFIG_NAME_MAX : CONFIG_PATH_MAX);
	return true;
}

static bool set_mode(struct text t, struct config *config, struct buffer *why)
{
	static const char *const names[MODES] = { "observe", "advise", "repair" };
	int mode = config_read_choice(t, names, MODES);

	if (mode < 0)
		return config_say_expected(why, "mode", t, "observe, advise or repair is expected");
	config->mode = (enum mode)mode;
	return true;
}

static bool set_rate(const struct config_row *row, const struct text *words, struct config *config, struct buffer *why)
{
	uint32_t count;
	int64_t per;

	if (!text_starts_nocase(TEXT("per"), words[1]))
		return config_say_expected(why, "word", words[1], "'per' is expected");
	if (!config_read_count(words[0], row->least, COUNT_MOST, &count, why) || !read_seconds(words[2], 1, row->most, &per, why))
		return false;
	*(uint32_t *)member(config, row->at) = count;
	*(int64_t *)member(config, row->per_at) = per;
	return true;
}

/* --- Lists ----------------------------------------------------------------------------------------------------- */

static bool full(struct buffer *why, const char *what, unsigned limit)
{
	buffer_printf(why, "at most %u %s", limit, what);
	return false;
}

static uint32_t find_interface(const struct config *c, struct text name)
{
	uint32_t i = 0;

	while (i < c->interface_count && !text_equal(text_of(c->interfaces[i].name), name))
		i++;
	return i;
}

static bool set_interface(const struct text *words, size_t count, struct config *c, struct buffer *why, bool *again)
{
	static const char *const kinds[] = { "generic", "native" };
	enum capture capture = CAPTURE_PACKET;
	uint32_t i = find_interface(c, words[0]);

	if (!is_interface(words[0]))
		return config_say_expected(why, "interface", words[0], "the name of a network interface is expected, at most 15 bytes");
	if (count > 1) {
		int kind = count > 2 ? config_read_choice(words[2], kinds, 2) : -1;

		if (!text_starts_nocase(TEXT("xdp"), words[1]))
			return config_say_expected(why, "word", words[1], "'xdp generic' or 'xdp native' is expected, or nothing");
		if (kind < 0)
			return config_say_expected(why, "kind of XDP", count > 2 ? words[2] : TEXT_NONE, "generic or native is expected");
		capture = kind ? CAPTURE_XDP_NATIVE : CAPTURE_XDP_GENERIC;
	}
	if (i == CONFIG_INTERFACES_MAX)
		return full(why, "interfaces", CONFIG_INTERFACES_MAX);
	if (i == c->interface_count) {
		take_string(words[0], c->interfaces[i].name, GATEWAY_INTERFACE_MAX);
		c->interface_count++;
	} else {
		*again = c->interfaces[i].capture != capture;
	}
	c->interfaces[i].capture = capture;
	return true;
}

static bool unset_interface(struct text name, struct config *c)
{
	uint32_t i = find_interface(c, name);

	if (i == c->interface_count)
		return false;
	c->interface_count--;
	memmove(&c->interfaces[i], &c->interfaces[i + 1], (c->interface_count - i) * sizeof(c->interfaces[0]));
	memset(&c->interfaces[c->interface_count], 0, sizeof(c->interfaces[0]));
	return true;
}

static uint32_t find_daemon(const struct config *c, struct text path)
{
	uint32_t i = 0;

	while (i < c->daemon_count && !text_equal(text_of(c->daemons[i]), path))
		i++;
	return i;
}

static bool set_daemon(const struct text *words, size_t count, struct config *c, struct buffer *why, bool *again)
{
	struct text path = words[0], plugin = count > 2 ? words[2] : TEXT("");
	uint32_t i = find_daemon(c, path);

	if (!config_is_path(path))
		return config_say_expected(why, "socket", path, "an absolute path of at most 107 bytes is expected");
	if (count > 1 && !text_starts_nocase(TEXT("plugin"), words[1]))
		return config_say_expected(why, "word", words[1], "'plugin PATH' is expected, or nothing");
	if (count > 1 && !config_is_path(plugin))
		return config_say_expected(why, "socket of the plugin", plugin, "an absolute path of at most 107 bytes is expected");
	if (count > 1 && text_equal(path, plugin))
		return config_say_expected(why, "socket of the plugin", plugin, "it is the VICI socket; the plugin has one of its own");
	if (i == GATEWAY_DAEMONS_MAX)
		return full(why, "IKE daemons", GATEWAY_DAEMONS_MAX);
	*again = i < c->daemon_count && !text_equal(text_of(c->plugins[i]), plugin);
	if (i == c->daemon_count) {
		take_string(path, c->daemons[i], CONFIG_PATH_MAX);
		c->daemon_count++;
	}
	take_string(plugin, c->plugins[i], CONFIG_PATH_MAX);
	return true;
}

static bool unset_daemon(struct text path, struct config *c)
{
	uint32_t i = find_daemon(c, path);

	if (i == c->daemon_count)
		return false;
	c->daemon_count--;
	memmove(c->daemons[i], c->daemons[i + 1], (c->daemon_count - i) * sizeof(c->daemons[0]));
	memset(c->daemons[c->daemon_count], 0, sizeof(c->daemons[0]));
	memmove(c->plugins[i], c->plugins[i + 1], (c->daemon_count - i) * sizeof(c->plugins[0]));
	memset(c->plugins[c->daemon_count], 0, sizeof(c->plugins[0]));
	return true;
}

/* Where the port is, or belongs: they are kept sorted. */
static uint32_t find_port(const struct config *c, uint32_t port, bool *ret_there)
{
	uint32_t i = 0;

	while (i < c->encap_port_count && c->encap_ports[i] < port)
		i++;
	*ret_there = i < c->encap_port_count && c->encap_ports[i] == port;
	return i;
}

static bool set_port(const struct config_row *row, struct text t, struct config *c, bool wanted, struct buffer *why)
{
	uint32_t port, i;
	bool there;

	if (!config_read_count(t, row->least, row->most, &port, why))
		return false;
	i = find_port(c, port, &there);
	if (there == wanted)
		return true;
	if (wanted && c->encap_port_count == CONFIG_PORTS_MAX)
		return full(why, "ports", CONFIG_PORTS_MAX);
	if (wanted) {
		memmove(&c->encap_ports[i + 1], &c->encap_ports[i], (c->encap_port_count - i) * sizeof(c->encap_ports[0]));
		c->encap_ports[i] = (uint16_t)port;
		c->encap_port_count++;
	} else {
		c->encap_port_count--;
		memmove(&c->encap_ports[i], &c->encap_ports[i + 1], (c->encap_port_count - i) * sizeof(c->encap_ports[0]));
		c->encap_ports[c->encap_port_count] = 0;
	}
	return true;
}

static uint32_t find_peer(const struct config *c, const struct spimend_address *address, bool *ret_there)
{
	uint32_t from = 0, end = c->peer_count;

	while (from < end) {
		uint32_t middle = from + (end - from) / 2;

		if (spimend_address_compare(&c->peers[middle].address, address) < 0)
			from = middle + 1;
		else
			end = middle;
	}
	*ret_there = from < c->peer_count && spimend_address_equal(&c->peers[from].address, address);
	return from;
}

bool config_read_address(struct text t, struct spimend_address *ret, struct buffer *why)
{
	if (spimend_address_parse(t.at, t.len, ret) == 0)
		return true;
	return config_say_expected(why, "address", t, "an IPv4 or IPv6 address is expected");
}

static bool set_peer(const struct text *words, struct config *c, struct buffer *why, bool *again)
{
	static const char *const modes[] = { "ignore", "observe", "repair" };
	int choice = config_read_choice(words[1], modes, 3);
	enum peer_mode mode = (enum peer_mode)(PEER_IGNORE + (choice < 0 ? 0 : choice));
	struct spimend_address address;
	bool there;
	uint32_t i;

	if (!config_read_address(words[0], &address, why))
		return false;
	if (choice < 0)
		return config_say_expected(why, "mode of the peer", words[1], "ignore, observe or repair is expected");
	i = find_peer(c, &address, &there);
	if (!there && c->peer_count == CONFIG_PEERS_MAX)
		return full(why, "peers", CONFIG_PEERS_MAX);
	if (!there) {
		memmove(&c->peers[i + 1], &c->peers[i], (c->peer_count - i) * sizeof(c->peers[0]));
		memset(&c->peers[i], 0, sizeof(c->peers[0]));
		c->peers[i].address = address;
		c->peer_count++;
	} else {
		*again = c->peers[i].mode != mode;
	}
	c->peers[i].mode = mode;
	return true;
}

static bool unset_peer(const struct spimend_address *address, struct config *c)
{
	bool there;
	uint32_t i = find_peer(c, address, &there);

	if (!there)
		return false;
	c->peer_count--;
	memmove(&c->peers[i], &c->peers[i + 1], (c->peer_count - i) * sizeof(c->peers[0]));
	memset(&c->peers[c->peer_count], 0, sizeof(c->peers[0]));
	return true;
}

/* --- One row --------------------------------------------------------------------------------------------------- */

static void words_wanted(const struct config_row *row, size_t *ret_least, size_t *ret_most)
{
	*ret_least = *ret_most = 1;
	switch (row->type) {
	case VALUE_BLOCK:
	case VALUE_FLAG:
		*ret_least = *ret_most = 0;
		break;
	case VALUE_RATE:
		*ret_least = *ret_most = 3;
		break;
	case VALUE_INTERFACE:
	case VALUE_DAEMON:
		*ret_most = 3;
		break;
	case VALUE_EVIDENCE_PEER:
		*ret_least = 3;
		*ret_most = 5;
		break;
	case VALUE_PEER:
	case VALUE_IP_HOST:
	case VALUE_WEB_LISTEN:
		*ret_least = *ret_most = 2;
		break;
	case VALUE_TRACK:
	case VALUE_TRACK_DELAY:
		*ret_most = row->type == VALUE_TRACK ? 6 : 4;
		break;
	case VALUE_DEVICE_USER:
	case VALUE_SSH_USER:
		*ret_least = 3;
		*ret_most = 5;
		break;
	case VALUE_DEVICE_WINDOW:
	case VALUE_FLEET_WINDOW:
		*ret_least = 2;
		*ret_most = 3;
		break;
	case VALUE_DEVICE_APPROVAL:
	case VALUE_FLEET_APPROVAL:
		*ret_least = 2;
		*ret_most = 1 + SDWAN_STEPS;
		break;
	case VALUE_DEVICE_LEGACY:
		*ret_least = *ret_most = 0;
		break;
	case VALUE_SYSLOG_SOURCE:
		*ret_most = 2;
		break;
	case VALUE_WEBHOOK:
		*ret_least = *ret_most = 3;
		break;
	case VALUE_HOOK_EXEC:
		*ret_most = CONFIG_WORDS_MAX;
		break;
	case VALUE_SYSLOG_JOURNAL:
		*ret_least = 0;
		break;
	case VALUE_SYSLOG_LISTEN:
	case VALUE_SNMP_HOST:
	case VALUE_SNMP_USER:
	case VALUE_SNMP_GROUP:
	case VALUE_COMMUNITY:
	case VALUE_LOG_HOST:
	case VALUE_EEM:
	case VALUE_APPLET:
		*ret_least = row->type == VALUE_SNMP_USER || row->type == VALUE_SNMP_GROUP ? 3 :
			     row->type == VALUE_SNMP_HOST || row->type == VALUE_EEM ? 2 : 1;
		*ret_most = CONFIG_WORDS_MAX;
		if (row->type == VALUE_EEM && strcmp(row->arguments, "NAME LINE") != 0)
			*ret_least = 1;
		break;
	case VALUE_BUFFERED:
		*ret_least = 0;
		*ret_most = 2;
		break;
	default:
		break;
	}
}

bool config_is_list(const struct config_row *row)
{
	return row->type >= VALUE_INTERFACE && row->type != VALUE_HOOK_EXEC &&
	       (row->type < VALUE_TRAP_PORT || row->type >= VALUE_SNMP_HOST);
}

bool config_take_word(struct text t, size_t least, char *to, size_t size, const char *what, struct buffer *why)
{
	bool fine = t.len >= least && t.len < size;

	for (size_t i = 0; fine && i < t.len; i++)
		fine = t.at[i] > 0x20 && t.at[i] < 0x7f;
	if (!fine) { /* it may be a secret: it is not repeated */
		buffer_printf(why, "%s: %zu to %zu printable characters are expected", what, least, size - 1);
		return false;
	}
	memset(to, 0, size);
	text_copy(t, to, size);
	return true;
}

bool config_check_words(const struct config_row *row, const struct words *words, size_t from, bool is_no, struct buffer *why)
{
	size_t least, most;

	words_wanted(row, &least, &most);
	if (is_no) { /* "no repair concurrent" will do, and so does what was written before with "no" in front */
		bool is_list = config_is_list(row) && row->type != VALUE_TRACK_DELAY && row->type != VALUE_TRACK_DEFAULT &&
			       (row->type < VALUE_DEVICE_ADDRESS || row->type > VALUE_SSH_USER);

		least = is_list && row->type != VALUE_SYSLOG_JOURNAL && row->type != VALUE_HOOK_EXEC ? 1 : 0;
	}
	if (words->count - from >= least && words->count - from <= most)
		return true;
	buffer_printf(why, words->count - from < least ? "incomplete: '%s%s%s%s' is expected"
						       : "too many words: '%s%s%s%s' is expected",
		      is_no ? "no " : "", row->keywords, row->arguments[0] ? " " : "", row->arguments);
	return false;
}

static bool set_value(const struct config_row *row, const struct text *at, size_t count, struct config *config,
		      struct buffer *why, bool *again)
{
	switch (row->type) {
	case VALUE_BLOCK:
		return true;
	case VALUE_FLAG:
		*(bool *)member(config, row->at) = true;
		return true;
	case VALUE_NAME:
	case VALUE_PATH:
	case VALUE_SSH_PATH:
		return set_string(row, at[0], config, why);
	case VALUE_MODE:
		return set_mode(at[0], config, why);
	case VALUE_SECONDS:
		return read_seconds(at[0], row->least, row->most, member(config, row->at), why);
	case VALUE_COUNT:
		return config_read_count(at[0], row->least, row->most, member(config, row->at), why);
	case VALUE_RATE:
		return set_rate(row, at, config, why);
	case VALUE_INTERFACE:
		return set_interface(at, count, config, why, again);
	case VALUE_DAEMON:
		return set_daemon(at, count, config, why, again);
	case VALUE_PORT:
		return set_port(row, at[0], config, true, why);
	case VALUE_PEER:
		return set_peer(at, config, why, again);
	case VALUE_EVIDENCE_PEER:
		return config_evidence_set(at, count, &config->recorder, why, again);
	case VALUE_TRACK:
	case VALUE_TRACK_DELAY:
	case VALUE_TRACK_DEFAULT:
		return config_track_set(row, at, count, config, why, again);
	case VALUE_SYSLOG_LISTEN:
	case VALUE_SYSLOG_SOURCE:
	case VALUE_SYSLOG_FILE:
	case VALUE_SYSLOG_JOURNAL:
		return config_syslog_set(row, at, count, &config->syslog, why, again);
	case VALUE_WEB_LISTEN:
	case VALUE_WEB_NAME:
		return config_web_set(row, at, count, &config->web, why);
	case VALUE_WEBHOOK:
	case VALUE_HOOK_EXEC:
		return config_hook_set(row, at, count, &config->hooks, why, again);
	case VALUE_EEM:
	case VALUE_APPLET:
		return true;
	default:
		return config_notify_set(row, at, count, &config->notify, why, again);
	}
}

bool config_value_set(const struct config_row *row, const struct words *words, size_t from, struct config *config,
		      struct buffer *why, bool *ret_again)
{
	*ret_again = false;
	return config_check_words(row, words, from, false, why) &&
	       set_value(row, words->at + from, words->count - from, config, why, ret_again);
}

static size_t size_of(enum value_type type)
{
	switch (type) {
	case VALUE_FLAG:
		return sizeof(bool);
	case VALUE_NAME:
		return CONFIG_NAME_MAX;
	case VALUE_PATH:
	case VALUE_SSH_PATH:
		return CONFIG_PATH_MAX;
	case VALUE_MODE:
		return sizeof(enum mode);
	case VALUE_SECONDS:
		return sizeof(int64_t);
	case VALUE_COUNT:
	case VALUE_RATE:
		return sizeof(uint32_t);
	default:
		return 0;
	}
}

bool config_value_unset(const struct config_row *row, const struct words *words, size_t from, struct config *config,
			const struct config *standard, struct buffer *why)
{
	struct spimend_address address;

	if (row->type == VALUE_BLOCK) {
		buffer_add_string(why, "the block cannot be taken back; take back its commands");
		return false;
	}
	if (!config_check_words(row, words, from, true, why))
		return false;
	if (row->type == VALUE_EEM || row->type == VALUE_APPLET)
		return true;
	if (row->type >= VALUE_TRACK && row->type <= VALUE_TRACK_DEFAULT)
		return config_track_unset(row, words->at + from, config, why);
	if (row->type >= VALUE_SYSLOG_LISTEN && row->type <= VALUE_SYSLOG_JOURNAL)
		return config_syslog_unset(row, words->at + from, words->count - from, &config->syslog, why);
	if (row->type == VALUE_WEB_LISTEN || row->type == VALUE_WEB_NAME)
		return config_web_unset(row, words->at + from, words->count - from, &config->web, why);
	if (row->type == VALUE_WEBHOOK || row->type == VALUE_HOOK_EXEC)
		return config_hook_unset(row, words->at + from, words->count - from, &config->hooks, why);
	if (row->type >= VALUE_TRAP_PORT)
		return config_notify_unset(row, words->at + from, words->count - from, &config->notify, &standard->notify, why);
	if (row->type == VALUE_PORT)
		return set_port(row, words->at[from], config, false, why);
	if (row->type == VALUE_EVIDENCE_PEER)
		return config_evidence_unset(words->at[from], &config->recorder, why);
	if (row->type == VALUE_PEER) {
		if (!config_read_address(words->at[from], &address, why))
			return false;
		if (unset_peer(&address, config))
			return true;
	} else if (row->type == VALUE_INTERFACE || row->type == VALUE_DAEMON) {
		if (row->type == VALUE_DAEMON ? unset_daemon(words->at[from], config) : unset_interface(words->at[from], config))
			return true;
	} else if (row->type == VALUE_FLAG) { /* off, also where it is on by default */
		*(bool *)member(config, row->at) = false;
		return true;
	} else {
		memcpy(member(config, row->at), const_member(standard, row->at), size_of(row->type));
		if (row->type == VALUE_RATE)
			memcpy(member(config, row->per_at), const_member(standard, row->per_at), sizeof(int64_t));
		return true;
	}
	return config_say_expected(why, "nothing to take back:", words->at[from], "no line before names it");
}

void config_value_print_one(const struct config_row *row, const struct config *config, struct buffer *out)
{
	const void *value = const_member(config, row->at);

	if (row->type >= VALUE_TRAP_PORT) {
		config_notify_print_one(row, &config->notify, out);
		return;
	}
	switch (row->type) {
	case VALUE_NAME:
	case VALUE_PATH:
	case VALUE_SSH_PATH:
		buffer_add_string(out, value);
		break;
	case VALUE_MODE:
		buffer_add_string(out, mode_name(config->mode));
		break;
	case VALUE_SECONDS:
		config_print_seconds(out, *(const int64_t *)value);
		break;
	case VALUE_COUNT:
		buffer_printf(out, "%" PRIu32, *(const uint32_t *)value);
		break;
	case VALUE_RATE:
		buffer_printf(out, "%" PRIu32 " per ", *(const uint32_t *)value);
		config_print_seconds(out, *(const int64_t *)const_member(config, row->per_at));
		break;
	default:
		break;
	}
}

static void start(const struct config_row *row, struct buffer *out)
{
	buffer_printf(out, "%s%s", row->block == CONFIG_TOP ? "" : " ", row->keywords);
}

static void print_list(const struct config_row *row, const struct config *c, struct buffer *out)
{
	char address[SPIMEND_ADDRESS_TEXT_MAX];
	bool there;

	for (uint32_t i = 0; row->type == VALUE_INTERFACE && i < c->interface_count; i++) {
		start(row, out);
		buffer_printf(out, " %s", c->interfaces[i].name);
		if (c->interfaces[i].capture != CAPTURE_PACKET)
			buffer_printf(out, " %s", capture_name(c->interfaces[i].capture));
		buffer_add_char(out, '\n');
	}
	for (uint32_t i = 0; row->type == VALUE_DAEMON && i < c->daemon_count; i++) {
		start(row, out);
		buffer_printf(out, " %s%s%s\n", c->daemons[i], c->plugins[i][0] ? " plugin " : "", c->plugins[i]);
	}
	for (uint32_t i = 0; row->type == VALUE_PEER && i < c->peer_count; i++) {
		start(row, out);
		buffer_printf(out, " %s %s\n", spimend_address_print(&c->peers[i].address, address), peer_mode_name(c->peers[i].mode));
	}
	if (row->type == VALUE_EVIDENCE_PEER)
		config_evidence_print(row->keywords, &c->recorder, out);
	config_track_print(row, c, out);
	config_device_print_usual(row, &c->devices, out);
	config_syslog_print(row, &c->syslog, out);
	config_web_print(row, &c->web, out);
	config_hook_print(row, &c->hooks, out);
	if (row->type != VALUE_PORT)
		return;
	find_port(c, 4500, &there);
	if (!there)
		buffer_printf(out, " no %s 4500\n", row->keywords);
	for (uint32_t i = 0; i < c->encap_port_count; i++) {
		if (c->encap_ports[i] == 4500)
			continue;
		start(row, out);
		buffer_printf(out, " %u\n", c->encap_ports[i]);
	}
}

void config_value_print(const struct config_row *row, const struct config *config, const struct config *standard,
			struct buffer *out)
{
	size_t size = size_of(row->type);

	if (row->type >= VALUE_TRAP_PORT) {
		config_notify_print(row, &config->notify, &standard->notify, out);
		return;
	}
	if (size == 0) {
		print_list(row, config, out);
		return;
	}
	if (memcmp(const_member(config, row->at), const_member(standard, row->at), size) == 0 &&
	    (row->type != VALUE_RATE ||
	     memcmp(const_member(config, row->per_at), const_member(standard, row->per_at), sizeof(int64_t)) == 0))
		return;
	if (row->type == VALUE_FLAG && !*(const bool *)const_member(config, row->at)) {
		buffer_printf(out, "%sno %s\n", row->block == CONFIG_TOP ? "" : " ", row->keywords);
		return;
	}
	start(row, out);
	if (row->type != VALUE_FLAG) {
		buffer_add_char(out, ' ');
		config_value_print_one(row, config, out);
	}
	buffer_add_char(out, '\n');
}
