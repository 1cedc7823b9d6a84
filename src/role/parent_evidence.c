/* SPDX-License-Identifier: MIT */
/* The parent opens what evidence between gateways needs: the keys' files, which only their owner may read, for sense and
 * dial; and the socket that sense is asked on. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "role/parent_private.h"
#include "spimend/error.h"

#define BACKLOG 8

static int open_key(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), r = 0;
	struct stat found;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &found) < 0 || !S_ISREG(found.st_mode))
		r = -EINVAL;
	else if (found.st_mode & (S_IRWXG | S_IRWXO))
		r = -EPERM;
	if (r == 0)
		return fd;
	close(fd);
	return r;
}

static void give_keys(struct parent *parent, enum role role)
{
	const struct config_recorder *c = &parent->config->recorder;

	for (uint32_t i = 0; i < c->peer_count; i++) {
		struct role_resource resource = { .kind = RESOURCE_EVIDENCE_KEY, .index = i };
		int fd = open_key(c->peers[i].key_file);

		if (fd >= 0) {
			parent_hand(parent, role, resource, &fd, 1);
			close(fd);
			continue;
		}
		log_say(&parent->log, LOG_ERR, "%s: %s; that peer is neither asked for evidence nor answered", c->peers[i].key_file,
			fd == -EPERM ? "others than its owner may read it" : spimend_strerror(fd));
		resource.error = fd;
		parent_hand(parent, role, resource, NULL, 0);
	}
}

static int open_socket(uint16_t port)
{
	struct sockaddr_in6 at = { .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_ANY_INIT };
	const int yes = 1, no = 0;
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), r = 0;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no)); /* IPv4 as well, as ::ffff:192.0.2.1 */
	if (bind(fd, (const struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, BACKLOG) < 0)
		r = -errno;
	if (r == 0)
		return fd;
	close(fd);
	return r;
}

static void give_socket(struct parent *parent)
{
	const struct config_recorder *c = &parent->config->recorder;
	struct role_resource resource = { .kind = RESOURCE_EVIDENCE_SOCKET };
	int fd = c->is_on && c->peer_count ? open_socket((uint16_t)c->port) : -ENOENT;

	if (fd >= 0) {
		parent_hand(parent, ROLE_SENSE, resource, &fd, 1);
		close(fd);
		return;
	}
	if (fd != -ENOENT)
		log_say(&parent->log, LOG_ERR, "evidence peers cannot be heard on TCP port %u: %s", c->port, spimend_strerror(fd));
	resource.error = fd;
	parent_hand(parent, ROLE_SENSE, resource, NULL, 0);
}

void parent_give_evidence(struct parent *parent, enum role role)
{
	if (role == ROLE_SENSE)
		give_socket(parent);
	give_keys(parent, role);
}
