/* SPDX-License-Identifier: MIT */
#include "sense/syslog.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "parse/secrets.h"
#include "sense/syslog_private.h"
#include "sense/syslog_stream.h"

#define SLOTS (SYSLOG_KNOWN_MAX * 2) /* a power of two */
#define TOKEN_NS (SECOND_NS / SYSLOG_RATE)
#define FULL_NS (TOKEN_NS * SYSLOG_BURST)

/* --- Who may speak ------------------------------------------------------------------------------------------------ */

static const struct syslog_source *find_network(const struct syslog *s, const struct spimend_address *net, unsigned prefix)
{
	const struct syslog_source key = { .address = *net, .prefix = (uint8_t)prefix };
	uint32_t from = 0, end = s->config.source_count;

	while (from < end) {
		uint32_t middle = from + (end - from) / 2;
		int order = syslog_source_compare(&s->config.sources[middle], &key);

		if (order == 0)
			return &s->config.sources[middle];
		if (order < 0)
			from = middle + 1;
		else
			end = middle;
	}
	return NULL;
}

static int compare_addresses(const void *a, const void *b)
{
	return spimend_address_compare(a, b);
}

static bool is_device(const struct syslog *s, const struct spimend_address *address)
{
	return s->device_count && bsearch(address, s->devices, s->device_count, sizeof(*address), compare_addresses);
}

int syslog_set_devices(struct syslog *s, const struct config_devices *devices)
{
	struct spimend_address *all = memory_new((size_t)devices->count + 1, sizeof(*all));
	uint32_t n = 0;

	if (!all)
		return -ENOMEM;
	for (uint32_t i = 0; i < devices->count; i++)
		if (spimend_address_known(&devices->at[i].address))
			all[n++] = devices->at[i].address;
	qsort(all, n, sizeof(*all), compare_addresses);
	memory_free(s->devices);
	s->devices = all;
	s->device_count = n;
	return 0;
}

/* The narrowest entry that holds the address; a device's is as narrow as can be. */
static const struct syslog_source *rule_of(const struct syslog *s, const struct spimend_address *address)
{
	static const struct syslog_source device;
	bool is_six = address->family == 6;
	unsigned widest = is_six ? 128 : 32;

	for (unsigned left = widest + 1; left > 0; left--) {
		struct spimend_address net = *address;
		const struct syslog_source *found;

		if (left == widest && is_device(s, address))
			return &device;
		if (!s->prefixes[is_six][left - 1])
			continue;
		spimend_address_set_bits(&net, left - 1, false);
		found = find_network(s, &net, left - 1);
		if (found)
			return found;
	}
	return NULL;
}

bool syslog_may(const struct syslog *s, const struct spimend_address *source)
{
	return rule_of(s, source) != NULL;
}

static uint32_t add_known(struct syslog *s, const struct spimend_address *address, bool relay)
{
	struct known *k = &s->known[s->known_count];

	memset(k, 0, sizeof(*k));
	k->address = *address;
	k->relay = relay;
	return s->known_count++;
}

/* Its place in `known`, SOURCE_FOREIGN or SOURCE_NO_ROOM. */
static uint32_t source_of(struct syslog *s, const struct spimend_address *address)
{
	size_t i = hash_bytes(&s->key, address, sizeof(*address)) & (SLOTS - 1);
	const struct syslog_source *rule;

	while (s->slots[i]) {
		if (memcmp(&s->known[s->slots[i] - 1].address, address, sizeof(*address)) == 0)
			return s->slots[i] - 1;
		i = (i + 1) & (SLOTS - 1);
	}
	rule = rule_of(s, address);
	if (!rule)
		return SOURCE_FOREIGN;
	if (s->known_count == SYSLOG_KNOWN_MAX)
		return SOURCE_NO_ROOM;
	s->slots[i] = add_known(s, address, rule->relay) + 1;
	s->counts.sources = s->known_count - s->local_count;
	return s->slots[i] - 1;
}

/* --- What lines say ------------------------------------------------------------------------------------------------ */

/* A bucket that holds SYSLOG_BURST and gains SYSLOG_RATE a second. */
static bool may_tell(struct syslog *s, struct known *k)
{
	int64_t now = s->now.mono_ns;

	if (k->tokens_ns < now)
		k->tokens_ns = now;
	if (k->tokens_ns - now > FULL_NS - TOKEN_NS)
		return false;
	k->tokens_ns += TOKEN_NS;
	return true;
}

/* A device's clock may be years off. What came through a relay may have waited there, in order. */
static void set_times(struct syslog *s, const struct known *k, const struct log_fact *f)
{
	int64_t past = k->relay || !k->address.family ? SYSLOG_RELAY_TOLERANCE : SYSLOG_CLOCK_TOLERANCE, ahead;
	struct syslog_claim *c = &s->claim;

	c->has_heard = true;
	c->heard = k->address.family || !f->has_heard_at ? s->now.wall : f->heard_at;
	c->has_at = true;
	c->at = s->now.wall;
	/* The stamp in front is ours, in whole seconds: it says less than the clock. */
	if (!f->has_at || (k->address.family && f->has_heard_at && f->at.ns == f->heard_at.ns))
		return;
	ahead = f->at.ns - s->now.wall.ns;
	if (ahead > SYSLOG_CLOCK_TOLERANCE || -ahead > past)
		s->counts.clock_off++;
	else
		c->at = f->at;
}

/* Without the stamp and the sender that we wrote in front. */
static struct text text_of_message(const struct known *k, struct text text)
{
	if (k->address.family && text.len > SYSLOG_STAMP_LEN + HOST_LEN && text_starts(text_skip(text, SYSLOG_STAMP_LEN), TEXT("src")))
		text = text_skip(text, SYSLOG_STAMP_LEN + HOST_LEN + 1);
	return text_first(text, SYSLOG_TEXT_MAX);
}

/* An applet's lines may show what it types: from here on the text is kept, recorded and shown. */
static void set_text(struct syslog_claim *c, struct text text)
{
	cleanup(buffer_done) struct buffer clean = { 0 };

	secrets_remove(text, &clean);
	if (!clean.failed)
		text_copy(buffer_text(&clean), c->text, sizeof(c->text));
	for (size_t i = 0; i < clean.len && i < sizeof(c->text) - 1; i++)
		c->text[i] = c->text[i] ? c->text[i] : ' ';
}

static void tell(struct syslog *s, uint32_t source, const struct log_fact *f)
{
	struct syslog_claim *c = &s->claim;
	struct known *k = &s->known[source];
	struct text text = text_of_message(k, f->text);

	s->counts.claims++;
	if (!may_tell(s, k)) {
		s->counts.over_rate++;
		return;
	}
	memset(c, 0, sizeof(*c));
	c->fact = f->fact;
	c->source = k->address;
	c->way = k->way;
	c->file = k->file;
	c->line = k->address.family ? k->lines : f->line;
	c->is_repeat = f->is_repeat;
	c->is_alone = f->is_alone;
	set_times(s, k, f);
	set_text(c, text);
	syslog_name_claim(s, source, f->host);
	if (!s->events.claim(s->events.context, c))
		s->counts.not_told++;
}

/* Of a message that began in an earlier batch: by the sender that we wrote in front of it. */
static bool source_in_text(const struct syslog *s, struct text text, uint32_t *ret)
{
	uint32_t value = 0;

	text = text_first(text_skip(text, SYSLOG_STAMP_LEN), HOST_LEN);
	if (text.len != HOST_LEN || !text_take(&text, TEXT("src")))
		return false;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		if (!char_is_digit(c) && !(c >= 'a' && c <= 'f'))
			return false;
		value = value << 4 | (uint32_t)(char_is_digit(c) ? c - '0' : c - 'a' + 10);
	}
	*ret = value;
	return value < s->known_count;
}

static void on_fact(void *context, const struct log_fact *f)
{
	struct syslog *s = context;
	uint32_t source;

	if (f->line > s->lines_before && f->line - s->lines_before <= s->batch_lines)
		source = s->batch_sources[f->line - s->lines_before - 1];
	else if (!source_in_text(s, f->text, &source))
		return; /* all of it came before the sources were changed */
	tell(s, source, f);
}

static void on_file_fact(void *context, const struct log_fact *f)
{
	const struct file_sink *sink = context;

	tell(sink->syslog, sink->file, f);
}

static void on_journald_fact(void *context, const struct log_fact *f)
{
	struct syslog *s = context;

	tell(s, s->journald_source, f);
}

static void on_trouble(struct syslog *s, const struct log_trouble *trouble)
{
	s->counts.unread += trouble->kind == TROUBLE_UNPARSED;
	s->counts.odd += trouble->kind == TROUBLE_NUL || trouble->kind == TROUBLE_UTF8;
}

static void on_message_trouble(void *context, const struct log_trouble *trouble)
{
	on_trouble(context, trouble);
}

static void on_file_trouble(void *context, const struct log_trouble *trouble)
{
	const struct file_sink *sink = context;

	on_trouble(sink->syslog, trouble);
}

/* --- Messages ------------------------------------------------------------------------------------------------------ */

void syslog_at(struct syslog *s, struct moment now)
{
	int64_t second = now.wall.ns / SECOND_NS;

	if (second / 3600 != s->second / 3600)
		log_set_now(s->log, now.wall);
	if (second / 3600 != s->second / 3600)
		log_set_now(s->journald, now.wall);
	for (uint32_t i = 0; second / 3600 != s->second / 3600 && i < s->config.file_count; i++)
		log_set_now(s->files[i], now.wall);
	if (second != s->second)
		syslog_print_stamp(second, s->stamp);
	s->second = second;
	s->now = now;
}

static void count_foreign(struct syslog *s, const struct spimend_address *source)
{
	s->counts.fates[SYSLOG_FOREIGN]++;
	s->counts.foreign[syslog_class_of(source)]++;
	s->counts.foreign_last = *source;
}

bool syslog_connect(struct syslog *s, const struct spimend_address *from)
{
	uint32_t source = source_of(s, from);
	struct known *k = source < SYSLOG_KNOWN_MAX ? &s->known[source] : NULL;

	s->counts.connections++;
	if (source == SOURCE_FOREIGN)
		s->counts.foreign_last = *from;
	if (!k || s->counts.open >= SYSLOG_CONNECTIONS_MAX || (k->connections >= SYSLOG_CONNECTIONS_OF_ONE && !k->relay)) {
		s->counts.refused++;
		return false;
	}
	k->connections++;
	s->counts.open++;
	return true;
}

void syslog_disconnect(struct syslog *s, const struct spimend_address *from)
{
	uint32_t source = source_of(s, from);

	if (source < SYSLOG_KNOWN_MAX && s->known[source].connections) /* 0: it was configured anew meanwhile */
		s->known[source].connections--;
	if (s->counts.open)
		s->counts.open--;
}

/* Each line of a message is its sender's. False: there is no room for it in this batch. */
static bool note_lines(struct syslog *s, uint32_t source, struct text line)
{
	size_t at;

	do {
		if (s->batch_lines == BATCH_LINES)
			return false;
		s->batch_sources[s->batch_lines++] = source;
		s->known[source].lines++;
		s->counts.lines++;
		at = text_find_char(line, '\n');
		line = text_skip(line, at == TEXT_NOT_FOUND ? line.len : at + 1);
	} while (line.len);
	return true;
}

static struct text trimmed(struct text message)
{
	while (message.len) {
		char last = message.at[message.len - 1];

		if (last != '\n' && last != '\r' && last != '\0' && last != ' ')
			break;
		message.len--;
	}
	return message;
}

static void add_line(struct syslog *s, uint32_t source, struct text message)
{
	char host[HOST_LEN + 1];
	size_t len;
	bool odd;

	if (SYSLOG_BATCH - s->batch_len < message.len + HOST_LEN + SYSLOG_LINE_EXTRA || s->batch_lines > BATCH_LINES / 2)
		syslog_settle(s);
	for (uint32_t i = 0, rest = source; i < HOST_LEN; i++, rest >>= 4)
		host[HOST_LEN - 1 - i] = i < 5 ? "0123456789abcdef"[rest & 15] : "crs"[i - 5];
	len = syslog_rewrite(message, s->stamp, (struct text){ host, HOST_LEN }, s->batch + s->batch_len, &odd);
	s->counts.odd += odd;
	if (!note_lines(s, source, (struct text){ s->batch + s->batch_len, len })) {
		s->counts.cut++; /* thousands of line breaks: whatever they hold */
		return;
	}
	s->batch[s->batch_len + len] = '\n';
	s->batch_len += len + 1;
}

void syslog_message(struct syslog *s, const struct spimend_address *from, enum syslog_way way, struct text message,
		    bool is_cut)
{
	uint32_t source = source_of(s, from);

	s->counts.received++;
	if (source == SOURCE_FOREIGN) {
		count_foreign(s, from);
		return;
	}
	if (source == SOURCE_NO_ROOM) {
		s->counts.fates[SYSLOG_NO_ROOM]++;
		return;
	}
	s->known[source].last = s->now.wall;
	s->known[source].way = (uint8_t)way;
	is_cut = is_cut || message.len > SYSLOG_MESSAGE_MAX;
	message = trimmed(text_first(message, SYSLOG_MESSAGE_MAX));
	if (message.len == 0) {
		s->counts.fates[SYSLOG_EMPTY]++;
		return;
	}
	s->counts.fates[SYSLOG_TAKEN]++;
	s->counts.cut += is_cut;
	add_line(s, source, message);
}

void syslog_settle(struct syslog *s)
{
	if (s->batch_len == 0)
		return;
	s->lines_before = log_counts(s->log)->lines;
	log_feed(s->log, (struct text){ s->batch, s->batch_len });
	s->batch_len = 0;
	s->batch_lines = 0;
	s->lines_before = log_counts(s->log)->lines;
}

void syslog_lines(struct syslog *s, uint32_t file, struct text lines)
{
	uint64_t before;

	if (file >= s->config.file_count)
		return;
	before = log_counts(s->files[file])->lines;
	log_feed(s->files[file], lines);
	before = log_counts(s->files[file])->lines - before;
	s->known[file].lines += before;
	s->known[file].last = s->now.wall;
	s->counts.lines += before;
	s->counts.received += before;
	s->counts.fates[SYSLOG_TAKEN] += before;
}

void syslog_journald(struct syslog *s, const struct journald_entry *entry, struct text host)
{
	size_t len;

	if (!s->config.has_journald)
		return;
	s->counts.received++;
	s->counts.dropped += entry->dropped;
	s->known[s->journald_source].last = s->now.wall;
	if (entry->message.len == 0 || text_equal(entry->identifier, TEXT(SYSLOG_OWN_NAME))) {
		s->counts.fates[entry->message.len ? SYSLOG_OWN : SYSLOG_EMPTY]++;
		return;
	}
	s->counts.fates[SYSLOG_TAKEN]++;
	s->counts.cut += entry->is_cut;
	s->counts.lines++;
	s->known[s->journald_source].lines++;
	len = journald_print(entry, text_first(host, SYSLOG_HOST_MAX), s->journald_line);
	s->journald_line[len] = '\n';
	log_feed(s->journald, (struct text){ s->journald_line, len + 1 });
}

void syslog_tick(struct syslog *s)
{
	syslog_settle(s);
	log_flush(s->log);
	log_flush(s->journald);
	for (uint32_t i = 0; i < s->config.file_count; i++)
		log_flush(s->files[i]);
	syslog_tell_names(s);
}

struct syslog_counts *syslog_counts(struct syslog *s)
{
	return &s->counts;
}

/* --- Life ---------------------------------------------------------------------------------------------------------- */

static void close_files(struct syslog *s)
{
	for (uint32_t i = 0; i < SYSLOG_FILES_MAX; i++) {
		log_free(s->files[i]);
		s->files[i] = NULL;
	}
}

/* What files say waits for nobody: made at once for all, so that a change never fails. */
static int open_logs(struct syslog *s)
{
	struct log_sink sink = { .context = s, .fact = on_fact, .trouble = on_message_trouble };
	struct log_rules rules = { .is_live = true };
	int r = log_new(&rules, &s->scan, &s->hosts, &sink, &s->log);

	sink.fact = on_journald_fact;
	if (r == 0)
		r = log_new(&rules, &s->scan, &s->hosts, &sink, &s->journald);

	for (uint32_t i = 0; i < SYSLOG_FILES_MAX && r == 0; i++) {
		s->sinks[i] = (struct file_sink){ s, i };
		sink = (struct log_sink){ .context = &s->sinks[i], .fact = on_file_fact, .trouble = on_file_trouble };
		r = log_new(&rules, &s->scan, &s->hosts, &sink, &s->files[i]);
	}
	return r;
}

void syslog_configure(struct syslog *s, const struct config_syslog *config)
{
	static const struct spimend_address none;

	syslog_settle(s);
	log_flush(s->log);
	log_flush(s->journald);
	s->config = *config;
	memset(s->prefixes, 0, sizeof(s->prefixes));
	memset(s->slots, 0, SLOTS * sizeof(*s->slots));
	s->known_count = 0;
	for (uint32_t i = 0; i < config->source_count; i++)
		s->prefixes[config->sources[i].address.family == 6][config->sources[i].prefix] = true;
	for (uint32_t i = 0; i < config->file_count; i++) {
		struct known *file = &s->known[add_known(s, &none, true)];

		file->way = SYSLOG_FILE;
		file->file = i;
	}
	s->local_count = s->known_count;
	if (config->has_journald) {
		s->journald_source = add_known(s, &none, true);
		s->known[s->journald_source].way = SYSLOG_JOURNALD;
		s->local_count++;
	}
	s->counts.sources = 0;
	syslog_forget_names(s);
}

int syslog_new(const struct config_syslog *config, const struct hash_key *key, const struct syslog_events *events,
	       struct syslog **ret)
{
	struct syslog *s = memory_new(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->events = *events;
	s->key = *key;
	scan_init(&s->scan);
	s->known = memory_new(SYSLOG_KNOWN_MAX, sizeof(*s->known));
	s->slots = memory_new(SLOTS, sizeof(*s->slots));
	s->names = memory_new((size_t)SYSLOG_NAMES_MAX * 2, sizeof(*s->names));
	s->batch = memory_new(SYSLOG_BATCH, 1);
	s->batch_sources = memory_new(BATCH_LINES, sizeof(*s->batch_sources));
	s->journald_line = memory_new(JOURNALD_MESSAGE_MAX + SYSLOG_HOST_MAX + JOURNALD_LINE_EXTRA + 1, 1);
	r = s->journald_line && s->known && s->slots && s->names && s->batch && s->batch_sources ? 0 : -ENOMEM;
	if (r == 0)
		r = hosts_init(&s->hosts, key);
	if (r == 0)
		r = open_logs(s);
	if (r < 0) {
		syslog_free(s);
		return r;
	}
	syslog_configure(s, config);
	*ret = s;
	return 0;
}

void syslog_free(struct syslog *s)
{
	if (!s)
		return;
	log_free(s->log);
	log_free(s->journald);
	memory_free(s->journald_line);
	close_files(s);
	hosts_done(&s->hosts);
	memory_free(s->devices);
	memory_free(s->known);
	memory_free(s->slots);
	memory_free(s->names);
	memory_free(s->batch);
	memory_free(s->batch_sources);
	memory_free(s);
}
