/* SPDX-License-Identifier: MIT */
#include "parse/recorded.h"

#include "spimend/error.h"

void recorded_reader_done(struct recorded_reader *reader)
{
	json_tree_done(&reader->tree);
}

static bool take_number(struct text *t, size_t digits, int *ret)
{
	uint64_t value;
	size_t taken;

	if (!text_take_digits(t, digits, &value, &taken) || taken != digits)
		return false;
	*ret = (int)value;
	return true;
}

bool recorded_time(struct text t, struct instant *ret)
{
	struct civil c = { 0 };
	uint64_t fraction;
	size_t digits;

	if (!take_number(&t, 4, &c.year) || !text_take_char(&t, '-') || !take_number(&t, 2, &c.month) || !text_take_char(&t, '-') ||
	    !take_number(&t, 2, &c.day) || !text_take_char(&t, 'T') || !take_number(&t, 2, &c.hour) || !text_take_char(&t, ':') ||
	    !take_number(&t, 2, &c.minute) || !text_take_char(&t, ':') || !take_number(&t, 2, &c.second))
		return false;
	if (text_take_char(&t, '.')) {
		if (!text_take_digits(&t, 9, &fraction, &digits))
			return false;
		for (; digits < 9; digits++)
			fraction *= 10;
		c.nanosecond = (int64_t)fraction;
	}
	return text_take_char(&t, 'Z') && t.len == 0 && calendar_to_instant(&c, ret) == 0;
}

struct reading {
	const struct json_tree *tree;
	const struct json_node *line;
	struct recorded *event;
	const char *reason; /* the first that went wrong; NULL: nothing */
};

static struct text text_at(struct reading *r, const char *key, size_t max)
{
	struct text t = json_tree_text(r->tree, r->line, key);

	if (t.len > max)
		r->reason = "a text is longer than it may be";
	return t;
}

static bool is_there(const struct reading *r, const char *key)
{
	const struct json_node *m = json_tree_find(r->tree, r->line, key);

	return m && m->type != JSON_NULL;
}

static void read_address(struct reading *r, const char *key, struct spimend_address *ret)
{
	struct text t = json_tree_text(r->tree, r->line, key);

	if (is_there(r, key) && spimend_address_parse(t.at, t.len, ret) < 0)
		r->reason = "no address where one is expected";
}

static void read_number(struct reading *r, const char *key, uint32_t has, uint64_t max, uint64_t *ret)
{
	if (!is_there(r, key))
		return;
	if (!json_tree_unsigned(r->tree, r->line, key, ret) || *ret > max)
		r->reason = "no number, or one out of range";
	r->event->has |= has;
}

static void read_signed(struct reading *r, const char *key, uint32_t has, int64_t *ret)
{
	if (!is_there(r, key))
		return;
	if (!json_tree_signed(r->tree, r->line, key, ret))
		r->reason = "no number, or one out of range";
	r->event->has |= has;
}

static void read_place(struct reading *r)
{
	struct recorded *e = r->event;
	struct text proto, spi, direction;

	if (is_there(r, "at")) {
		if (!recorded_time(json_tree_text(r->tree, r->line, "at"), &e->wall))
			r->reason = "no time as in RFC 3339";
		e->has |= RECORDED_HAS_WALL;
	}
	read_signed(r, "mono", RECORDED_HAS_MONO, &e->mono_ns);
	if (is_there(r, "boot")) {
		if (!recorded_boot_parse(json_tree_text(r->tree, r->line, "boot"), e->boot))
			r->reason = "no boot id";
		e->has |= RECORDED_HAS_BOOT;
	}
	read_address(r, "src", &e->src);
	read_address(r, "dst", &e->dst);
	proto = json_tree_text(r->tree, r->line, "proto");
	e->protocol = text_equal(proto, TEXT("esp"))  ? SPIMEND_PROTOCOL_ESP
		      : text_equal(proto, TEXT("ah")) ? SPIMEND_PROTOCOL_AH
						      : SPIMEND_PROTOCOL_UNKNOWN;
	spi = json_tree_text(r->tree, r->line, "spi");
	if (is_there(r, "spi")) {
		if (text_hex32(spi, &e->spi.value) < 0)
			r->reason = "no SPI in hex";
		e->has |= RECORDED_HAS_SPI;
	}
	direction = json_tree_text(r->tree, r->line, "direction");
	for (int d = RECORDED_IN; d < RECORDED_DIRECTIONS; d++)
		if (text_equal(direction, text_of(recorded_direction_name((enum recorded_direction)d))))
			e->direction = (enum recorded_direction)d;
}

static void read_data(struct reading *r, char *to)
{
	struct text hex = json_tree_text(r->tree, r->line, "data");

	if (hex.len % 2 || hex.len > 2 * RECORDED_DATA_MAX) {
		r->reason = "the bytes of a packet are not whole, or too many";
		return;
	}
	for (size_t i = 0; i < hex.len / 2; i++) {
		int high = char_hex(hex.at[2 * i]), low = char_hex(hex.at[2 * i + 1]);

		if (high < 0 || low < 0) {
			r->reason = "the bytes of a packet are not hex";
			return;
		}
		to[i] = (char)(high << 4 | low);
	}
	r->event->data = (struct text){ to, hex.len / 2 };
}

static void read_rest(struct reading *r)
{
	struct recorded *e = r->event;
	uint64_t length = 0, linktype = 0;

	e->end = text_at(r, "end", RECORDED_NAME_MAX);
	e->connection = text_at(r, "connection", RECORDED_NAME_MAX);
	e->child = text_at(r, "child", RECORDED_NAME_MAX);
	e->reason = text_at(r, "reason", RECORDED_NAME_MAX);
	e->text = text_at(r, "text", 4 * RECORDED_TEXT_MAX); /* in UTF-8, what was no UTF-8 is longer now */
	e->incident = text_at(r, "incident", RECORDED_INCIDENT_MAX - 1);
	read_number(r, "packets", RECORDED_HAS_PACKETS, UINT64_MAX, &e->packets);
	read_number(r, "bytes", RECORDED_HAS_BYTES, UINT64_MAX, &e->bytes);
	read_number(r, "seq", RECORDED_HAS_SEQUENCE, UINT64_MAX, &e->sequence);
	read_number(r, "length", RECORDED_HAS_LENGTH, UINT32_MAX, &length);
	read_number(r, "linktype", RECORDED_HAS_LINKTYPE, UINT16_MAX, &linktype);
	read_signed(r, "offset", RECORDED_HAS_OFFSET, &e->offset_ns);
	read_signed(r, "error", RECORDED_HAS_ERROR, &e->error_ns);
	e->length = (uint32_t)length;
	e->linktype = (uint16_t)linktype;
}

int recorded_read(struct recorded_reader *reader, struct text line, struct recorded *ret, const char **ret_reason)
{
	struct recorded event = { 0 };
	struct reading r = { .tree = &reader->tree, .event = &event };
	int result = json_tree_read(&reader->tree, line, NULL);

	r.line = json_tree_root(&reader->tree);
	if (result < 0) {
		*ret_reason = "no JSON";
		return result;
	}
	if (!text_equal(json_tree_text(r.tree, r.line, "schema"), TEXT("spimend.recorded/1"))) {
		*ret_reason = "no recorded event: its schema is not spimend.recorded/1";
		return SPIMEND_E_SYNTAX;
	}
	if (!recorded_kind_from_name(json_tree_text(r.tree, r.line, "kind"), &event.kind)) {
		*ret_reason = "a kind of event that is not known here";
		return SPIMEND_E_RANGE;
	}
	read_place(&r);
	read_rest(&r);
	read_data(&r, reader->data);
	if (r.reason) {
		*ret_reason = r.reason;
		return SPIMEND_E_SYNTAX;
	}
	*ret = event;
	return 0;
}
