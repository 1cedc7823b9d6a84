/* SPDX-License-Identifier: MIT */
#include "parse/recorded.h"

#include "spimend/error.h"

void recorded_reader_done(struct recorded_reader *reader)
{
	json_tree_done(&reader->tree);
}

static bool take_digits(struct text *t, size_t digits, int *ret)
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

	if (!take_digits(&t, 4, &c.year) || !text_take_char(&t, '-') || !take_digits(&t, 2, &c.month) || !text_take_char(&t, '-') ||
	    !take_digits(&t, 2, &c.day) || !text_take_char(&t, 'T') || !take_digits(&t, 2, &c.hour) || !text_take_char(&t, ':') ||
	    !take_digits(&t, 2, &c.minute) || !text_take_char(&t, ':') || !take_digits(&t, 2, &c.second))
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
	const struct json_node *next; /* where the key that is asked for next stands, if the line was written as ours are */
	struct recorded *event;
	const char *reason; /* one that went wrong; NULL: nothing */
};

/* What the line says under that key; NULL where it says nothing, or null. */
static const struct json_node *take(struct reading *r, const char *key)
{
	const struct json_node *m = r->next && text_equal(r->next->key, text_of(key)) ? r->next : NULL;

	if (!m)
		m = json_tree_find(r->tree, r->line, key);
	if (m)
		r->next = json_tree_next(r->tree, m);
	return m && m->type != JSON_NULL ? m : NULL;
}

static struct text take_text(struct reading *r, const char *key, size_t max)
{
	const struct json_node *m = take(r, key);
	struct text t = m && m->type == JSON_STRING ? m->text : TEXT_NONE;

	if (t.len > max)
		r->reason = "a text is longer than it may be";
	return t;
}

static void take_address(struct reading *r, const char *key, struct spimend_address *ret)
{
	const struct json_node *m = take(r, key);

	if (m && (m->type != JSON_STRING || spimend_address_parse(m->text.at, m->text.len, ret) < 0))
		r->reason = "no address where one is expected";
}

static void take_number(struct reading *r, const char *key, uint32_t has, uint64_t max, uint64_t *ret)
{
	const struct json_node *m = take(r, key);

	if (!m)
		return;
	if (m->type != JSON_NUMBER || text_decimal(m->text, max, ret) < 0)
		r->reason = "no number, or one out of range";
	r->event->has |= has;
}

static void take_signed(struct reading *r, const char *key, uint32_t has, int64_t *ret)
{
	const struct json_node *m = take(r, key);

	if (!m)
		return;
	if (!json_tree_number(m, ret))
		r->reason = "no number, or one out of range";
	r->event->has |= has;
}

static void take_time(struct reading *r)
{
	const struct json_node *m = take(r, "at");

	if (!m)
		return;
	if (m->type != JSON_STRING || !recorded_time(m->text, &r->event->wall))
		r->reason = "no time as in RFC 3339";
	r->event->has |= RECORDED_HAS_WALL;
}

static void take_boot(struct reading *r)
{
	const struct json_node *m = take(r, "boot");

	if (!m)
		return;
	if (m->type != JSON_STRING || !recorded_boot_parse(m->text, r->event->boot))
		r->reason = "no boot id";
	r->event->has |= RECORDED_HAS_BOOT;
}

static void take_flow(struct reading *r)
{
	struct recorded *e = r->event;
	const struct json_node *spi;
	struct text word;

	take_address(r, "src", &e->src);
	take_address(r, "dst", &e->dst);
	word = take_text(r, "proto", SIZE_MAX);
	e->protocol = text_equal(word, TEXT("esp"))  ? SPIMEND_PROTOCOL_ESP
		      : text_equal(word, TEXT("ah")) ? SPIMEND_PROTOCOL_AH
						     : SPIMEND_PROTOCOL_UNKNOWN;
	spi = take(r, "spi");
	if (spi) {
		if (spi->type != JSON_STRING || text_hex32(spi->text, &e->spi.value) < 0)
			r->reason = "no SPI in hex";
		e->has |= RECORDED_HAS_SPI;
	}
	word = take_text(r, "direction", SIZE_MAX);
	for (int d = RECORDED_IN; d < RECORDED_DIRECTIONS; d++)
		if (text_equal(word, text_of(recorded_direction_name((enum recorded_direction)d))))
			e->direction = (enum recorded_direction)d;
}

static void take_data(struct reading *r, char *to)
{
	struct text hex = take_text(r, "data", SIZE_MAX);

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

/* In the order of the contract. */
static void take_all(struct reading *r, char *data)
{
	struct recorded *e = r->event;
	uint64_t length = 0, linktype = 0;

	e->end = take_text(r, "end", RECORDED_NAME_MAX);
	take_time(r);
	take_boot(r);
	take_signed(r, "mono", RECORDED_HAS_MONO, &e->mono_ns);
	if (!recorded_kind_from_name(take_text(r, "kind", SIZE_MAX), &e->kind))
		r->reason = "a kind of event that is not known here";
	take_flow(r);
	e->connection = take_text(r, "connection", RECORDED_NAME_MAX);
	e->child = take_text(r, "child", RECORDED_NAME_MAX);
	e->reason = take_text(r, "reason", RECORDED_NAME_MAX);
	take_number(r, "packets", RECORDED_HAS_PACKETS, UINT64_MAX, &e->packets);
	take_number(r, "bytes", RECORDED_HAS_BYTES, UINT64_MAX, &e->bytes);
	take_number(r, "seq", RECORDED_HAS_SEQUENCE, UINT64_MAX, &e->sequence);
	e->text = take_text(r, "text", 4 * RECORDED_TEXT_MAX); /* in UTF-8, what was no UTF-8 is longer now */
	take_number(r, "length", RECORDED_HAS_LENGTH, UINT32_MAX, &length);
	take_number(r, "linktype", RECORDED_HAS_LINKTYPE, UINT16_MAX, &linktype);
	take_data(r, data);
	e->incident = take_text(r, "incident", RECORDED_INCIDENT_MAX - 1);
	take_signed(r, "offset", RECORDED_HAS_OFFSET, &e->offset_ns);
	take_signed(r, "error", RECORDED_HAS_ERROR, &e->error_ns);
	e->length = (uint32_t)length;
	e->linktype = (uint16_t)linktype;
}

int recorded_read(struct recorded_reader *reader, struct text line, struct recorded *ret, const char **ret_reason)
{
	struct recorded event = { 0 };
	struct reading r = { .tree = &reader->tree, .event = &event };
	int result = json_tree_read(&reader->tree, line, NULL);

	r.line = json_tree_root(&reader->tree);
	r.next = json_tree_first(&reader->tree, r.line);
	if (result < 0) {
		*ret_reason = "no JSON";
		return result;
	}
	if (!text_equal(take_text(&r, "schema", SIZE_MAX), TEXT("spimend.recorded/1"))) {
		*ret_reason = "no recorded event: its schema is not spimend.recorded/1";
		return SPIMEND_E_SYNTAX;
	}
	take_all(&r, reader->data);
	if (r.reason) {
		*ret_reason = r.reason;
		return SPIMEND_E_SYNTAX;
	}
	*ret = event;
	return 0;
}
