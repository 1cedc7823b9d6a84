/* SPDX-License-Identifier: MIT */
#include "sense/syslog_socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sense/syslog_udp.h"

static socklen_t place_of(const struct syslog_listener *l, int family, struct sockaddr_storage *ret)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(l->port) };
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(l->port) };

	memset(ret, 0, sizeof(*ret));
	if (family == AF_INET) {
		memcpy(&four.sin_addr, l->address.bytes, sizeof(four.sin_addr));
		memcpy(ret, &four, sizeof(four));
		return sizeof(four);
	}
	memcpy(&six.sin6_addr, l->address.bytes, sizeof(six.sin6_addr));
	memcpy(ret, &six, sizeof(six));
	return sizeof(six);
}

int syslog_socket_open(const struct syslog_listener *l, int type, int *ret_fd)
{
	const int only = spimend_address_known(&l->address), on = 1;
	int family = l->address.family == 4 ? AF_INET : AF_INET6, r = 0;
	int fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_storage place;
	socklen_t len;

	if (fd < 0 && !only) { /* no IPv6 here */
		family = AF_INET;
		fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	}
	if (fd < 0)
		return -errno;
	len = place_of(l, family, &place);
	if (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only)) < 0)
		r = -errno;
	if (r == 0 && type == SOCK_STREAM && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		r = -errno;
	if (r == 0 && bind(fd, (const struct sockaddr *)&place, len) < 0)
		r = -errno;
	if (r < 0) {
		close(fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}

struct spimend_address syslog_address_of(const struct sockaddr_storage *from)
{
	struct spimend_address a;
	struct sockaddr_in6 six;
	struct sockaddr_in four;

	memset(&a, 0, sizeof(a));
	if (from->ss_family == AF_INET) {
		memcpy(&four, from, sizeof(four));
		a.family = 4;
		memcpy(a.bytes, &four.sin_addr, 4);
	} else if (from->ss_family == AF_INET6) {
		memcpy(&six, from, sizeof(six));
		a.family = IN6_IS_ADDR_V4MAPPED(&six.sin6_addr) ? 4 : 6;
		memcpy(a.bytes, six.sin6_addr.s6_addr + (a.family == 4 ? 12 : 0), a.family == 4 ? 4 : 16);
	}
	return a;
}
