/* SPDX-License-Identifier: MIT */
/* The parts of a report that are text: the timeline of all that was recorded, the journal, what commands printed. */
#include <inttypes.h>

#include "record/report_private.h"
#include "record/values.h"

static void add_time(struct buffer *out, const struct recorded *event)
{
	struct civil c = calendar_from_instant(event->wall);

	if (event->has & RECORDED_HAS_WALL)
		buffer_printf(out, "%04d-%02d-%02d %02d:%02d:%02d.%09d", c.year, c.month, c.day, c.hour, c.minute, c.second, (int)c.nanosecond);
	else
		buffer_add_string(out, "no time                      ");
}

static void add_name(struct buffer *out, struct text t, size_t width)
{
	struct buffer plain = { 0 };

	record_add_printable(&plain, t.len ? text_first(t, 64) : TEXT("-"));
	buffer_add(out, buffer_text(&plain));
	buffer_add_repeat(out, ' ', plain.len < width ? width - plain.len : 0);
	buffer_done(&plain);
}

static void add_flow(struct buffer *out, const struct recorded *event)
{
	char address[SPIMEND_ADDRESS_TEXT_MAX];

	if (spimend_address_known(&event->src) || spimend_address_known(&event->dst)) {
		buffer_printf(out, " %s ->", spimend_address_print(&event->src, address));
		buffer_printf(out, " %s", spimend_address_print(&event->dst, address));
	}
	if (event->protocol != SPIMEND_PROTOCOL_UNKNOWN)
		buffer_printf(out, " %s", spimend_protocol_name(event->protocol));
	if (event->has & RECORDED_HAS_SPI)
		buffer_printf(out, " 0x%08" PRIx32, event->spi.value);
	if (event->direction != RECORDED_NO_DIRECTION)
		buffer_printf(out, " %s", recorded_direction_name(event->direction));
}

/* What it says, on one line. */
static void add_words(struct buffer *out, const struct recorded *event)
{
	add_flow(out, event);
	if (event->connection.len || event->child.len) {
		buffer_add_char(out, ' ');
		record_add_printable(out, event->connection);
		if (event->child.len) {
			buffer_add_char(out, '/');
			record_add_printable(out, event->child);
		}
	}
	if (event->reason.len) {
		buffer_add_char(out, ' ');
		record_add_printable(out, event->reason);
	}
	if (event->has & RECORDED_HAS_PACKETS)
		buffer_printf(out, " %" PRIu64 " packet%s", event->packets, text_plural(event->packets));
	if (event->has & RECORDED_HAS_BYTES)
		buffer_printf(out, " %" PRIu64 " bytes", event->bytes);
	if (event->has & RECORDED_HAS_SEQUENCE)
		buffer_printf(out, " seq %" PRIu64, event->sequence);
	if (event->has & RECORDED_HAS_LENGTH)
		buffer_printf(out, " length %" PRIu32, event->length);
	if (event->has & RECORDED_HAS_OFFSET) {
		buffer_add_string(out, event->has & RECORDED_HAS_ERROR ? " ahead by " : " stepped by ");
		report_add_offset(out, event->offset_ns);
	}
	if (event->has & RECORDED_HAS_ERROR) {
		buffer_add_string(out, ", give or take ");
		report_add_offset(out, event->error_ns);
	}
	if (event->text.len && event->kind != RECORDED_OUTPUT) {
		buffer_add_string(out, ": ");
		record_add_printable(out, event->text);
	} else if (event->text.len) {
		buffer_printf(out, " %zu bytes, in shows.txt", event->text.len);
	}
}

static void add_line(struct buffer *out, const struct recorded *event)
{
	add_time(out, event);
	buffer_add_char(out, ' ');
	add_name(out, event->end, 12);
	buffer_add_char(out, ' ');
	add_name(out, text_of(recorded_kind_name(event->kind)), 8);
	add_words(out, event);
	buffer_add_char(out, '\n');
}

/* Lines of an output keep their breaks. */
static void add_output(struct report_evidence *e, const struct recorded *event)
{
	struct text rest = event->text, line;

	if (!text_equal(e->show_end, event->end)) { /* its command is not here, or another end's came in between */
		buffer_add_string(&e->shows, "\n=== ");
		add_time(&e->shows, event);
		buffer_add_char(&e->shows, ' ');
		add_name(&e->shows, event->end, 0);
		buffer_add_string(&e->shows, ", goes on\n");
		e->show_end = report_end_of(e, event->end)->name;
	}
	while (text_take_line(&rest, &line)) {
		record_add_printable(&e->shows, line);
		buffer_add_char(&e->shows, '\n');
	}
}

static void add_command(struct report_evidence *e, const struct recorded *event)
{
	buffer_add_string(&e->shows, e->shows.len ? "\n=== " : "=== ");
	add_time(&e->shows, event);
	buffer_add_char(&e->shows, ' ');
	add_name(&e->shows, event->end, 0);
	buffer_add_string(&e->shows, ": ");
	record_add_printable(&e->shows, event->text);
	buffer_add_char(&e->shows, '\n');
	e->show_end = report_end_of(e, event->end)->name;
	e->commands++;
}

void report_tell(struct report_evidence *e, const struct recorded *event)
{
	add_line(&e->timeline, event);
	switch (event->kind) {
	case RECORDED_COMMAND:
		add_command(e, event);
		add_line(&e->journal, event);
		break;
	case RECORDED_OUTPUT:
		add_output(e, event);
		break;
	case RECORDED_STEP:
	case RECORDED_INCIDENT:
	case RECORDED_NOTE:
	case RECORDED_CLOCK:
		add_line(&e->journal, event);
		break;
	default:
		break;
	}
}
