/* SPDX-License-Identifier: MIT */
#include "parse/vici.h"

#include <errno.h>

#include "spimend/error.h"

int vici_segment_length(const unsigned char header[VICI_HEADER_BYTES], size_t *ret)
{
	size_t length = (size_t)header[0] << 24 | (size_t)header[1] << 16 | (size_t)header[2] << 8 | header[3];

	if (length == 0 || length > VICI_SEGMENT_MAX)
		return SPIMEND_E_RANGE;
	*ret = length;
	return 0;
}

static bool has_name(enum vici_packet_type type)
{
	return type == VICI_CMD_REQUEST || type == VICI_EVENT_REGISTER || type == VICI_EVENT_UNREGISTER || type == VICI_EVENT;
}

static int packet_failure(struct vici_failure *ret, const char *reason, size_t at)
{
	*ret = (struct vici_failure){ reason, at };
	return SPIMEND_E_SYNTAX;
}

int vici_packet_read(struct text segment, struct vici_packet *ret, struct vici_failure *ret_failure)
{
	struct vici_packet packet = { .name = TEXT_NONE };
	size_t at = 1, length;

	if (segment.len == 0)
		return packet_failure(ret_failure, "a packet without a type", 0);
	if ((unsigned char)segment.at[0] >= VICI_PACKET_TYPES)
		return packet_failure(ret_failure, "an unknown packet type", 0);
	packet.type = (enum vici_packet_type)(unsigned char)segment.at[0];
	if (has_name(packet.type)) {
		if (segment.len < 2)
			return packet_failure(ret_failure, "ends before the packet's name", 1);
		length = (unsigned char)segment.at[1];
		if (length == 0 || length > segment.len - 2)
			return packet_failure(ret_failure, "the packet's name is empty or longer than the packet", 1);
		packet.name = (struct text){ segment.at + 2, length };
		at = 2 + length;
	}
	packet.message = text_skip(segment, at);
	*ret = packet;
	return 0;
}

struct vici_reader vici_reader_of(struct text message)
{
	return (struct vici_reader){ .message = message };
}

static bool fail(struct vici_reader *r, const char *reason, size_t at)
{
	r->status = SPIMEND_E_SYNTAX;
	r->failure = (struct vici_failure){ reason, at };
	return false;
}

/* Takes a length of `width` bytes and as many bytes; `at` is behind them afterwards. */
static bool take(struct vici_reader *r, size_t *at, unsigned width, const char *reason, struct text *ret)
{
	size_t left = r->message.len - *at, length = 0;

	if (left < width)
		return fail(r, reason, *at);
	for (unsigned i = 0; i < width; i++)
		length = length << 8 | (unsigned char)r->message.at[*at + i];
	if (length > left - width)
		return fail(r, reason, *at);
	*ret = (struct text){ r->message.at + *at + width, length };
	*at += width + length;
	return true;
}

static const char *misplaced(const struct vici_reader *r, enum vici_kind kind)
{
	if (r->in_list && kind != VICI_LIST_ITEM && kind != VICI_LIST_END)
		return "a list holds more than items";
	if (!r->in_list && (kind == VICI_LIST_ITEM || kind == VICI_LIST_END))
		return "an item or a list's end outside a list";
	if (kind == VICI_SECTION_END && r->depth == 0)
		return "a section ends that was not begun";
	if (kind == VICI_SECTION_START && r->depth == VICI_DEPTH_MAX)
		return "sections nest too deep";
	return NULL;
}

bool vici_read(struct vici_reader *r, struct vici_element *ret)
{
	struct vici_element e = { .name = TEXT_NONE };
	size_t at = r->at;
	const char *why;
	unsigned char type;

	if (r->status)
		return false;
	if (at == r->message.len)
		return r->depth || r->in_list ? fail(r, "ends inside a section or list", at) : false;
	type = (unsigned char)r->message.at[at];
	if (type < VICI_SECTION_START || type > VICI_LIST_END)
		return fail(r, "an unknown element type", at);
	e.kind = (enum vici_kind)type;
	e.depth = r->depth;
	why = misplaced(r, e.kind);
	if (why)
		return fail(r, why, at);
	at++;
	if ((e.kind == VICI_SECTION_START || e.kind == VICI_KEY_VALUE || e.kind == VICI_LIST_START) &&
	    !take(r, &at, 1, "a name longer than the message", &e.name))
		return false;
	if ((e.kind == VICI_KEY_VALUE || e.kind == VICI_LIST_ITEM) &&
	    !take(r, &at, 2, "a value longer than the message", &e.value))
		return false;
	if (e.kind == VICI_SECTION_START)
		r->depth++;
	else if (e.kind == VICI_SECTION_END)
		e.depth = --r->depth;
	else if (e.kind == VICI_LIST_START || e.kind == VICI_LIST_END)
		r->in_list = e.kind == VICI_LIST_START;
	r->at = at;
	*ret = e;
	return true;
}

bool vici_skip(struct vici_reader *r, const struct vici_element *start)
{
	enum vici_kind end = start->kind == VICI_LIST_START ? VICI_LIST_END : VICI_SECTION_END;
	struct vici_element e;

	while (vici_read(r, &e))
		if (e.kind == end && e.depth == start->depth)
			return true;
	return false;
}

/* --- Writing ------------------------------------------------------------------------------------------------------- */

static int write_name(struct buffer *out, char type, struct text name)
{
	if (name.len == 0 || name.len > VICI_NAME_MAX || memchr(name.at, '\0', name.len))
		return -EINVAL;
	buffer_add_char(out, type);
	buffer_add_char(out, (char)name.len);
	buffer_add(out, name);
	return buffer_error(out);
}

/* Nothing is written when the value cannot be: half an element would be worse than none. */
static int check_value(struct text value)
{
	return value.len > VICI_VALUE_MAX || (value.len && memchr(value.at, '\0', value.len)) ? -EINVAL : 0;
}

static int write_value(struct buffer *out, struct text value)
{
	buffer_add_char(out, (char)(value.len >> 8));
	buffer_add_char(out, (char)value.len);
	buffer_add(out, value);
	return buffer_error(out);
}

int vici_segment_begin(struct buffer *out, enum vici_packet_type type, struct text name)
{
	size_t before = out->len;
	int r;

	buffer_add_repeat(out, '\0', VICI_HEADER_BYTES);
	r = has_name(type) ? write_name(out, (char)type, name) : (buffer_add_char(out, (char)type), buffer_error(out));
	if (r)
		out->len = before;
	return r;
}

int vici_segment_end(struct buffer *out, size_t segment_starts_at)
{
	size_t length;

	if (buffer_error(out))
		return buffer_error(out);
	length = out->len - segment_starts_at - VICI_HEADER_BYTES;
	if (length > VICI_SEGMENT_MAX)
		return SPIMEND_E_LIMIT;
	for (unsigned i = 0; i < VICI_HEADER_BYTES; i++)
		out->bytes[segment_starts_at + i] = (char)(length >> (8 * (VICI_HEADER_BYTES - 1 - i)));
	return 0;
}

int vici_write_key(struct buffer *out, struct text key, struct text value)
{
	int r = check_value(value);

	if (!r)
		r = write_name(out, VICI_KEY_VALUE, key);
	return r ? r : write_value(out, value);
}

int vici_write_number(struct buffer *out, struct text key, uint64_t value)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	return vici_write_key(out, key, (struct text){ digits + at, sizeof(digits) - at });
}

int vici_write_section(struct buffer *out, struct text name)
{
	return write_name(out, VICI_SECTION_START, name);
}

int vici_write_section_end(struct buffer *out)
{
	buffer_add_char(out, VICI_SECTION_END);
	return buffer_error(out);
}

int vici_write_list(struct buffer *out, struct text name)
{
	return write_name(out, VICI_LIST_START, name);
}

int vici_write_item(struct buffer *out, struct text value)
{
	if (check_value(value))
		return -EINVAL;
	buffer_add_char(out, VICI_LIST_ITEM);
	return write_value(out, value);
}

int vici_write_list_end(struct buffer *out)
{
	buffer_add_char(out, VICI_LIST_END);
	return buffer_error(out);
}
