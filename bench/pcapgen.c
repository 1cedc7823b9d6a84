/* SPDX-License-Identifier: MIT */
/*
 * pcapgen FORMAT PACKETS FLOWS BYTES SEED [TABLE]: a capture on standard output, for bench/pcap.
 *
 * FORMAT is pcap or pcapng. A gateway's uplink, captured with a snapshot length of BYTES: FLOWS SAs towards it and as many
 * back, some more busy than others, one SA in ten in UDP; of a thousand packets 940 are ESP, 5 are IKE, the others
 * TCP. One SA in five hundred, towards the gateway, is not in TABLE, which is written as `ip -s xfrm state` prints it. The
 * same seed gives the same bytes. bench/pcap holds its counts against tshark's.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ETHERNET 14
#define START_S 1767225600u /* 2026-01-01 */

static uint64_t state;

static uint32_t draw(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)((state >> 32) * below >> 32);
}

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value);
}

static uint32_t spi_of(uint32_t flow)
{
	return (flow + 1) * 2654435761u | 0x1000;
}

static bool is_in_udp(uint32_t flow)
{
	return flow / 2 % 10 == 9;
}

/* Flow 2n is from peer n to the gateway, 2n+1 back; ten SAs a peer. */
static void put_addresses(uint8_t *ip, uint32_t flow)
{
	uint32_t peer = 0x0a000000u + 256 + flow / 2 / 10, gateway = 0xc0000201u;

	put32(ip + 12, flow & 1 ? gateway : peer);
	put32(ip + 16, flow & 1 ? peer : gateway);
}

static uint32_t fill(uint8_t *frame, uint32_t flow, uint32_t *sequences)
{
	static const uint32_t sizes[] = { 92, 92, 140, 140, 572, 1420, 1420, 1484 };
	uint32_t kind = draw(1000), length = sizes[draw(8)];
	uint8_t *ip = frame + ETHERNET, *l4 = ip + 20;

	memset(frame, 0, 96);
	memcpy(frame, "\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01\x08\x00", ETHERNET);
	ip[0] = 0x45;
	put16(ip + 2, length);
	ip[8] = 64;
	put_addresses(ip, flow);
	if (kind < 940 && !is_in_udp(flow)) {
		ip[9] = 50;
	} else if (kind < 945) {
		ip[9] = 17;
		put16(l4, kind < 940 ? 4500 : 500);
		put16(l4 + 2, kind < 940 ? 4500 : 500);
		put16(l4 + 4, length - 20);
		l4 += 8;
	} else {
		ip[9] = 6;
		put16(l4, 443);
		put16(l4 + 2, 50000);
		l4[12] = 0x50;
		return length + ETHERNET;
	}
	if (kind < 940) {
		put32(l4, spi_of(flow));
		put32(l4 + 4, ++sequences[flow]);
		return length + ETHERNET;
	}
	put32(l4, flow + 1);
	put32(l4 + 8, flow + 2);
	l4[16] = 46;
	l4[17] = 0x20;
	l4[18] = 37;
	l4[19] = flow & 1 ? 0x28 : 0x08;
	put32(l4 + 24, length - 28);
	return length + ETHERNET;
}

static bool write_table(const char *path, uint32_t flows)
{
	FILE *to = fopen(path, "w");

	if (!to)
		return false;
	for (uint32_t flow = 0; flow < flows; flow++) {
		uint8_t ip[20];

		if (flow % 500 == 88)
			continue;
		put_addresses(ip, flow);
		fprintf(to, "src %u.%u.%u.%u dst %u.%u.%u.%u\n", ip[12], ip[13], ip[14], ip[15], ip[16], ip[17], ip[18], ip[19]);
		fprintf(to, "\tproto esp spi 0x%08x(%u) reqid %u(0x%08x) mode tunnel\n", spi_of(flow), spi_of(flow), flow, flow);
		fprintf(to, "\treplay-window %d seq 0x00000000 flag  (0x00000000)\n", flow & 1 ? 0 : 32);
		if (is_in_udp(flow))
			fprintf(to, "\tencap type espinudp sport 4500 dport 4500 addr 0.0.0.0\n");
		fprintf(to, "\tdir %s\n", flow & 1 ? "out" : "in");
	}
	return fclose(to) == 0;
}

int main(int argc, char **argv)
{
	bool ng = argc > 1 && strcmp(argv[1], "pcapng") == 0;
	uint64_t packets, ns = 0;
	uint32_t flows, snap, *sequences;
	uint8_t frame[2048] = { 0 };
	static char buffer[1 << 20];

	if (argc < 6 || argc > 7 || (!ng && strcmp(argv[1], "pcap") != 0)) {
		fprintf(stderr, "usage: pcapgen pcap|pcapng PACKETS FLOWS BYTES SEED [TABLE]\n");
		return 2;
	}
	packets = strtoull(argv[2], NULL, 10);
	flows = (uint32_t)strtoul(argv[3], NULL, 10) & ~1u;
	snap = (uint32_t)strtoul(argv[4], NULL, 10);
	state = strtoull(argv[5], NULL, 10) * 0x9e3779b97f4a7c15u + 1;
	sequences = calloc(flows, sizeof(*sequences));
	if (!sequences || flows < 2 || snap < 64 || snap > sizeof(frame) || (argc == 7 && !write_table(argv[6], flows))) {
		fprintf(stderr, "pcapgen: FLOWS from 2, BYTES from 64 to %zu, a TABLE that can be written\n", sizeof(frame));
		return 2;
	}
	for (uint32_t flow = 0; flow < flows; flow++) /* they were there before */
		sequences[flow] = 100 + draw(1000000);
	setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	if (ng) {
		const uint32_t section[] = { 0x0a0d0d0a, 28, 0x1a2b3c4d, 1, 0xffffffff, 0xffffffff, 28 };
		const uint32_t interface[] = { 1, 20, 1, snap, 20 };

		fwrite(section, sizeof(section), 1, stdout);
		fwrite(interface, sizeof(interface), 1, stdout);
	} else {
		const uint32_t header[] = { 0xa1b2c3d4, 4 << 16 | 2, 0, 0, snap, 1 };

		fwrite(header, sizeof(header), 1, stdout);
	}
	for (uint64_t i = 0; i < packets; i++) {
		uint32_t flow = draw(draw(flows) + 1), length = fill(frame, flow, sequences);
		uint32_t captured = length < snap ? length : snap;

		ns += 1000 + draw(4000);
		if (ng) {
			uint32_t padded = (captured + 3) & ~3u;
			uint64_t us = START_S * UINT64_C(1000000) + ns / 1000;
			const uint32_t head[] = { 6, 32 + padded, 0, (uint32_t)(us >> 32), (uint32_t)us, captured, length };

			fwrite(head, sizeof(head), 1, stdout);
			fwrite(frame, padded, 1, stdout);
			fwrite(&head[1], 4, 1, stdout);
		} else {
			const uint32_t head[] = { START_S + (uint32_t)(ns / 1000000000), (uint32_t)(ns / 1000 % 1000000), captured, length };

			fwrite(head, sizeof(head), 1, stdout);
			fwrite(frame, captured, 1, stdout);
		}
	}
	free(sequences);
	return ferror(stdout) || fflush(stdout) != 0;
}
