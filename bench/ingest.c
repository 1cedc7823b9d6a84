/* SPDX-License-Identifier: MIT */
/*
 * For bench/ingest:
 *
 *     ingest send PORT RATE SECONDS DEVICES FLOWS   syslog over UDP from DEVICES addresses of 127/8, RATE messages a second,
 *                                                   one in a hundred about one of FLOWS flows; prints how many were sent
 *     ingest fill PORT COUNT DEVICES FLOWS          the same, COUNT messages as fast as it goes
 *     ingest flows DEVICES FLOWS                    what the judge takes for so many flows: memory, time
 */
#include <arpa/inet.h>
#include <limits.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "judge/judge.h"

#define TOGETHER 60 /* messages of one device in one system call: the kernel cuts them apart; so one core can send enough */
#define LENGTH 176  /* bytes of each, as it has to be for that */
#define OURS 100    /* one message in so many */

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void write_message(char *to, unsigned long number, unsigned device, unsigned long flow, const char *stamp,
			  bool is_ours)
{
	char text[2 * LENGTH];
	int n;

	if (is_ours)
		n = snprintf(text, sizeof(text), "<188>%lu: %s: %%CRYPTO-4-RECVD_PKT_INV_SPI: decaps: rec'd IPSEC packet has invalid spi "
			     "for destaddr=10.9.%u.%u, prot=50, spi=0x%08lX, srcaddr=10.8.%lu.%lu", number, stamp, device >> 8 & 255,
			     device & 255, 0x10000000 + flow, flow >> 8 & 255, flow & 255);
	else
		n = snprintf(text, sizeof(text), "<189>%lu: %s: %%LINEPROTO-5-UPDOWN: Line protocol on Interface GigabitEthernet0/%lu, "
			     "changed state to %s", number, stamp, number % 48, number & 1 ? "up" : "down");
	memset(to, ' ', LENGTH);
	memcpy(to, text, n < LENGTH ? (size_t)n : LENGTH);
}

#define READY 128 /* system calls' worth that were written before, so that writing is not what is measured */

/* One call's worth, in which only what is about a flow is new. */
static char *next_messages(unsigned long sent, unsigned turn, unsigned device, unsigned long flows)
{
	static char room[READY][TOGETHER * LENGTH];
	static int was_ours[READY]; /* the place of such a one + 1 */
	static char stamp[32];
	static time_t second;
	char *at = room[turn % READY];
	int *ours = &was_ours[turn % READY];
	time_t wall = time(NULL);

	if (wall != second) {
		struct tm t;

		second = wall;
		strftime(stamp, sizeof(stamp), "%b %e %H:%M:%S", gmtime_r(&wall, &t));
	}
	for (unsigned i = 0; turn < READY && i < TOGETHER; i++)
		write_message(at + i * LENGTH, sent + i, device, 0, stamp, false);
	if (*ours)
		write_message(at + (*ours - 1) * LENGTH, sent, device, 0, stamp, false);
	*ours = 0;
	for (unsigned i = 0; i < TOGETHER; i++) {
		if ((sent + i) % OURS)
			continue;
		write_message(at + i * LENGTH, sent + i, device, (sent + i) / OURS % flows, stamp, true);
		*ours = (int)i + 1;
	}
	return at;
}

/* `most` messages, or for so many seconds, whatever comes first. */
static int send_all(unsigned short port, double rate, double seconds, unsigned long most, unsigned devices,
		    unsigned long flows)
{
	char control[CMSG_SPACE(sizeof(struct in_pktinfo)) + CMSG_SPACE(sizeof(uint16_t))];
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct iovec part = { .iov_len = TOGETHER * LENGTH };
	struct msghdr head = { .msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = &part, .msg_iovlen = 1,
			       .msg_control = control, .msg_controllen = sizeof(control) };
	struct in_pktinfo from = { 0 };
	const uint16_t each = LENGTH;
	int fd = socket(AF_INET, SOCK_DGRAM, 0), size = 16 << 20;
	unsigned long sent = 0, failed = 0;
	double start = now();
	struct cmsghdr *c;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0) {
		perror("ingest: socket");
		return 2;
	}
	for (unsigned turn = 0; sent < most && now() - start < seconds; turn++) {
		unsigned device = turn * 7919u % devices;

		part.iov_base = next_messages(sent, turn, device, flows);
		memset(control, 0, sizeof(control));
		c = CMSG_FIRSTHDR(&head);
		*c = (struct cmsghdr){ .cmsg_level = IPPROTO_IP, .cmsg_type = IP_PKTINFO, .cmsg_len = CMSG_LEN(sizeof(from)) };
		from.ipi_spec_dst.s_addr = htonl(0x7f010001 + device);
		memcpy(CMSG_DATA(c), &from, sizeof(from));
		c = CMSG_NXTHDR(&head, c);
		*c = (struct cmsghdr){ .cmsg_level = IPPROTO_UDP, .cmsg_type = UDP_SEGMENT, .cmsg_len = CMSG_LEN(sizeof(each)) };
		memcpy(CMSG_DATA(c), &each, sizeof(each));
		if (sendmsg(fd, &head, 0) == TOGETHER * LENGTH)
			sent += TOGETHER;
		else
			failed++;
		while (now() - start < (double)sent / rate && now() - start < seconds)
			;
	}
	printf("%lu %lu %.3f\n", sent, failed, now() - start);
	close(fd);
	return 0;
}

static long resident_kib(void)
{
	struct rusage use;

	getrusage(RUSAGE_SELF, &use);
	return use.ru_maxrss;
}

struct breaths {
	double last, longest;
};

/* On a core: what others take of it is not ours. */
static double ran(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void on_breath(void *context)
{
	struct breaths *b = context;
	double at = ran();

	if (at - b->last > b->longest)
		b->longest = at - b->last;
	b->last = at;
}

/* The second message of each flow comes a minute after the first: all of them are desyncs, which the table keeps. */
static int judge_flows(unsigned devices, unsigned long flows)
{
	struct hash_key key = { 1, 2 };
	struct judge_settings settings;
	struct judge *judge;
	long before = resident_kib();
	struct breaths breaths = { 0 };
	double claimed, settled;

	judge_settings_default(&settings);
	settings.flows_max = (uint32_t)flows;
	if (judge_new(&settings, &key, &judge) < 0)
		return 2;
	claimed = now();
	for (unsigned long i = 0; i < 2 * flows; i++) {
		struct fact fact = fact_of(FACT_STRAY, DIALECT_IOS);
		char host[32];
		unsigned long flow = i % flows;
		uint32_t dst = htonl(0x0a000000 + (uint32_t)(flow % devices)), src = htonl(0x64000000 + (uint32_t)flow);
		struct judge_claim claim = { .fact = &fact, .has_at = true, .has_heard_at = true, .source = 1 };

		fact.protocol = SPIMEND_PROTOCOL_ESP;
		fact.has = FACT_HAS_SPI;
		fact.spi.value = 0x10000000 + (uint32_t)flow;
		fact.src.family = fact.dst.family = 4;
		memcpy(fact.src.bytes, &src, 4);
		memcpy(fact.dst.bytes, &dst, 4);
		claim.at.ns = claim.heard_at.ns = (1793620800 + (int64_t)(i / flows) * 60) * SECOND_NS + (int64_t)flow;
		snprintf(host, sizeof(host), "rt%lu", flow % devices);
		claim.host = text_of(host);
		claim.text = TEXT("%CRYPTO-4-RECVD_PKT_INV_SPI: decaps: rec'd IPSEC packet has invalid spi");
		judge_claim(judge, &claim);
	}
	claimed = now() - claimed;
	settled = breaths.last = ran();
	judge_breathe(judge, on_breath, &breaths);
	if (judge_settle(judge) < 0)
		return 2;
	on_breath(&breaths);
	settled = breaths.last - settled;
	printf("%lu flows of %u devices: %.0f bytes a flow resident (%ld MiB in all), %.2f M claims/s, weighed anew in %.2f s, "
	       "%.0f ms at most without a breath, "
	       "%zu incidents, %lu flows refused\n", flows, devices, (double)(resident_kib() - before) * 1024 / (double)flows,
	       resident_kib() / 1024, 2 * (double)flows / claimed / 1e6, settled, breaths.longest * 1e3, judge_incidents(judge),
	       (unsigned long)judge_counts(judge)->refused);
	judge_free(judge);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 7 && strcmp(argv[1], "send") == 0)
		return send_all((unsigned short)atoi(argv[2]), atof(argv[3]), atof(argv[4]), ULONG_MAX, (unsigned)atoi(argv[5]),
				(unsigned long)atol(argv[6]));
	if (argc == 6 && strcmp(argv[1], "fill") == 0)
		return send_all((unsigned short)atoi(argv[2]), 1e12, 1e9, (unsigned long)atol(argv[3]), (unsigned)atoi(argv[4]),
				(unsigned long)atol(argv[5]));
	if (argc == 4 && strcmp(argv[1], "flows") == 0)
		return judge_flows((unsigned)atoi(argv[2]), (unsigned long)atol(argv[3]));
	fprintf(stderr, "usage: ingest send PORT RATE SECONDS DEVICES FLOWS | fill PORT COUNT DEVICES FLOWS | flows DEVICES FLOWS\n");
	return 2;
}
