/* SPDX-License-Identifier: MIT */
/* Traps to SNMP hosts, v2c and v3. This gateway is the authoritative engine of what it sends (RFC 3414 1.5.1). */
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "parse/snmp_write.h"
#include "role/dial_role.h"

static void close_link(struct trap_link *link)
{
	informs_free(link);
	if (link->fd >= 0)
		close(link->fd);
	memset(link, 0, sizeof(*link));
	link->fd = -1;
}

static void begin_numbers(struct dial *dial)
{
	if (getrandom(&dial->salt, sizeof(dial->salt), 0) != (ssize_t)sizeof(dial->salt))
		dial->salt = (uint64_t)loop_now(dial->member->loop) << 16;
	if (getrandom(&dial->request, sizeof(dial->request), 0) != (ssize_t)sizeof(dial->request))
		dial->request = (int32_t)loop_now(dial->member->loop);
	dial->request &= INT32_MAX;
}

static void make_users(struct dial *dial)
{
	const struct config_notify *n = &dial->member->config->notify;

	for (uint32_t i = 0; i < NOTIFY_USERS_MAX; i++)
		usm_user_forget(&dial->users[i]);
	dial->user_count = 0;
	for (uint32_t i = 0; i < n->user_count; i++)
		if (!n->users[i].name[0])
			continue; /* whose file the parent could not read: it said so */
		else if (usm_user_of(&n->users[i], &dial->users[dial->user_count]) == 0)
			dial->user_count++;
		else
			log_say(&dial->member->log, LOG_ERR, "no keys for SNMP user %s", n->users[i].name);
}

void trap_links_configure(struct dial *dial)
{
	const struct config_notify *n = &dial->member->config->notify;

	usm_engine_of(n, dial->member->config->hostname, dial->member->start.up, dial->member->start.up_ns, &dial->engine);
	make_users(dial);
	if (!dial->salt)
		begin_numbers(dial);
	for (uint32_t i = 0; i < NOTIFY_HOSTS_MAX; i++) {
		struct trap_link *link = &dial->traps[i];
		uint64_t mark = i < n->host_count ? notify_host_mark(&n->hosts[i]) : 0;

		if (link->used && link->mark == mark)
			continue;
		close_link(link);
		if (i >= n->host_count)
			continue;
		link->used = true;
		link->host = n->hosts[i];
		link->mark = mark;
		link->state = (struct dial_state){ .kind = DIAL_SNMP, .host = i, .mark = mark };
		if (link->host.informs)
			link->informs = memory_new(1, sizeof(*link->informs));
		if (link->informs)
			link->informs->dial = dial;
	}
}

const struct usm_user *trap_user_of(const struct dial *dial, const char *name)
{
	for (uint32_t i = 0; i < dial->user_count; i++)
		if (strcmp(dial->users[i].name, name) == 0)
			return &dial->users[i];
	return NULL;
}

int32_t dial_next_number(struct dial *dial)
{
	dial->request = (int32_t)(((uint32_t)dial->request + 1) & INT32_MAX);
	return dial->request;
}

void trap_make(const struct dial *dial, const struct dial_trap *said, struct snmp_trap *ret)
{
	struct snmp_applet_event event = {
		.root = dial->member->config->notify.eem_root, .is_server = said->is_server, .has_int1 = said->has_int1,
		.has_int2 = said->has_int2, .has_text = said->has_text, .has_status = said->is_server, .int1 = said->int1,
		.int2 = said->int2, .status = said->status, .index = said->index, .name = text_of(said->name),
		.text = text_of(said->text),
	};

	snmp_make_applet_event(&event, said->uptime, 0, ret);
}

static int put(struct dial *dial, const struct trap_link *link, const struct dial_trap *said, struct ber_writer *w,
	       int64_t now)
{
	struct usm_sender sender = { .engine = { (const char *)dial->engine.name, dial->engine.len }, .boots = dial->engine.boots,
				     .time = usm_engine_time(&dial->engine, now), .salt = dial->salt++ };
	struct usm_user nobody = { .hash = NOTIFY_HASH_NONE };
	const struct usm_user *user;
	struct snmp_trap trap;

	trap_make(dial, said, &trap);
	trap.request = dial_next_number(dial);
	if (link->host.security == NOTIFY_V2C) {
		snmp_put_v2c(w, &trap, text_of(link->host.name));
		return w->overflow ? -ENOBUFS : 0;
	}
	text_copy(text_of(link->host.name), nobody.name, sizeof(nobody.name));
	user = link->host.security == NOTIFY_V3_NOAUTH ? &nobody : trap_user_of(dial, link->host.name);
	return user ? usm_put(w, user, link->host.security, &sender, &trap) : -ENOKEY;
}

int trap_link_send(struct trap_link *link, const struct ber_writer *w)
{
	int r = 0;

	if (link->fd < 0)
		link->fd = dial_connect(&link->host.address, link->host.port, SOCK_DGRAM);
	if (link->fd < 0) {
		r = link->fd;
		dial_failed(&link->state, "no socket", r);
		link->fd = -1;
		return r;
	}
	/* An error here is of a trap before: nobody listened. This one is tried all the same. */
	for (int tries = 0; tries < 2; tries++) {
		if (send(link->fd, w->bytes + w->at, w->room - w->at, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
			return 0;
		r = -errno;
		dial_failed(&link->state, "the trap cannot be sent", r);
		if (r != -ECONNREFUSED)
			break;
	}
	return r;
}

static void send_to(struct dial *dial, struct trap_link *link, const struct dial_trap *said, int64_t now)
{
	uint8_t room[SNMP_SEND_MAX];
	struct ber_writer w = ber_writer_of(room, sizeof(room));
	int r = put(dial, link, said, &w, now);

	if (r < 0)
		dial_failed(&link->state, r == -ENOKEY ? "there is no such SNMP user" :
			    r == -EINVAL ? "the SNMP user has no keys for that level" : "the trap cannot be made", r == -ENOBUFS ? r : 0);
	if (r < 0 || trap_link_send(link, &w) < 0) {
		link->state.dropped++;
		return;
	}
	link->state.sent++;
	link->state.up = true;
}

void trap_links_take(struct dial *dial, const struct dial_trap *trap, int64_t now)
{
	struct trap_link *link = &dial->traps[trap->host];

	if (!link->used || link->mark != trap->mark) {
		dial->stale++;
		return;
	}
	if (!bucket_may(&link->bucket, now, DIAL_TRAPS_A_SECOND)) {
		link->state.dropped++;
		return;
	}
	if (link->host.informs)
		informs_take(dial, link, trap, now);
	else
		send_to(dial, link, trap, now);
}

void trap_links_done(struct dial *dial)
{
	for (uint32_t i = 0; i < NOTIFY_HOSTS_MAX; i++)
		close_link(&dial->traps[i]);
	for (uint32_t i = 0; i < NOTIFY_USERS_MAX; i++)
		usm_user_forget(&dial->users[i]);
}
