/* SPDX-License-Identifier: MIT */
/* `syslog listen`, `syslog source`, `syslog file`, `syslog journald`: words to members of struct config_syslog and back. */
#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "parse/config_private.h"

static bool full(struct buffer *why, const char *what, unsigned limit)
{
	buffer_printf(why, "at most %u %s", limit, what);
	return false;
}

/* --- syslog listen ------------------------------------------------------------------------------------------------ */

/* "certificate PATH" and its sisters: true when it was the word, with *fine saying whether a path followed. */
static bool take_path(const struct text *words, size_t count, size_t *at, const char *word, char *to, struct buffer *why,
		      bool *fine)
{
	struct text path = *at + 1 < count ? words[*at + 1] : TEXT_NONE;

	if (!text_equal_nocase(words[*at], text_of(word)))
		return false;
	*fine = config_is_path(path) || config_say_expected(why, word, path, "the absolute path of a PEM file is expected");
	if (*fine)
		text_copy(path, to, NOTIFY_FILE_MAX);
	*at += 2;
	return true;
}

static bool take_port(const struct text *words, size_t count, size_t *at, uint16_t *ret, struct buffer *why)
{
	uint32_t port;

	if (!config_read_count(*at + 1 < count ? words[*at + 1] : TEXT_NONE, 1, 65535, &port, why))
		return false;
	*ret = (uint16_t)port;
	*at += 2;
	return true;
}

static bool check_tls(const struct syslog_listener *l, struct buffer *why)
{
	bool any = l->certificate[0] || l->key[0] || l->client_ca[0];

	if (l->transport != NOTIFY_TLS && any)
		buffer_add_string(why, "certificates belong to 'syslog listen tls'");
	else if (l->transport == NOTIFY_TLS && (!l->certificate[0] || !l->key[0]))
		buffer_add_string(why, "'syslog listen tls' needs 'certificate PATH key PATH': what it shows those who connect");
	else
		return true;
	return false;
}

static bool read_listener(const struct text *words, size_t count, struct syslog_listener *l, struct buffer *why)
{
	static const char *const transports[] = { "udp", "tcp", "tls" };
	int transport = config_read_choice(words[0], transports, 3);
	bool fine = true;
	size_t at = 1;

	memset(l, 0, sizeof(*l));
	if (transport < 0)
		return config_say_expected(why, "transport", words[0], "udp, tcp or tls is expected");
	l->transport = (enum notify_transport)transport;
	l->port = notify_standard_port(l->transport);
	if (at < count && spimend_address_parse(words[at].at, words[at].len, &l->address) == 0)
		at++;
	while (fine && at < count) {
		if (text_equal_nocase(words[at], TEXT("port")))
			fine = take_port(words, count, &at, &l->port, why);
		else if (!take_path(words, count, &at, "certificate", l->certificate, why, &fine) &&
			 !take_path(words, count, &at, "key", l->key, why, &fine) &&
			 !take_path(words, count, &at, "client-ca", l->client_ca, why, &fine))
			return config_say_expected(why, "word", words[at],
						   "an address, 'port', 'certificate', 'key' or 'client-ca' is expected");
	}
	return fine && check_tls(l, why);
}

static bool same_place(const struct syslog_listener *a, const struct syslog_listener *b)
{
	return (a->transport == NOTIFY_UDP) == (b->transport == NOTIFY_UDP) && a->port == b->port &&
	       spimend_address_equal(&a->address, &b->address);
}

static uint32_t find_listener(const struct config_syslog *s, const struct syslog_listener *l)
{
	uint32_t i = 0;

	while (i < s->listener_count && !same_place(&s->listeners[i], l))
		i++;
	return i;
}

static bool set_listener(const struct text *words, size_t count, struct config_syslog *s, struct buffer *why, bool *again)
{
	struct syslog_listener l;
	uint32_t i;

	if (!read_listener(words, count, &l, why))
		return false;
	i = find_listener(s, &l);
	if (i == SYSLOG_LISTENERS_MAX)
		return full(why, "listeners", SYSLOG_LISTENERS_MAX);
	*again = i < s->listener_count && memcmp(&s->listeners[i], &l, sizeof(l)) != 0;
	s->listeners[i] = l;
	s->listener_count += i == s->listener_count;
	return true;
}

/* Takes back by transport, address and port; certificates need not be said again. */
static bool unset_listener(const struct text *words, size_t count, struct config_syslog *s, struct buffer *why)
{
	cleanup(buffer_done) struct buffer ignored = { 0 };
	struct syslog_listener l;
	uint32_t i;

	if (!read_listener(words, count, &l, &ignored) && l.transport != NOTIFY_TLS) {
		buffer_add(why, buffer_text(&ignored));
		return false;
	}
	i = find_listener(s, &l);
	if (i == s->listener_count)
		return config_say_expected(why, "nothing to take back:", words[0], "no line before names it");
	s->listener_count--;
	memmove(&s->listeners[i], &s->listeners[i + 1], (s->listener_count - i) * sizeof(s->listeners[0]));
	memset(&s->listeners[s->listener_count], 0, sizeof(s->listeners[0]));
	return true;
}

static void print_listeners(const struct config_syslog *s, const char *keywords, struct buffer *out)
{
	char address[SPIMEND_ADDRESS_TEXT_MAX];

	for (uint32_t i = 0; i < s->listener_count; i++) {
		const struct syslog_listener *l = &s->listeners[i];

		buffer_printf(out, " %s %s", keywords, notify_transport_name(l->transport));
		if (spimend_address_known(&l->address))
			buffer_printf(out, " %s", spimend_address_print(&l->address, address));
		if (l->port != notify_standard_port(l->transport))
			buffer_printf(out, " port %u", l->port);
		if (l->transport == NOTIFY_TLS)
			buffer_printf(out, " certificate %s key %s", l->certificate, l->key);
		if (l->client_ca[0])
			buffer_printf(out, " client-ca %s", l->client_ca);
		buffer_add_char(out, '\n');
	}
}

/* --- syslog source ------------------------------------------------------------------------------------------------ */

static bool read_source(const struct text *words, size_t count, struct syslog_source *ret, struct buffer *why)
{
	size_t slash = text_find_char(words[0], '/');
	uint32_t prefix;

	memset(ret, 0, sizeof(*ret));
	if (!config_read_address(text_first(words[0], slash), &ret->address, why))
		return false;
	prefix = ret->address.family == 4 ? 32 : 128;
	if (slash != TEXT_NOT_FOUND && !config_read_count(text_skip(words[0], slash + 1), 0, prefix, &prefix, why))
		return false;
	if (count > 1 && !text_equal_nocase(words[1], TEXT("relay")))
		return config_say_expected(why, "word", words[1], "'relay' or nothing is expected");
	ret->prefix = (uint8_t)prefix;
	ret->relay = count > 1;
	spimend_address_set_bits(&ret->address, prefix, false);
	return true;
}

static uint32_t find_source(const struct config_syslog *s, const struct syslog_source *source, bool *ret_there)
{
	uint32_t from = 0, end = s->source_count;

	while (from < end) {
		uint32_t middle = from + (end - from) / 2;

		if (syslog_source_compare(&s->sources[middle], source) < 0)
			from = middle + 1;
		else
			end = middle;
	}
	*ret_there = from < s->source_count && syslog_source_compare(&s->sources[from], source) == 0;
	return from;
}

static bool set_source(const struct text *words, size_t count, struct config_syslog *s, struct buffer *why, bool *again)
{
	struct syslog_source source;
	bool there;
	uint32_t i;

	if (!read_source(words, count, &source, why))
		return false;
	i = find_source(s, &source, &there);
	if (!there && s->source_count == SYSLOG_SOURCES_MAX)
		return full(why, "sources", SYSLOG_SOURCES_MAX);
	if (there) {
		*again = s->sources[i].relay != source.relay;
	} else {
		memmove(&s->sources[i + 1], &s->sources[i], (s->source_count - i) * sizeof(s->sources[0]));
		s->source_count++;
	}
	s->sources[i] = source;
	return true;
}

static bool unset_source(const struct text *words, size_t count, struct config_syslog *s, struct buffer *why)
{
	struct syslog_source source;
	bool there;
	uint32_t i;

	if (!read_source(words, count, &source, why))
		return false;
	i = find_source(s, &source, &there);
	if (!there)
		return config_say_expected(why, "nothing to take back:", words[0], "no line before names it");
	s->source_count--;
	memmove(&s->sources[i], &s->sources[i + 1], (s->source_count - i) * sizeof(s->sources[0]));
	memset(&s->sources[s->source_count], 0, sizeof(s->sources[0]));
	return true;
}

static void print_sources(const struct config_syslog *s, const char *keywords, struct buffer *out)
{
	char address[SPIMEND_ADDRESS_TEXT_MAX];

	for (uint32_t i = 0; i < s->source_count; i++) {
		const struct syslog_source *source = &s->sources[i];

		buffer_printf(out, " %s %s", keywords, spimend_address_print(&source->address, address));
		if (source->prefix != (source->address.family == 4 ? 32 : 128))
			buffer_printf(out, "/%u", source->prefix);
		buffer_add_string(out, source->relay ? " relay\n" : "\n");
	}
}

/* --- syslog file -------------------------------------------------------------------------------------------------- */

static bool change_file(struct text path, struct config_syslog *s, bool wanted, struct buffer *why)
{
	uint32_t i = 0;

	if (!config_is_path(path))
		return config_say_expected(why, "file", path, "an absolute path of at most 107 bytes without blanks is expected");
	while (i < s->file_count && !text_equal(text_of(s->files[i]), path))
		i++;
	if (!wanted && i == s->file_count)
		return config_say_expected(why, "nothing to take back:", path, "no line before names it");
	if (wanted && i == SYSLOG_FILES_MAX)
		return full(why, "files", SYSLOG_FILES_MAX);
	if (wanted) {
		text_copy(path, s->files[i], sizeof(s->files[i]));
		s->file_count += i == s->file_count;
		return true;
	}
	s->file_count--;
	memmove(s->files[i], s->files[i + 1], (s->file_count - i) * sizeof(s->files[0]));
	memset(s->files[s->file_count], 0, sizeof(s->files[0]));
	return true;
}

/* --- syslog journald ---------------------------------------------------------------------------------------------- */

static bool set_journald(const struct text *words, size_t count, struct config_syslog *s, struct buffer *why, bool *again)
{
	struct text directory = count ? words[0] : TEXT_NONE;

	if (count && !config_is_path(directory))
		return config_say_expected(why, "directory", directory,
					   "an absolute path of at most 107 bytes without blanks is expected, or nothing");
	*again = s->has_journald && !text_equal(directory, text_of(s->journald_directory));
	s->has_journald = true;
	memset(s->journald_directory, 0, sizeof(s->journald_directory));
	text_copy(directory, s->journald_directory, sizeof(s->journald_directory));
	return true;
}

static bool unset_journald(struct config_syslog *s, struct buffer *why)
{
	if (!s->has_journald) {
		buffer_add_string(why, "nothing to take back: no line before says 'syslog journald'");
		return false;
	}
	s->has_journald = false;
	memset(s->journald_directory, 0, sizeof(s->journald_directory));
	return true;
}

/* --- The rows ----------------------------------------------------------------------------------------------------- */

bool config_syslog_set(const struct config_row *row, const struct text *words, size_t count, struct config_syslog *s,
		       struct buffer *why, bool *again)
{
	switch (row->type) {
	case VALUE_SYSLOG_LISTEN:
		return set_listener(words, count, s, why, again);
	case VALUE_SYSLOG_SOURCE:
		return set_source(words, count, s, why, again);
	case VALUE_SYSLOG_FILE:
		return change_file(words[0], s, true, why);
	default:
		return set_journald(words, count, s, why, again);
	}
}

bool config_syslog_unset(const struct config_row *row, const struct text *words, size_t count, struct config_syslog *s,
			 struct buffer *why)
{
	switch (row->type) {
	case VALUE_SYSLOG_LISTEN:
		return unset_listener(words, count, s, why);
	case VALUE_SYSLOG_SOURCE:
		return unset_source(words, count, s, why);
	case VALUE_SYSLOG_FILE:
		return change_file(words[0], s, false, why);
	default:
		return unset_journald(s, why);
	}
}

void config_syslog_print(const struct config_row *row, const struct config_syslog *s, struct buffer *out)
{
	if (row->type == VALUE_SYSLOG_LISTEN)
		print_listeners(s, row->keywords, out);
	else if (row->type == VALUE_SYSLOG_SOURCE)
		print_sources(s, row->keywords, out);
	else if (row->type == VALUE_SYSLOG_JOURNAL && s->has_journald)
		buffer_printf(out, " %s%s%s\n", row->keywords, s->journald_directory[0] ? " " : "", s->journald_directory);
	for (uint32_t i = 0; row->type == VALUE_SYSLOG_FILE && i < s->file_count; i++)
		buffer_printf(out, " %s %s\n", row->keywords, s->files[i]);
}
