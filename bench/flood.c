/* SPDX-License-Identifier: MIT */
/*
 * flood INTERFACE DST_MAC SRC DST RATE SECONDS: sends forged ESP packets over IPv4, each with another SPI, RATE a second.
 * For bench/forged, which measures what a flood costs spimendd. Only in network namespaces made for it: the addresses must
 * be of the documentation's ranges (RFC 5737).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 64, ETHERNET = 14, IP = 20, ESP = 40, FRAME = ETHERNET + IP + ESP };

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static uint16_t checksum(const uint8_t *bytes, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static bool is_documentation(const char *text)
{
	return !strncmp(text, "192.0.2.", 8) || !strncmp(text, "198.51.100.", 11) || !strncmp(text, "203.0.113.", 10);
}

static int fill(uint8_t *frame, char **arguments)
{
	uint8_t *ip = frame + ETHERNET;
	uint16_t sum;

	if (sscanf(arguments[1], "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", frame, frame + 1, frame + 2, frame + 3, frame + 4, frame + 5) != 6)
		return -1;
	frame[6] = 2; /* locally administered */
	frame[11] = 1;
	frame[12] = 8;
	ip[0] = 0x45;
	ip[3] = IP + ESP;
	ip[8] = 64;
	ip[9] = 50;
	if (inet_pton(AF_INET, arguments[2], ip + 12) != 1 || inet_pton(AF_INET, arguments[3], ip + 16) != 1)
		return -1;
	sum = htons(checksum(ip, IP));
	memcpy(ip + 10, &sum, 2);
	return 0;
}

static int flood(int fd, char **arguments, int64_t rate, int64_t seconds)
{
	static uint8_t frames[BATCH][FRAME];
	struct mmsghdr messages[BATCH] = { 0 };
	struct iovec parts[BATCH];
	int64_t begin = now_ns(), sent = 0, refused = 0;
	uint32_t state = 2463534242u;

	for (int i = 0; i < BATCH; i++) {
		if (fill(frames[i], arguments) < 0)
			return fprintf(stderr, "flood: a MAC address and two IPv4 addresses, please\n"), 2;
		parts[i] = (struct iovec){ frames[i], FRAME };
		messages[i].msg_hdr.msg_iov = &parts[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	while (now_ns() - begin < seconds * INT64_C(1000000000)) {
		int n;

		if (sent > (now_ns() - begin) * rate / INT64_C(1000000000))
			continue;
		for (int i = 0; i < BATCH; i++) {
			state ^= state << 13, state ^= state >> 17, state ^= state << 5; /* Marsaglia's xorshift */
			memcpy(frames[i] + ETHERNET + IP, &state, 4);
			memcpy(frames[i] + ETHERNET + IP + 4, &state, 4);
		}
		n = sendmmsg(fd, messages, BATCH, 0);
		if (n < 0 && errno != ENOBUFS && errno != EAGAIN)
			return fprintf(stderr, "flood: %s\n", strerror(errno)), 1;
		sent += n > 0 ? n : 0;
		refused += n < 0;
	}
	printf("%lld packets in %lld s, %lld a second%s\n", (long long)sent, (long long)seconds, (long long)(sent / seconds),
	       refused ? "; the interface refused some" : "");
	return 0;
}

int main(int count, char **arguments)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET };
	int fd, one = 1;
	long rate, seconds;

	if (count != 7 || !is_documentation(arguments[3]) || !is_documentation(arguments[4])) {
		fprintf(stderr, "usage: flood INTERFACE DST_MAC SRC DST RATE SECONDS, addresses of RFC 5737\n");
		return 2;
	}
	rate = strtol(arguments[5], NULL, 10);
	seconds = strtol(arguments[6], NULL, 10);
	if (rate < 1 || rate > 5000000 || seconds < 1 || seconds > 60)
		return fprintf(stderr, "flood: 1 to 5000000 packets a second, 1 to 60 seconds\n"), 2;
	to.sll_ifindex = (int)if_nametoindex(arguments[1]);
	fd = socket(AF_PACKET, SOCK_RAW, 0);
	if (fd < 0 || !to.sll_ifindex || bind(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		return fprintf(stderr, "flood: %s: %s\n", arguments[1], strerror(errno)), 1;
	setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof(one));
	return flood(fd, arguments + 1, rate, seconds);
}
