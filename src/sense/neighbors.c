/* SPDX-License-Identifier: MIT */
#include "sense/neighbors.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "parse/neighbor.h"

#define AT_ONCE 16
#define SOCKET_BUFFER (64 * 1024)

static int join(int fd, unsigned ifindex, bool is_cdp)
{
	static const uint8_t lldp[ETH_ALEN] = { 0x01, 0x80, 0xc2, 0x00, 0x00, 0x0e };
	static const uint8_t cdp[ETH_ALEN] = { 0x01, 0x00, 0x0c, 0xcc, 0xcc, 0xcc };
	struct packet_mreq group = { .mr_ifindex = (int)ifindex, .mr_type = PACKET_MR_MULTICAST, .mr_alen = ETH_ALEN };

	memcpy(group.mr_address, is_cdp ? cdp : lldp, ETH_ALEN);
	return setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &group, sizeof(group)) < 0 ? -errno : 0;
}

int neighbors_open(const char *interface, bool is_cdp, int *ret_fd)
{
	/* CDP is 802.3 with a length in the place of the type: of those the kernel hands out all, and few come */
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(is_cdp ? ETH_P_802_2 : 0x88cc),
				  .sll_ifindex = (int)if_nametoindex(interface) };
	const int size = SOCKET_BUFFER;
	int fd, r = 0;

	if (at.sll_ifindex == 0)
		return -ENODEV;
	fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	r = join(fd, (unsigned)at.sll_ifindex, is_cdp);
	if (r == 0 && bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		r = -errno;
	if (r < 0) {
		close(fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}

static enum neighbor_fate take(struct neighbor_ear *ear, const struct neighbor_events *events, struct text unit,
			       const struct sockaddr_ll *from, int64_t now_ns, uint64_t *ret_dropped)
{
	struct neighbor neighbor;
	enum neighbor_fate fate;

	if (now_ns - ear->second >= SECOND_NS) {
		ear->second = now_ns;
		ear->seen = 0;
	}
	if (ear->seen++ >= NEIGHBOR_FRAMES_MAX)
		return NEIGHBOR_LIMITED;
	if (from->sll_pkttype != PACKET_MULTICAST) /* 802.1AB 7.1: to the nearest bridge, never to one station */
		return NEIGHBOR_NOT_OURS;
	fate = ear->is_cdp ? cdp_read(unit, &neighbor) : lldp_read(unit, &neighbor);
	if (fate != NEIGHBOR_TAKEN)
		return fate;
	neighbor.is_cdp = ear->is_cdp;
	memcpy(neighbor.interface, ear->interface, sizeof(neighbor.interface));
	*ret_dropped += neighbor.dropped;
	return events->heard(events->context, &neighbor) ? NEIGHBOR_TAKEN : NEIGHBOR_NOT_TOLD;
}

/* What the buffer lost since it was asked last. */
static void count_lost(const struct neighbor_ear *ear, struct neighbor_counts *counts)
{
	struct tpacket_stats stats;
	socklen_t size = sizeof(stats);

	if (getsockopt(ear->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &size) == 0)
		counts->lost += stats.tp_drops;
}

int neighbors_read(struct neighbor_ear *ear, const struct neighbor_events *events, struct neighbor_counts *counts,
		   int64_t now_ns)
{
	char unit[NEIGHBOR_FRAME_MAX];

	for (int i = 0; i < AT_ONCE; i++) {
		struct sockaddr_ll from = { .sll_pkttype = PACKET_OUTGOING };
		socklen_t from_size = sizeof(from);
		ssize_t n = recvfrom(ear->fd, unit, sizeof(unit), MSG_DONTWAIT | MSG_TRUNC, (struct sockaddr *)&from, &from_size);

		if (n < 0 && (errno == ENETDOWN || errno == EINTR))
			continue; /* it hears on when the interface is up again */
		if (n < 0 && errno != EAGAIN)
			return -errno;
		if (n < 0)
			break;
		if ((size_t)n > sizeof(unit))
			counts->fates[NEIGHBOR_TRUNCATED]++;
		else
			counts->fates[take(ear, events, (struct text){ unit, (size_t)n }, &from, now_ns, &counts->tlvs_dropped)]++;
	}
	count_lost(ear, counts);
	return 0;
}
