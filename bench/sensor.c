/* SPDX-License-Identifier: MIT */
/*
 * bench/sensor: what the packet sensor's programs cost a packet, by BPF_PROG_TEST_RUN on the programs as they are shipped,
 * with 2,000 SAs in the map. No interface is touched. Needs root.
 *
 * Each row is run in 7 rounds of 2 million, the rows of a round one after the other, so that a disturbance does not fall on
 * one row alone. "over bare" compares the best with the best of the empty program of the same type: what is left is ours.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "spi_shared.h"
#include "spi_sensor.skel.h"

#define ROUNDS 7
#define REPEAT 2000000
#define SAS 1000 /* of each family */
#define FIRST_SPI 0xc0000000u
#define UNKNOWN_SPI 0xb761863eu

enum program { XDP_BARE, XDP, FILTER_BARE, FILTER, PROGRAMS };

struct row {
	const char *name;
	enum program program;
	int family;
	bool vlan, udp, dead;
	int protocol;
	__u32 spi;
	unsigned goal_ns; /* 0: none */
	double best, sum;
	unsigned rounds;
	__u32 answer;
};

static const __u8 src4[16] = { 10, 1, 1, 1 }, dst4[16] = { 10, 10, 1, 2 };
static const __u8 src6[16] = { 0x20, 1, [15] = 1 }, dst6[16] = { 0x20, 1, [15] = 2 };

static struct row rows[] = {
	{ .name = "XDP   bare", .program = XDP_BARE, .family = 4, .protocol = 50, .spi = FIRST_SPI },
	{ .name = "XDP   TCP over IPv4", .program = XDP, .family = 4, .protocol = 6 },
	{ .name = "XDP   TCP over IPv6", .program = XDP, .family = 6, .protocol = 6 },
	{ .name = "XDP   UDP, other port", .program = XDP, .family = 4, .protocol = 17 },
	{ .name = "XDP   known, IPv4", .program = XDP, .family = 4, .protocol = 50, .spi = FIRST_SPI + 5, .goal_ns = 15 },
	{ .name = "XDP   known, IPv4 in UDP", .program = XDP, .family = 4, .udp = true, .protocol = 50, .spi = FIRST_SPI + 5,
	  .goal_ns = 15 },
	{ .name = "XDP   known, IPv6", .program = XDP, .family = 6, .protocol = 50, .spi = FIRST_SPI + 5, .goal_ns = 25 },
	{ .name = "XDP   known, IPv4 and VLAN", .program = XDP, .family = 4, .vlan = true, .protocol = 50, .spi = FIRST_SPI + 5 },
	{ .name = "XDP   known, IPv6 in UDP", .program = XDP, .family = 6, .udp = true, .protocol = 50, .spi = FIRST_SPI + 5 },
	{ .name = "XDP   known, AH", .program = XDP, .family = 4, .protocol = 51, .spi = FIRST_SPI + 5 },
	{ .name = "XDP   unknown, IPv4", .program = XDP, .family = 4, .protocol = 50, .spi = UNKNOWN_SPI },
	{ .name = "XDP   unknown, IPv4 in UDP", .program = XDP, .family = 4, .udp = true, .protocol = 50, .spi = UNKNOWN_SPI },
	{ .name = "XDP   unknown, IPv6", .program = XDP, .family = 6, .protocol = 50, .spi = UNKNOWN_SPI },
	{ .name = "XDP   dead, IPv4", .program = XDP, .family = 4, .dead = true, .protocol = 50, .spi = FIRST_SPI + SAS },
	{ .name = "filter bare", .program = FILTER_BARE, .family = 4, .protocol = 50, .spi = FIRST_SPI },
	{ .name = "filter TCP over IPv4", .program = FILTER, .family = 4, .protocol = 6 },
	{ .name = "filter TCP over IPv6", .program = FILTER, .family = 6, .protocol = 6 },
	{ .name = "filter known, IPv4", .program = FILTER, .family = 4, .protocol = 50, .spi = FIRST_SPI + 5 },
	{ .name = "filter known, IPv4 in UDP", .program = FILTER, .family = 4, .udp = true, .protocol = 50, .spi = FIRST_SPI + 5 },
	{ .name = "filter known, IPv6", .program = FILTER, .family = 6, .protocol = 50, .spi = FIRST_SPI + 5 },
	{ .name = "filter unknown, IPv4", .program = FILTER, .family = 4, .protocol = 50, .spi = UNKNOWN_SPI },
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void put16(__u8 *at, unsigned value)
{
	at[0] = (__u8)(value >> 8);
	at[1] = (__u8)value;
}

/* A frame of `size` bytes, zero so far. */
static void build(const struct row *row, __u8 *frame, size_t size)
{
	__u8 *p = frame + 12;
	__u32 spi = htonl(row->spi), sequence = htonl(7);
	size_t left;

	if (row->vlan) {
		put16(p, 0x8100);
		put16(p + 2, 10);
		p += 4;
	}
	put16(p, row->family == 4 ? 0x0800 : 0x86dd);
	p += 2;
	left = size - (size_t)(p - frame);
	if (row->family == 4) {
		p[0] = 0x45;
		put16(p + 2, (unsigned)left);
		p[8] = 64;
		p[9] = row->udp ? 17 : (__u8)row->protocol;
		memcpy(p + 12, src4, 4);
		memcpy(p + 16, dst4, 4);
		p += 20;
	} else {
		p[0] = 0x60;
		put16(p + 4, (unsigned)left - 40);
		p[6] = row->udp ? 17 : (__u8)row->protocol;
		p[7] = 64;
		memcpy(p + 8, src6, 16);
		memcpy(p + 24, dst6, 16);
		p += 40;
	}
	if (row->udp) {
		put16(p, 4500);
		put16(p + 2, 4500);
		put16(p + 4, (unsigned)(size - (size_t)(p - frame)));
		p += 8;
	}
	if (row->protocol == 51)
		p += 4;
	memcpy(p, &spi, 4);
	memcpy(p + 4, &sequence, 4);
}

static int run(struct row *row, int fd)
{
	__u8 frame[114] = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame), .repeat = REPEAT);
	int r;

	build(row, frame, sizeof(frame));
	r = bpf_prog_test_run_opts(fd, &opts);
	if (r < 0)
		return r;
	row->answer = opts.retval;
	row->sum += opts.duration;
	if (!row->rounds++ || opts.duration < row->best)
		row->best = opts.duration;
	return 0;
}

static int fill(struct spi_sensor *s)
{
	struct spi_key key = { .family = 4 };
	struct spi_entry entry = { 0, SPI_LIVE };
	int r = 0;

	for (unsigned i = 0; i <= SAS && r == 0; i++) {
		entry.state = i == SAS ? SPI_DEAD : SPI_LIVE;
		key.spi = htonl(FIRST_SPI + i);
		for (int which = 0; which < 3 && r == 0; which++, entry.slot++) { /* ESP of both families, AH */
			key.family = which == 1 ? 6 : 4;
			key.protocol = which == 2 ? 51 : 50;
			memcpy(key.dst, which == 1 ? dst6 : dst4, 16);
			r = bpf_map__update_elem(s->maps.watch, &key, sizeof(key), &entry, sizeof(entry), BPF_ANY);
		}
	}
	s->bss->config.interval_ns[SPI_PACE_PEER] = 1000000000 / 2000;
	s->bss->config.interval_ns[SPI_PACE_STRANGER] = 1000000000 / 100;
	s->bss->config.ports[4500 / 8] |= 1 << 4500 % 8;
	return r;
}

static const struct row *bare_of(const struct row *row)
{
	const struct row *bare = row;

	while (bare->program != XDP_BARE && bare->program != FILTER_BARE)
		bare--;
	return bare;
}

static int print(void)
{
	int missed = 0;

	printf("%-27s %9s %9s %10s\n", "ns a packet", "best", "mean", "over bare");
	for (size_t i = 0; i < ROWS; i++) {
		const struct row *row = &rows[i], *bare = bare_of(row);

		printf("%-27s %9.0f %9.0f", row->name, row->best, row->sum / row->rounds);
		if (bare != row)
			printf(" %10.0f", row->best - bare->best);
		if (row->goal_ns) {
			bool met = row->best - bare->best <= row->goal_ns;

			printf("   goal %u: %s", row->goal_ns, met ? "met" : "MISSED");
			missed += !met;
		}
		printf("\n");
	}
	return missed;
}

/* A frame that takes another way than its row says would make the figure a lie. */
static bool counted(struct spi_sensor *s)
{
	struct spi_tally tally;
	int cpus = libbpf_num_possible_cpus();
	__u64 packets = 0;

	for (int cpu = 0; cpu < cpus; cpu++) {
		__u32 index = 5 * 3 * (__u32)cpus + (__u32)cpu;

		if (bpf_map__lookup_elem(s->maps.tallies, &index, sizeof(index), &tally, sizeof(tally), 0) == 0)
			packets += tally.packets;
	}
	/* Rows of known SPIs whose key is the sixth of ESP over IPv4: three by XDP, two by the filter. */
	return packets == UINT64_C(5) * ROUNDS * REPEAT;
}

int main(void)
{
	struct spi_sensor *s;
	int fds[PROGRAMS], r, cpus = libbpf_num_possible_cpus();

	if (geteuid() != 0) {
		fprintf(stderr, "bench/sensor: BPF programs can only be loaded by root: run it with sudo\n");
		return 2;
	}
	s = spi_sensor__open();
	if (!s || cpus < 1) {
		fprintf(stderr, "bench/sensor: cannot open the program: %s\n", strerror(errno));
		return 2;
	}
	s->rodata->processors = (__u32)cpus;
	bpf_map__set_max_entries(s->maps.tallies, 65536 * (__u32)cpus);
	bpf_map__set_max_entries(s->maps.counters, (__u32)cpus);
	r = spi_sensor__load(s);
	if (r == 0)
		r = fill(s);
	if (r < 0) {
		fprintf(stderr, "bench/sensor: cannot load the program: %s\n", strerror(-r));
		spi_sensor__destroy(s);
		return 2;
	}
	fds[XDP_BARE] = bpf_program__fd(s->progs.spi_bare);
	fds[XDP] = bpf_program__fd(s->progs.spi_xdp);
	fds[FILTER_BARE] = bpf_program__fd(s->progs.spi_bare_filter);
	fds[FILTER] = bpf_program__fd(s->progs.spi_filter);
	for (int round = 0; round < ROUNDS && r == 0; round++)
		for (size_t i = 0; i < ROWS && r == 0; i++)
			r = run(&rows[i], fds[rows[i].program]);
	if (r < 0) {
		fprintf(stderr, "bench/sensor: BPF_PROG_TEST_RUN: %s\n", strerror(-r));
	} else if (!counted(s)) {
		fprintf(stderr, "bench/sensor: not every known packet was counted: the figures cannot be believed\n");
		r = -EPROTO;
	} else {
		r = print();
	}
	spi_sensor__destroy(s);
	return r < 0 ? 2 : r > 0;
}
