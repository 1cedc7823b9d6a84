/* SPDX-License-Identifier: MIT */
#include "record/live_recorder.h"

#include <inttypes.h>
#include <stdio.h>

#include "record/recorded_json.h"
#include "record/values.h"

#define PEOPLE_DATA_MAX 32 /* bytes of a packet that are shown to people */

static void add_size(struct buffer *out, uint64_t bytes)
{
	if (bytes < 1u << 20)
		buffer_printf(out, "%" PRIu64 " KiB", (bytes + 1023) >> 10);
	else
		buffer_printf(out, "%" PRIu64 ".%" PRIu64 " MiB", bytes >> 20, (bytes & 0xfffff) * 10 >> 20);
}

void live_recorder_text(const struct live_recorder *r, struct instant now, struct buffer *out)
{
	buffer_printf(out, "  %-11s", "recorder");
	if (!r->is_on) {
		buffer_add_string(out, "off\n");
		return;
	}
	if (!r->has_ring) {
		buffer_add_string(out, "NONE: nothing is recorded\n");
		return;
	}
	buffer_printf(out, "%" PRIu64 " event%s in ", r->ring.records, text_plural(r->ring.records));
	add_size(out, r->ring.bytes);
	if (r->ring.has_oldest) {
		buffer_add_string(out, ", the oldest of ");
		calendar_print_duration(out, now.ns - r->ring.oldest.ns);
		buffer_add_string(out, " ago");
	}
	buffer_printf(out, "; %" PRIu64 " lost, %" PRIu64 " torn", r->ring.lost, r->ring.torn);
	if (r->held)
		buffer_printf(out, ", %" PRIu64 " beyond what packets and log lines may fill", r->held);
	if (r->ring.trouble)
		buffer_add_string(out, "; CANNOT BE WRITTEN");
	buffer_printf(out, "\n  %-11s%" PRIu32 " incident%s in ", "evidence", r->kept.incidents, text_plural(r->kept.incidents));
	add_size(out, r->kept.bytes);
	buffer_printf(out, ", %" PRIu32 " under way", r->kept.under_way);
	if (r->kept.let_go)
		buffer_printf(out, "; %" PRIu64 " made room", r->kept.let_go);
	if (r->kept.refused)
		buffer_printf(out, "; %" PRIu64 " could not be frozen", r->kept.refused);
	buffer_add_char(out, '\n');
}

void live_recorder_json(const struct live_recorder *r, struct json *j)
{
	json_object(j, "recorder");
	json_bool(j, "on", r->is_on);
	json_bool(j, "works", r->has_ring && !r->ring.trouble);
	json_unsigned(j, "records", r->ring.records);
	json_unsigned(j, "bytes", r->ring.bytes);
	json_unsigned(j, "segments", r->ring.segments);
	record_put_time(j, "oldest", r->ring.has_oldest, r->ring.oldest);
	json_unsigned(j, "written", r->ring.written);
	json_unsigned(j, "lost", r->ring.lost);
	json_unsigned(j, "torn", r->ring.torn);
	json_unsigned(j, "held", r->held);
	json_unsigned(j, "clock_steps", r->ring.steps);
	json_object(j, "evidence");
	json_unsigned(j, "incidents", r->kept.incidents);
	json_unsigned(j, "bytes", r->kept.bytes);
	json_unsigned(j, "under_way", r->kept.under_way);
	json_unsigned(j, "refused", r->kept.refused);
	json_unsigned(j, "let_go", r->kept.let_go);
	json_object_end(j);
	json_object_end(j);
}

/* --- What is frozen ------------------------------------------------------------------------------------------------ */

static void add_named(struct buffer *out, const char *before, struct text name)
{
	if (!name.len)
		return;
	buffer_add_string(out, before);
	record_add_printable(out, name);
}

static void add_bytes(struct buffer *out, struct text data)
{
	for (size_t i = 0; i < data.len && i < PEOPLE_DATA_MAX; i++)
		buffer_printf(out, "%s%02x", i ? "" : " ", (unsigned char)data.at[i]);
	if (data.len > PEOPLE_DATA_MAX)
		buffer_add_string(out, "...");
}

static void add_line(const struct recorded *e, struct buffer *out)
{
	struct civil c = calendar_from_instant(e->wall);
	char address[SPIMEND_ADDRESS_TEXT_MAX];
	const char *direction = recorded_direction_name(e->direction);

	if (e->has & RECORDED_HAS_WALL)
		buffer_printf(out, "%04d-%02d-%02d %02d:%02d:%02d.%06d ", c.year, c.month, c.day, c.hour, c.minute, c.second,
			      (int)(c.nanosecond / 1000));
	else
		buffer_printf(out, "%-27s", "-");
	record_add_printable(out, e->end);
	buffer_printf(out, " %-8s", recorded_kind_name(e->kind));
	if (spimend_address_known(&e->src) || spimend_address_known(&e->dst)) {
		buffer_printf(out, " %s", spimend_address_print(&e->src, address));
		buffer_printf(out, " -> %s", spimend_address_print(&e->dst, address));
	}
	if (e->has & RECORDED_HAS_SPI)
		buffer_printf(out, " 0x%08" PRIx32, e->spi.value);
	if (direction)
		buffer_printf(out, " %s", direction);
	add_named(out, " ", e->connection);
	add_named(out, "/", e->child);
	add_named(out, " ", e->reason);
	if (e->has & RECORDED_HAS_PACKETS && e->kind != RECORDED_SIGHTING)
		buffer_printf(out, " %" PRIu64 " packets", e->packets);
	if (e->has & RECORDED_HAS_LENGTH)
		buffer_printf(out, " %" PRIu32 " bytes", e->length);
	add_bytes(out, e->data);
	if (e->text.len) {
		struct text rest = e->text, line;

		for (bool first = true; text_take_line(&rest, &line); first = false) {
			buffer_add_string(out, first ? ": " : "\n    ");
			record_add_printable(out, line);
		}
	}
	buffer_add_char(out, '\n');
}

static void add_note(const char *id, const char *text, bool json, struct buffer *out)
{
	const struct recorded note = { .kind = RECORDED_NOTE, .text = text_of(text), .incident = text_of(id) };

	if (json)
		record_recorded_json(&note, out);
	else
		buffer_printf(out, "%s\n", text);
}

void live_evidence(const struct frozen_content *content, const char *id, bool json, struct buffer *out)
{
	char text[160];

	for (size_t i = 0; i < content->count; i++) {
		if (out->len > LIVE_EVIDENCE_MAX) {
			snprintf(text, sizeof(text), "%zu further events are left out of this answer", content->count - i);
			add_note(id, text, json, out);
			break;
		}
		if (json)
			record_recorded_json(&content->events[i], out);
		else
			add_line(&content->events[i], out);
	}
	if (content->torn) {
		snprintf(text, sizeof(text), "%" PRIu64 " place%s of what was frozen cannot be read", content->torn,
			 text_plural(content->torn));
		add_note(id, text, json, out);
	}
}

size_t live_evidence_page(const struct frozen_content *content, size_t from, size_t count, size_t most, struct buffer *out)
{
	size_t at = from, begin = out->len;

	for (; at < content->count && at - from < count && out->len - begin < most && !out->failed; at++) {
		buffer_add_string(out, at > from ? "," : "");
		record_recorded_json(&content->events[at], out);
		if (out->len && out->bytes[out->len - 1] == '\n')
			out->len--;
	}
	return at;
}
