/* SPDX-License-Identifier: MIT */
/* libFuzzer: IKE messages from any bytes. The first byte says how much longer the datagram was than what was captured. */
#include <stdlib.h>

#include "parse/ike.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ike_message m = { .bad_spi = 4711 };
	enum ike_result result;
	char *exact;

	if (!size)
		return 0;
	exact = malloc(size);
	memcpy(exact, data + 1, size - 1);
	result = ike_read((struct text){ exact, size - 1 }, size - 1 + data[0], &m);
	free(exact);
	if (result != IKE_READ && m.bad_spi != 4711)
		abort();
	if (result == IKE_READ && ((m.version != 1 && m.version != 2) || !packet_ike_name(m.exchange)[0]))
		abort();
	if (result == IKE_READ && m.has_bad_spi && m.bad_protocol != 0 && m.bad_protocol != 50 && m.bad_protocol != 51)
		abort();
	return 0;
}
