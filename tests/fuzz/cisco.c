/* SPDX-License-Identifier: MIT */
/* libFuzzer: Cisco's messages and debugs. An input without its own name is tried behind the main one's. */
#include <stdlib.h>

#include "base/buffer.h"
#include "parse/dialect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void read_one(dialect_read *read, struct text body)
{
	struct reading r = { 0 };
	enum dialect_result result = read(body, &r);

	must(result == DIALECT_NOT_MINE || result == DIALECT_READ || result == DIALECT_MORE || result == DIALECT_BAD);
	must(r.fact.interface[FACT_INTERFACE_MAX - 1] == '\0');
	if (result == DIALECT_READ) {
		must(r.used > 0 && r.used <= body.len);
		must(r.fact.kind > FACT_NONE && r.fact.kind < FACT_KINDS && r.fact.count == 1);
	}
	if (result == DIALECT_READ && r.fact.kind == FACT_STRAY) {
		struct reading again = { 0 };

		/* What was used is the whole message. */
		result = read(text_first(body, r.used), &again);
		must(result == DIALECT_READ || (result == DIALECT_MORE && again.complete));
		must(again.fact.spi.value == r.fact.spi.value && spimend_address_equal(&again.fact.src, &r.fact.src));
	}
	if (result == DIALECT_BAD || result == DIALECT_MORE)
		must(r.failure.reason == NULL || r.failure.offset <= body.len);
	must(r.own_host.len == 0 || (r.own_host.at >= body.at && r.own_host.at + r.own_host.len <= body.at + body.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text body = { (const char *)data, size };
	struct buffer named = { 0 };

	read_one(dialect_cisco_read, body);
	read_one(dialect_cisco_debug_read, body);
	buffer_add(&named, TEXT("%CRYPTO-4-RECVD_PKT_INV_SPI: decaps: rec'd IPSEC packet has invalid spi for destaddr="));
	buffer_add(&named, body);
	read_one(dialect_cisco_read, buffer_text(&named));
	buffer_done(&named);
	return 0;
}
