/* SPDX-License-Identifier: MIT */
#include "sense/heads.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "parse/ike_head.h"

#define AT_ONCE 32
#define SOCKET_BUFFER (128 * 1024)

/* From the network header on, as SOCK_DGRAM has it. Jumps count instructions behind the next one. */
static const struct sock_filter filter[] = {
	/*  0 */ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PROTOCOL)),
	/*  1 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 0, 6),
	/*  2 */ BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9),
	/*  3 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 17),
	/*  4 */ BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 6),
	/*  5 */ BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x1fff, 15, 0), /* a later fragment */
	/*  6 */ BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
	/*  7 */ BPF_STMT(BPF_JMP | BPF_JA, 4),
	/*  8 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IPV6, 0, 12),
	/*  9 */ BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 6),
	/* 10 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 10), /* no extension headers */
	/* 11 */ BPF_STMT(BPF_LDX | BPF_W | BPF_IMM, 40),
	/* 12: UDP is at X */
	/* 12 */ BPF_STMT(BPF_LD | BPF_H | BPF_IND, 0),
	/* 13 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IKE_PORT_NAT, 4, 0),
	/* 14 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IKE_PORT, 5, 0),
	/* 15 */ BPF_STMT(BPF_LD | BPF_H | BPF_IND, 2),
	/* 16 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IKE_PORT_NAT, 1, 0),
	/* 17 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IKE_PORT, 2, 3),
	/* 18: ESP in UDP has an SPI where IKE has zeros (RFC 3948 2.2) */
	/* 18 */ BPF_STMT(BPF_LD | BPF_W | BPF_IND, 8),
	/* 19 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1),
	/* 20 */ BPF_STMT(BPF_RET | BPF_K, HEADS_SNAP),
	/* 21 */ BPF_STMT(BPF_RET | BPF_K, 0),
};

static int set_up(int fd, unsigned ifindex)
{
	const struct sock_fprog program = { .len = sizeof(filter) / sizeof(filter[0]),
					    .filter = (struct sock_filter *)(uintptr_t)filter };
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)ifindex };
	const int size = SOCKET_BUFFER;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0)
		return -errno;
	return bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 ? -errno : 0; /* hears nothing before */
}

int heads_open(const char *interface, int *ret_fd)
{
	unsigned ifindex = if_nametoindex(interface);
	int fd, r;

	if (ifindex == 0)
		return -ENODEV;
	fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	r = set_up(fd, ifindex);
	if (r < 0) {
		close(fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}

static void take_one(const struct heads_ear *ear, struct text packet, bool outgoing, heads_take_fn *take, void *context,
		     struct moment now)
{
	cleanup(buffer_done) struct buffer text = { 0 };
	struct packet_head head;
	struct ike_head ike;

	if (!ike_head_read(packet, &ike) || ike.keep > PACKET_HEAD_MAX)
		return;
	memset(&head, 0, sizeof(head));
	head.mono_ns = now.mono_ns;
	head.wall = now.wall;
	head.src = ike.src;
	head.dst = ike.dst;
	head.outgoing = outgoing;
	head.has_spi = ike.has_spi;
	head.spi = ike.spi;
	head.length = ike.length;
	head.len = (uint32_t)ike.keep;
	memcpy(head.bytes, packet.at, ike.keep);
	memcpy(head.interface, ear->interface, sizeof(head.interface));
	ike_head_describe(&ike, &text);
	text_copy(buffer_text(&text), head.text, sizeof(head.text));
	take(context, &head);
}

int heads_read(struct heads_ear *ear, heads_take_fn *take, void *context, struct moment now)
{
	char bytes[HEADS_SNAP];

	if (now.mono_ns - ear->second >= SECOND_NS) {
		ear->second = now.mono_ns;
		ear->seen = 0;
	}
	for (int i = 0; i < AT_ONCE; i++) {
		struct sockaddr_ll from = { .sll_family = 0 };
		socklen_t size = sizeof(from);
		ssize_t n;

		if (ear->seen >= HEADS_A_SECOND)
			return 1;
		n = recvfrom(ear->fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&from, &size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN || errno == ENETDOWN ? 0 : -errno; /* it hears again when it is up */
		ear->seen++;
		take_one(ear, (struct text){ bytes, (size_t)n }, from.sll_pkttype == PACKET_OUTGOING, take, context, now);
	}
	return 0;
}
