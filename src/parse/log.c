/* SPDX-License-Identifier: MIT */
#include "parse/log.h"

#include <errno.h>

#include "base/memory.h"
#include "parse/log_private.h"

int log_new(const struct log_rules *rules, const struct scan *scan, struct hosts *hosts, const struct log_sink *sink,
	    struct log **ret)
{
	struct log *log = memory_new(1, sizeof(*log));

	if (!log)
		return -ENOMEM;
	log->rules = *rules;
	log->scan = scan;
	log->hosts = hosts;
	log->sink = *sink;
	log->tolerance = LOG_CLOCK_TOLERANCE;
	log_tick_init(log);
	*ret = log;
	return 0;
}

void log_free(struct log *log)
{
	if (!log)
		return;
	for (int i = 0; i < PENDING_MAX; i++)
		buffer_done(&log->pending[i].joined);
	buffer_done(&log->unescaped);
	buffer_done(&log->pasted);
	buffer_done(&log->try);
	host_done(&log->unnamed);
	memory_free(log);
}

void log_set_now(struct log *log, struct instant now)
{
	log->rules.stamps.now = now;
	log->memo.has_midnight = false;
}

const struct log_counts *log_counts(const struct log *log)
{
	return &log->counts;
}

const char *log_trouble_name(enum log_trouble_kind kind)
{
	static const char *const names[TROUBLE_KINDS] = {
		[TROUBLE_UNPARSED] = "unparsed",     [TROUBLE_UNMATCHED] = "unmatched",
		[TROUBLE_TIME] = "impossible-time",  [TROUBLE_CLOCK_BACK] = "clock-back",
		[TROUBLE_NUL] = "nul-bytes",         [TROUBLE_UTF8] = "no-utf8",
		[TROUBLE_LONG] = "long-line",
	};

	return names[kind];
}

void log_trouble(struct log *log, enum log_trouble_kind kind, struct text host, const char *reason, size_t offset,
		 struct text text)
{
	struct log_trouble trouble = {
		.kind = kind, .host = host, .line = log->line, .reason = reason, .offset = offset, .text = text,
	};

	log->counts.troubles[kind]++;
	if (log->sink.trouble)
		log->sink.trouble(log->sink.context, &trouble);
}

struct host *log_host(struct log *log, struct text name)
{
	return name.len ? hosts_get(log->hosts, name) : &log->unnamed;
}

void log_hear(struct log *log, struct host *host, struct instant at, struct text line)
{
	if (!log->overheard || at.ns > log->latest.ns)
		log->latest = at;
	log->overheard = true;
	if (host && host_hear(host, at, log->tolerance, log))
		log_trouble(log, TROUBLE_CLOCK_BACK, host == &log->unnamed ? TEXT_NONE : host_name(host),
			    "the stamp lies before that of the host's previous line", 0, line);
}

bool log_heard_unnamed(const struct log *log, struct spimend_address *ret_device, struct instant *ret_last)
{
	if (!log->has_device || log->many_devices || !log->unnamed.heard || log->rules.column)
		return false;
	*ret_device = log->device;
	*ret_last = log->unnamed.last;
	return true;
}

static void check_odd(struct log *log, struct text line, unsigned marks)
{
	if (marks & SCAN_NUL && text_find_char(line, '\0') != TEXT_NOT_FOUND)
		log_trouble(log, TROUBLE_NUL, TEXT_NONE, "NUL bytes: a binary or damaged part",
			    text_find_char(line, '\0'), line);
	else if (marks & SCAN_HIGH && !text_is_utf8(line))
		log_trouble(log, TROUBLE_UTF8, TEXT_NONE, "no valid UTF-8; read all the same", 0, line);
}

#define SURROUNDINGS (SCAN_SURROUNDING | SCAN_DISTANT)

static bool take_line(void *context, struct text line, uint64_t number, unsigned marks)
{
	struct log *log = context;

	log->line = log->lines_before + number + 1;
	log->line_offset = log->window_offset + (uint64_t)(line.at - log->window.at);
	log->line_end = log->line_offset + line.len + 1;
	if (line.len && line.at[line.len - 1] == '\r')
		line.len--;
	if (__builtin_expect(marks & (SCAN_HIGH | SCAN_NUL), 0))
		check_odd(log, line, marks);
	if (__builtin_expect(line.len > LOG_LINE_MAX, 0)) {
		log_trouble(log, TROUBLE_LONG, TEXT_NONE, "longer than 65536 bytes; only its start was read", LOG_LINE_MAX,
			    text_first(line, 256));
		line = text_first(line, LOG_LINE_MAX);
	}
	if (__builtin_expect((marks & SCAN_CANDIDATE) || log->pending_count || log->table.inside, 0)) {
		log->counts.candidates++;
		log_message(log, line);
	} else if (marks & SURROUNDINGS && !log->rules.sparse && !log->rules.is_live &&
		   log->surroundings_read < SURROUNDINGS_READ_MAX) {
		log->surroundings_read++;
		log->counts.candidates++;
		log_message(log, line);
	} else if (marks & SURROUNDINGS) {
		log_surrounding(log, line);
	} else if (!log->rules.sparse) {
		log_tick(log, line);
	}
	return log->pending_count || log->table.inside;
}

/* A header line that names its columns tells which one holds the message. */
static void guess_column(struct log *log, struct text first_line)
{
	static const char *const names[] = { "raw", "_raw", "message", "msg" };
	struct text rest = first_line;
	unsigned column = 0;

	if (log->line || log->rules.column || text_find_char(first_line, '\t') == TEXT_NOT_FOUND || first_line.len > 1024)
		return;
	do {
		struct text name = text_take_until(&rest, "\t\r\n");

		column++;
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			if (text_equal_nocase(name, text_of(names[i])))
				log->rules.column = column;
	} while (text_take_char(&rest, '\t'));
}

/* One record of a table: its column, with \n for line breaks, stands alone: nothing is joined across records. */
static bool take_record(void *context, struct text line, uint64_t number, unsigned marks)
{
	struct log *log = context;
	struct text cell = line, part;

	log->line = log->lines_before + number + 1;
	check_odd(log, line, marks);
	for (unsigned column = 1; column < log->rules.column; column++) {
		size_t tab = text_find_char(cell, '\t');

		if (tab == TEXT_NOT_FOUND) {
			if (marks & SCAN_CANDIDATE)
				log_trouble(log, TROUBLE_UNPARSED, TEXT_NONE, "the record has fewer columns than --column asks for",
					    0, line);
			return false;
		}
		cell = text_skip(cell, tab + 1);
	}
	cell = text_first(cell, text_find_char(cell, '\t'));
	buffer_clear(&log->unescaped);
	for (size_t i = 0; i < cell.len; i++) {
		bool escape = cell.at[i] == '\\' && i + 1 < cell.len && cell.at[i + 1] == 'n';

		buffer_add_char(&log->unescaped, escape ? '\n' : cell.at[i]);
		i += escape;
	}
	cell = buffer_text(&log->unescaped);
	while (text_take_line(&cell, &part)) {
		log->counts.candidates++;
		log_message(log, text_first(part, LOG_LINE_MAX));
	}
	log_flush(log);
	host_done(&log->unnamed);
	log->unnamed = (struct host){ 0 };
	return false;
}

void log_feed(struct log *log, struct text bytes)
{
	enum scan_which which = SCAN_EVERY;
	uint64_t lines;

	log->window_offset = log->counts.bytes;
	log->counts.bytes += bytes.len;
	if (log->inside_line) { /* the rest of a line that came in pieces: it was reported as too long */
		size_t end = text_find_char(bytes, '\n');

		end = end == TEXT_NOT_FOUND ? bytes.len : end + 1;
		log->inside_line = end == bytes.len && (end == 0 || bytes.at[end - 1] != '\n');
		log->window_offset += end;
		bytes = text_skip(bytes, end);
	}
	if (bytes.len == 0)
		return;
	log->inside_line = bytes.at[bytes.len - 1] != '\n';
	log->window = bytes;
	log->lines_before = log->counts.lines;
	guess_column(log, text_first(bytes, text_find_char(bytes, '\n')));
	if (log->rules.sparse && !log->rules.column)
		which = log->pending_count || log->table.inside ? SCAN_MARKED_AND_FIRST : SCAN_MARKED;
	lines = scan_lines(log->scan, bytes, which, log->rules.column ? take_record : take_line, log);
	log->counts.lines += lines;
	log->window = TEXT_NONE;
}

static bool overhear_line(void *context, struct text line, uint64_t number, unsigned marks)
{
	struct log *log = context;

	(void)number;
	(void)marks;
	log_tick(log, text_first(line, LOG_LINE_MAX));
	return true;
}

bool log_overhear(struct log *log, struct text bytes, struct instant *ret_latest)
{
	log->tolerance = INT64_MAX / 4; /* read out of order: what seems to go back in time does not */
	log->overheard = false;
	scan_lines(log->scan, bytes, SCAN_EVERY, overhear_line, log);
	log->tolerance = LOG_CLOCK_TOLERANCE;
	*ret_latest = log->latest;
	return log->overheard;
}

void log_flush(struct log *log)
{
	struct sa_block block;

	log->inside_line = false;
	log_message_flush(log);
	if (sa_table_end(&log->table, &block) && log->sink.block)
		log->sink.block(log->sink.context, &block, log->table_line);
}
