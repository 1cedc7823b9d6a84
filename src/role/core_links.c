/* SPDX-License-Identifier: MIT */
/* The gateway's interfaces for the command line, over a rtnetlink socket that the parent opened: nothing can be changed over
 * it without the capability, which core has not. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "parse/rtnetlink.h"
#include "role/core_role.h"

#define DATAGRAMS_MAX 4096 /* of one dump */

void mind_take_route(struct mind *mind, int fd)
{
	if (mind->exec.route_fd >= 0)
		close(mind->exec.route_fd);
	mind->exec.links_at = 0;
	mind->exec.route_fd = fd;
}

enum table { LINKS, ADDRESSES, NEIGHBOURS };

static size_t request_of(enum table table, unsigned char to[64])
{
	return table == NEIGHBOURS ? rtnetlink_neighbour_request(to) : rtnetlink_request(table == ADDRESSES, to);
}

/* The kernel writes a dump as it is read: nothing is waited for. */
static int dump(struct mind *mind, enum table table)
{
	static const size_t size = 65536;
	char *bytes cleanup(memory_free_pointer) = memory_new(1, size);
	unsigned char request[64];
	size_t len = request_of(table, request);
	int fd = mind->exec.route_fd;

	if (!bytes)
		return -ENOMEM;
	while (recv(fd, bytes, size, MSG_DONTWAIT) > 0)
		; /* what an earlier dump left, when it failed */
	if (send(fd, request, len, MSG_NOSIGNAL) != (ssize_t)len)
		return -errno;
	for (int i = 0; i < DATAGRAMS_MAX; i++) {
		ssize_t n = recv(fd, bytes, size, MSG_DONTWAIT);
		struct text datagram = { bytes, n > 0 ? (size_t)n : 0 };
		enum rtnetlink_result result;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		result = table == NEIGHBOURS ? rtnetlink_read_neighbours(datagram, &mind->exec.neighbours)
					     : rtnetlink_read(datagram, &mind->exec.links);
		if (result != RTNETLINK_MORE)
			return result == RTNETLINK_DONE ? 0 : -EPROTO;
	}
	return -EFBIG;
}

/* A gateway without a GRE device may have many neighbours, and none of them matters here. */
void mind_read_neighbours(struct mind *mind)
{
	struct neighbour_list *list = &mind->exec.neighbours;

	list->count = list->left_out = 0;
	if (mind->exec.route_fd < 0 || !core_gre_at(mind->core, 0))
		return;
	if (!list->at)
		list->at = memory_new(NEIGHBOURS_MAX, sizeof(*list->at));
	if (list->at && dump(mind, NEIGHBOURS) < 0)
		list->count = 0;
}

static int read_links(struct mind *mind)
{
	struct link_list *list = &mind->exec.links;
	int r;

	if (mind->exec.route_fd < 0)
		return -ENOTCONN;
	if (!list->at)
		list->at = memory_new(LINKS_MAX, sizeof(*list->at));
	if (!list->at)
		return -ENOMEM;
	list->count = list->left_out = 0;
	r = dump(mind, LINKS);
	if (r == 0)
		r = dump(mind, ADDRESSES);
	return r;
}

int mind_read_links(struct mind *mind)
{
	int64_t now = mind_now(mind).mono_ns;

	if (!mind->exec.links_at || now - mind->exec.links_at >= SECOND_NS) {
		mind->exec.links_error = read_links(mind);
		mind->exec.links_at = now;
	}
	return mind->exec.links_error;
}
