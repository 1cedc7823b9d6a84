/* SPDX-License-Identifier: MIT */
#include "sense/syslog_udp.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/memory.h"
#include "sense/syslog_socket.h"

struct syslog_udp {
	int fd;            /* owns */
	uint32_t overflow; /* as the socket told it last */
	struct mmsghdr heads[SYSLOG_UDP_AT_ONCE];
	struct iovec parts[SYSLOG_UDP_AT_ONCE];
	struct sockaddr_storage from[SYSLOG_UDP_AT_ONCE];
	char room[SYSLOG_UDP_AT_ONCE][SYSLOG_MESSAGE_MAX + 1];
};

int syslog_udp_open(const struct syslog_listener *listener, int *ret_fd)
{
	const int size = SYSLOG_UDP_BUFFER;
	int fd, r = syslog_socket_open(listener, SOCK_DGRAM, &fd);

	if (r < 0)
		return r;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	*ret_fd = fd;
	return 0;
}

int syslog_udp_new(int fd, struct syslog_udp **ret)
{
	struct syslog_udp *udp = memory_new(1, sizeof(*udp));

	if (!udp) {
		close(fd);
		return -ENOMEM;
	}
	udp->fd = fd;
	for (int i = 0; i < SYSLOG_UDP_AT_ONCE; i++) {
		udp->parts[i] = (struct iovec){ udp->room[i], sizeof(udp->room[i]) };
		udp->heads[i].msg_hdr.msg_iov = &udp->parts[i];
		udp->heads[i].msg_hdr.msg_iovlen = 1;
		udp->heads[i].msg_hdr.msg_name = &udp->from[i];
	}
	*ret = udp;
	return 0;
}

void syslog_udp_free(struct syslog_udp *udp)
{
	if (!udp)
		return;
	close(udp->fd);
	memory_free(udp);
}

/* The socket counts its losses since it was made, in 32 bits. Asked once a turn: told with each message (SO_RXQ_OVFL) they
 * would cost most when time is shortest, and not be heard of before another message comes. */
static void take_overflow(struct syslog_udp *udp, struct syslog_counts *counts)
{
	uint32_t told[SK_MEMINFO_VARS];
	socklen_t len = sizeof(told);

	if (getsockopt(udp->fd, SOL_SOCKET, SO_MEMINFO, told, &len) < 0 || len <= SK_MEMINFO_DROPS * sizeof(told[0]))
		return;
	counts->lost += (uint32_t)(told[SK_MEMINFO_DROPS] - udp->overflow);
	udp->overflow = told[SK_MEMINFO_DROPS];
}

static int read_some(struct syslog_udp *udp)
{
	for (int i = 0; i < SYSLOG_UDP_AT_ONCE; i++) /* the last call has changed them */
		udp->heads[i].msg_hdr.msg_namelen = sizeof(udp->from[i]);
	return recvmmsg(udp->fd, udp->heads, SYSLOG_UDP_AT_ONCE, MSG_DONTWAIT, NULL);
}

int syslog_udp_read(struct syslog_udp *udp, struct syslog *syslog)
{
	int got = SYSLOG_UDP_AT_ONCE, all = 0, r = 0;

	for (int turn = 0; turn < SYSLOG_UDP_TURN && got == SYSLOG_UDP_AT_ONCE; turn++) {
		got = read_some(udp);
		if (got < 0) {
			r = errno == EAGAIN || errno == EINTR || errno == ECONNREFUSED ? 0 : -errno;
			break;
		}
		all += got;
		for (int i = 0; i < got; i++) {
			struct spimend_address source = syslog_address_of(&udp->from[i]);

			syslog_message(syslog, &source, SYSLOG_UDP, (struct text){ udp->room[i], udp->heads[i].msg_len },
				       udp->heads[i].msg_hdr.msg_flags & MSG_TRUNC);
		}
	}
	take_overflow(udp, syslog_counts(syslog));
	syslog_settle(syslog);
	return r < 0 ? r : all;
}
