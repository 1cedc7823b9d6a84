/* SPDX-License-Identifier: MIT */
#include "parse/ike.h"

enum { PAYLOAD_V1_NOTIFY = 11, PAYLOAD_V2_NOTIFY = 41 };
enum { NOTIFY_INVALID_SPI = 11 }; /* RFC 2408 3.14.1 and RFC 7296 3.10.1: the same number */
enum { FLAG_V1_ENCRYPTED = 0x01, FLAG_V2_RESPONSE = 0x20 };
enum { PROTOCOL_ID_AH = 2, PROTOCOL_ID_ESP = 3 }; /* both versions */

static uint32_t get32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static enum packet_ike exchange_of(uint8_t version, uint8_t type)
{
	static const uint8_t first[256] = {
		[1] = EXCHANGE_V1_BASE, [2] = EXCHANGE_V1_MAIN, [4] = EXCHANGE_V1_AGGRESSIVE, [5] = EXCHANGE_V1_INFORMATIONAL,
		[6] = EXCHANGE_V1_TRANSACTION, [32] = EXCHANGE_V1_QUICK, [33] = EXCHANGE_V1_NEW_GROUP,
	};
	static const uint8_t second[256] = { /* IANA: IKEv2 exchange types */
		[34] = EXCHANGE_V2_SA_INIT, [35] = EXCHANGE_V2_AUTH, [36] = EXCHANGE_V2_CREATE_CHILD_SA, [37] = EXCHANGE_V2_INFORMATIONAL,
		[38] = EXCHANGE_V2_SESSION_RESUME, [43] = EXCHANGE_V2_INTERMEDIATE, [44] = EXCHANGE_V2_FOLLOWUP_KE,
	};

	return version == 1 ? first[type] : second[type];
}

/* The body of a notify: what stands behind the generic payload header. */
static void read_notify(const uint8_t *body, size_t len, struct ike_message *m)
{
	size_t fixed = m->version == 1 ? 8 : 4, spi_size; /* IKEv1 has its domain of interpretation in front */
	const uint8_t *head = body + fixed - 4;

	if (len < fixed || (head[2] << 8 | head[3]) != NOTIFY_INVALID_SPI)
		return;
	spi_size = head[1];
	/* IKEv2: the SPI is the data, and the SPI field is empty; some fill that instead (B9). */
	if (spi_size != 0 && spi_size != 4)
		return;
	if (len < fixed + 4)
		return;
	m->has_bad_spi = true;
	m->bad_spi = get32(body + fixed);
	m->bad_protocol = head[0] == PROTOCOL_ID_ESP ? SPIMEND_PROTOCOL_ESP : head[0] == PROTOCOL_ID_AH ? SPIMEND_PROTOCOL_AH : 0;
}

/* Only what was captured, and only in clear: an encrypted payload is the last one that is looked at. */
static void read_payloads(const uint8_t *at, size_t len, uint8_t type, struct ike_message *m)
{
	uint8_t notify = m->version == 1 ? PAYLOAD_V1_NOTIFY : PAYLOAD_V2_NOTIFY;

	for (int i = 0; i < IKE_PAYLOADS_MAX && type != 0 && len >= 4; i++) {
		size_t size = (size_t)(at[2] << 8 | at[3]);

		if (size < 4 || size > len)
			return;
		if (type == notify && !m->has_bad_spi)
			read_notify(at + 4, size - 4, m);
		type = at[0];
		at += size;
		len -= size;
	}
}

enum ike_result ike_read(struct text capture, size_t left, struct ike_message *ret)
{
	struct ike_message m = { 0 };
	uint8_t header[IKE_HEADER];
	size_t length, captured;
	bool in_clear;

	if (left < IKE_HEADER)
		return IKE_MALFORMED;
	if (capture.len < IKE_HEADER)
		return IKE_CUT;
	memcpy(header, capture.at, sizeof(header));
	m.version = header[17] >> 4;
	length = get32(header + 24);
	if ((m.version != 1 && m.version != 2) || length < IKE_HEADER || length > left)
		return IKE_MALFORMED;
	m.exchange = exchange_of(m.version, header[18]);
	m.is_response = m.version == 2 && header[19] & FLAG_V2_RESPONSE;
	in_clear = m.version == 2 ? m.exchange == EXCHANGE_V2_INFORMATIONAL || m.exchange == EXCHANGE_V2_SA_INIT :
				    m.exchange == EXCHANGE_V1_INFORMATIONAL && !(header[19] & FLAG_V1_ENCRYPTED);
	captured = capture.len < length ? capture.len : length;
	if (in_clear)
		read_payloads((const uint8_t *)capture.at + IKE_HEADER, captured - IKE_HEADER, header[16], &m);
	*ret = m;
	return IKE_READ;
}
