/* SPDX-License-Identifier: MIT */
/* libFuzzer: captured packets from any bytes. The first byte chooses where to start and which ports are known. */
#include <stdlib.h>

#include "parse/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static enum frame_result read_as(uint8_t way, struct text t, struct frame *ret)
{
	const struct frame_ports ports = { .any = way & 4, .is_file = way & 8, .count = 1, .port = { 4510 } };

	if (way & 16)
		return frame_read_cooked(t, way & 1 ? 1 : 2, &ports, ret);

	switch (way & 3) {
	case 0:
		return frame_read_ethernet(t, &ports, ret);
	case 1:
		return frame_read_network(t, 0, &ports, ret);
	case 2:
		return frame_read_network(t, FRAME_TYPE_IPV6, NULL, ret);
	default:
		return frame_read_network(t, 0x8100, &ports, ret);
	}
}

static bool way_is_file(uint8_t way)
{
	return way & 8 && (way & 16 || (way & 3) != 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frame f = { .spi = 4711, .used = 4712 }, again = { 0 };
	enum frame_result result;
	uint8_t *exact;

	if (!size)
		return 0;
	result = read_as(data[0], (struct text){ (const char *)data + 1, size - 1 }, &f);
	must(frame_result_name(result)[0]);
	if (result == FRAME_IKE && way_is_file(data[0])) {
		must(f.used <= size - 1 && f.used >= 28);
		must(f.src.family == f.dst.family && (f.src.family == 4 || f.src.family == 6));
		return 0;
	}
	if (result != FRAME_FOUND) {
		must(f.spi == 4711 && f.used == 4712);
		return 0;
	}
	must(f.used >= 28 && f.used <= size - 1);
	must(f.protocol == 50 || f.protocol == 51);
	must(f.src.family == f.dst.family && (f.src.family == 4 || f.src.family == 6));
	must(!f.encap_udp || (f.spi != 0 && f.protocol == 50));
	/* Nothing behind the sequence number was needed, and nothing before it can be missing. */
	exact = malloc(f.used);
	memcpy(exact, data + 1, f.used);
	must(read_as(data[0], (struct text){ (const char *)exact, f.used }, &again) == FRAME_FOUND);
	must(!memcmp(&f, &again, sizeof(f)));
	must(read_as(data[0], (struct text){ (const char *)exact, f.used - 1 }, &again) == FRAME_TRUNCATED);
	free(exact);
	return 0;
}
