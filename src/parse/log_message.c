/* SPDX-License-Identifier: MIT */
/*
 * Candidate lines: taken apart into messages, joined with the lines that complete them (syslog.md 3), read by the dialects.
 */
#include "base/memory.h"
#include "parse/dialect.h"
#include "parse/log_private.h"
#include "parse/mnemonic.h"

#define SURROUNDING_SPAN (15 * MINUTE_NS) /* after a sighting, other messages of its host are read for so long */
#define ESP_HEADER_LINES 3 /* a packet's two lines may have so many others between them */
#define REPEAT_MAX 1000000 /* a larger "repeated N times" is taken for damage and cut to this */

/* Readers of lines without a mnemonic, most specific first. */
static dialect_read *const bare_readers[] = {
	dialect_cisco_debug_read, dialect_fortigate_read,  dialect_audit_read, dialect_screenos_read,
	dialect_strongswan_read,  dialect_libreswan_read,  dialect_versa_read, dialect_checkpoint_read,
	dialect_zyxel_read,       dialect_nortel_read,
};

/* One message with the framing that belongs to it. */
struct message {
	struct text whole; /* framing and body, for the evidence */
	struct heading heading;
	struct text inherited_host; /* of the line's first message, for one that ran into it without a host */
	uint64_t line;
	uint64_t count; /* of "message repeated N times: [" */
};

static void read_line(struct log *log, struct text text, uint64_t line);

/* ---- surroundings ---- */

void log_surrounding(struct log *log, struct text line)
{
	struct host *host = log_tick(log, line);

	if (!host)
		return;
	if (!host->in_span || host->last.ns - host->span_start.ns > SURROUNDING_SPAN) {
		host_surround(log->hosts, host, line, log->line, log);
	} else if (host->after_left) {
		host->after_left--;
		read_line(log, line, log->line);
	}
}

/* A sighting makes the lines kept before it worth reading. */
static void read_surroundings(struct log *log, struct text host_name)
{
	struct host *host = log_host(log, host_name);
	struct surroundings *s = host ? host->surroundings : NULL;

	if (!s || log->inside_surroundings)
		return;
	log->inside_surroundings = true;
	for (unsigned i = 0; i < SURROUNDINGS_KEPT; i++) {
		unsigned place = (s->next + i) % SURROUNDINGS_KEPT;
		struct text text = { s->kept[place].text, s->kept[place].len };

		/* Of another file the line number would be wrong: its own stream read it, or it is too old. */
		if (text.len && s->kept[place].log == log)
			read_line(log, text, s->kept[place].line);
		s->kept[place].len = 0;
	}
	log->inside_surroundings = false;
}

/* ---- times and emission ---- */

/* The event's own time: the message's, or the device's, or the relay's where the device's clock was not set. */
static void set_time(const struct log *log, const struct heading *h, const struct reading *r, struct log_fact *out)
{
	struct stamp own = { .civil = r->own_time, .has_year = true, .has_zone = r->own_time_has_zone };

	out->has_at = true;
	out->has_heard_at = true;
	out->heard_at = h->has_heard ? h->heard : h->device;
	if (r->has_own_time && stamp_resolve(&own, &log->rules.stamps, NULL, &out->at) == 0) {
		if (!h->has_heard)
			out->heard_at = out->at;
		return;
	}
	if (h->has_device && !(h->device_unset && h->has_heard)) {
		out->at = h->device;
		out->fact.flags |= h->device_unset ? FLAG_CLOCK_UNSET : 0;
	} else if (h->has_heard) {
		out->at = h->heard;
		out->fact.flags |= h->heard_unset ? FLAG_CLOCK_UNSET : 0;
	} else {
		out->has_at = out->has_heard_at = false;
		out->fact.flags |= FLAG_NO_TIME;
	}
}

static void emit(struct log *log, const struct message *m, struct reading *r, bool is_repeat)
{
	struct log_fact out = {
		.fact = r->fact,
		.line = m->line,
		.text = text_trim(m->whole),
		.is_repeat = is_repeat,
		.is_alone = log->rules.column > 0,
	};
	bool starts_span = false;
	struct host *host;

	set_time(log, &m->heading, r, &out);
	if (m->heading.impossible && !r->has_own_time)
		log_trouble(log, TROUBLE_TIME, TEXT_NONE, "a date or time that cannot be", 0, out.text);
	out.host = m->heading.host.len ? m->heading.host : r->own_host.len ? r->own_host : m->inherited_host;
	if (m->count > 1 && out.fact.count == 1)
		out.fact.count = m->count;

	host = log_host(log, out.host);
	if (host) {
		if (out.has_heard_at && !m->heading.has_heard && !log->inside_surroundings)
			log_hear(log, host, out.heard_at, out.text);
		if (!log->inside_surroundings)
			host->last_was_stray = out.fact.kind == FACT_STRAY;
		if (out.fact.kind == FACT_STRAY && out.has_heard_at &&
		    !(host->in_span && out.heard_at.ns - host->span_start.ns <= SURROUNDING_SPAN)) {
			starts_span = true;
			host->in_span = true;
			host->span_start = out.heard_at;
			host->after_left = SURROUNDINGS_AFTER;
		}
		if (out.fact.kind == FACT_STRAY) {
			host->stray_log = log;
			host->stray_end = log->line_end;
		}
		if (out.fact.kind == FACT_STRAY && !is_repeat) {
			if (!host->last_stray)
				host->last_stray = memory_new(1, sizeof(*host->last_stray));
			if (host->last_stray)
				*host->last_stray = out.fact;
			else
				host->last_was_stray = false;
		}
	}
	if (out.fact.kind == FACT_STRAY && out.host.len == 0 && spimend_address_known(&out.fact.dst)) {
		log->many_devices |= log->has_device && !spimend_address_equal(&log->device, &out.fact.dst);
		log->device = out.fact.dst;
		log->has_device = true;
	}
	if (out.fact.kind == FACT_STRAY)
		log->counts.strays += !is_repeat;
	else
		log->counts.evidence++;
	log->sink.fact(log->sink.context, &out);
	if (starts_span)
		read_surroundings(log, out.host);
}

/* Where ordinary lines are passed over: was there one of this host after its sighting? */
static bool spoke_since_stray(struct log *log, const struct host *host)
{
	if (!log->rules.sparse || host == &log->unnamed)
		return log->rules.sparse && host->stray_end != log->line_offset;
	return host->stray_log != log || log_spoke_between(log, host_name(host), host->stray_end, log->line_offset);
}

/* "last message repeated N times": of the previous message of that host. */
static bool take_repeated(struct log *log, const struct message *m, struct text body)
{
	struct reading r = { 0 };
	struct host *host;
	uint64_t count;

	if (!text_take(&body, TEXT("last message repeated ")) && !text_take(&body, TEXT("Last message repeated ")))
		return false;
	if (!text_take_digits(&body, 9, &count, NULL) || !text_take(&body, TEXT(" time")))
		return false;
	host = log_host(log, m->heading.host);
	if (host && host->last_was_stray && host->last_stray && count && !spoke_since_stray(log, host)) {
		r.fact = *host->last_stray;
		r.fact.flags &= ~(uint32_t)(FLAG_CLOCK_UNSET | FLAG_NO_TIME);
		r.fact.count = count < REPEAT_MAX ? count : REPEAT_MAX;
		emit(log, m, &r, true);
	}
	return true;
}

/* ---- messages that are cut ---- */

static void pending_drop(struct log *log, struct pending *p)
{
	p->used = false;
	buffer_clear(&p->joined);
	log->pending_count--;
}

static bool pending_push(struct log *log, struct text whole, size_t name_at, struct text host, uint64_t line, bool complete)
{
	struct pending *p = log->pending;

	while (p->used)
		if (++p == log->pending + PENDING_MAX)
			return false;
	buffer_clear(&p->joined);
	buffer_add(&p->joined, whole);
	p->host_at = host.len ? (size_t)(host.at - whole.at) : 0;
	p->host_len = host.len;
	if (p->host_at > whole.len) { /* an inherited host lies outside */
		p->host_at = 0;
		p->host_len = 0;
	}
	p->name_at = name_at;
	p->line = line;
	p->lines = 1;
	p->blanks = 0;
	p->complete = complete;
	p->used = true;
	log->pending_count++;
	return true;
}

static struct text pending_host(const struct pending *p)
{
	return text_first(text_skip(buffer_text(&p->joined), p->host_at), p->host_len);
}

/* ---- reading one line's messages ---- */

/* The message from its mnemonic on, which was found in the text around it. */
static enum dialect_result read_mnemonic_body(struct text body, struct mnemonic name, struct reading *r)
{
	enum dialect_result result;

	name.end -= name.at;
	name.at = 0;
	*r = (struct reading){ 0 };
	result = dialect_cisco_read_named(body, name, r);
	if (result == DIALECT_NOT_MINE)
		result = dialect_asa_read(body, r);
	return result;
}

/* Where the framing of a message starts whose predecessor was cut: at a stamp in between, else at its mnemonic. */
static size_t next_framing(struct text text, size_t from, size_t mnemonic_at)
{
	for (size_t i = from; i < mnemonic_at; i++) {
		struct text t = text_first(text_skip(text, i), mnemonic_at - i);
		struct stamp ignored;

		if ((i == from || char_is_blank(text.at[i - 1])) && stamp_take(&t, &ignored))
			return i;
	}
	return mnemonic_at;
}

static bool is_ours_by_name(const struct mnemonic *m)
{
	return text_equal(m->facility, TEXT("CRYPTO")) || text_equal(m->facility, TEXT("IPSEC")) ||
	       text_starts(m->facility, TEXT("IKE"));
}

/* Whatever a line says, its host was heard. */
static void hear_writer(struct log *log, const struct heading *h, struct text text)
{
	struct host *host = log->inside_surroundings || !h->has_heard ? NULL : log_host(log, h->host);

	if (host)
		log_hear(log, host, h->heard, text);
}

/* Nor was it about an unknown SPI. */
static void forget_stray(struct log *log, const struct heading *h)
{
	struct host *host = log->inside_surroundings ? NULL : log_host(log, h->host);

	if (host)
		host->last_was_stray = false;
}

/* "message repeated 3 times: [ ...": rsyslog's form holds the message itself. */
static struct text take_repeat_wrapper(struct text head, uint64_t *ret_count)
{
	size_t at = text_find(head, TEXT("message repeated "));
	struct text rest;
	uint64_t count;

	if (at == TEXT_NOT_FOUND)
		return head;
	rest = text_skip(head, at + strlen("message repeated "));
	if (text_take_digits(&rest, 9, &count, NULL) && count)
		*ret_count = count < REPEAT_MAX ? count : REPEAT_MAX;
	return text_first(head, at);
}

/* charon with ESP in user space says of each packet "parsed ESP header with SPI a209d483 [seq 1]", and of a stray right
 * after it "inbound ESP packet does not belong to an installed SA", without the SPI: the two belong together. */
static void keep_esp_header(struct log *log, const struct message *m, const struct fact *f)
{
	if (f->dialect != DIALECT_STRONGSWAN || !(f->has & FACT_HAS_SPI))
		return;
	log->esp_header = *f;
	log->esp_header_line = m->line;
}

static void take_esp_header(struct log *log, const struct message *m, struct fact *f)
{
	if (f->kind != FACT_STRAY || f->dialect != DIALECT_STRONGSWAN || f->has & FACT_HAS_SPI)
		return;
	if (log->esp_header_line == 0 || m->line - log->esp_header_line > ESP_HEADER_LINES)
		return;
	f->spi = log->esp_header.spi;
	f->sequence = log->esp_header.sequence;
	f->has |= log->esp_header.has & (FACT_HAS_SPI | FACT_HAS_SEQUENCE);
	fact_flag_spi(f);
	log->esp_header_line = 0;
}

/* The readers in their order, but a line that names its writer goes there at once. */
static enum dialect_result read_bare_body(struct text body, struct reading *r)
{
	enum dialect_result result = DIALECT_NOT_MINE;

	*r = (struct reading){ 0 };
	if (text_starts(body, TEXT("charon")))
		return dialect_strongswan_read(body, r);
	if (text_starts(body, TEXT("kernel: audit: ")))
		result = dialect_audit_read(body, r);
	for (size_t i = 0; i < sizeof(bare_readers) / sizeof(bare_readers[0]) && result == DIALECT_NOT_MINE; i++) {
		*r = (struct reading){ 0 };
		result = bare_readers[i](body, r);
	}
	return result;
}

static void read_bare(struct log *log, struct message *m, struct text text)
{
	struct reading r;
	struct text body;

	log_heading(log, text, false, &m->heading);
	body = text_skip(text, m->heading.used);
	m->whole = text;
	hear_writer(log, &m->heading, text);
	if (take_repeated(log, m, body))
		return;
	switch (read_bare_body(body, &r)) {
	case DIALECT_READ:
		take_esp_header(log, m, &r.fact);
		emit(log, m, &r, false);
		return;
	case DIALECT_MORE:
	case DIALECT_BAD:
		log_trouble(log, TROUBLE_UNPARSED, m->heading.host, r.failure.reason, m->heading.used + r.failure.offset, text);
		return;
	case DIALECT_NOT_MINE:
		keep_esp_header(log, m, &r.fact);
		break;
	}
	if (text_has(text, TEXT("RECVD_PKT_INV_SPI")) || text_has(text, TEXT("RECVD PKT INV SPI")))
		log_trouble(log, TROUBLE_UNPARSED, m->heading.host, "the name without its message (prose, or a pattern)", 0, text);
	forget_stray(log, &m->heading);
}

/* All messages of one line, or of several joined ones. */
static void read_line(struct log *log, struct text text, uint64_t line)
{
	struct message m = { .line = line, .count = 1 };
	struct mnemonic name, next;
	struct text head = TEXT_NONE;
	bool has_head = false;

	for (;;) {
		struct reading r;
		struct text body;
		bool has_next;
		enum dialect_result result;

		if (!mnemonic_find(text, 0, &name)) {
			if (!has_head && m.line == line && m.inherited_host.len == 0)
				read_bare(log, &m, text);
			return;
		}
		if (!has_head) {
			head = text_first(text, name.at);
			if (!log_quick_heading(log, head, true, &m.heading)) {
				head = take_repeat_wrapper(head, &m.count);
				log_heading(log, head, true, &m.heading);
			}
			hear_writer(log, &m.heading, text);
		}
		has_next = mnemonic_find(text, name.end, &next);
		body = text_between(text.at + name.at, has_next ? text.at + next.at : text.at + text.len);
		result = read_mnemonic_body(body, name, &r);
		m.whole = text_between(head.len ? head.at : text.at + name.at, body.at + body.len);
		switch (result) {
		case DIALECT_READ:
			if (r.used == 0 || r.used > body.len)
				r.used = body.len;
			m.whole = text_between(m.whole.at, body.at + r.used);
			emit(log, &m, &r, false);
			text = text_between(body.at + r.used, text.at + text.len);
			if (!has_next || r.fact.kind == FACT_APPLET) /* what an applet quotes is no new message (B22) */
				return;
			break;
		case DIALECT_MORE:
			if (!has_next) {
				if (!pending_push(log, m.whole, (size_t)(body.at - m.whole.at), m.heading.host, m.line, r.complete))
					log_trouble(log, TROUBLE_UNPARSED, m.heading.host,
						    "too many cut messages wait for their continuation", 0, m.whole);
				return;
			}
			if (r.complete) {
				emit(log, &m, &r, false);
				text = text_skip(text, next_framing(text, name.end, next.at));
				break;
			}
			__attribute__((fallthrough));
		case DIALECT_BAD:
			log_trouble(log, TROUBLE_UNPARSED, m.heading.host, r.failure.reason,
				    (size_t)(body.at - m.whole.at) + r.failure.offset, m.whole);
			if (!has_next)
				return;
			text = text_skip(text, next_framing(text, name.end, next.at));
			break;
		case DIALECT_NOT_MINE:
			if (!has_next) {
				forget_stray(log, &m.heading);
				if (is_ours_by_name(&name))
					log_trouble(log, TROUBLE_UNMATCHED, m.heading.host,
						    "no rule reads this message", name.at, text);
				return;
			}
			if (next_framing(text, name.end, next.at) == next.at) {
				/* A wrapper such as %IOSXE-3-PLATFORM: its framing is the inner message's. */
				if (!has_head)
					head = text_first(text, name.at);
				has_head = true;
				text = text_skip(text, next.at);
				continue;
			}
			text = text_skip(text, next_framing(text, name.end, next.at));
			break;
		}
		if (m.heading.host.len)
			m.inherited_host = m.heading.host;
		has_head = false;
		m.count = 1;
	}
}

/* ---- continuation ---- */

enum joined { JOINED_NO, JOINED_MORE, JOINED_DONE };

/* Tries pending + separator + body. On success the messages are emitted and the pending one is gone or grown. */
static enum joined join_with(struct log *log, struct pending *p, struct text body, const char *separator)
{
	struct buffer *joined = &log->try;
	struct mnemonic name, next;
	enum dialect_result result;
	struct reading r;
	struct text text;
	bool has_next;

	buffer_clear(joined);
	buffer_add(joined, buffer_text(&p->joined));
	buffer_add_string(joined, separator);
	buffer_add(joined, body);
	if (buffer_error(joined) || joined->len > PENDING_BYTES_MAX)
		return JOINED_NO;
	text = buffer_text(joined);
	if (!mnemonic_find(text, p->name_at, &name))
		return JOINED_NO;
	has_next = mnemonic_find(text, name.end, &next);
	text = text_first(text, has_next ? next.at : text.len);
	result = read_mnemonic_body(text_skip(text, name.at), name, &r);
	if (result == DIALECT_MORE && !has_next) {
		/* A line that adds nothing that the message wants is no continuation of it. */
		if (p->complete)
			return JOINED_NO;
		buffer_clear(&p->joined);
		buffer_add(&p->joined, text);
		p->complete = r.complete;
		p->lines++;
		return JOINED_MORE;
	}
	if (result != DIALECT_READ || (p->complete && name.at + r.used <= p->joined.len))
		return JOINED_NO;
	return JOINED_DONE;
}

static bool join(struct log *log, struct pending *p, struct text body)
{
	enum joined joined = join_with(log, p, body, " ");

	if (joined == JOINED_NO) /* a terminal's hard wrap may have cut a word in two */
		joined = join_with(log, p, body, "");
	if (joined == JOINED_DONE) {
		struct buffer text = log->try;
		uint64_t line = p->line;

		log->try = (struct buffer){ 0 };
		pending_drop(log, p);
		read_line(log, buffer_text(&text), line);
		buffer_done(&text);
	}
	return joined != JOINED_NO;
}

/* Nothing more comes: what is whole is emitted, the rest is reported. */
static void pending_give_up(struct log *log, struct pending *p)
{
	struct buffer text = p->joined;
	struct message m = { .line = p->line, .count = 1 };
	uint64_t here = log->line;
	struct mnemonic name;
	struct reading r;

	p->joined = (struct buffer){ 0 };
	pending_drop(log, p);
	m.whole = buffer_text(&text);
	if (mnemonic_find(m.whole, 0, &name)) {
		struct text head = take_repeat_wrapper(text_first(m.whole, name.at), &m.count);

		log_heading(log, head, true, &m.heading);
		mnemonic_find(m.whole, p->name_at, &name);
		read_mnemonic_body(text_skip(m.whole, name.at), name, &r);
		log->line = m.line;
		if (r.complete)
			emit(log, &m, &r, false);
		else
			log_trouble(log, TROUBLE_UNPARSED, m.heading.host, r.failure.reason, name.at + r.failure.offset, m.whole);
		log->line = here;
	}
	buffer_done(&text);
}

void log_message_flush(struct log *log)
{
	for (struct pending *p = log->pending; p < log->pending + PENDING_MAX; p++)
		if (p->used)
			pending_give_up(log, p);
}

static struct pending *pending_latest(struct log *log)
{
	struct pending *latest = NULL;

	for (struct pending *p = log->pending; p < log->pending + PENDING_MAX; p++)
		if (p->used && (!latest || p->line > latest->line))
			latest = p;
	return latest;
}

/* Gives waiting messages this line. True when one of them took it. */
static bool continue_pending(struct log *log, struct text line)
{
	struct mnemonic name;
	bool has_name = mnemonic_find(line, 0, &name);
	struct pending *latest = pending_latest(log);
	struct framing framing;

	if (text_trim(line).len == 0) {
		if (++latest->blanks > PENDING_BLANKS_MAX)
			pending_give_up(log, latest);
		return true;
	}
	framing_read(has_name ? text_first(line, name.at) : line, has_name, &framing);
	if (framing.is_continuation_shape) {
		if (join(log, latest, text_trim(line)))
			return true;
		if (++latest->lines > PENDING_LINES_MAX)
			pending_give_up(log, latest);
		return false;
	}
	for (struct pending *p = log->pending; p < log->pending + PENDING_MAX; p++) {
		struct text rest = text_skip(line, framing.used);
		struct text host;

		if (!p->used)
			continue;
		host = pending_host(p);
		if (!has_name && host.len) {
			/* A relay gives each part of a wrapped message its own header. */
			if (text_equal(framing.host, host) || (text_take(&rest, host) && text_take_blanks(&rest))) {
				if (join(log, p, text_trim(rest)))
					return true;
			}
		}
		/* A new message of the same writer ends the wait. */
		if (text_equal(framing.host, host) || ++p->lines > PENDING_LINES_MAX * 4)
			pending_give_up(log, p);
	}
	return false;
}

static struct text strip_quotes(struct text line)
{
	struct text rest = line;

	while (text_take_char(&rest, '>'))
		text_take_blanks(&rest);
	return rest;
}

/* Text pasted from web pages and PDFs has no-break spaces (U+00A0) for blanks, and may start with a byte order mark. */
static struct text plain_blanks(struct log *log, struct text line)
{
	text_take(&line, TEXT("\xef\xbb\xbf"));
	if (text_find_char(line, '\xc2') == TEXT_NOT_FOUND || !text_has(line, TEXT("\xc2\xa0")))
		return line;
	buffer_clear(&log->pasted);
	for (size_t i = 0; i < line.len; i++) {
		bool no_break = line.at[i] == '\xc2' && i + 1 < line.len && line.at[i + 1] == '\xa0';

		buffer_add_char(&log->pasted, no_break ? ' ' : line.at[i]);
		i += no_break;
	}
	return buffer_error(&log->pasted) < 0 ? line : buffer_text(&log->pasted);
}

void log_message(struct log *log, struct text line)
{
	struct sa_block block;

	line = strip_quotes(plain_blanks(log, line));
	if (log->table.inside || sa_table_may_start(line)) {
		bool was_inside = log->table.inside;
		enum sa_table_result result = sa_table_line(&log->table, line, &block);

		if (result == SA_TABLE_BLOCK && log->sink.block)
			log->sink.block(log->sink.context, &block, log->table_line);
		if (log->table.inside && (!was_inside || result == SA_TABLE_BLOCK))
			log->table_line = log->line;
		if (result != SA_TABLE_NOTHING && log->table.inside)
			return;
	}
	if (log->pending_count && continue_pending(log, line))
		return;
	read_line(log, line, log->line);
}
