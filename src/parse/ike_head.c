/* SPDX-License-Identifier: MIT */
#include "parse/ike_head.h"

#include <inttypes.h>

#define IKE_BYTES 28
#define UDP_BYTES 8
#define MARKER_BYTES 4
#define PROTOCOL_UDP 17
#define FLAG_RESPONSE 0x20  /* RFC 7296 3.1 */
#define FLAG_ENCRYPTED_V1 0x01 /* RFC 2408 3.1 */
#define PAYLOAD_NOTIFY_V2 41
#define PAYLOAD_NOTIFY_V1 11
#define NOTIFY_BYTES_V2 8
#define NOTIFY_BYTES_V1 12  /* with its DOI */
#define NOTIFY_SPI_MAX 16

static uint8_t byte_at(struct text t, size_t at)
{
	return (uint8_t)t.at[at];
}

static uint16_t read16(struct text t, size_t at)
{
	return (uint16_t)(byte_at(t, at) << 8 | byte_at(t, at + 1));
}

static uint32_t read32(struct text t, size_t at)
{
	return (uint32_t)read16(t, at) << 16 | read16(t, at + 2);
}

static uint64_t read64(struct text t, size_t at)
{
	return (uint64_t)read32(t, at) << 32 | read32(t, at + 4);
}

static void read_address(struct text t, size_t at, uint8_t family, struct spimend_address *ret)
{
	*ret = (struct spimend_address){ .family = family };
	memcpy(ret->bytes, t.at + at, family == 4 ? 4 : 16);
}

/* The length of the IP header of a whole UDP datagram, or of the first fragment of one; 0: it is none. */
static size_t read_ip(struct text packet, struct ike_head *head)
{
	size_t len;

	if (packet.len >= 20 && byte_at(packet, 0) >> 4 == 4) {
		len = (byte_at(packet, 0) & 15) * 4u;
		head->length = read16(packet, 2);
		if (len < 20 || packet.len < len || byte_at(packet, 9) != PROTOCOL_UDP || read16(packet, 6) & 0x1fff)
			return 0;
		read_address(packet, 12, 4, &head->src);
		read_address(packet, 16, 4, &head->dst);
		return len;
	}
	if (packet.len >= 40 && byte_at(packet, 0) >> 4 == 6) { /* IKE has no extension headers in front but in fragments */
		if (byte_at(packet, 6) != PROTOCOL_UDP)
			return 0;
		head->length = 40u + read16(packet, 4);
		read_address(packet, 8, 6, &head->src);
		read_address(packet, 24, 6, &head->dst);
		return 40;
	}
	return 0;
}

/* `left` begins with the first payload; returns how much of it is kept. */
static size_t read_notify(struct text left, struct ike_head *head)
{
	bool v2 = head->version == 2;
	size_t fixed = v2 ? NOTIFY_BYTES_V2 : NOTIFY_BYTES_V1, spi, data, len;

	if (head->first_payload != (v2 ? PAYLOAD_NOTIFY_V2 : PAYLOAD_NOTIFY_V1) || (!v2 && head->flags & FLAG_ENCRYPTED_V1) ||
	    left.len < fixed)
		return 0;
	len = read16(left, 2);
	spi = byte_at(left, fixed - 3);
	if (len < fixed + spi || spi > NOTIFY_SPI_MAX || left.len < fixed + spi)
		return 0;
	head->has_notify = true;
	head->notify = read16(left, fixed - 2);
	data = len - fixed - spi;
	data = data < IKE_NOTIFY_DATA_MAX ? data : IKE_NOTIFY_DATA_MAX;
	if (left.len < fixed + spi + data)
		data = left.len - fixed - spi;
	if (spi == 4) {
		head->has_spi = true;
		head->spi = read32(left, fixed);
	} else if (spi == 0 && data == 4 && len == fixed + 4) { /* INVALID_SPI outside of an IKE SA: RFC 7296 1.5 */
		head->has_spi = true;
		head->spi = read32(left, fixed);
	}
	return fixed + spi + data;
}

bool ike_head_read(struct text packet, struct ike_head *ret)
{
	struct ike_head head = { .keep = 0 };
	size_t at = read_ip(packet, &head);

	if (at == 0 || packet.len < at + UDP_BYTES)
		return false;
	head.src_port = read16(packet, at);
	head.dst_port = read16(packet, at + 2);
	at += UDP_BYTES;
	if (head.src_port == IKE_PORT_NAT || head.dst_port == IKE_PORT_NAT) {
		if (packet.len < at + MARKER_BYTES || read32(packet, at) != 0)
			return false; /* RFC 3948 2.2: else it is ESP */
		at += MARKER_BYTES;
	} else if (head.src_port != IKE_PORT && head.dst_port != IKE_PORT) {
		return false;
	}
	if (packet.len < at + IKE_BYTES)
		return false;
	head.spi_initiator = read64(packet, at);
	head.spi_responder = read64(packet, at + 8);
	head.first_payload = byte_at(packet, at + 16);
	head.version = byte_at(packet, at + 17) >> 4;
	head.exchange = byte_at(packet, at + 18);
	head.flags = byte_at(packet, at + 19);
	head.message_id = read32(packet, at + 20);
	if (head.version != 1 && head.version != 2)
		return false;
	at += IKE_BYTES;
	head.keep = at + read_notify(text_skip(packet, at), &head);
	*ret = head;
	return true;
}

/* --- In words -------------------------------------------------------------------------------------------------------- */

static const char *exchange_name(const struct ike_head *head)
{
	switch (head->version << 8 | head->exchange) {
	case 0x102: return "identity protection"; /* main mode */
	case 0x104: return "aggressive";
	case 0x105: return "informational";
	case 0x106: return "transaction";
	case 0x120: return "quick mode";
	case 0x222: return "IKE_SA_INIT";
	case 0x223: return "IKE_AUTH";
	case 0x224: return "CREATE_CHILD_SA";
	case 0x225: return "INFORMATIONAL";
	case 0x22b: return "IKE_INTERMEDIATE";
	default: return NULL;
	}
}

static const char *notify_name(const struct ike_head *head)
{
	if (head->version != 2)
		return head->notify == 11 ? "INVALID-SPI" : NULL; /* RFC 2408 3.14.1 */
	switch (head->notify) { /* RFC 7296 3.10.1 */
	case 4: return "INVALID_IKE_SPI";
	case 5: return "INVALID_MAJOR_VERSION";
	case 7: return "INVALID_SYNTAX";
	case 9: return "INVALID_MESSAGE_ID";
	case 11: return "INVALID_SPI";
	case 14: return "NO_PROPOSAL_CHOSEN";
	case 17: return "INVALID_KE_PAYLOAD";
	case 16390: return "COOKIE";
	default: return NULL;
	}
}

void ike_head_describe(const struct ike_head *head, struct buffer *out)
{
	const char *exchange = exchange_name(head), *notify = head->has_notify ? notify_name(head) : NULL;

	buffer_printf(out, "IKEv%u ", head->version);
	if (exchange)
		buffer_add_string(out, exchange);
	else
		buffer_printf(out, "exchange %u", head->exchange);
	if (head->version == 2)
		buffer_printf(out, " %s %" PRIu32, head->flags & FLAG_RESPONSE ? "response" : "request", head->message_id);
	buffer_printf(out, ", 0x%016" PRIx64 " 0x%016" PRIx64, head->spi_initiator, head->spi_responder);
	if (!head->has_notify)
		return;
	if (notify)
		buffer_printf(out, ", notify %s", notify);
	else
		buffer_printf(out, ", notify %u", head->notify);
	if (head->has_spi)
		buffer_printf(out, " 0x%08" PRIx32, head->spi);
}
