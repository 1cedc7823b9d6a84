/* SPDX-License-Identifier: MIT */
/*
 * loggen BYTES [SEED]: writes about BYTES of a syslog server's day to standard output, for bench/analyze.
 *
 * 320 hosts (IOS, IOS XE, ASA, Linux, strongSwan) write into one file, the relay's header in front, time rising over 24
 * hours. One line in a hundred is about IPsec trouble, in the share and at the pace devices print it:
 *
 *   60 %  %CRYPTO-4-RECVD_PKT_INV_SPI of flows that are out of step: the same SPI again every 60 to 62 s (IOS prints no
 *         more than one a minute), 3 to 60 times; half of them with "input interface="
 *   15 %  the same message once, as at a rekey
 *    9 %  %ASA-4-402114, half of them repeated every 6 to 60 s
 *    6 %  %CRYPTO-4-IKMP_NO_SA from peers of flows that are out of step
 *    5 %  replay and HMAC errors in the IOS XE wrapper
 *    5 %  scans: random SPIs from random sources
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
#define LINE_MAX_BYTES 512
#define CHUNK (1u << 20)
#define LINE_AVERAGE 112 /* measured; sets how fast the time advances */
#define DAY_MS 86400000u

struct random {
	uint64_t state;
};

struct body {
	uint16_t host, len;
	bool device_header; /* sequence number and the device's own time stand between host and text */
	char text[TEXT_MAX];
};

struct flow {
	uint64_t due_ms;
	uint32_t spi, src, dst, sequence;
	uint16_t host;
	uint16_t left; /* how often it will still be printed */
	bool asa, interface;
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

static void body_router(struct random *r, struct body *b)
{
	uint16_t host = any_router(r);
	char a[16], c[16];
	uint32_t n = below(r, 1000);

	dotted(address_inside(r), a);
	dotted(address_inside(r), c);
	if (n < 300)
		body_set(b, host, true, "%%LINEPROTO-5-UPDOWN: Line protocol on Interface %s%u, changed state to %s",
			 below(r, 2) ? "Tunnel" : "Vlan", below(r, 400), below(r, 2) ? "up" : "down");
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
	else if (n < 985)
		body_set(b, host, true, "%%SYS-6-LOGOUT: User netops has exited tty session %u(%s)", below(r, 16), a);
	else
		body_set(b, host, true, "%%CRYPTO-5-SESSION_STATUS: Crypto tunnel is UP  .  Peer %s:500       Id: %s", a, a);
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
	uint16_t host = (uint16_t)(ROUTERS + ASAS + LINUXES + below(r, HOSTS - ROUTERS - ASAS - LINUXES));
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
		body_set(b, host, false, "charon[912]: %02u[IKE] CHILD_SA net-%u{%u} established with SPIs %08x_i %08x_o and TS 10.%u.0.0/16 === 10.%u.0.0/16",
			 thread, below(r, 400), below(r, 9000), (unsigned)draw(r) | 0xc0000000u, (unsigned)draw(r) | 0xc0000000u,
			 below(r, 256), below(r, 256));
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
	char src[16], dst[16];

	dotted(f->src, src);
	dotted(f->dst, dst);
	to = put_header(g, to, f->host, ms, !f->asa);
	if (f->asa)
		return to + sprintf(to,
				    ": %%ASA-4-402114: IPSEC: Received an ESP packet (SPI= 0x%08X, sequence number= 0x%X) from %s to %s with an invalid SPI.\n",
				    f->spi, f->sequence, src, dst);
	return to + sprintf(to,
			    "%%CRYPTO-4-RECVD_PKT_INV_SPI: decaps: rec'd IPSEC packet has invalid spi for destaddr=%s, prot=50, spi=0x%08X(%u), srcaddr=%s%s\n",
			    dst, f->spi, f->spi, src, f->interface ? ", input interface=GigabitEthernet0/0/1" : "");
}

static struct flow flow_make(struct generator *g, bool asa, uint16_t left)
{
	struct random *r = &g->random;
	uint16_t host = asa ? any_asa(r) : any_router(r);

	return (struct flow){
		.spi = (uint32_t)draw(r) | 0x1000, .src = address_inside(r), .dst = g->hosts[host].address,
		.sequence = 1 + below(r, 1u << 20), .host = host, .left = left, .asa = asa, .interface = below(r, 2) != 0,
	};
}

/* One line about IPsec trouble. */
static char *put_trouble(struct generator *g, char *to, uint64_t ms)
{
	struct random *r = &g->random;
	uint32_t n = below(r, 100);
	char a[16], c[16];
	struct flow flow;

	if (n < 60 && g->flow_count > 0 && g->flows[0].due_ms <= ms) {
		struct flow *f = &g->flows[0];

		to = put_stray(g, to, f, ms);
		f->sequence += 1 + below(r, 5000);
		if (--f->left > 0)
			f->due_ms = ms + (f->asa ? 6000 + below(r, 54000) : 60000 + below(r, 2000));
		else
			g->flows[0] = g->flows[--g->flow_count];
		flow_sink(g, 0);
		return to;
	}
	if (n < 84) { /* nothing is due yet: a flow falls out of step; from 60 on, a single one */
		bool asa = n >= 75;

		flow = flow_make(g, asa, n < 60 ? (uint16_t)(2 + below(r, 58)) : asa && below(r, 2) ? 3 : 0);
		to = put_stray(g, to, &flow, ms);
		flow.sequence += 1 + below(r, 5000);
		flow.due_ms = ms + (asa ? 6000 + below(r, 54000) : 60000 + below(r, 2000));
		if (flow.left > 0)
			flow_add(g, flow);
		return to;
	}
	if (n < 90) {
		uint16_t host = any_router(r);
		uint32_t peer = address_inside(r);

		if (g->flow_count > 0) { /* the peer of a flow that is out of step, at its own router */
			const struct flow *f = &g->flows[below(r, (uint32_t)g->flow_count)];

			if (!f->asa) {
				host = f->host;
				peer = f->src;
			}
		}
		to = put_header(g, to, host, ms, true);
		return to + sprintf(to, "%%CRYPTO-4-IKMP_NO_SA: IKE message from %s has no SA and is not an initialization offer\n",
				    dotted(peer, a));
	}
	if (n < 95) {
		uint16_t host = any_router(r);
		bool replay = below(r, 2) != 0;

		dotted(address_inside(r), a);
		dotted(g->hosts[host].address, c);
		to = put_header(g, to, host, ms, true);
		return to + sprintf(to,
				    "%%IOSXE-3-PLATFORM: R0/0: cpp_cp: QFP:0.0 Thread:%03u TS:%020" PRIu64 " %%IPSEC-3-%s: IPSec SA receives %s error, DP Handle %u, src_addr %s, dest_addr %s, SPI 0x%08x\n",
				    below(r, 64), ms * 1000000, replay ? "REPLAY_ERROR" : "HMAC_ERROR", replay ? "anti-replay" : "HMAC",
				    below(r, 4000), a, c, (unsigned)draw(r) | 0x1000u);
	}
	flow = flow_make(g, false, 0);
	flow.spi &= 0xffff0000; /* as the scans of November 2023 */
	flow.spi |= 0x10000;
	flow.src = 198u << 24 | 18u << 16 | below(r, 1u << 17); /* benchmarking network, RFC 2544 */
	return put_stray(g, to, &flow, ms);
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

	while (written + g->used < bytes) {
		char *to = g->chunk + g->used;

		ms = time >> 32;
		time += step;
		clock_set(&g->clock, ms);
		if (below(&g->random, 100) == 0) {
			to = put_trouble(g, to, ms);
		} else {
			const struct body *b = &g->bodies[below(&g->random, BODIES)];

			to = put_header(g, to, b->host, ms, b->device_header);
			to = put(to, b->text, b->len);
			*to++ = '\n';
		}
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
