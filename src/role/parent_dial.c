/* SPDX-License-Identifier: MIT */
/* Files that the role dial needs: what TLS needs and the secrets of webhooks, opened as root so that they may be root's. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "role/parent_private.h"

/* The descriptor, which is closed here; -1: why there is none. */
static void give(struct parent *parent, struct role_resource resource, int error, int fd)
{
	resource.error = error;
	parent_hand(parent, ROLE_DIAL, resource, fd >= 0 ? &fd : NULL, fd >= 0);
	if (fd >= 0)
		close(fd);
}

static void give_file(struct parent *parent, uint32_t index, const char *path, bool is_secret)
{
	struct role_resource resource = { .kind = RESOURCE_TLS_FILE, .index = index };
	int fd = path[0] ? open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK) : -1;
	struct stat found = { 0 };

	if (fd < 0) {
		give(parent, resource, path[0] ? -errno : -ENOENT, -1);
		return;
	}
	if (fstat(fd, &found) == 0 && S_ISREG(found.st_mode) && (!is_secret || !(found.st_mode & 077))) {
		give(parent, resource, 0, fd);
		return;
	}
	if (S_ISREG(found.st_mode)) /* DESIGN.md 7 */
		log_say(&parent->log, LOG_ERR, "%s: others than its owner may read it, so it is no secret: it is not used", path);
	close(fd);
	give(parent, resource, is_secret ? -EPERM : -EINVAL, -1);
}

void parent_give_dial(struct parent *parent)
{
	const struct config_notify *n = &parent->config->notify;
	const struct config_hooks *hooks = &parent->config->hooks;
	const char *const paths[] = { n->tls_trust, n->tls_certificate, n->tls_key }; /* enum dial_file */
	bool wanted = false;

	for (uint32_t i = 0; i < n->log_host_count; i++)
		wanted = wanted || n->log_hosts[i].transport == NOTIFY_TLS;
	for (uint32_t i = 0; i < hooks->web_count; i++)
		wanted = wanted || hooks->webs[i].tls;
	for (uint32_t i = 0; wanted && i < sizeof(paths) / sizeof(paths[0]); i++)
		give_file(parent, i, paths[i], false);
	for (uint32_t i = 0; i < hooks->web_count; i++) /* DIAL_SECRET and on */
		give_file(parent, (uint32_t)(sizeof(paths) / sizeof(paths[0])) + i, hooks->webs[i].secret_file, true);
}
