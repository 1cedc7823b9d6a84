/* SPDX-License-Identifier: MIT */
#include "role/core_neighbors.h"

#include <errno.h>
#include <string.h>

#include "role/core_role.h"

static void settle(struct mind *mind)
{
	struct mind_neighbors *n = &mind->neighbors;
	const struct neighbor *gone;
	int64_t next;

	while (neighbors_expire(n->table, mind_now(mind).mono_ns, &gone))
		mind_eem_neighbor(mind, NEIGHBOR_DELETE, gone);
	next = neighbors_next(n->table);
	loop_timer_at(n->timer, next == INT64_MAX ? LOOP_NEVER : next);
}

static void on_timer(void *context, int64_t now)
{
	(void)now;
	settle(context);
}

void mind_take_neighbor(struct mind *mind, const struct neighbor *said)
{
	struct mind_neighbors *n = &mind->neighbors;
	enum neighbor_change change;
	const struct neighbor *who;

	if (!n->table)
		return;
	change = neighbors_take(n->table, said, mind_now(mind).mono_ns, &who);
	if (change)
		mind_eem_neighbor(mind, change, who);
	settle(mind);
}

/* 0, or why there will be none. */
static int begin(struct mind *mind)
{
	struct mind_neighbors *n = &mind->neighbors;
	int r = n->timer ? 0 : loop_add_timer(mind->member->loop, on_timer, mind, &n->timer);

	if (r == 0 && !n->table)
		n->table = neighbors_new();
	return r < 0 ? r : n->table ? 0 : -ENOMEM;
}

static void forget(struct mind_neighbors *n, const struct neighbor_hearing *was, uint32_t is)
{
	if (!n->table)
		return;
	for (int cdp = 0; cdp < 2; cdp++)
		if (was->protocols & ~is & (cdp ? NEIGHBOR_HEAR_CDP : NEIGHBOR_HEAR_LLDP))
			neighbors_forget(n->table, text_of(was->interface), cdp);
}

void mind_neighbors_configure(struct mind *mind, bool anew)
{
	const struct config *config = mind->member->config;
	struct mind_neighbors *n = &mind->neighbors;

	for (uint32_t i = 0; i < CONFIG_INTERFACES_MAX; i++) {
		struct neighbor_hearing hear = { .protocols = 0 }, *told = &n->told[i];

		if (i < config->interface_count) {
			memcpy(hear.interface, config->interfaces[i].name, sizeof(hear.interface));
			if (mind->exec.applets.policies)
				hear.protocols = eem_neighbor_protocols(mind->exec.applets.policies, text_of(hear.interface));
		}
		if (hear.protocols && begin(mind) < 0) {
			log_say(&mind->member->log, LOG_ERR, "no memory for the neighbours on interface %s", hear.interface);
			hear.protocols = 0;
		}
		if (strcmp(told->interface, hear.interface) != 0)
			forget(n, told, 0);
		else
			forget(n, told, hear.protocols);
		if (hear.interface[0] && (anew || memcmp(told, &hear, sizeof(hear)) != 0))
			channel_send(mind->member->parent, MESSAGE_HEAR_NEIGHBORS, &hear);
		*told = hear;
	}
}

void mind_neighbors_done(struct mind *mind)
{
	neighbors_free(mind->neighbors.table);
	mind->neighbors.table = NULL;
}
