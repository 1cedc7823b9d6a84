/* SPDX-License-Identifier: MIT */
/*
 * loggen BYTES [SEED]: writes about BYTES of a syslog server's day to standard output, for bench/analyze.
 *
 * 320 hosts (IOS, IOS XE, ASA, Linux, strongSwan) write into one file, the relay's header in front, time rising over 24
 * hours. Exactly one line in each hundred is about IPsec trouble; 1 GiB has 2,000 to 3,000 distinct flows in trouble:
 *
 *   72 %  black holes, at the pace at which devices print them, for 5 minutes to 3 hours each: RECVD_PKT_INV_SPI every 60
 *         to 62 s (IOS; half with "input interface=", some of that an SD-WAN tunnel), ASA 402114 every 6 to 60 s, the
 *         Linux audit record every 8 to 22 s
 *   28 %  whatever fills the moments when none of them is due: IKMP_NO_SA of the peers of black holes, CHILD_SA set up
 *         and closed, SESSION_STATUS, replay and HMAC errors of 40 flows that have an SA, the unknown-SPI message once (as
 *         at a rekey), and scans: 20 SPIs from one source
 *
 * The other 99 are drawn from 8,192 lines made at the start: addresses, ports and names vary between them. The same BYTES
 * and SEED give the same file on every machine.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HOSTS 320
#define ROUTERS 220 /* hosts 0..219 are IOS or IOS XE, the next 40 ASA, 40 Linux, 20 strongSwan */
#define ASAS 40
#define LINUXES 40
#define BODIES 8192
#define TEXT_MAX 232
#define FLOWS_MAX 4096 /* open at one moment */
#define DRAWN_ASIDE 40 /* flows with replay and HMAC errors */
#define SCAN_SPIS 20
#define LINE_MAX_BYTES 512
#define CHUNK (1u << 20)
#define LINE_AVERAGE 112 /* measured; sets how fast the time advances */
#define DAY_MS 86400000u
#define EPOCH_S UINT64_C(1793577600) /* 2026-11-02 00:00 UTC, the first time stamp */

struct random {
	uint64_t state;
};

struct body {
	uint16_t host, len;
	bool device_header; /* sequence number and the device's own time stand between host and text */
	char text[TEXT_MAX];
};

enum writer { WRITER_IOS, WRITER_ASA, WRITER_AUDIT };

struct flow {
	uint64_t due_ms;
	uint32_t spi, src, dst, sequence;
	uint16_t host;
	uint16_t left; /* how often it will still be printed */
	enum writer writer;
	uint8_t interface; /* 0: not printed */
};

struct clock {
	uint64_t second;
	char stamp[16]; /* "Nov  2 04:00:48" */
};

struct host {
	char name[12];
	uint8_t len;
	uint32_t sequence;
	uint32_t address;
};

struct generator {
	struct random random;
	struct host hosts[HOSTS];
	struct flow flows[FLOWS_MAX]; /* a heap: the one that is due first on top */
	size_t flow_count;
	uint32_t load, load_wanted;      /* of the open flows, in lines per 1000 s */
	struct flow aside[DRAWN_ASIDE];  /* these have an SA; what they lose is replayed or damaged */
	struct flow scan;                /* its `left` says how many SPIs are still to come */
	struct body *bodies; /* owns BODIES */
	char *chunk;         /* owns CHUNK + LINE_MAX_BYTES */
	size_t used;
	struct clock clock;
};

/* splitmix64 (Steele, Lea, Flood 2014) */
static uint64_t draw(struct random *r)
{
	uint64_t z = (r->state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static uint32_t below(struct random *r, uint32_t n)
{
	return (uint32_t)(((draw(r) >> 32) * n) >> 32);
}

/* Private addresses: this is a load, not a picture of anyone's network. */
static uint32_t address_inside(struct random *r)
{
	return 10u << 24 | below(r, 1u << 24);
}

static const char *dotted(uint32_t address, char to[16])
{
	snprintf(to, 16, "%u.%u.%u.%u", address >> 24, address >> 16 & 255, address >> 8 & 255, address & 255);
	return to;
}

static uint16_t any_router(struct random *r)
{
	return (uint16_t)below(r, ROUTERS);
}

static uint16_t any_asa(struct random *r)
{
	return (uint16_t)(ROUTERS + below(r, ASAS));
}

static uint16_t any_gateway(struct random *r)
{
	return (uint16_t)(ROUTERS + ASAS + LINUXES + below(r, HOSTS - ROUTERS - ASAS - LINUXES));
}

static void body_set(struct body *body, uint16_t host, bool device_header, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static void body_set(struct body *body, uint16_t host, bool device_header, const char *format, ...)
{
	va_list list;
	int len;

	va_start(list, format);
	len = vsnprintf(body->text, sizeof(body->text), format, list);
	va_end(list);
	if (len < 0)
		len = 0;
	if ((size_t)len >= sizeof(body->text))
		len = sizeof(body->text) - 1;
	body->host = host;
	body->len = (uint16_t)len;
	body->device_header = device_header;
}

/* One in eight that goes up or down is a tunnel. */
static const char *const interface_kinds[8] = {
	"Tunnel", "Vlan", "Vlan", "Vlan", "Vlan", "Serial0/0/0:", "Dialer", "Port-channel",
};

static void body_router(struct random *r, struct body *b)
{
	uint16_t host = any_router(r);
	char a[16], c[16];
	uint32_t n = below(r, 1000);

	dotted(address_inside(r), a);
	dotted(address_inside(r), c);
	if (n < 300)
		body_set(b, host, true, "%%LINEPROTO-5-UPDOWN: Line protocol on Interface %s%u, changed state to %s",
			 interface_kinds[below(r, 8)], below(r, 400), below(r, 2) ? "up" : "down");
	else if (n < 560)
		body_set(b, host, true, "%%LINK-3-UPDOWN: Interface GigabitEthernet0/%u, changed state to %s", below(r, 24),
			 below(r, 2) ? "up" : "down");
	else if (n < 600)
		body_set(b, host, true, "%%SEC-6-IPACCESSLOGP: list EDGE-IN denied tcp %s(%u) -> %s(%u), 1 packet", a,
			 1024 + below(r, 60000), c, below(r, 1024));
	else if (n < 680)
		body_set(b, host, true, "%%SYS-5-CONFIG_I: Configured from console by netops on vty%u (%s)", below(r, 5), a);
	else if (n < 720)
		body_set(b, host, true, "%%OSPF-5-ADJCHG: Process 1, Nbr %s on Vlan%u from LOADING to FULL, Loading Done", a,
			 below(r, 4000));
	else if (n < 900)
		body_set(b, host, true, "%%BGP-5-ADJCHANGE: neighbor %s Up", a);
	else if (n < 950)
		body_set(b, host, true, "%%DUAL-5-NBRCHANGE: EIGRP-IPv4 100: Neighbor %s (Tunnel%u) is up: new adjacency", a,
			 below(r, 200));
	else
		body_set(b, host, true, "%%SYS-6-LOGOUT: User netops has exited tty session %u(%s)", below(r, 16), a);
}

static void body_asa(struct random *r, struct body *b)
{
	uint16_t host = any_asa(r);
	char a[16], c[16];
	uint32_t n = below(r, 100);

	dotted(address_inside(r), a);
	dotted(address_inside(r), c);
	if (n < 40)
		body_set(b, host, false, ": %%ASA-6-305011: Built dynamic TCP translation from inside:%s/%u to outside:%s/%u", a,
			 1024 + below(r, 60000), c, 1024 + below(r, 60000));
	else if (n < 65)
		body_set(b, host, false, ": %%ASA-6-302014: Teardown TCP connection %u for outside:%s/443 to inside:%s/%u duration 0:00:%02u bytes %u TCP FINs",
			 below(r, 1u << 30), a, c, 1024 + below(r, 60000), below(r, 60), below(r, 1u << 20));
	else if (n < 95)
		body_set(b, host, false, ": %%ASA-4-106023: Deny udp src outside:%s/%u dst inside:%s/%u by access-group \"outside_in\"",
			 a, below(r, 65536), c, below(r, 65536));
	else
		body_set(b, host, false, ": %%ASA-5-111008: User 'netops' executed the 'show running-config' command.");
}

static void body_linux(struct random *r, struct body *b)
{
	uint16_t host = (uint16_t)(ROUTERS + ASAS + below(r, LINUXES));
	char a[16];
	uint32_t n = below(r, 100);

	dotted(address_inside(r), a);
	if (n < 40)
		body_set(b, host, false, "sshd[%u]: Accepted publickey for netops from %s port %u ssh2", 500 + below(r, 30000), a,
			 1024 + below(r, 60000));
	else if (n < 70)
		body_set(b, host, false, "CRON[%u]: (root) CMD (command -v debian-sa1 > /dev/null && debian-sa1 1 1)",
			 500 + below(r, 30000));
	else if (n < 90)
		body_set(b, host, false, "systemd[1]: Started session-%u.scope.", below(r, 100000));
	else
		body_set(b, host, false, "kernel: [%u.%06u] eth0: Link is Up - 1Gbps/Full - flow control off", below(r, 9000000),
			 below(r, 1000000));
}

static void body_charon(struct random *r, struct body *b)
{
	uint16_t host = any_gateway(r);
	char a[16], c[16];
	uint32_t n = below(r, 100), thread = 1 + below(r, 16);

	dotted(address_inside(r), a);
	dotted(address_inside(r), c);
	if (n < 45)
		body_set(b, host, false, "charon[912]: %02u[NET] received packet: from %s[4500] to %s[4500] (80 bytes)", thread, a, c);
	else if (n < 70)
		body_set(b, host, false, "charon[912]: %02u[ENC] parsed INFORMATIONAL request %u [ ]", thread, below(r, 4000));
	else if (n < 90)
		body_set(b, host, false, "charon[912]: %02u[IKE] sending DPD request", thread);
	else
		body_set(b, host, false, "charon[912]: %02u[NET] sending packet: from %s[4500] to %s[4500] (80 bytes)", thread, c, a);
}

static void bodies_make(struct generator *g)
{
	for (size_t i = 0; i < BODIES; i++) {
		struct body *b = &g->bodies[i];
		uint32_t n = below(&g->random, 100);

		if (n < 48)
			body_router(&g->random, b);
		else if (n < 55)
			body_asa(&g->random, b);
		else if (n < 84)
			body_linux(&g->random, b);
		else
			body_charon(&g->random, b);
	}
}

static void hosts_make(struct generator *g)
{
	for (unsigned i = 0; i < HOSTS; i++) {
		struct host *h = &g->hosts[i];
		const char *kind = i < ROUTERS ? "rt" : i < ROUTERS + ASAS ? "fw" : i < ROUTERS + ASAS + LINUXES ? "srv" : "gw";

		h->len = (uint8_t)snprintf(h->name, sizeof(h->name), "%s%u", kind, i + 1);
		h->sequence = 1000 + below(&g->random, 900000);
		h->address = 172u << 24 | 16u << 16 | i << 8 | 1;
	}
}

/* The flows, as a binary heap on due_ms. */
static void flow_sink(struct generator *g, size_t at)
{
	struct flow moving = g->flows[at];

	for (;;) {
		size_t child = 2 * at + 1;

		if (child >= g->flow_count)
			break;
		if (child + 1 < g->flow_count && g->flows[child + 1].due_ms < g->flows[child].due_ms)
			child++;
		if (moving.due_ms <= g->flows[child].due_ms)
			break;
		g->flows[at] = g->flows[child];
		at = child;
	}
	g->flows[at] = moving;
}

static void flow_add(struct generator *g, struct flow flow)
{
	size_t at = g->flow_count;

	if (at == FLOWS_MAX)
		return;
	g->flow_count++;
	while (at > 0 && g->flows[(at - 1) / 2].due_ms > flow.due_ms) {
		g->flows[at] = g->flows[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	g->flows[at] = flow;
}

static char *put(char *to, const char *bytes, size_t len)
{
	memcpy(to, bytes, len);
	return to + len;
}

static char *put_number(char *to, uint32_t n)
{
	char digits[10];
	size_t len = 0;

	do
		digits[len++] = (char)('0' + n % 10);
	while ((n /= 10) != 0);
	while (len > 0)
		*to++ = digits[--len];
	return to;
}

static void clock_set(struct clock *c, uint64_t ms)
{
	uint64_t second = ms / 1000;

	if (second == c->second && c->stamp[0])
		return;
	c->second = second;
	snprintf(c->stamp, sizeof(c->stamp), "Nov %2u %02u:%02u:%02u", (unsigned)(2 + second / 86400 % 27),
		 (unsigned)(second / 3600 % 24), (unsigned)(second / 60 % 60), (unsigned)(second % 60));
}

/* "Nov  2 04:00:48 rt17 4711: Nov  2 04:00:48.123: " */
static char *put_header(struct generator *g, char *to, uint16_t host, uint64_t ms, bool device_header)
{
	struct host *h = &g->hosts[host];
	unsigned fraction = (unsigned)(ms % 1000);

	to = put(to, g->clock.stamp, 15);
	*to++ = ' ';
	to = put(to, h->name, h->len);
	*to++ = ' ';
	if (!device_header)
		return to;
	to = put_number(to, h->sequence++);
	to = put(to, ": ", 2);
	to = put(to, g->clock.stamp, 15);
	*to++ = '.';
	*to++ = (char)('0' + fraction / 100);
	*to++ = (char)('0' + fraction / 10 % 10);
	*to++ = (char)('0' + fraction % 10);
	return put(to, ": ", 2);
}

static char *put_stray(struct generator *g, char *to, const struct flow *f, uint64_t ms)
{
	static const char *const interfaces[] = {
		"", ", input interface=GigabitEthernet0/0/1", ", input interface=GigabitEthernet0/0/0.110",
		", input interface=Tunnel10001",
	};
	char src[16], dst[16];

	dotted(f->src, src);
	dotted(f->dst, dst);
	to = put_header(g, to, f->host, ms, f->writer == WRITER_IOS);
	switch (f->writer) {
	case WRITER_ASA:
		return to + sprintf(to,
				    ": %%ASA-4-402114: IPSEC: Received an ESP packet (SPI= 0x%08X, sequence number= 0x%X) from %s to %s with an invalid SPI.\n",
				    f->spi, f->sequence, src, dst);
	case WRITER_AUDIT:
		return to + sprintf(to,
				    "kernel: audit: type=1415 audit(%" PRIu64 ".%03u:%u): op=SA-notfound src=%s dst=%s spi=%u(0x%x) seqno=%u res=0\n",
				    EPOCH_S + ms / 1000, (unsigned)(ms % 1000), f->sequence & 0xffff, src, dst, f->spi, f->spi,
				    f->sequence);
	case WRITER_IOS:
	default:
		return to + sprintf(to,
				    "%%CRYPTO-4-RECVD_PKT_INV_SPI: decaps: rec'd IPSEC packet has invalid spi for destaddr=%s, prot=50, spi=0x%08X(%u), srcaddr=%s%s\n",
				    dst, f->spi, f->spi, src, interfaces[f->interface]);
	}
}

static struct flow flow_make(struct generator *g, enum writer writer)
{
	struct random *r = &g->random;
	uint16_t host = writer == WRITER_ASA ? any_asa(r) : writer == WRITER_AUDIT ? any_gateway(r) : any_router(r);
	uint32_t interface = below(r, 40);

	return (struct flow){
		.spi = (uint32_t)draw(r) | 0x1000, .src = address_inside(r), .dst = g->hosts[host].address,
		.sequence = 1 + below(r, 1u << 20), .host = host, .writer = writer,
		.interface = interface < 20 ? 0 : interface < 30 ? 1 : interface < 38 ? 2 : 3,
	};
}

static uint64_t gap_ms(struct random *r, enum writer writer)
{
	switch (writer) {
	case WRITER_ASA:
		return 6000 + below(r, 54000);
	case WRITER_AUDIT:
		return 8000 + below(r, 14000);
	case WRITER_IOS:
	default:
		return 60000 + below(r, 2000);
	}
}

/* Lines per 1000 s. */
static uint32_t load_of(enum writer writer)
{
	return writer == WRITER_ASA ? 30 : writer == WRITER_AUDIT ? 66 : 16;
}

/* A flow falls out of step, for 5 minutes to 3 hours; most for less than one. */
static void black_hole_open(struct generator *g, uint64_t ms)
{
	static const uint16_t minutes[] = { 5, 7, 10, 14, 20, 28, 40, 57, 80, 115, 180 };
	struct random *r = &g->random;
	uint32_t n = below(r, 100);
	enum writer writer = n < 80 ? WRITER_IOS : n < 94 ? WRITER_ASA : WRITER_AUDIT;
	struct flow flow = flow_make(g, writer);

	flow.left = (uint16_t)(minutes[below(r, sizeof(minutes) / sizeof(minutes[0]))] * 60 * load_of(writer) / 1000 + 1);
	flow.due_ms = ms;
	if (g->flow_count < FLOWS_MAX)
		g->load += load_of(writer);
	flow_add(g, flow);
}

static char *put_black_hole(struct generator *g, char *to, uint64_t ms)
{
	struct flow *f = &g->flows[0];

	to = put_stray(g, to, f, ms);
	f->sequence += 1 + below(&g->random, 5000);
	if (--f->left > 0) {
		f->due_ms = ms + gap_ms(&g->random, f->writer);
	} else {
		g->load -= load_of(f->writer);
		g->flows[0] = g->flows[--g->flow_count];
	}
	flow_sink(g, 0);
	return to;
}

static char *put_child_sa(struct generator *g, char *to, uint64_t ms)
{
	struct random *r = &g->random;
	uint32_t net = below(r, 400), id = below(r, 9000);
	unsigned in = (unsigned)draw(r) | 0xc0000000u, out = (unsigned)draw(r) | 0xc0000000u;
	bool closing = below(r, 3) == 0;

	to = put_header(g, to, any_gateway(r), ms, false);
	to += sprintf(to, "charon[912]: %02u[IKE] ", 1 + below(r, 16));
	if (closing)
		to += sprintf(to, "closing CHILD_SA net-%u{%u} with SPIs %08x_i (%u bytes) %08x_o (%u bytes)", net, id, in,
			      below(r, 1u << 30), out, below(r, 1u << 30));
	else
		to += sprintf(to, "CHILD_SA net-%u{%u} established with SPIs %08x_i %08x_o", net, id, in, out);
	return to + sprintf(to, " and TS 10.%u.0.0/16 === 10.%u.0.0/16\n", net & 255, id & 255);
}

/* What stands beside the messages: of a black hole's peer where there is one. */
static char *put_neighbour(struct generator *g, char *to, uint64_t ms, bool session)
{
	struct random *r = &g->random;
	uint16_t host = any_router(r);
	uint32_t peer = address_inside(r);
	char a[16];

	if (g->flow_count > 0) {
		const struct flow *f = &g->flows[below(r, (uint32_t)g->flow_count)];

		if (f->writer == WRITER_IOS) {
			host = f->host;
			peer = f->src;
		}
	}
	dotted(peer, a);
	to = put_header(g, to, host, ms, true);
	if (session)
		return to + sprintf(to, "%%CRYPTO-5-SESSION_STATUS: Crypto tunnel is %s.  Peer %s:500       Id: %s\n",
				    below(r, 2) ? "UP  " : "DOWN", a, a);
	return to + sprintf(to, "%%CRYPTO-4-IKMP_NO_SA: IKE message from %s has no SA and is not an initialization offer\n", a);
}

static char *put_rejected(struct generator *g, char *to, uint64_t ms)
{
	struct random *r = &g->random;
	const struct flow *f = &g->aside[below(r, DRAWN_ASIDE)];
	bool replay = f->spi & 1;
	char a[16], c[16];

	dotted(f->src, a);
	dotted(f->dst, c);
	to = put_header(g, to, f->host, ms, true);
	return to + sprintf(to,
			    "%%IOSXE-3-PLATFORM: R0/0: cpp_cp: QFP:0.0 Thread:%03u TS:%020" PRIu64 " %%IPSEC-3-%s: IPSec SA receives %s error, DP Handle %u, src_addr %s, dest_addr %s, SPI 0x%08x\n",
			    below(r, 64), ms * 1000000, replay ? "REPLAY_ERROR" : "HMAC_ERROR", replay ? "anti-replay" : "HMAC",
			    f->sequence & 4095, a, c, f->spi);
}

/* One line about IPsec trouble. */
static char *put_trouble(struct generator *g, char *to, uint64_t ms)
{
	struct random *r = &g->random;
	uint32_t n;

	if (g->load < g->load_wanted && (g->flow_count == 0 || g->flows[0].due_ms > ms))
		black_hole_open(g, ms);
	if (g->flow_count > 0 && g->flows[0].due_ms <= ms)
		return put_black_hole(g, to, ms);
	n = below(r, 10000);
	if (g->scan.left > 0) {
		g->scan.left--;
		g->scan.spi = ((uint32_t)draw(r) & 0xffff0000) | 0x10000; /* as the scans of November 2023 */
		return put_stray(g, to, &g->scan, ms);
	}
	if (n < 3300)
		return put_neighbour(g, to, ms, false);
	if (n < 4500)
		return put_neighbour(g, to, ms, true);
	if (n < 7500)
		return put_child_sa(g, to, ms);
	if (n < 9590)
		return put_rejected(g, to, ms);
	if (n < 9990) {
		struct flow once = flow_make(g, below(r, 5) ? WRITER_IOS : WRITER_ASA);

		return put_stray(g, to, &once, ms);
	}
	g->scan = flow_make(g, WRITER_IOS);
	g->scan.left = SCAN_SPIS - 1;
	g->scan.src = 198u << 24 | 18u << 16 | below(r, 1u << 17); /* benchmarking network, RFC 2544 */
	return put_stray(g, to, &g->scan, ms);
}

static int write_all(const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(STDOUT_FILENO, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		bytes += n;
		len -= (size_t)n;
	}
	return 0;
}

static int generate(struct generator *g, uint64_t bytes)
{
	uint64_t lines = bytes / LINE_AVERAGE + 1, written = 0, ms = 0;
	/* 32 fractional bits: the step from line to line is far below a millisecond. */
	uint64_t step = ((uint64_t)DAY_MS << 32) / lines, time = 0;
	uint32_t at = 0, ours = 0; /* which of each hundred lines is about trouble */

	g->load_wanted = (uint32_t)(lines * 72 * 10 / (DAY_MS / 1000) / 100); /* 72 % of one line in a hundred, per 1000 s */
	for (int i = 0; i < DRAWN_ASIDE; i++)
		g->aside[i] = flow_make(g, WRITER_IOS);
	while (written + g->used < bytes) {
		char *to = g->chunk + g->used;

		ms = time >> 32;
		time += step;
		clock_set(&g->clock, ms);
		if (at == 0)
			ours = below(&g->random, 100);
		if (at == ours) {
			to = put_trouble(g, to, ms);
		} else {
			const struct body *b = &g->bodies[below(&g->random, BODIES)];

			to = put_header(g, to, b->host, ms, b->device_header);
			to = put(to, b->text, b->len);
			*to++ = '\n';
		}
		at = (at + 1) % 100;
		g->used = (size_t)(to - g->chunk);
		if (g->used >= CHUNK) {
			int error = write_all(g->chunk, CHUNK);

			if (error)
				return error;
			written += CHUNK;
			g->used -= CHUNK;
			memmove(g->chunk, g->chunk + CHUNK, g->used);
		}
	}
	return write_all(g->chunk, g->used);
}

int main(int argc, char **argv)
{
	struct generator *g = calloc(1, sizeof(*g));
	char *end = NULL;
	uint64_t bytes = argc > 1 ? strtoull(argv[1], &end, 10) : 0;
	int error;

	if (argc < 2 || argc > 3 || end == argv[1] || *end != '\0' || bytes == 0) {
		fprintf(stderr, "usage: loggen BYTES [SEED] > FILE\n");
		free(g);
		return 2;
	}
	if (!g || !(g->bodies = calloc(BODIES, sizeof(*g->bodies))) || !(g->chunk = malloc(CHUNK + LINE_MAX_BYTES))) {
		fprintf(stderr, "loggen: no memory\n");
		return 2; /* the process ends: nothing to free */
	}
	g->random.state = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	hosts_make(g);
	bodies_make(g);
	error = generate(g, bytes);
	if (error)
		fprintf(stderr, "loggen: %s\n", strerror(-error));
	free(g->chunk);
	free(g->bodies);
	free(g);
	return error ? 2 : 0;
}
