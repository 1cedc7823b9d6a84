/* SPDX-License-Identifier: MIT */
/* A model of charon: IKE SAs, CHILD_SAs, the task queue with its window of one, retransmission, DPD, rekeys. */
#include "sim.h"

/* 4 s * 1.8^n */
static const int64_t retransmit[] = { 4000 * MS, 7200 * MS, 12960 * MS, 23328 * MS, 41990 * MS, 75582 * MS };
#define TRIES ((uint32_t)(sizeof(retransmit) / sizeof(retransmit[0])))

/* --- IKE SAs ------------------------------------------------------------------------------------------------------- */

struct ike *ike_find(struct node *n, uint32_t id)
{
	for (uint32_t i = 0; i < n->ike_count; i++)
		if (n->ikes[i].id == id)
			return &n->ikes[i];
	return NULL;
}

struct ike *ike_of_wire(struct node *n, uint64_t wire)
{
	for (uint32_t i = 0; i < n->ike_count; i++)
		if (n->ikes[i].wire == wire)
			return &n->ikes[i];
	return NULL;
}

struct ike *ike_of_peer(struct node *n, uint8_t peer)
{
	for (uint32_t i = n->ike_count; i-- > 0;)
		if (n->ikes[i].peer == peer && n->ikes[i].state == IKE_ESTABLISHED)
			return &n->ikes[i];
	return NULL;
}

struct ike *ike_add(struct node *n, uint8_t peer, uint8_t version, uint64_t wire, bool initiator)
{
	const struct connection_setup *setup = &n->setup[peer];
	struct ike *s;

	if (n->ike_count == IKES_MAX)
		return NULL;
	s = &n->ikes[n->ike_count++];
	memset(s, 0, sizeof(*s));
	s->id = n->next_ike++;
	s->wire = wire;
	s->peer = peer;
	s->version = version;
	s->initiator = initiator;
	s->state = IKE_CONNECTING;
	s->heard = s->established = n->w->now;
	if (setup->dpd)
		post(n->w, setup->dpd, EV_DPD, n->index, s->id, 0, n->life, NULL);
	if (setup->ike_rekey && version == 2)
		post(n->w, rnd_between(n->w, setup->ike_rekey * 9 / 10, setup->ike_rekey), EV_IKE_REKEY, n->index, s->id, 0, n->life,
		     NULL);
	return s;
}

void ike_remove(struct node *n, uint32_t id, bool tell_children, enum end_reason why)
{
	struct ike gone;
	struct ike *s = ike_find(n, id);

	if (!s)
		return;
	for (uint32_t i = n->child_count; i-- > 0;)
		if (n->children[i].ike_id == id)
			child_remove(n, n->children[i].id, why, tell_children && n->children[i].state != CHILD_REKEYED);
	s = ike_find(n, id);
	gone = *s;
	memmove(s, s + 1, (size_t)(&n->ikes[--n->ike_count] - s) * sizeof(*s));
	if (gone.state != IKE_REKEYED && gone.state != IKE_CONNECTING)
		ike_event_tell(n, IKE_DOWN, &gone, NULL);
	TRACE(n->w, "node %u: IKE_SA %u with %u is gone", n->index, id, gone.peer);
	for (uint32_t i = 0; i < gone.task_count; i++) {
		if (gone.tasks[i].spi && (gone.tasks[i].kind == T_AUTH || gone.tasks[i].kind == T_CREATE || gone.tasks[i].kind == T_REKEY))
			plane_remove(n, gone.tasks[i].spi, false, END_LOST);
		if (gone.tasks[i].order)
			act_finished(n, gone.tasks[i].order, gone.tasks[i].kind == T_DELETE_IKE ? OUTCOME_DONE : OUTCOME_FAILED, "IKE_SA gone");
	}
}

struct ike_sa daemon_ike_view(struct node *n, const struct ike *s)
{
	struct ike_sa v = { .id = s->id, .version = s->version, .state = s->state, .initiator = s->initiator,
			    .nat = n->user_space };
	char child[GATEWAY_NAME_MAX];

	act_names(n, s->peer, v.name, child);
	v.busy = s->task_count > 0;
	for (uint32_t i = 0; i < s->task_count; i++)
		v.child_task |= s->tasks[i].kind == T_DELETE_SPI || s->tasks[i].kind == T_CREATE
				|| s->tasks[i].kind == T_REKEY || s->tasks[i].kind == T_DELETE_CHILD;
	v.local = n->address;
	v.remote = n->w->nodes[s->peer].address;
	v.local_port = v.remote_port = n->user_space ? 4500 : 500;
	v.spi_ours = s->wire ^ (s->initiator ? 0 : UINT64_MAX);
	v.spi_theirs = s->wire ^ (s->initiator ? UINT64_MAX : 0);
	v.established_s = (uint32_t)((n->w->now - s->established) / SEC);
	return v;
}

void ike_event_tell(struct node *n, enum ike_change change, const struct ike *s, const struct ike *successor)
{
	struct ike_event e = { .change = change };

	if (!n->g.enabled)
		return;
	e.ike = daemon_ike_view(n, s);
	if (successor) {
		e.has_successor = true;
		e.successor = daemon_ike_view(n, successor);
	}
	gateway_told_ike(n, &e);
}

/* --- CHILD_SAs ----------------------------------------------------------------------------------------------------- */

struct child *child_find(struct node *n, uint32_t id)
{
	for (uint32_t i = 0; i < n->child_count; i++)
		if (n->children[i].id == id)
			return &n->children[i];
	return NULL;
}

static bool is_listed(const struct child *c)
{
	return c->state == CHILD_INSTALLED || c->state == CHILD_REKEYING;
}

struct child *child_of_peer(struct node *n, uint8_t peer)
{
	for (uint32_t i = n->child_count; i-- > 0;)
		if (n->children[i].peer == peer && is_listed(&n->children[i]))
			return &n->children[i];
	return NULL;
}

struct child *child_of_out(struct node *n, const struct ike *s, uint32_t spi_out)
{
	for (uint32_t i = 0; i < n->child_count; i++)
		if (n->children[i].ike_id == s->id && n->children[i].spi_out == spi_out)
			return &n->children[i];
	return NULL;
}

struct child *child_add(struct node *n, struct ike *s, uint32_t spi_in, uint32_t spi_out, uint32_t key, bool mine)
{
	struct child *c;
	const struct connection_setup *setup = &n->setup[s->peer];

	if (n->child_count == CHILDREN_MAX)
		return NULL;
	c = &n->children[n->child_count++];
	*c = (struct child){ .id = n->next_child++, .ike_id = s->id, .peer = s->peer, .version = s->version, .spi_in = spi_in,
			     .spi_out = spi_out, .key = key, .mine = mine, .state = CHILD_INSTALLED, .installed = n->w->now };
	if (setup->life)
		c->expires = n->w->now + setup->life;
	if (setup->rekey)
		post(n->w, rnd_between(n->w, setup->rekey * 9 / 10, setup->rekey), EV_CHILD_REKEY, n->index, c->id, 0, n->life, NULL);
	return c;
}

void child_install(struct node *n, struct child *c, bool in, bool out)
{
	if (in && !c->in_installed) {
		plane_add(n, c->peer, false, false, c->spi_in, c->key, c->id, c->expires);
		c->in_installed = true;
	}
	if (out && !c->out_installed) {
		plane_add(n, c->peer, true, false, c->spi_out, c->key, c->id, c->expires);
		c->out_installed = true;
	}
	TRACE(n->w, "node %u: child %u with %u in %08x%s out %08x%s", n->index, c->id, c->peer, c->spi_in, in ? " installed" : "",
	      c->spi_out, out ? " installed" : "");
}

void child_rekeyed(struct node *n, struct child *c)
{
	struct sa *in = plane_in(n, c->spi_in);

	c->state = CHILD_REKEYED;
	if (in && !in->rekeyed)
		in->rekeyed = n->w->now;
}

void child_remove(struct node *n, uint32_t id, enum end_reason why, bool say_down)
{
	struct child *c = child_find(n, id);
	struct child gone;

	if (!c)
		return;
	if (c->state == CHILD_REKEYED && why == END_DELETED)
		why = END_REKEYED;
	gone = *c;
	memmove(c, c + 1, (size_t)(&n->children[--n->child_count] - c) * sizeof(*c));
	if (say_down)
		child_event_tell(n, CHILD_DOWN, &gone, NULL); /* charon tells while the SAs are still there */
	if (gone.in_installed || gone.state == CHILD_CREATED)
		plane_remove(n, gone.spi_in, false, why);
	if (gone.out_installed)
		plane_remove(n, gone.spi_out, true, why);
	if (n->plugin && (why == END_LOST || why == END_EXPIRED)) {
		struct plugin_message m = { .kind = PLUGIN_CHILD_DIED, .ike_id = gone.ike_id, .child_id = gone.id, .protocol = 50,
					    .spi = gone.spi_in, .peer_spi = gone.spi_out,
					    .reason = why == END_EXPIRED ? PLUGIN_WHY_EXPIRED : PLUGIN_WHY_UNKNOWN };

		gateway_told_report(n, &m);
	}
	TRACE(n->w, "node %u: child %u (in %08x) is gone: %s", n->index, id, gone.spi_in, end_reason_name(why));
}

struct child_sa daemon_child_view(struct node *n, struct child *c)
{
	struct child_sa v = { .ike_id = c->ike_id, .id = c->id, .state = c->state, .protocol = 50, .encap_udp = n->user_space };
	struct sa *in = plane_in(n, c->spi_in), *out = plane_out_spi(n, c->spi_out);

	act_names(n, c->peer, v.ike, v.child);
	v.connection = act_connection_id(n, c->peer);
	v.has_spi_in = v.has_spi_out = v.has_install = v.has_counters = true;
	v.spi_in = c->spi_in;
	v.spi_out = c->spi_out;
	v.local = n->address;
	v.remote = n->w->nodes[c->peer].address;
	if (in && !in->larval) { /* else charon tells what it read before */
		c->seen_in = in->packets;
		c->used_in = in->used;
	}
	if (out)
		c->seen_out = out->packets;
	v.encap_udp = in ? in->encap : n->user_space;
	v.packets_in = c->seen_in;
	v.bytes_in = c->seen_in * 100;
	v.has_use_in = c->used_in > 0;
	v.use_in_s = c->used_in ? (uint32_t)((n->w->now - c->used_in) / SEC) : 0;
	v.packets_out = c->seen_out;
	v.bytes_out = c->seen_out * 100;
	v.install_s = (uint32_t)((n->w->now - c->installed) / SEC);
	v.has_life = c->expires > n->w->now;
	v.life_s = v.has_life ? (uint32_t)((c->expires - n->w->now) / SEC) : 0;
	return v;
}

void child_event_tell(struct node *n, enum child_change change, struct child *c, struct child *successor)
{
	struct child_event e = { .change = change };

	if (!n->g.enabled)
		return;
	e.child = daemon_child_view(n, c);
	if (successor) {
		e.has_successor = true;
		e.successor = daemon_child_view(n, successor);
	}
	gateway_told_child(n, &e);
}

void hint_tell(struct node *n, enum daemon_hint_kind kind, uint32_t spi, uint32_t ike_id)
{
	struct daemon_hint h = { .kind = kind, .has_spi = spi != 0, .has_ike = ike_id != 0, .spi = spi, .ike_id = ike_id };

	if (n->g.enabled)
		gateway_told_hint(n, &h);
}

/* --- Tasks --------------------------------------------------------------------------------------------------------- */

bool task_queue(struct node *n, struct ike *s, enum task_kind kind, uint32_t child, uint64_t order)
{
	if (s->task_count == TASKS_MAX)
		return false;
	s->tasks[s->task_count++] = (struct task){ .kind = kind, .child = child, .order = order };
	task_next(n, s);
	return true;
}

void task_next(struct node *n, struct ike *s)
{
	if (s->active || !s->task_count)
		return;
	s->active = true;
	s->tries = 0;
	s->generation++;
	exchange_send(n, s); /* may end the task at once: s is not to be used after it */
}

void task_done(struct node *n, struct ike *s, enum order_outcome outcome)
{
	struct task done = s->tasks[0];
	uint32_t id = s->id;

	memmove(s->tasks, s->tasks + 1, --s->task_count * sizeof(s->tasks[0]));
	s->active = false;
	s->generation++;
	if (done.order)
		act_finished(n, done.order, outcome, outcome == OUTCOME_DONE ? "" : "failed");
	s = ike_find(n, id);
	if (s)
		task_next(n, s);
}

static void peer_dead(struct node *n, struct ike *s)
{
	uint8_t peer = s->peer;
	bool again = n->setup[peer].dpd_restart && !n->setup[peer].dynamic_peer;

	TRACE(n->w, "node %u: gives peer %u up", n->index, peer);
	hint_tell(n, HINT_PEER_DEAD, 0, s->id);
	n->g.last_dead_hint[peer] = n->w->now;
	ike_remove(n, s->id, true, END_LOST);
	if (again)
		post(n->w, 50 * MS, EV_START_CONNECTION, n->index, peer, 0, n->life, NULL);
}

static void task_retry(struct node *n, const struct event *e)
{
	struct ike *s = ike_find(n, e->a);

	if (!s || !s->active || s->generation != e->b)
		return;
	if (++s->tries >= TRIES) {
		peer_dead(n, s);
		return;
	}
	net_message(n->w, &s->sent);
	post(n->w, retransmit[s->tries], EV_TASK_RETRY, n->index, s->id, s->generation, n->life, NULL);
}

/* --- What it can be told ------------------------------------------------------------------------------------------- */

bool daemon_initiate(struct node *n, uint8_t peer, uint64_t order, const char **ret_why)
{
	const struct connection_setup *setup = &n->setup[peer];
	struct ike *s = ike_of_peer(n, peer);

	*ret_why = "";
	if (!n->daemon_up || !setup->exists || (setup->dynamic_peer && !s)) {
		*ret_why = "no such connection";
		return false;
	}
	if (setup->version == 2 && child_of_peer(n, peer)) {
		hint_tell(n, HINT_DUPLICATE, 0, s ? s->id : 0);
		*ret_why = "existing duplicate";
		return false;
	}
	for (uint32_t i = 0; !s && i < n->ike_count; i++)
		if (n->ikes[i].peer == peer && n->ikes[i].state == IKE_CONNECTING && n->ikes[i].initiator)
			s = &n->ikes[i];
	if (s)
		return task_queue(n, s, T_CREATE, 0, order);
	s = ike_add(n, peer, setup->version, rnd(n->w) | 1, true);
	return s && task_queue(n, s, T_AUTH, 0, order);
}

bool daemon_rekey(struct node *n, uint32_t child, uint64_t order)
{
	struct child *c = child_find(n, child);
	struct ike *s = c ? ike_find(n, c->ike_id) : NULL;

	if (!s || c->state != CHILD_INSTALLED || s->state != IKE_ESTABLISHED)
		return false;
	for (uint32_t i = 0; i < s->task_count; i++)
		if (s->tasks[i].child == child)
			return false;
	return task_queue(n, s, T_REKEY, child, order);
}

bool daemon_terminate_child(struct node *n, uint32_t child, uint64_t order)
{
	struct child *c = child_find(n, child);
	struct ike *s = c ? ike_find(n, c->ike_id) : NULL;

	return s && task_queue(n, s, T_DELETE_CHILD, child, order);
}

bool daemon_delete_spi(struct node *n, uint32_t ike, uint32_t spi, uint64_t order)
{
	struct ike *s = ike_find(n, ike);

	if (!s || s->state != IKE_ESTABLISHED || s->task_count == TASKS_MAX)
		return false;
	s->tasks[s->task_count++] = (struct task){ .kind = T_DELETE_SPI, .order = order, .spi = spi };
	task_next(n, s);
	return true;
}

bool daemon_liveness(struct node *n, uint32_t ike, uint64_t order)
{
	struct ike *s = ike_find(n, ike);

	return s && s->state == IKE_ESTABLISHED && task_queue(n, s, T_DPD, 0, order);
}

bool daemon_withdraw(struct node *n, uint64_t order)
{
	for (uint32_t i = 0; i < n->ike_count; i++) {
		struct ike *s = &n->ikes[i];

		for (uint32_t k = s->active ? 1 : 0; k < s->task_count; k++) {
			if (s->tasks[k].order != order)
				continue;
			memmove(&s->tasks[k], &s->tasks[k + 1], (--s->task_count - k) * sizeof(s->tasks[0]));
			return true;
		}
	}
	return false;
}

bool daemon_terminate_ike(struct node *n, uint32_t ike, uint64_t order)
{
	struct ike *s = ike_find(n, ike);

	return s && task_queue(n, s, T_DELETE_IKE, 0, order);
}

void daemon_kill(struct node *n, int64_t back_after)
{
	bool keep = n->kernel_survives && !n->user_space;

	if (!n->daemon_up)
		return;
	TRACE(n->w, "node %u: IKE daemon killed%s", n->index, keep ? ", its kernel keeps the SAs" : "");
	n->daemon_up = false;
	n->life++;
	n->ike_count = n->child_count = 0;
	n->down_until = n->w->now + back_after;
	if (!keep)
		plane_flush(n, END_RESTART, !n->user_space);
	gateway_told_daemon(n);
	post(n->w, back_after, EV_DAEMON_START, n->index, 0, 0, n->life, NULL);
}

void daemon_start(struct node *n)
{
	if (!n->machine_up || n->daemon_up)
		return;
	TRACE(n->w, "node %u: IKE daemon starts", n->index);
	n->daemon_up = true;
	n->daemon_boot = n->w->now;
	n->next_ike = n->next_child = 1; /* as charon's: ids of the former life come again */
	gateway_told_daemon(n);
	for (uint8_t i = 0; i < n->w->node_count; i++)
		if (n->setup[i].exists && n->setup[i].start)
			post(n->w, 10 * MS, EV_START_CONNECTION, n->index, i, 0, n->life, NULL);
}

static void dpd(struct node *n, const struct event *e)
{
	struct ike *s = ike_find(n, e->a);
	int64_t every = s ? n->setup[s->peer].dpd : 0;

	if (!every || s->state == IKE_REKEYED)
		return;
	if (s->state == IKE_ESTABLISHED && n->w->now - s->heard >= every && !s->task_count)
		task_queue(n, s, T_DPD, 0, 0);
	post(n->w, every, EV_DPD, n->index, e->a, 0, n->life, NULL);
}

void daemon_event(struct node *n, const struct event *e)
{
	struct child *c;
	struct ike *s;
	const char *why;

	if (e->kind == EV_DAEMON_START) {
		if (e->c == n->life)
			daemon_start(n);
		return;
	}
	if (!n->daemon_up || e->c != n->life)
		return;
	switch (e->kind) {
	case EV_TASK_RETRY:
		task_retry(n, e);
		break;
	case EV_START_CONNECTION:
		if (!child_of_peer(n, (uint8_t)e->a))
			daemon_initiate(n, (uint8_t)e->a, 0, &why);
		break;
	case EV_CHILD_REKEY:
		c = child_find(n, e->a);
		if (c && !daemon_rekey(n, e->a, 0) && c->state == CHILD_INSTALLED)
			post(n->w, 5 * SEC, EV_CHILD_REKEY, n->index, e->a, 0, n->life, NULL);
		break;
	case EV_CHILD_DESTROY:
		child_remove(n, e->a, END_REKEYED, false);
		break;
	case EV_DPD:
		dpd(n, e);
		break;
	case EV_IKE_REKEY:
		s = ike_find(n, e->a);
		if (s && s->state == IKE_ESTABLISHED)
			task_queue(n, s, T_REKEY_IKE, 0, 0);
		break;
	case EV_QM2_RETRY:
		c = child_find(n, e->a);
		s = c ? ike_find(n, c->ike_id) : NULL;
		if (!c || c->state != CHILD_CREATED)
			break;
		if (!s || e->b >= 4) {
			child_remove(n, e->a, END_LOST, false);
			break;
		}
		net_message(n->w, &s->answer);
		post(n->w, retransmit[e->b], EV_QM2_RETRY, n->index, e->a, e->b + 1, n->life, NULL);
		break;
	default:
		break;
	}
}
