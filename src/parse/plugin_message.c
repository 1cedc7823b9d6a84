/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "parse/plugin_message.h"
#include "spimend/error.h"

enum form { NUMBER, ADDRESS, TEXT };

static const struct {
	enum form form;
	uint8_t bytes; /* of a number */
	size_t at;     /* in struct plugin_message */
} fields[PLUGIN_FIELDS] = {
#define ROW(name, member) \
	[PLUGIN_HAS_##name] = { NUMBER, sizeof(((struct plugin_message *)0)->member), offsetof(struct plugin_message, member) }
	ROW(IKE_ID, ike_id), ROW(CHILD_ID, child_id), ROW(PROTOCOL, protocol), ROW(SPI, spi), ROW(PEER_SPI, peer_spi),
	ROW(WAIT_MS, wait_ms), ROW(OUTCOME, outcome), ROW(REASON, reason), ROW(TOOK_US, took_us),
	ROW(NEW_IKE_ID, new_ike_id), ROW(NEW_CHILD_ID, new_child_id), ROW(NEW_SPI, new_spi),
	ROW(NEW_PEER_SPI, new_peer_spi), ROW(SPI_SIZE, spi_size), ROW(LOCAL_PORT, local_port),
	ROW(REMOTE_PORT, remote_port), ROW(IKE_SPI_I, ike_spi_i), ROW(IKE_SPI_R, ike_spi_r), ROW(EXCHANGE, exchange),
	ROW(FLAGS, flags), ROW(COUNT, count),
#undef ROW
	[PLUGIN_HAS_LOCAL] = { ADDRESS, 0, offsetof(struct plugin_message, local) },
	[PLUGIN_HAS_REMOTE] = { ADDRESS, 0, offsetof(struct plugin_message, remote) },
	[PLUGIN_HAS_TEXT] = { TEXT, 0, offsetof(struct plugin_message, text) },
};

static uint64_t get_number(const unsigned char *bytes, size_t len)
{
	uint64_t value = 0;

	for (size_t i = 0; i < len; i++)
		value = value << 8 | bytes[i];
	return value;
}

static void put_number(unsigned char *to, size_t len, uint64_t value)
{
	while (len-- > 0) {
		to[len] = (unsigned char)value;
		value >>= 8;
	}
}

/* A member of 1, 2, 4 or 8 bytes, whatever this machine's byte order. */
static void store_member(void *member, size_t bytes, uint64_t value)
{
	uint32_t four = (uint32_t)value;
	uint16_t two = (uint16_t)value;
	uint8_t one = (uint8_t)value;

	memcpy(member, bytes == 1 ? (void *)&one : bytes == 2 ? (void *)&two : bytes == 4 ? (void *)&four : (void *)&value,
	       bytes);
}

static uint64_t load_member(const void *member, size_t bytes)
{
	uint64_t eight = 0;
	uint32_t four = 0;
	uint16_t two = 0;
	uint8_t one = 0;

	switch (bytes) {
	case 1:
		memcpy(&one, member, 1);
		return one;
	case 2:
		memcpy(&two, member, 2);
		return two;
	case 4:
		memcpy(&four, member, 4);
		return four;
	default:
		memcpy(&eight, member, 8);
		return eight;
	}
}

/* NULL, or what is wrong with the value. */
static const char *take_field(struct plugin_message *m, unsigned tag, const unsigned char *value, size_t len)
{
	void *member = (char *)m + fields[tag].at;
	struct spimend_address address = { 0 };

	switch (fields[tag].form) {
	case NUMBER:
		if (len != fields[tag].bytes)
			return "a number of the wrong length";
		store_member(member, len, get_number(value, len));
		break;
	case ADDRESS:
		if (len != 4 && len != 16)
			return "an address is 4 or 16 bytes long";
		address.family = len == 4 ? 4 : 6;
		memcpy(address.bytes, value, len);
		memcpy(member, &address, sizeof(address));
		break;
	case TEXT:
		if (len == 0 || len >= PLUGIN_TEXT_MAX)
			return "a text is 1 to 63 bytes long";
		if (memchr(value, 0, len))
			return "a text holds no NUL";
		memcpy(member, value, len); /* the rest is zero */
		break;
	}
	m->present |= UINT32_C(1) << tag;
	return NULL;
}

static int fail(struct plugin_failure *ret, const char *reason, size_t at, int code)
{
	*ret = (struct plugin_failure){ reason, at };
	return code;
}

int plugin_message_read(const unsigned char *bytes, size_t len, struct plugin_message *ret,
			struct plugin_failure *ret_failure)
{
	struct plugin_message m = { 0 };
	unsigned last = 0;
	size_t at = PLUGIN_HEADER_BYTES;

	if (len < PLUGIN_HEADER_BYTES)
		return fail(ret_failure, "shorter than a header", len, SPIMEND_E_SYNTAX);
	if (bytes[0] != PLUGIN_VERSION)
		return fail(ret_failure, "another version of the protocol", 0, SPIMEND_E_LIMIT);
	if (len > PLUGIN_MESSAGE_MAX || get_number(bytes + 2, 2) != len)
		return fail(ret_failure, "its length is not that of the datagram", 2, SPIMEND_E_SYNTAX);
	m.kind = (enum plugin_kind)bytes[1];
	m.serial = (uint32_t)get_number(bytes + 4, 4);
	while (at < len) {
		unsigned tag = bytes[at];
		const char *wrong;

		if (len - at < 2 || len - at - 2 < bytes[at + 1])
			return fail(ret_failure, "a field that ends after the message", at, SPIMEND_E_SYNTAX);
		if (tag <= last || tag >= PLUGIN_FIELDS)
			return fail(ret_failure, "an unknown tag, or one out of order", at, SPIMEND_E_SYNTAX);
		wrong = take_field(&m, tag, bytes + at + 2, bytes[at + 1]);
		if (wrong)
			return fail(ret_failure, wrong, at, SPIMEND_E_SYNTAX);
		last = tag;
		at += 2U + bytes[at + 1];
	}
	if (!plugin_valid(&m))
		return fail(ret_failure, "not what a message of its kind holds", 1, SPIMEND_E_SYNTAX);
	*ret = m;
	return 0;
}

static size_t put_field(const struct plugin_message *m, unsigned tag, unsigned char *to)
{
	const void *member = (const char *)m + fields[tag].at;
	struct spimend_address address;
	size_t len = 0;

	switch (fields[tag].form) {
	case NUMBER:
		len = fields[tag].bytes;
		put_number(to + 2, len, load_member(member, len));
		break;
	case ADDRESS:
		memcpy(&address, member, sizeof(address));
		len = address.family == 4 ? 4 : 16;
		memcpy(to + 2, address.bytes, len);
		break;
	case TEXT:
		len = strnlen(member, PLUGIN_TEXT_MAX - 1);
		memcpy(to + 2, member, len);
		break;
	}
	to[0] = (unsigned char)tag;
	to[1] = (unsigned char)len;
	return 2 + len;
}

int plugin_message_write(const struct plugin_message *m, unsigned char to[PLUGIN_MESSAGE_MAX])
{
	size_t len = PLUGIN_HEADER_BYTES;

	/* all fields together: 21 numbers of at most 8 bytes, 2 addresses, a text: 21 * 10 + 2 * 18 + 65 + 8 < 512 */
	if (!plugin_valid(m))
		return -EINVAL;
	for (unsigned tag = 1; tag < PLUGIN_FIELDS; tag++)
		if (m->present >> tag & 1)
			len += put_field(m, tag, to + len);
	to[0] = PLUGIN_VERSION;
	to[1] = (unsigned char)m->kind;
	put_number(to + 2, 2, len);
	put_number(to + 4, 4, m->serial);
	return (int)len;
}
