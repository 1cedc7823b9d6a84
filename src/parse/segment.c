/* SPDX-License-Identifier: MIT */
#include "parse/segment.h"

#include <assert.h>
#include <endian.h>

#include "base/hash.h"
#include "spimend/error.h"

#define MAGIC "spmdrec1"
#define MARK "SMDR"
#define HEAD_BYTES 16   /* of a record */
#define FIXED_BYTES 42  /* of what is behind it */
#define OWN_BOOT 0x8000 /* beside enum recorded_has: not the header's */
#define OWN_END 0x4000

static_assert(RECORDED_HAS_ALL < OWN_END, "enum recorded_has has grown into the segment's own bits");
static_assert(HEAD_BYTES + FIXED_BYTES + 5 * 8 + 2 * 16 + RECORDED_BOOT_SIZE + 5 * RECORDED_NAME_MAX + RECORDED_TEXT_MAX +
	      RECORDED_DATA_MAX <= SEGMENT_RECORD_MAX, "a record does not fit");

static void put(unsigned char **to, const void *bytes, size_t len)
{
	if (len)
		memcpy(*to, bytes, len);
	*to += len;
}

static void put_u16(unsigned char **to, uint16_t value)
{
	value = htole16(value);
	put(to, &value, sizeof(value));
}

static void put_u32(unsigned char **to, uint32_t value)
{
	value = htole32(value);
	put(to, &value, sizeof(value));
}

static void put_u64(unsigned char **to, uint64_t value)
{
	value = htole64(value);
	put(to, &value, sizeof(value));
}

static void put_text(unsigned char **to, struct text t)
{
	put(to, t.at, t.len);
}

/* All the takers below are called with what is there: who calls has looked at the length. */
static void take(const char **from, void *to, size_t len)
{
	memcpy(to, *from, len);
	*from += len;
}

static uint16_t take_u16(const char **from)
{
	uint16_t value;

	take(from, &value, sizeof(value));
	return le16toh(value);
}

static uint32_t take_u32(const char **from)
{
	uint32_t value;

	take(from, &value, sizeof(value));
	return le32toh(value);
}

static uint64_t take_u64(const char **from)
{
	uint64_t value;

	take(from, &value, sizeof(value));
	return le64toh(value);
}

static struct text take_text(const char **from, size_t len)
{
	struct text t = { *from, len };

	*from += len;
	return t;
}

/* --- The header ------------------------------------------------------------------------------------------------------ */

static uint64_t check_of(uint64_t salt, uint64_t at, const void *bytes, size_t len)
{
	const struct hash_key key = { salt, at };

	return hash_bytes(&key, bytes, len);
}

void segment_write_header(const struct segment_header *header, unsigned char to[SEGMENT_HEADER_BYTES])
{
	unsigned char *at = to;
	char end[SEGMENT_END_MAX] = { 0 };

	text_copy((struct text){ header->end, strnlen(header->end, sizeof(end) - 1) }, end, sizeof(end));
	put(&at, MAGIC, sizeof(MAGIC) - 1);
	put_u32(&at, SEGMENT_HEADER_BYTES);
	put_u32(&at, 0);
	put(&at, header->boot, sizeof(header->boot));
	put_u64(&at, (uint64_t)header->wall.ns);
	put_u64(&at, (uint64_t)header->mono_ns);
	put_u64(&at, header->salt);
	put(&at, end, sizeof(end));
	put_u64(&at, check_of(header->salt, 0, to, (size_t)(at - to)));
}

int segment_read_header(struct text bytes, struct segment_header *ret)
{
	struct segment_header header;
	const char *at = bytes.at;
	size_t before;

	if (bytes.len < SEGMENT_HEADER_BYTES || !text_take(&bytes, TEXT(MAGIC)))
		return SPIMEND_E_SYNTAX;
	at += sizeof(MAGIC) - 1;
	if (take_u32(&at) != SEGMENT_HEADER_BYTES || take_u32(&at) != 0)
		return SPIMEND_E_SYNTAX;
	take(&at, header.boot, sizeof(header.boot));
	header.wall.ns = (int64_t)take_u64(&at);
	header.mono_ns = (int64_t)take_u64(&at);
	header.salt = take_u64(&at);
	take(&at, header.end, sizeof(header.end));
	before = SEGMENT_HEADER_BYTES - sizeof(uint64_t);
	if (take_u64(&at) != check_of(header.salt, 0, bytes.at - (sizeof(MAGIC) - 1), before) ||
	    !memchr(header.end, 0, sizeof(header.end)))
		return SPIMEND_E_SYNTAX;
	*ret = header;
	return 0;
}

/* --- A record -------------------------------------------------------------------------------------------------------- */

static size_t address_bytes(uint8_t family)
{
	return family == 4 ? 4 : family == 6 ? 16 : 0;
}

static struct text name_of(struct text t)
{
	return text_first(t, RECORDED_NAME_MAX);
}

size_t segment_write_record(const struct segment_header *header, uint64_t place, const struct recorded *event,
			    unsigned char to[SEGMENT_RECORD_MAX])
{
	struct text text = text_first(event->text, RECORDED_TEXT_MAX), data = text_first(event->data, RECORDED_DATA_MAX);
	struct text connection = name_of(event->connection), child = name_of(event->child), reason = name_of(event->reason);
	struct text end = text_equal(event->end, text_of(header->end)) ? TEXT_NONE : name_of(event->end);
	struct text incident = text_first(event->incident, RECORDED_INCIDENT_MAX - 1);
	bool own_boot = event->has & RECORDED_HAS_BOOT && memcmp(event->boot, header->boot, sizeof(event->boot)) != 0;
	unsigned char *at = to + HEAD_BYTES;
	uint16_t len;

	*at++ = (unsigned char)event->kind;
	*at++ = (unsigned char)event->direction;
	*at++ = (unsigned char)event->protocol;
	*at++ = (unsigned char)(event->src.family | event->dst.family << 4);
	put_u16(&at, (uint16_t)((event->has & RECORDED_HAS_ALL) | (own_boot ? OWN_BOOT : 0) | (end.len ? OWN_END : 0)));
	put_u16(&at, event->linktype);
	put_u64(&at, (uint64_t)event->mono_ns);
	put_u64(&at, (uint64_t)event->wall.ns);
	put_u32(&at, event->spi.value);
	put_u32(&at, event->length);
	*at++ = (unsigned char)connection.len;
	*at++ = (unsigned char)child.len;
	*at++ = (unsigned char)reason.len;
	*at++ = (unsigned char)end.len;
	*at++ = (unsigned char)incident.len;
	*at++ = 0;
	put_u16(&at, (uint16_t)text.len);
	put_u16(&at, (uint16_t)data.len);
	if (event->has & RECORDED_HAS_PACKETS)
		put_u64(&at, event->packets);
	if (event->has & RECORDED_HAS_BYTES)
		put_u64(&at, event->bytes);
	if (event->has & RECORDED_HAS_SEQUENCE)
		put_u64(&at, event->sequence);
	if (event->has & RECORDED_HAS_OFFSET)
		put_u64(&at, (uint64_t)event->offset_ns);
	if (event->has & RECORDED_HAS_ERROR)
		put_u64(&at, (uint64_t)event->error_ns);
	put(&at, event->src.bytes, address_bytes(event->src.family));
	put(&at, event->dst.bytes, address_bytes(event->dst.family));
	if (own_boot)
		put(&at, event->boot, sizeof(event->boot));
	put_text(&at, connection);
	put_text(&at, child);
	put_text(&at, reason);
	put_text(&at, end);
	put_text(&at, incident);
	put_text(&at, text);
	put_text(&at, data);
	len = (uint16_t)(at - to - HEAD_BYTES);
	at = to;
	put(&at, MARK, sizeof(MARK) - 1);
	put_u16(&at, len);
	put_u16(&at, (uint16_t)~len);
	put_u64(&at, check_of(header->salt, place, to + HEAD_BYTES, len));
	return (size_t)HEAD_BYTES + len;
}

static bool is_family(unsigned family)
{
	return family == 0 || family == 4 || family == 6;
}

/* What follows the fixed part, each with its length: they must fill the rest exactly. */
struct rest {
	size_t numbers, src, dst, boot, connection, child, reason, end, incident, text, data;
};

static size_t sum_of(const struct rest *r)
{
	return r->numbers * 8 + r->src + r->dst + r->boot + r->connection + r->child + r->reason + r->end + r->incident + r->text +
	       r->data;
}

static bool read_payload(const struct segment_header *header, struct text payload, struct recorded *ret)
{
	const char *at = payload.at;
	struct recorded e = { .kind = RECORDED_NOTE };
	unsigned kind, direction, protocol, families;
	uint16_t flags;
	struct rest rest;

	if (payload.len < FIXED_BYTES)
		return false;
	kind = (unsigned char)*at++;
	direction = (unsigned char)*at++;
	protocol = (unsigned char)*at++;
	families = (unsigned char)*at++;
	flags = take_u16(&at);
	e.linktype = take_u16(&at);
	e.mono_ns = (int64_t)take_u64(&at);
	e.wall.ns = (int64_t)take_u64(&at);
	e.spi.value = take_u32(&at);
	e.length = take_u32(&at);
	rest.connection = (unsigned char)*at++;
	rest.child = (unsigned char)*at++;
	rest.reason = (unsigned char)*at++;
	rest.end = (unsigned char)*at++;
	rest.incident = (unsigned char)*at++;
	at++;
	rest.text = take_u16(&at);
	rest.data = take_u16(&at);
	if (kind >= RECORDED_KINDS || direction >= RECORDED_DIRECTIONS || !is_family(families & 15) || !is_family(families >> 4) ||
	    (protocol != SPIMEND_PROTOCOL_UNKNOWN && protocol != SPIMEND_PROTOCOL_ESP && protocol != SPIMEND_PROTOCOL_AH) ||
	    rest.text > RECORDED_TEXT_MAX || rest.data > RECORDED_DATA_MAX || rest.incident >= RECORDED_INCIDENT_MAX ||
	    flags & (uint16_t)~(RECORDED_HAS_ALL | OWN_BOOT | OWN_END) || !(flags & OWN_END) != !rest.end ||
	    (flags & OWN_BOOT && !(flags & RECORDED_HAS_BOOT)))
		return false;
	e.kind = (enum recorded_kind)kind;
	e.direction = (enum recorded_direction)direction;
	e.protocol = (enum spimend_protocol)protocol;
	e.has = flags & RECORDED_HAS_ALL;
	e.src.family = (uint8_t)(families & 15);
	e.dst.family = (uint8_t)(families >> 4);
	rest.numbers = !!(e.has & RECORDED_HAS_PACKETS) + !!(e.has & RECORDED_HAS_BYTES) + !!(e.has & RECORDED_HAS_SEQUENCE) +
		       !!(e.has & RECORDED_HAS_OFFSET) + !!(e.has & RECORDED_HAS_ERROR);
	rest.src = address_bytes(e.src.family);
	rest.dst = address_bytes(e.dst.family);
	rest.boot = flags & OWN_BOOT ? RECORDED_BOOT_SIZE : 0;
	if (sum_of(&rest) != payload.len - FIXED_BYTES)
		return false;
	if (e.has & RECORDED_HAS_PACKETS)
		e.packets = take_u64(&at);
	if (e.has & RECORDED_HAS_BYTES)
		e.bytes = take_u64(&at);
	if (e.has & RECORDED_HAS_SEQUENCE)
		e.sequence = take_u64(&at);
	if (e.has & RECORDED_HAS_OFFSET)
		e.offset_ns = (int64_t)take_u64(&at);
	if (e.has & RECORDED_HAS_ERROR)
		e.error_ns = (int64_t)take_u64(&at);
	take(&at, e.src.bytes, rest.src);
	take(&at, e.dst.bytes, rest.dst);
	memcpy(e.boot, header->boot, sizeof(e.boot));
	take(&at, e.boot, rest.boot);
	e.connection = take_text(&at, rest.connection);
	e.child = take_text(&at, rest.child);
	e.reason = take_text(&at, rest.reason);
	e.end = take_text(&at, rest.end);
	e.incident = take_text(&at, rest.incident);
	e.text = take_text(&at, rest.text);
	e.data = take_text(&at, rest.data);
	if (!(flags & OWN_END))
		e.end = text_of(header->end);
	*ret = e;
	return true;
}

/* The length of the record there; 0: there is none. */
static size_t read_record(const struct segment_reader *reader, struct recorded *ret)
{
	struct text left = text_skip(reader->bytes, reader->at);
	const char *at = left.at;
	uint16_t len, complement;

	if (left.len < HEAD_BYTES || !text_starts(left, TEXT(MARK)))
		return 0;
	at += sizeof(MARK) - 1;
	len = take_u16(&at);
	complement = take_u16(&at);
	if ((len ^ complement) != 0xffff || len > SEGMENT_RECORD_MAX - HEAD_BYTES || len > left.len - HEAD_BYTES ||
	    take_u64(&at) != check_of(reader->header.salt, reader->at, at, len) ||
	    !read_payload(&reader->header, (struct text){ at, len }, ret))
		return 0;
	return (size_t)HEAD_BYTES + len;
}

int segment_begin(struct segment_reader *reader, struct text bytes)
{
	struct segment_header header;
	int r = segment_read_header(bytes, &header);

	if (r == 0)
		*reader = (struct segment_reader){ .bytes = bytes, .at = SEGMENT_HEADER_BYTES, .header = header };
	return r;
}

bool segment_next(struct segment_reader *reader, struct recorded *ret)
{
	size_t from = reader->at, len = read_record(reader, ret), mark;

	while (len == 0 && reader->at < reader->bytes.len) {
		mark = text_find(text_skip(reader->bytes, reader->at + 1), TEXT(MARK));
		reader->at = mark == TEXT_NOT_FOUND ? reader->bytes.len : reader->at + 1 + mark;
		len = read_record(reader, ret);
	}
	reader->torn += reader->at > from;
	reader->torn_bytes += reader->at - from;
	reader->at += len;
	reader->records += len > 0;
	return len > 0;
}
