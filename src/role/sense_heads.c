/* SPDX-License-Identifier: MIT */
#include "role/sense_heads.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "spimend/error.h"

static struct moment moment_of(const struct sense_heads *h)
{
	struct timespec wall;

	clock_gettime(CLOCK_REALTIME, &wall);
	return (struct moment){ .mono_ns = loop_now(h->member->loop),
				.wall.ns = (int64_t)wall.tv_sec * SECOND_NS + wall.tv_nsec };
}

static void tell(void *context, const struct packet_head *head)
{
	struct sense_heads *h = context;

	channel_send(h->core, MESSAGE_PACKET_HEAD, head); /* where core does not keep up it is dropped */
}

static void drop(struct sense_heads_ear *ear)
{
	if (!ear->source)
		return;
	loop_remove(ear->source);
	close(ear->is.fd);
	memset(ear, 0, sizeof(*ear));
}

static void on_heads(void *context, uint32_t events)
{
	struct sense_heads_ear *ear = context;
	struct sense_heads *h = ear->of;
	int r = heads_read(&ear->is, tell, h, moment_of(h));

	(void)events;
	if (r == 1 && loop_set_events(ear->source, 0) == 0)
		ear->pauses = true;
	if (r >= 0)
		return;
	log_say(&h->member->log, LOG_WARNING, "IKE on interface %s is not recorded any more: %s", ear->is.interface,
		spimend_strerror(r));
	drop(ear);
}

void sense_heads_begin(struct sense_heads *h, struct member *member)
{
	h->member = member;
}

void sense_heads_done(struct sense_heads *h)
{
	for (size_t i = 0; i < CONFIG_INTERFACES_MAX; i++)
		drop(&h->ears[i]);
}

void sense_heads_core(struct sense_heads *h, struct channel *core)
{
	h->core = core;
}

void sense_heads_take(struct sense_heads *h, const struct role_resource *resource, const int *fds, size_t fd_count)
{
	struct sense_heads_ear *place = NULL;
	int r;

	for (size_t i = 0; i < CONFIG_INTERFACES_MAX; i++) {
		if (h->ears[i].source && strcmp(h->ears[i].is.interface, resource->name) == 0)
			drop(&h->ears[i]);
		if (!h->ears[i].source && !place)
			place = &h->ears[i];
	}
	if (resource->error || fd_count != 1 || !place) {
		member_close_fds(fds, fd_count);
		return;
	}
	*place = (struct sense_heads_ear){ .of = h, .is.fd = fds[0] };
	memcpy(place->is.interface, resource->name, sizeof(place->is.interface));
	r = loop_add(h->member->loop, fds[0], EPOLLIN, on_heads, place, &place->source);
	if (r < 0) {
		log_say(&h->member->log, LOG_ERR, "IKE on interface %s is not recorded: %s", resource->name, spimend_strerror(r));
		close(fds[0]);
		memset(place, 0, sizeof(*place));
	}
}

void sense_heads_tick(struct sense_heads *h)
{
	for (size_t i = 0; i < CONFIG_INTERFACES_MAX; i++)
		if (h->ears[i].source && h->ears[i].pauses && loop_set_events(h->ears[i].source, EPOLLIN) == 0)
			h->ears[i].pauses = false;
}

/* By the IP header: what the capture holds is cut. */
static uint32_t length_of(const struct packet_head *head)
{
	if (head->bytes[0] >> 4 == 6)
		return 40u + (uint32_t)(head->bytes[4] << 8 | head->bytes[5]);
	return (uint32_t)(head->bytes[2] << 8 | head->bytes[3]);
}

void sense_heads_stray(struct sense_heads *h, struct text bytes, const struct sighting *one)
{
	struct moment now = moment_of(h);
	struct packet_head head;

	if (now.mono_ns - h->second >= SECOND_NS) {
		h->second = now.mono_ns;
		h->strays = 0;
	}
	if (bytes.len < 20 || bytes.len > PACKET_HEAD_MAX || (bytes.at[0] >> 4 != 4 && bytes.at[0] >> 4 != 6) ||
	    (!one->in_ledger && h->strays >= SENSE_STRAY_HEADS_A_SECOND))
		return;
	h->strays++;
	memset(&head, 0, sizeof(head));
	memcpy(head.bytes, bytes.at, bytes.len);
	head.len = (uint32_t)bytes.len;
	head.length = length_of(&head);
	head.mono_ns = one->first_ns;
	head.wall.ns = now.wall.ns - (now.mono_ns - one->first_ns);
	head.src = one->src;
	head.dst = one->dst;
	head.in_ledger = one->in_ledger;
	head.protocol = one->protocol;
	head.has_spi = true;
	head.spi = one->spi;
	head.sequence = one->sequence_first;
	memcpy(head.interface, one->interface, sizeof(head.interface));
	text_copy(one->encap_udp ? TEXT("stray, in UDP") : TEXT("stray"), head.text, sizeof(head.text));
	tell(h, &head);
}
