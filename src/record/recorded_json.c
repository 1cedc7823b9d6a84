/* SPDX-License-Identifier: MIT */
#include "record/recorded_json.h"

#include <inttypes.h>
#include <stdio.h>

#include "record/values.h"

#define AT_MAX 48

static void put_number(struct json *j, const char *key, bool present, uint64_t value)
{
	if (present)
		json_unsigned(j, key, value);
	else
		json_null(j, key);
}

static void put_signed(struct json *j, const char *key, bool present, int64_t value)
{
	if (present)
		json_signed(j, key, value);
	else
		json_null(j, key);
}

static void put_at(struct json *j, const struct recorded *event)
{
	struct civil c = calendar_from_instant(event->wall);
	char at[AT_MAX];

	snprintf(at, sizeof(at), "%04d-%02d-%02dT%02d:%02d:%02d.%09dZ", c.year, c.month, c.day, c.hour, c.minute, c.second,
		 (int)c.nanosecond);
	json_string(j, "at", event->has & RECORDED_HAS_WALL ? at : NULL);
}

static void put_data(struct json *j, struct text data)
{
	static const char digits[] = "0123456789abcdef";
	char hex[2 * RECORDED_DATA_MAX];

	data = text_first(data, RECORDED_DATA_MAX);
	for (size_t i = 0; i < data.len; i++) {
		hex[2 * i] = digits[(unsigned char)data.at[i] >> 4];
		hex[2 * i + 1] = digits[(unsigned char)data.at[i] & 15];
	}
	record_put_text(j, "data", (struct text){ hex, 2 * data.len });
}

void record_recorded_json(const struct recorded *event, struct buffer *out)
{
	char boot[RECORDED_BOOT_TEXT_MAX], spi[16];
	struct json j;

	snprintf(spi, sizeof(spi), "0x%" PRIx32, event->spi.value);
	json_init(&j, out);
	json_object(&j, NULL);
	json_string(&j, "schema", "spimend.recorded/1");
	record_put_text(&j, "end", event->end);
	put_at(&j, event);
	json_string(&j, "boot", event->has & RECORDED_HAS_BOOT ? recorded_boot_print(event->boot, boot) : NULL);
	put_signed(&j, "mono", event->has & RECORDED_HAS_MONO, event->mono_ns);
	json_string(&j, "kind", recorded_kind_name(event->kind));
	record_put_address(&j, "src", &event->src);
	record_put_address(&j, "dst", &event->dst);
	json_string(&j, "proto", event->protocol == SPIMEND_PROTOCOL_UNKNOWN ? NULL : spimend_protocol_name(event->protocol));
	json_string(&j, "spi", event->has & RECORDED_HAS_SPI ? spi : NULL);
	json_string(&j, "direction", recorded_direction_name(event->direction));
	record_put_text(&j, "connection", event->connection);
	record_put_text(&j, "child", event->child);
	record_put_text(&j, "reason", event->reason);
	put_number(&j, "packets", event->has & RECORDED_HAS_PACKETS, event->packets);
	put_number(&j, "bytes", event->has & RECORDED_HAS_BYTES, event->bytes);
	put_number(&j, "seq", event->has & RECORDED_HAS_SEQUENCE, event->sequence);
	record_put_text(&j, "text", event->text);
	put_number(&j, "length", event->has & RECORDED_HAS_LENGTH, event->length);
	put_number(&j, "linktype", event->has & RECORDED_HAS_LINKTYPE, event->linktype);
	put_data(&j, event->data);
	record_put_text(&j, "incident", event->incident);
	put_signed(&j, "offset", event->has & RECORDED_HAS_OFFSET, event->offset_ns);
	put_signed(&j, "error", event->has & RECORDED_HAS_ERROR, event->error_ns);
	json_object_end(&j);
	buffer_add_char(out, '\n');
}
