/* SPDX-License-Identifier: MIT */
/* libFuzzer: netlink audit messages from any bytes; without a header of the right type, one is put in front. */
#include <stdlib.h>
#include <string.h>

#include <linux/audit.h>
#include <linux/netlink.h>

#include "sense/audit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void check(const uint8_t *message, size_t size)
{
	struct sighting s = { .spi = 4711 };

	if (audit_message_parse(message, size, &s) != AUDIT_STRAY) {
		must(s.spi == 4711);
		return;
	}
	must(gateway_valid_sighting(&s));
	must(s.witness == WITNESS_AUDIT && s.protocol == SPIMEND_PROTOCOL_ESP && s.packets == 1 && !s.interface[0]);
	must(spimend_address_known(&s.src) && spimend_address_known(&s.dst));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nlmsghdr header = { .nlmsg_len = (uint32_t)size, .nlmsg_type = AUDIT_MAC_IPSEC_EVENT };
	uint8_t *whole = malloc(sizeof(header) + size);

	check(data, size);
	memcpy(whole, &header, sizeof(header));
	if (size)
		memcpy(whole + sizeof(header), data, size);
	check(whole, sizeof(header) + size);
	free(whole);
	return 0;
}
