/* SPDX-License-Identifier: MIT */
#include "role/sense_neighbors.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "spimend/error.h"

static bool on_heard(void *context, const struct neighbor *neighbor)
{
	struct sense_neighbors *n = context;

	return channel_send(n->core, MESSAGE_NEIGHBOR, neighbor) == 0;
}

static void drop(struct sense_ear *ear)
{
	if (!ear->source)
		return;
	loop_remove(ear->source);
	close(ear->is.fd);
	ear->of->counts.sockets--;
	memset(ear, 0, sizeof(*ear));
}

static void on_frames(void *context, uint32_t events)
{
	struct sense_ear *ear = context;
	struct sense_neighbors *n = ear->of;
	const struct neighbor_events calls = { .context = n, .heard = on_heard };
	int r = neighbors_read(&ear->is, &calls, &n->counts, loop_now(n->member->loop));

	(void)events;
	if (r == 0)
		return;
	log_say(&n->member->log, LOG_WARNING, "neighbours on interface %s cannot be heard any more: %s", ear->is.interface,
		spimend_strerror(r));
	drop(ear);
}

void sense_neighbors_begin(struct sense_neighbors *n, struct member *member)
{
	n->member = member;
}

void sense_neighbors_done(struct sense_neighbors *n)
{
	for (size_t i = 0; i < SENSE_EARS_MAX; i++)
		drop(&n->ears[i]);
}

void sense_neighbors_core(struct sense_neighbors *n, struct channel *core)
{
	n->core = core;
	memset(&n->told, 0, sizeof(n->told)); /* a new one is told all */
}

/* resource->index is 1 for CDP. Without a descriptor: no more of what was heard there. */
void sense_neighbors_take(struct sense_neighbors *n, const struct role_resource *resource, const int *fds, size_t fd_count)
{
	struct sense_ear *place = NULL;
	int r;

	for (size_t i = 0; i < SENSE_EARS_MAX; i++) {
		struct sense_ear *ear = &n->ears[i];

		if (ear->source && ear->is.is_cdp == (resource->index == 1) && strcmp(ear->is.interface, resource->name) == 0)
			drop(ear);
		if (!ear->source && !place)
			place = ear;
	}
	if (resource->error || fd_count != 1 || !place) {
		member_close_fds(fds, fd_count);
		return;
	}
	*place = (struct sense_ear){ .of = n, .is = { .is_cdp = resource->index == 1, .fd = fds[0] } };
	memcpy(place->is.interface, resource->name, sizeof(place->is.interface));
	r = loop_add(n->member->loop, fds[0], EPOLLIN, on_frames, place, &place->source);
	if (r < 0) {
		log_say(&n->member->log, LOG_ERR, "neighbours on interface %s: %s", resource->name, spimend_strerror(r));
		close(fds[0]);
		memset(place, 0, sizeof(*place));
		return;
	}
	n->counts.sockets++;
	log_say(&n->member->log, LOG_INFO, "hears %s on interface %s", place->is.is_cdp ? "CDP" : "LLDP", resource->name);
}

void sense_neighbors_tell(struct sense_neighbors *n)
{
	if (memcmp(&n->counts, &n->told, sizeof(n->counts)) != 0 &&
	    channel_send(n->core, MESSAGE_NEIGHBOR_COUNTS, &n->counts) == 0)
		n->told = n->counts;
}
