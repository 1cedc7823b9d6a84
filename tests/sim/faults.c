/* SPDX-License-Identifier: MIT */
/* What breaks. `node` is R, the end that will miss something; `peer` is the other one. */
#include "sim.h"

const char *fault_name(enum fault_kind kind)
{
	static const char *const names[FAULTS] = {
		"daemon-restart", "reboot", "delete-lost", "forget", "lose", "flush", "collision", "expire", "partition", "rekey",
		"ike-rekey", "terminate", "both-rekey", "core-crash", "act-crash", "sense-crash", "wall-step", "reconfigure",
		"overwhelmed", "orphans", "second-ike", "encap", "deaf", "lose-all",
	};

	return names[kind];
}

void fault_add(struct world *w, int64_t at, enum fault_kind kind, uint8_t node, uint8_t peer, int64_t length)
{
	if (w->fault_count == FAULTS_MAX)
		return;
	w->faults[w->fault_count] = (struct fault){ .at = at, .kind = (uint8_t)kind, .node = node, .peer = peer, .length = length };
	post(w, at - w->now, EV_FAULT, node, w->fault_count++, 0, 0, NULL);
}

static void reboot(struct node *n, struct fault *f)
{
	if (n->machine_up) {
		n->machine_up = false;
		n->daemon_up = false;
		n->life++;
		n->ike_count = n->child_count = 0;
		plane_flush(n, END_RESTART, false);
		gateway_machine_down(n);
		post(n->w, f->length, EV_FAULT, n->index, (uint32_t)(f - n->w->faults), 0, 0, NULL);
		return;
	}
	n->machine_up = true;
	n->machine_boot = n->w->now;
	gateway_machine_up(n);
	post(n->w, 500 * MS, EV_DAEMON_START, n->index, 0, 0, n->life, NULL);
}

/* Both directions; of a deaf one only what comes from the peer's side to it passes. */
static void partition(struct world *w, struct fault *f)
{
	bool on = !w->net.blocked[f->node][f->peer];

	w->net.blocked[f->node][f->peer] = on;
	if (f->kind == FAULT_PARTITION)
		w->net.blocked[f->peer][f->node] = on;
	w->net.disturbed = w->now + (on ? f->length : 0);
	if (on)
		post(w, f->length, EV_FAULT, f->node, (uint32_t)(f - w->faults), 0, 0, NULL);
}

static void delete_lost(struct node *n, uint8_t peer)
{
	struct child *c = child_of_peer(n, peer);
	struct ike *s = ike_of_peer(n, peer);

	if (!s)
		return;
	if (n->setup[peer].version == 1 && c) { /* unacknowledged: nobody ever notices */
		hint_tell(n, HINT_DELETE_SENT, c->spi_in, s->id);
		child_remove(n, c->id, END_DELETED, true);
		return;
	}
	hint_tell(n, HINT_DELETE_SENT, 0, s->id); /* terminated with force */
	ike_remove(n, s->id, true, END_DELETED);
}

static void expire(struct node *n, uint8_t peer)
{
	struct child *c = child_of_peer(n, peer);
	struct sa *in = c ? plane_in(n, c->spi_in) : NULL;

	if (!in)
		return;
	n->w->net.ike_blocked[n->index][peer] = true; /* and its DELETE is lost */
	plane_expire(n, in->spi, false, in->added);
	n->w->net.ike_blocked[n->index][peer] = false;
}

static void second_ike(struct node *n, uint8_t peer)
{
	struct ike *s = ike_add(n, peer, n->setup[peer].version, rnd(n->w) | 1, true);

	if (s)
		task_queue(n, s, T_AUTH, 0, 0);
}

static void lose_all(struct node *n, uint8_t peer)
{
	for (uint32_t i = n->child_count; i-- > 0;)
		if (n->children[i].peer == peer)
			child_remove(n, n->children[i].id, END_LOST, false);
}

static void encap(struct node *n, uint8_t peer)
{
	for (uint32_t i = 0; i < n->sa_count; i++)
		if (n->sas[i].peer == peer) {
			n->sas[i].encap = !n->sas[i].encap;
			if (n->g.enabled && !n->user_space)
				gateway_told_kernel(n, KERNEL_UPDATED, &n->sas[i]);
		}
}

static void strike_ipsec(struct world *w, const struct fault *f)
{
	struct node *n = &w->nodes[f->node], *peer = &w->nodes[f->peer];
	struct child *c = child_of_peer(n, f->peer), *d = child_of_peer(peer, f->node);
	struct ike *s = ike_of_peer(n, f->peer);

	switch (f->kind) {
	case FAULT_DELETE_LOST:
		delete_lost(n, f->peer);
		break;
	case FAULT_FORGET:
		if (c)
			plane_remove(n, c->spi_in, false, END_FORGOTTEN);
		break;
	case FAULT_LOSE:
		if (c)
			child_remove(n, c->id, END_LOST, false);
		break;
	case FAULT_LOSE_ALL:
		lose_all(n, f->peer);
		break;
	case FAULT_FLUSH:
		plane_flush(n, END_FLUSHED, true);
		break;
	case FAULT_COLLISION:
		if (c && n->setup[f->peer].version == 2) {
			peer->install_bug = true;
			daemon_rekey(n, c->id, 0);
		}
		break;
	case FAULT_EXPIRE:
		expire(n, f->peer);
		break;
	case FAULT_BOTH_REKEY:
		if (d)
			daemon_rekey(peer, d->id, 0);
		__attribute__((fallthrough));
	case FAULT_REKEY:
		if (c)
			daemon_rekey(n, c->id, 0);
		break;
	case FAULT_IKE_REKEY:
		if (s && s->version == 2)
			task_queue(n, s, T_REKEY_IKE, 0, 0);
		break;
	case FAULT_TERMINATE:
		if (c)
			daemon_terminate_child(n, c->id, 0);
		break;
	case FAULT_SECOND_IKE:
		second_ike(n, f->peer);
		break;
	case FAULT_ENCAP:
		encap(n, f->peer);
		break;
	default:
		break;
	}
}

void fault_strike(struct world *w, const struct fault *fault)
{
	struct fault *f = &w->faults[fault - w->faults];
	struct node *n = &w->nodes[f->node];

	TRACE(w, "fault: %s at node %u, peer %u, length %.3f s", fault_name(f->kind), f->node, f->peer, (double)f->length / 1e9);
	switch (f->kind) {
	case FAULT_REBOOT:
		reboot(n, f);
		break;
	case FAULT_PARTITION:
	case FAULT_DEAF:
		partition(w, f);
		break;
	case FAULT_CORE_CRASH:
		gateway_crash_core(n, f->length);
		break;
	case FAULT_ACT_CRASH:
		gateway_crash_act(n, f->length);
		break;
	case FAULT_SENSE_CRASH:
		gateway_crash_sense(n, f->length);
		break;
	case FAULT_WALL_STEP:
		n->wall_offset += f->length;
		break;
	case FAULT_RECONFIGURE:
		if (n->g.core && core_reconfigure(n->g.core, n->g.config, node_moment(n)))
			abort();
		break;
	case FAULT_OVERWHELMED:
		n->g.overwhelmed = !n->g.overwhelmed;
		n->g.overwhelmed_at = w->now;
		if (n->g.overwhelmed)
			post(w, f->length, EV_FAULT, f->node, (uint32_t)(f - w->faults), 0, 0, NULL);
		break;
	case FAULT_ORPHANS:
		n->kernel_survives = true;
		__attribute__((fallthrough));
	case FAULT_DAEMON_RESTART:
		if (n->machine_up)
			daemon_kill(n, f->length);
		n->kernel_survives = false;
		break;
	default:
		if (n->machine_up && n->daemon_up)
			strike_ipsec(w, f);
		break;
	}
}
