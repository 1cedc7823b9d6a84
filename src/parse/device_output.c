/* SPDX-License-Identifier: MIT */
#include "parse/device_output.h"

#include <errno.h>

#include "base/memory.h"
#include "parse/sa_table.h"
#include "parse/show_ike.h"
#include "parse/show_interface.h"
#include "parse/show_sdwan.h"
#include "parse/show_session.h"
#include "parse/show_spi.h"
#include "parse/swanctl.h"
#include "parse/xfrm_text.h"

/* A syslog line weighs 1, another unknown line 2: more in a row, and the output is over. */
#define FOREIGN_MAX 10
#define LINE_MAX_READ 4096 /* a longer one is no output of ours, but for --raw */
#define HELD_MAX 1024
#define PIECES_MAX 4 /* of a row: the widest table has some 210 columns */

struct device_output {
	struct device_sink sink;
	struct device_counts counts;
	enum saved_output output; /* being read */
	struct saved_filter filter; /* of the command that was typed last; used by the output that follows */
	uint32_t line, output_line;
	uint64_t output_records, output_rows; /* of the one being read */
	unsigned foreign;
	bool other_host;  /* behind another device's prompt */
	bool paged;       /* the last line asked for a key press */
	bool half_line;   /* the last line had no line break */
	char held[HELD_MAX]; /* a row that the terminal broke */
	size_t held_len, held_pieces;
	uint32_t held_line;
	const char *held_reason;
	char host[DEVICE_HOST_MAX];
	struct sa_table table;
	struct show_ike ike;
	struct show_session session;
	struct show_spi spi;
	struct show_sdwan sdwan;
	struct swanctl swan;
	struct xfrm_text xfrm;
};

int device_output_new(const struct device_sink *sink, const char *host, struct device_output **ret)
{
	struct device_output *reader = memory_new(1, sizeof(*reader));

	if (!reader)
		return -ENOMEM;
	reader->sink = *sink;
	text_copy(text_of(host), reader->host, sizeof(reader->host));
	*ret = reader;
	return 0;
}

void device_output_free(struct device_output *reader)
{
	memory_free(reader);
}

const struct device_counts *device_output_counts(const struct device_output *reader)
{
	return &reader->counts;
}

const char *device_output_host(const struct device_output *reader)
{
	return reader->host;
}

static void say(struct device_output *r, uint32_t line, const char *reason, struct text text)
{
	struct device_trouble trouble = { .line = line, .output = r->output, .reason = reason };

	if (r->output != OUTPUT_XFRM) /* a wrapped key may stand anywhere there */
		trouble.text = text;
	r->sink.trouble(r->sink.context, &trouble);
}

static void give(struct device_output *r, const struct saved_record *record)
{
	r->counts.records++;
	r->output_records++;
	r->sink.record(r->sink.context, record);
}

/* Gives back what the reader of the current output still holds. */
static void flush(struct device_output *r)
{
	struct saved_record record;

	switch (r->output) {
	case OUTPUT_IPSEC_SA:
		record = (struct saved_record){ .kind = SAVED_FLOW };
		if (sa_table_end(&r->table, &record.flow)) {
			if (r->half_line)
				record.flow.whole = false;
			record.line = record.flow.line;
			give(r, &record);
		}
		break;
	case OUTPUT_IKEV2_SA:
	case OUTPUT_ISAKMP_SA:
		if (show_ike_end(&r->ike, &record))
			give(r, &record);
		break;
	case OUTPUT_SESSION:
		if (show_session_end(&r->session, &record))
			give(r, &record);
		break;
	case OUTPUT_SPI_LOOKUP:
		if (show_spi_end(&r->spi, &record))
			give(r, &record);
		break;
	case OUTPUT_SDWAN_TLOCS:
		if (show_sdwan_end(&r->sdwan, &record))
			give(r, &record);
		break;
	case OUTPUT_SWANCTL:
	case OUTPUT_SWANCTL_RAW:
		while (swanctl_end(&r->swan, &record))
			give(r, &record);
		break;
	case OUTPUT_XFRM:
		if (xfrm_text_end(&r->xfrm, &record))
			give(r, &record);
		break;
	default:
		break;
	}
}

/* ---- rows that the terminal broke at its width ---- */

static void release_held(struct device_output *r)
{
	if (r->held_len == 0)
		return;
	r->counts.bad += r->held_pieces;
	say(r, r->held_line, r->held_reason, text_trim((struct text){ r->held, r->held_len }));
	r->held_len = r->held_pieces = 0;
}

/* Keeps a row that is no whole one, for what the next line adds. False where it cannot. */
static bool hold(struct device_output *r, struct text raw, uint32_t line, const char *reason)
{
	bool table = r->output == OUTPUT_SDWAN_LOCAL_SA || r->output == OUTPUT_SDWAN_OUTBOUND || r->output == OUTPUT_SDWAN_BFD ||
		     r->output == OUTPUT_SDWAN_CONTROL;

	if (!table || raw.len >= sizeof(r->held))
		return false;
	memmove(r->held, raw.at, raw.len);
	r->held_len = raw.len;
	r->held_line = line;
	r->held_reason = reason;
	r->held_pieces++;
	return true;
}

static void leave(struct device_output *r, bool cut)
{
	enum saved_output output = r->output;

	if (output == OUTPUT_NONE)
		return;
	release_held(r);
	flush(r);
	/* An empty table is an answer too; text that gave nothing is a layout that is not known. */
	if (r->output_records == 0 && r->output_rows > 3 && !cut && output != OUTPUT_EVENT_TRACE && output != OUTPUT_DROPS)
		say(r, r->output_line, "an output whose layout is not known: nothing could be read of it",
		    text_of(saved_output_command(output)));
	r->output = OUTPUT_NONE;
	r->sink.end(r->sink.context, output, cut);
}

static void enter(struct device_output *r, enum saved_output output)
{
	leave(r, r->paged);
	r->output = output;
	r->output_line = r->line;
	r->output_records = r->output_rows = 0;
	r->foreign = 0;
	memset(&r->table, 0, sizeof(r->table));
	r->ike = (struct show_ike){ 0 };
	r->session = (struct show_session){ 0 };
	r->spi = (struct show_spi){ 0 };
	r->sdwan = (struct show_sdwan){ 0 };
	r->swan = (struct swanctl){ 0 };
	r->xfrm = (struct xfrm_text){ 0 };
	r->counts.outputs[output]++;
	r->sink.begin(r->sink.context, output, r->line, &r->filter);
	r->filter = (struct saved_filter){ 0 };
}

/* A command's echo whose prompt was cut off: "show crypto ipsec sa", "# show sdwan ipsec local-sa". */
static bool take_echo(struct device_output *r, struct text t)
{
	struct saved_filter filter;
	enum saved_output output;

	if (!text_take_char(&t, '#'))
		text_take_char(&t, '>');
	text_take_blanks(&t);
	if (!text_starts_nocase(t, TEXT("sh")))
		return false;
	output = show_command(t, &filter);
	if (output == OUTPUT_NONE)
		return false;
	r->filter = filter;
	enter(r, output);
	return true;
}

/* The output that a line starts by itself, without a command that was seen. */
static enum saved_output starts(struct text t)
{
	enum saved_output output;

	if (t.len < 4)
		return OUTPUT_NONE;
	switch (t.at[0]) { /* most lines start nothing */
	case 'i':
	case 'C':
	case 'p':
	case 'l':
	case 'c':
		if (sa_table_may_start(t))
			return OUTPUT_IPSEC_SA;
		break;
	case 's':
		if (xfrm_text_starts(t))
			return OUTPUT_XFRM;
		break;
	default:
		break;
	}
	if (show_ikev2_starts(t))
		return OUTPUT_IKEV2_SA;
	if (show_isakmp_starts(t))
		return OUTPUT_ISAKMP_SA;
	if (show_session_starts(t))
		return OUTPUT_SESSION;
	output = show_sdwan_starts(t);
	if (output == OUTPUT_NONE)
		output = show_interface_starts(t);
	if (output == OUTPUT_NONE)
		output = show_spi_starts(t);
	if (output == OUTPUT_NONE && swanctl_raw_starts(t))
		output = OUTPUT_SWANCTL_RAW;
	if (output == OUTPUT_NONE && swanctl_starts(t))
		output = OUTPUT_SWANCTL;
	return output;
}

static enum show_result table_line(struct device_output *r, struct text t, struct saved_record *ret)
{
	enum sa_table_result result;

	*ret = (struct saved_record){ .kind = SAVED_FLOW };
	r->table.number = r->line;
	r->table.inside = true;
	result = sa_table_line(&r->table, t, &ret->flow);
	if (result != SA_TABLE_BLOCK)
		return result == SA_TABLE_TAKEN ? SHOW_TAKEN : SHOW_NOTHING;
	ret->line = ret->flow.line;
	return SHOW_RECORD;
}

static enum show_result read_line(struct device_output *r, struct text t, struct saved_record *ret)
{
	struct text rest = t;
	enum show_result result;

	switch (r->output) {
	case OUTPUT_IPSEC_SA:
		return table_line(r, t, ret);
	case OUTPUT_IKEV2_SA:
		return show_ikev2_line(&r->ike, t, r->line, ret);
	case OUTPUT_ISAKMP_SA:
		return show_isakmp_line(&r->ike, t, r->line, ret);
	case OUTPUT_SESSION:
		return show_session_line(&r->session, t, r->line, ret);
	case OUTPUT_SPI_LOOKUP:
	case OUTPUT_EVENT_TRACE:
	case OUTPUT_DROPS:
		return show_spi_line(&r->spi, r->output, t, r->line, ret);
	case OUTPUT_SDWAN_LOCAL_SA:
	case OUTPUT_SDWAN_OUTBOUND:
	case OUTPUT_SDWAN_TLOCS:
	case OUTPUT_SDWAN_BFD:
	case OUTPUT_SDWAN_CONTROL:
	case OUTPUT_SDWAN_OMP:
	case OUTPUT_SDWAN_EDGE:
		return show_sdwan_line(&r->sdwan, r->output, t, r->line, ret);
	case OUTPUT_INTERFACES:
		return show_interface_line(t, r->line, ret);
	case OUTPUT_SWANCTL:
		return swanctl_line(&r->swan, t, r->line, ret);
	case OUTPUT_SWANCTL_RAW:
		while ((result = swanctl_raw_line(&r->swan, &rest, r->line, ret)) == SHOW_RECORD)
			give(r, ret);
		return result;
	case OUTPUT_XFRM:
		return xfrm_text_line(&r->xfrm, t, r->line, ret);
	case OUTPUT_NONE:
	case OUTPUT_COUNT:
		break;
	}
	return SHOW_NOTHING;
}

/* With what is held in front of it, is this a row? The terminal broke the line wherever its width ended. */
static bool join_held(struct device_output *r, struct text raw)
{
	char joined[HELD_MAX];
	struct saved_record record;
	struct text t;
	uint32_t line = r->held_line;
	enum show_result result;

	if (raw.len >= sizeof(joined) - r->held_len || r->held_pieces == PIECES_MAX) {
		release_held(r);
		return false;
	}
	memcpy(joined, r->held, r->held_len);
	memcpy(joined + r->held_len, raw.at, raw.len);
	t = (struct text){ joined, r->held_len + raw.len };
	result = read_line(r, show_clean(t), &record);
	if (result == SHOW_RECORD) {
		r->held_len = r->held_pieces = 0;
		record.line = line;
		give(r, &record);
		return true;
	}
	if (result == SHOW_BAD && read_line(r, show_clean(raw), &record) != SHOW_RECORD)
		return hold(r, t, line, record.reason ? record.reason : r->held_reason);
	release_held(r); /* the next row is a whole one, or something else came */
	return false;
}

/* A prompt ends what was read; the command behind it says what comes. */
static void take_prompt(struct device_output *r, struct text command, struct text host)
{
	enum saved_output output;

	leave(r, r->paged);
	if (r->host[0] == '\0')
		text_copy(host, r->host, sizeof(r->host));
	if (!text_equal(text_first(host, DEVICE_HOST_MAX - 1), text_of(r->host))) {
		if (!r->other_host)
			say(r, r->line, "another device's prompt: what follows it is passed over; save each device to a file of its own", host);
		r->other_host = true;
		return;
	}
	r->other_host = false;
	r->filter = (struct saved_filter){ 0 };
	output = show_command(command, &r->filter);
	if (output != OUTPUT_NONE) {
		enter(r, output);
		r->counts.taken++;
	} else {
		r->counts.other++;
	}
}

static void take_foreign(struct device_output *r, struct text t)
{
	r->counts.other++;
	if (r->output == OUTPUT_NONE)
		return;
	r->foreign += show_is_syslog(t) ? 1 : 2;
	if (r->foreign > FOREIGN_MAX)
		leave(r, false);
}

static void take_line(struct device_output *r, struct text line)
{
	struct text t, rest, host;
	struct saved_record record;
	enum saved_output started;
	enum show_result result;

	r->counts.lines++;
	r->line++;
	if (line.len > LINE_MAX_READ && r->output != OUTPUT_SWANCTL_RAW && !swanctl_raw_starts(line)) {
		r->counts.other++;
		return;
	}
	t = show_clean(line);
	if (r->paged && t.len) /* somebody pressed the key: it went on */
		r->paged = false;
	if (show_is_pager(line))
		r->paged = true;
	rest = t;
	if (show_take_prompt(&rest, &host)) {
		release_held(r);
		take_prompt(r, rest, host);
		return;
	}
	if (r->held_len && t.len && join_held(r, line)) {
		r->counts.taken++;
		return;
	}
	if (r->other_host) {
		r->counts.foreign_host++;
		return;
	}
	if (t.len == 0) {
		r->counts.taken += r->output != OUTPUT_NONE;
		r->counts.other += r->output == OUTPUT_NONE;
		return;
	}
	if ((t.at[0] == 's' || t.at[0] == '#' || t.at[0] == '>') && take_echo(r, t)) {
		r->counts.taken++;
		return;
	}
	/* What starts another output starts it, even in the middle of one; SAs' lines are the many and start none. */
	started = r->output == OUTPUT_IPSEC_SA && t.at[0] != 'I' && t.at[0] != 'T' && t.at[0] != 'A' && t.at[0] != 'C' ? OUTPUT_NONE
															: starts(t);
	if (started != OUTPUT_NONE && started != r->output && !(r->output == OUTPUT_SWANCTL_RAW && started == OUTPUT_SWANCTL))
		enter(r, started);
	if (r->output == OUTPUT_NONE) {
		r->counts.other++;
		return;
	}
	record.reason = NULL;
	r->output_rows++;
	if (r->half_line && text_has(t, TEXT("spi")) && (r->output == OUTPUT_IPSEC_SA || r->output == OUTPUT_XFRM)) {
		r->counts.bad++;
		say(r, r->line, "the text ends in the middle of this line: it is not read", t);
		return;
	}
	result = read_line(r, t, &record);
	switch (result) {
	case SHOW_RECORD:
	case SHOW_TAKEN:
		if (result == SHOW_RECORD)
			give(r, &record);
		r->counts.taken++;
		r->foreign = 0;
		return;
	case SHOW_BAD:
		r->counts.taken++;
		if (hold(r, line, record.line, record.reason))
			return;
		r->counts.bad++;
		say(r, record.line, record.reason, t);
		return;
	case SHOW_NOTHING:
		/* sa_table tells by itself when its output is over, and may still have given a flow. */
		take_foreign(r, t);
		return;
	}
}

bool device_output_command(struct device_output *r, struct text typed)
{
	struct saved_filter filter;
	enum saved_output output = show_command(typed, &filter);

	leave(r, r->paged);
	if (output == OUTPUT_NONE)
		return false;
	r->filter = filter;
	enter(r, output);
	return true;
}

void device_output_feed(struct device_output *r, struct text bytes)
{
	bool whole = bytes.len == 0 || bytes.at[bytes.len - 1] == '\n';
	struct text line;

	while (text_take_line(&bytes, &line)) {
		r->half_line = !whole && bytes.len == 0;
		take_line(r, line);
	}
}

void device_output_end(struct device_output *r, bool damaged)
{
	bool cut = damaged || r->paged;

	release_held(r);
	r->half_line |= damaged;
	if (r->output != OUTPUT_NONE && cut)
		say(r, r->line, "the output is cut here: what is not in it may exist all the same", TEXT_NONE);
	leave(r, cut);
}
