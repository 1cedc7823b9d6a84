/* SPDX-License-Identifier: MIT */
/*
 * The exchanges, as far as SAs come and go by them. IKEv2: requests with answers, CREATE_CHILD_SA with its collisions,
 * DELETE with the old SA kept for the overlap (RFC 7296 2.8). IKEv1: quick mode in three messages, DELETE without an answer.
 */
#include "sim.h"

#define OVERLAP (5 * SEC) /* charon.delete_rekeyed_delay */

static struct message message_of(const struct node *n, const struct ike *s, enum message_kind kind)
{
	return (struct message){ .kind = kind, .from = n->index, .to = s->peer, .version = s->version, .ike = s->wire };
}

static void request(struct node *n, struct ike *s, struct message m)
{
	m.mid = s->mid_ours++;
	s->sent = m;
	net_message(n->w, &m);
	post(n->w, 4 * SEC, EV_TASK_RETRY, n->index, s->id, s->generation, n->life, NULL);
}

static void one_way(struct node *n, struct ike *s, struct message m)
{
	m.one_way = true;
	(void)s;
	net_message(n->w, &m);
}

static void task_keys(struct node *n, struct task *t)
{
	t->spi = plane_spi(n);
	t->key = (uint32_t)rnd(n->w);
	t->nonce = (uint32_t)rnd(n->w);
}

static void send_auth(struct node *n, struct ike *s)
{
	struct message m = message_of(n, s, M_AUTH);
	struct task *t = &s->tasks[0];

	task_keys(n, t);
	plane_add(n, s->peer, false, true, t->spi, t->key, 0, n->w->now + 170 * SEC);
	m.initial_contact = !n->setup[s->peer].unique_never && !ike_of_peer(n, s->peer);
	m.spi = t->spi;
	m.key = t->key;
	request(n, s, m);
}

static void send_create(struct node *n, struct ike *s)
{
	struct message m = message_of(n, s, M_CREATE);
	struct task *t = &s->tasks[0];
	struct child *old = t->kind == T_REKEY ? child_find(n, t->child) : NULL;

	if (t->kind == T_REKEY && (!old || old->state != CHILD_INSTALLED)) {
		task_done(n, s, OUTCOME_FAILED);
		return;
	}
	task_keys(n, t);
	plane_add(n, s->peer, false, true, t->spi, t->key, 0, n->w->now + 170 * SEC);
	if (old) {
		old->state = CHILD_REKEYING;
		m.rekeyed = old->spi_in;
	}
	m.spi = t->spi;
	m.key = t->key;
	m.nonce = t->nonce;
	request(n, s, m);
}

static void send_delete_child(struct node *n, struct ike *s)
{
	struct message m = message_of(n, s, M_DELETE_CHILD);
	struct child *c = child_find(n, s->tasks[0].child);

	if (!c || c->ike_id != s->id) {
		task_done(n, s, OUTCOME_DONE);
		return;
	}
	m.spi = c->spi_in;
	hint_tell(n, HINT_DELETE_SENT, c->spi_in, s->id);
	if (s->version == 1) { /* unacknowledged */
		one_way(n, s, m);
		child_remove(n, c->id, END_DELETED, c->state != CHILD_REKEYED);
		task_done(n, s, OUTCOME_DONE);
		return;
	}
	if (c->state != CHILD_REKEYED)
		c->state = CHILD_DELETING;
	else if (c->out_installed) { /* the successor carries the traffic from here on */
		plane_remove(n, c->spi_out, true, END_REKEYED);
		c->out_installed = false;
	}
	request(n, s, m);
}

/* The plugin's: the SPI may have become ours while it waited. IKEv1 acknowledges nothing. */
static void send_delete_spi(struct node *n, struct ike *s)
{
	struct message m = message_of(n, s, M_DELETE_CHILD);
	uint64_t order = s->tasks[0].order;
	bool ours = false;

	m.spi = s->tasks[0].spi;
	for (uint32_t i = 0; i < n->child_count; i++) {
		ours |= n->children[i].ike_id == s->id && n->children[i].spi_in == m.spi;
		if (n->children[i].ike_id == s->id && n->children[i].spi_out == m.spi)
			violate(n->w, "target", "node %u sends a DELETE for SPI %08x, which it sends with", n->index, m.spi);
	}
	if (ours) {
		act_answered(n, order, PLUGIN_OURS, 0);
		task_done(n, s, OUTCOME_REFUSED);
		return;
	}
	hint_tell(n, HINT_DELETE_SENT, m.spi, s->id);
	if (s->version == 1) {
		one_way(n, s, m);
		act_answered(n, order, PLUGIN_SENT, 0);
		task_done(n, s, OUTCOME_DONE);
		return;
	}
	request(n, s, m);
}

void exchange_send(struct node *n, struct ike *s)
{
	uint32_t id = s->id;

	switch (s->tasks[0].kind) {
	case T_AUTH:
		send_auth(n, s);
		break;
	case T_CREATE:
	case T_REKEY:
		send_create(n, s);
		break;
	case T_DELETE_CHILD:
		send_delete_child(n, s);
		break;
	case T_DELETE_SPI:
		send_delete_spi(n, s);
		break;
	case T_DELETE_IKE:
		if (s->version == 1) {
			one_way(n, s, message_of(n, s, M_DELETE_IKE));
			ike_remove(n, id, true, END_DELETED);
			break;
		}
		if (s->state != IKE_REKEYED)
			s->state = IKE_DELETING;
		request(n, s, message_of(n, s, M_DELETE_IKE));
		break;
	case T_REKEY_IKE: {
		struct message m = message_of(n, s, M_REKEY_IKE);

		m.new_ike = rnd(n->w) | 1;
		s->state = IKE_REKEYING;
		request(n, s, m);
		break;
	}
	case T_DPD:
		request(n, s, message_of(n, s, M_DPD));
		break;
	}
}

/* --- The responder ------------------------------------------------------------------------------------------------- */

static void answer(struct node *n, struct ike *s, struct message m)
{
	m.is_response = true;
	s->answer = m;
	s->answered_any = true;
	net_message(n->w, &m);
}

static struct message answer_to(const struct message *m)
{
	struct message a = *m;

	a.is_response = true;
	a.from = m->to;
	a.to = m->from;
	a.spi = 0;
	a.error = E_NONE;
	return a;
}

static void hear_auth(struct node *n, const struct message *m)
{
	struct ike *s = ike_of_wire(n, m->ike);
	struct message a = answer_to(m);
	struct child *c;

	if (s) {
		if (s->answered_any && !s->initiator)
			net_message(n->w, &s->answer); /* a retransmission */
		return;
	}
	if (!n->setup[m->from].exists)
		return;
	if (m->initial_contact) /* RFC 7296 2.4 */
		for (uint32_t i = n->ike_count; i-- > 0;)
			if (i < n->ike_count && n->ikes[i].peer == m->from && n->ikes[i].state != IKE_CONNECTING) {
				hint_tell(n, HINT_INITIAL_CONTACT, 0, n->ikes[i].id);
				ike_remove(n, n->ikes[i].id, true, END_DELETED);
			}
	s = ike_add(n, m->from, m->version, m->ike, false);
	if (!s)
		return;
	s->state = IKE_ESTABLISHED;
	s->mid_theirs = 1;
	ike_event_tell(n, IKE_UP, s, NULL);
	if (m->spi) {
		c = child_add(n, s, plane_spi(n), m->spi, m->key, false);
		if (c) {
			child_install(n, c, true, true);
			a.spi = c->spi_in;
			child_event_tell(n, CHILD_UP, c, NULL);
		}
	}
	answer(n, s, a);
}

static void hear_quick_mode(struct node *n, struct ike *s, const struct message *m)
{
	struct message a = answer_to(m);
	struct child *c = child_add(n, s, plane_spi(n), m->spi, m->key, false);

	if (!c)
		return;
	c->state = CHILD_CREATED;
	c->nonce = m->nonce;
	plane_add(n, s->peer, false, true, c->spi_in, c->key, c->id, n->w->now + 170 * SEC);
	a.spi = c->spi_in;
	post(n->w, 4 * SEC, EV_QM2_RETRY, n->index, c->id, 0, n->life, NULL);
	answer(n, s, a);
}

static struct child *mark_rekeyed_v1(struct node *n, const struct child *c)
{
	for (uint32_t i = n->child_count; i-- > 0;) {
		struct child *old = &n->children[i];

		if (old->id != c->id && old->peer == c->peer && (old->state == CHILD_INSTALLED || old->state == CHILD_REKEYING)) {
			child_rekeyed(n, old); /* stays until it expires: IKEv1 deletes nothing */
			old->successor = c->id;
			return old;
		}
	}
	return NULL;
}

static void hear_qm3(struct node *n, const struct message *m)
{
	for (uint32_t i = 0; i < n->child_count; i++) {
		struct child *c = &n->children[i], *old;

		if (c->state != CHILD_CREATED || c->key != m->key)
			continue;
		c->state = CHILD_INSTALLED;
		c->installed = n->w->now;
		child_install(n, c, true, true);
		old = mark_rekeyed_v1(n, c);
		child_event_tell(n, old ? CHILD_REKEY : CHILD_UP, old ? old : c, old ? c : NULL);
		return;
	}
}

static void hear_create(struct node *n, struct ike *s, const struct message *m)
{
	struct message a = answer_to(m);
	struct child *old = m->rekeyed ? child_of_out(n, s, m->rekeyed) : NULL, *c;
	uint32_t old_id = old ? old->id : 0;

	if (s->version == 1) {
		hear_quick_mode(n, s, m);
		return;
	}
	if (m->rekeyed && !old)
		a.error = E_CHILD_NOT_FOUND; /* RFC 7296 2.25.1 */
	else if (old && old->state != CHILD_INSTALLED && old->state != CHILD_REKEYING)
		a.error = E_TEMPORARY;
	if (a.error != E_NONE) {
		if (a.error == E_TEMPORARY)
			hint_tell(n, HINT_COLLISION, 0, s->id);
		answer(n, s, a);
		return;
	}
	c = child_add(n, s, plane_spi(n), m->spi, m->key, false);
	if (!c)
		return;
	old = child_find(n, old_id);
	c->nonce = m->nonce;
	child_install(n, c, true, !old); /* of a rekey: sends on the old one until its DELETE comes */
	if (old) {
		c->rekeys = old->id;
		old->successor = c->id;
		if (old->state == CHILD_INSTALLED)
			child_rekeyed(n, old);
	}
	a.spi = c->spi_in;
	answer(n, s, a);
	child_event_tell(n, old ? CHILD_REKEY : CHILD_UP, old ? old : c, old ? c : NULL);
}

static void hear_delete_child(struct node *n, struct ike *s, const struct message *m)
{
	struct message a = answer_to(m);
	struct child *c = child_of_out(n, s, m->spi);
	uint8_t peer = s->peer;
	uint32_t ike_id = s->id;

	if (!c) {
		hint_tell(n, HINT_DELETE_UNKNOWN, m->spi, s->id);
		if (n->odd_answers) { /* it claims to have closed an SA that nobody named, and goes on with it */
			for (uint32_t i = 0; i < n->child_count; i++)
				a.spi = n->children[i].ike_id == s->id ? n->children[i].spi_in : a.spi;
		}
	} else {
		hint_tell(n, HINT_DELETE_RECEIVED, m->spi, s->id);
		a.spi = c->spi_in;
		if (s->version == 2 && (c->state == CHILD_REKEYED || c->successor)) {
			struct child *next = child_find(n, c->successor);

			child_rekeyed(n, c);
			if (next && n->install_bug)
				n->install_bug = false; /* C2: strongswan#1896 */
			else if (next)
				child_install(n, next, false, true);
			if (!next || next->out_installed) {
				plane_remove(n, c->spi_out, true, END_REKEYED);
				c->out_installed = false;
			}
			if (!next || next->out_installed)
				post(n->w, OVERLAP, EV_CHILD_DESTROY, n->index, c->id, 0, n->life, NULL);
		} else {
			child_remove(n, c->id, END_DELETED, c->state != CHILD_REKEYED);
			if (n->setup[peer].close_start)
				post(n->w, 1 * MS, EV_START_CONNECTION, n->index, peer, 0, n->life, NULL);
		}
	}
	s = ike_find(n, ike_id);
	if (s && !m->one_way)
		answer(n, s, a);
}

static void move_children(struct node *n, uint32_t from, uint32_t to)
{
	for (uint32_t i = 0; i < n->child_count; i++)
		if (n->children[i].ike_id == from)
			n->children[i].ike_id = to;
}

static void hear_rekey_ike(struct node *n, struct ike *s, const struct message *m)
{
	struct message a = answer_to(m);
	uint32_t old_id = s->id;
	struct ike *next;

	if (s->state != IKE_ESTABLISHED || s->task_count) {
		a.error = E_TEMPORARY;
		answer(n, s, a);
		return;
	}
	next = ike_add(n, s->peer, 2, m->new_ike, false);
	if (!next)
		return;
	s = ike_find(n, old_id);
	next->state = IKE_ESTABLISHED;
	s->state = IKE_REKEYED;
	move_children(n, s->id, next->id);
	answer(n, s, a);
	ike_event_tell(n, IKE_REKEY, s, next);
}

static void hear_request(struct node *n, const struct message *m)
{
	struct ike *s;

	if (m->kind == M_AUTH) {
		hear_auth(n, m);
		return;
	}
	s = ike_of_wire(n, m->ike);
	if (!s)
		return;
	s->heard = n->w->now;
	if (m->kind == M_QM3) {
		hear_qm3(n, m);
		return;
	}
	if (!m->one_way) {
		if (m->mid + 1 == s->mid_theirs && s->answered_any && s->answer.mid == m->mid)
			net_message(n->w, &s->answer);
		if (m->mid != s->mid_theirs)
			return;
		s->mid_theirs++;
	}
	switch (m->kind) {
	case M_CREATE:
		hear_create(n, s, m);
		break;
	case M_DELETE_CHILD:
		hear_delete_child(n, s, m);
		break;
	case M_REKEY_IKE:
		hear_rekey_ike(n, s, m);
		break;
	case M_DELETE_IKE:
		if (!m->one_way)
			answer(n, s, answer_to(m));
		ike_remove(n, s->id, true, END_DELETED);
		break;
	default:
		answer(n, s, answer_to(m));
		break;
	}
}

/* --- The initiator ------------------------------------------------------------------------------------------------- */

static void confirm_quick_mode(struct node *n, struct ike *s, const struct child *c)
{
	struct message m = message_of(n, s, M_QM3);

	m.key = c->key;
	one_way(n, s, m);
}

static void got_auth(struct node *n, struct ike *s, const struct message *m)
{
	struct task *t = &s->tasks[0];
	struct child *c;

	s->state = IKE_ESTABLISHED;
	s->established = n->w->now;
	ike_event_tell(n, IKE_UP, s, NULL);
	if (m->spi) {
		c = child_add(n, s, t->spi, m->spi, t->key, true);
		if (c) {
			child_install(n, c, true, true);
			child_event_tell(n, CHILD_UP, c, NULL);
		}
	}
	task_done(n, s, OUTCOME_DONE);
}

static void rekey_refused(struct node *n, struct ike *s, const struct message *m)
{
	struct task t = s->tasks[0];
	struct child *old = child_find(n, t.child);
	uint32_t id = s->id;

	plane_remove(n, t.spi, false, END_LOST); /* the larval one */
	if (m->error == E_CHILD_NOT_FOUND) {
		hint_tell(n, HINT_CHILD_NOT_FOUND, old ? old->spi_in : 0, s->id);
		child_remove(n, t.child, END_DELETED, true);
		s->tasks[0].order = 0;
		if (s->task_count < TASKS_MAX)
			s->tasks[s->task_count++] = (struct task){ .kind = T_CREATE, .order = t.order };
		task_done(n, s, OUTCOME_DONE);
		return;
	}
	hint_tell(n, HINT_COLLISION, 0, s->id);
	if (old && old->successor) {
		child_rekeyed(n, old); /* the peer was faster: its DELETE will come */
	} else if (old) {
		old->state = CHILD_INSTALLED;
		post(n->w, rnd_between(n->w, 5 * SEC, 15 * SEC), EV_CHILD_REKEY, n->index, old->id, 0, n->life, NULL);
	}
	task_done(n, ike_find(n, id), OUTCOME_FAILED);
}

static struct child *rival_of(struct node *n, uint32_t old)
{
	for (uint32_t i = 0; i < n->child_count; i++)
		if (n->children[i].rekeys == old && !n->children[i].mine)
			return &n->children[i];
	return NULL;
}

static void got_create(struct node *n, struct ike *s, const struct message *m)
{
	struct task t = s->tasks[0];
	struct child *old, *rival, *c;
	uint32_t ike_id = s->id, new_id;
	bool lost;

	if (m->error != E_NONE) {
		rekey_refused(n, s, m);
		return;
	}
	c = child_add(n, s, t.spi, m->spi, t.key, true);
	if (!c) {
		task_done(n, s, OUTCOME_FAILED);
		return;
	}
	new_id = c->id;
	old = t.kind == T_REKEY ? child_find(n, t.child) : NULL;
	rival = old && s->version == 2 ? rival_of(n, old->id) : NULL;
	lost = rival && t.nonce < rival->nonce; /* RFC 7296 2.8.1: the lowest nonce loses, who made it deletes it */
	child_install(n, c, true, !lost);
	if (s->version == 1) {
		confirm_quick_mode(n, s, c);
		old = mark_rekeyed_v1(n, c);
	}
	if (old && s->version == 2) {
		c->rekeys = old->id;
		if (!lost)
			old->successor = c->id;
		child_rekeyed(n, old);
	}
	if (lost) {
		child_rekeyed(n, c);
		hint_tell(n, HINT_COLLISION, 0, s->id);
	} else {
		child_event_tell(n, old ? CHILD_REKEY : CHILD_UP, old ? old : c, old ? c : NULL);
	}
	if (s->version == 2 && old && s->task_count < TASKS_MAX)
		s->tasks[s->task_count++] = (struct task){ .kind = T_DELETE_CHILD, .child = lost ? new_id : old->id };
	task_done(n, ike_find(n, ike_id), OUTCOME_DONE);
}

static void got_delete_child(struct node *n, struct ike *s, const struct message *m)
{
	struct child *c = child_find(n, s->tasks[0].child);

	if (s->tasks[0].kind == T_DELETE_SPI) {
		act_answered(n, s->tasks[0].order, m->spi ? PLUGIN_PEER_OWNED : PLUGIN_PEER_HAD_NONE, m->spi);
		task_done(n, s, OUTCOME_DONE);
		return;
	}
	if (c && c->state == CHILD_REKEYED)
		post(n->w, OVERLAP, EV_CHILD_DESTROY, n->index, c->id, 0, n->life, NULL);
	else if (c)
		child_remove(n, c->id, END_DELETED, true);
	task_done(n, s, OUTCOME_DONE);
}

static void got_rekey_ike(struct node *n, struct ike *s, const struct message *m)
{
	uint32_t old_id = s->id;
	struct ike *next;

	if (m->error != E_NONE) {
		s->state = IKE_ESTABLISHED;
		post(n->w, 10 * SEC, EV_IKE_REKEY, n->index, s->id, 0, n->life, NULL);
		task_done(n, s, OUTCOME_FAILED);
		return;
	}
	next = ike_add(n, s->peer, 2, m->new_ike, true);
	if (!next) {
		task_done(n, s, OUTCOME_FAILED);
		return;
	}
	s = ike_find(n, old_id);
	next->state = IKE_ESTABLISHED;
	s->state = IKE_REKEYED;
	move_children(n, old_id, next->id);
	for (uint32_t i = 1; i < s->task_count; i++) /* what waits goes over to the new one */
		next->tasks[next->task_count++] = s->tasks[i];
	s->task_count = 1;
	ike_event_tell(n, IKE_REKEY, s, next);
	s->tasks[s->task_count++] = (struct task){ .kind = T_DELETE_IKE };
	task_next(n, next);
	s = ike_find(n, old_id);
	if (s)
		task_done(n, s, OUTCOME_DONE);
}

static void hear_response(struct node *n, const struct message *m)
{
	struct ike *s = ike_of_wire(n, m->ike);
	struct child *c;

	if (!s)
		return;
	s->heard = n->w->now;
	if (!s->active || m->mid != s->sent.mid || m->kind != s->sent.kind) {
		if (s->version == 1 && m->kind == M_CREATE) /* QM2 again: our third message was lost */
			for (uint32_t i = 0; i < n->child_count; i++)
				if (n->children[i].key == m->key) {
					c = &n->children[i];
					confirm_quick_mode(n, s, c);
					break;
				}
		return;
	}
	switch (m->kind) {
	case M_AUTH:
		got_auth(n, s, m);
		break;
	case M_CREATE:
		got_create(n, s, m);
		break;
	case M_DELETE_CHILD:
		got_delete_child(n, s, m);
		break;
	case M_REKEY_IKE:
		got_rekey_ike(n, s, m);
		break;
	case M_DELETE_IKE:
		ike_remove(n, s->id, true, END_DELETED);
		break;
	default:
		task_done(n, s, OUTCOME_DONE);
		break;
	}
}

void exchange_message(struct node *n, const struct message *m)
{
	if (!n->machine_up || !n->daemon_up)
		return;
	if (m->is_response)
		hear_response(n, m);
	else
		hear_request(n, m);
}
