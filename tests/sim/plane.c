/* SPDX-License-Identifier: MIT */
/* The data plane: kernel or user-space SAs, ESP with sequence numbers and a replay window, traffic, and forgers. */
#include "sim.h"

uint32_t plane_spi(struct node *n)
{
	for (;;) {
		uint32_t spi = 0xc0000000u | ((uint32_t)rnd(n->w) & 0x0fffffffu);

		if (!plane_in(n, spi))
			return spi;
	}
}

struct sa *plane_in(struct node *n, uint32_t spi)
{
	for (uint32_t i = 0; i < n->sa_count; i++)
		if (n->sas[i].spi == spi && !n->sas[i].outbound)
			return &n->sas[i];
	return NULL;
}

struct sa *plane_out_spi(struct node *n, uint32_t spi)
{
	for (uint32_t i = 0; i < n->sa_count; i++)
		if (n->sas[i].spi == spi && n->sas[i].outbound)
			return &n->sas[i];
	return NULL;
}

/* The newest, as the kernel's xfrm_state_find() prefers it. */
struct sa *plane_out(struct node *n, uint8_t peer)
{
	struct sa *best = NULL;

	for (uint32_t i = 0; i < n->sa_count; i++)
		if (n->sas[i].outbound && n->sas[i].peer == peer && (!best || n->sas[i].added >= best->added))
			best = &n->sas[i];
	return best;
}

struct kernel_sa plane_view(const struct node *n, const struct sa *sa)
{
	const struct spimend_address *peer = &n->w->nodes[sa->peer].address;
	struct kernel_sa v = { .key = sa_key_of(sa->outbound ? peer : &n->address, 50, sa->spi),
			       .src = sa->outbound ? n->address : *peer,
			       .reqid = sa->peer + 1u, .encap_udp = sa->encap, .larval = sa->larval, .outbound = sa->outbound,
			       .packets = sa->packets, .bytes = sa->packets * 100,
			       .replay_highest = sa->outbound ? 0 : sa->sequence };

	return v;
}

static void tell_kernel(struct node *n, enum kernel_change change, const struct sa *sa)
{
	if (!n->user_space && n->g.enabled)
		gateway_told_kernel(n, change, sa);
}

void plane_add(struct node *n, uint8_t peer, bool outbound, bool larval, uint32_t spi, uint32_t key, uint32_t child,
	       int64_t expires)
{
	struct sa *sa = outbound ? plane_out_spi(n, spi) : plane_in(n, spi);
	bool was_larval = sa && sa->larval;

	if (!sa) {
		if (n->sa_count == SAS_MAX)
			return;
		sa = &n->sas[n->sa_count++];
	}
	*sa = (struct sa){ .outbound = outbound, .larval = larval, .encap = n->user_space, .peer = peer, .spi = spi, .key = key,
			   .child = child, .added = n->w->now, .expires = expires };
	if (expires)
		post(n->w, expires - n->w->now, EV_SA_EXPIRE, n->index, spi, outbound, (uint64_t)sa->added, NULL);
	if (!larval)
		tell_kernel(n, was_larval ? KERNEL_UPDATED : KERNEL_ADDED, sa);
}

void plane_remove(struct node *n, uint32_t spi, bool outbound, enum end_reason why)
{
	struct sa *sa = outbound ? plane_out_spi(n, spi) : plane_in(n, spi);
	struct sa gone;

	if (!sa)
		return;
	gone = *sa;
	*sa = n->sas[--n->sa_count];
	if (!gone.outbound && !gone.larval)
		oracle_buried(n, &gone, why);
	tell_kernel(n, KERNEL_DELETED, &gone);
}

void plane_flush(struct node *n, enum end_reason why, bool say)
{
	for (uint32_t i = 0; i < n->sa_count; i++) /* a larval one as well: the peer may send on it (T1b) */
		if (!n->sas[i].outbound)
			oracle_buried(n, &n->sas[i], why);
	n->sa_count = 0;
	if (say)
		tell_kernel(n, KERNEL_FLUSHED, NULL);
}

void plane_expire(struct node *n, uint32_t spi, bool outbound, int64_t added)
{
	struct sa *sa = outbound ? plane_out_spi(n, spi) : plane_in(n, spi);
	struct sa gone;
	struct child *c = NULL;

	if (!sa || sa->added != added)
		return;
	gone = *sa;
	*sa = n->sas[--n->sa_count];
	if (!outbound && !gone.larval)
		oracle_buried(n, &gone, END_EXPIRED);
	tell_kernel(n, KERNEL_EXPIRED_HARD, &gone);
	TRACE(n->w, "node %u: %s SA %08x expires", n->index, outbound ? "outbound" : "inbound", spi);
	if (outbound || !n->daemon_up)
		return;
	for (uint32_t i = 0; i < n->child_count; i++)
		if (n->children[i].spi_in == spi)
			c = &n->children[i];
	if (!c)
		return;
	hint_tell(n, HINT_EXPIRED, spi, c->ike_id);
	c->in_installed = false;
	if (c->state == CHILD_REKEYED || !daemon_terminate_child(n, c->id, 0))
		child_remove(n, c->id, END_EXPIRED, c->state != CHILD_REKEYED);
}

/* --- Packets ------------------------------------------------------------------------------------------------------- */

static void launch(struct world *w, const struct packet *p)
{
	int copies = chance(w, w->net.duplicate) ? 2 : 1;

	if (!net_passes(w, p->from, p->to, false))
		return;
	while (copies--) {
		struct packet *copy = malloc(sizeof(*copy));

		if (!copy)
			abort();
		*copy = *p;
		post(w, net_delay(w), EV_PACKET, p->to, 0, 0, 0, copy);
	}
}

void plane_traffic(struct node *n, uint8_t peer)
{
	struct world *w = n->w;
	int64_t gap = n->setup[peer].gap;
	struct sa *out = n->machine_up ? plane_out(n, peer) : NULL;

	if (!gap)
		return;
	post(w, gap * 3 / 4 + rnd_between(w, 0, gap / 2), EV_TRAFFIC, n->index, peer, 0, 0, NULL);
	if (out) {
		struct packet p = { .from = n->index, .to = peer, .genuine = true, .encap = out->encap, .spi = out->spi,
				    .sequence = ++out->sequence, .key = out->key };

		out->packets++;
		w->sent++;
		oracle_sent(n, peer);
		launch(w, &p);
	}
}

/* RFC 4303 3.4.3 */
static bool replay_accepts(struct sa *sa, uint32_t sequence)
{
	if (sequence > sa->sequence) {
		uint32_t ahead = sequence - sa->sequence;

		sa->window = ahead >= 64 ? 1 : sa->window << ahead | 1;
		sa->sequence = sequence;
		return true;
	}
	if (sa->sequence - sequence >= 64 || sa->window & UINT64_C(1) << (sa->sequence - sequence))
		return false;
	sa->window |= UINT64_C(1) << (sa->sequence - sequence);
	return true;
}

static void count(struct node *n, enum xfrm_counter counter)
{
	n->counters.value[counter]++;
}

void plane_packet(struct node *n, const struct packet *p)
{
	struct sa *sa;

	if (!n->machine_up)
		return;
	gateway_packet(n, p);
	sa = plane_in(n, p->spi);
	if (!sa || sa->larval) {
		count(n, XFRM_IN_NO_STATES);
		if (p->genuine)
			oracle_stray(n, p);
		else
			n->w->truth[n->index].forged++;
		return;
	}
	if (p->encap != sa->encap) {
		count(n, XFRM_IN_STATE_MISMATCH); /* T9 */
		return;
	}
	if (p->key != sa->key || !p->sequence) {
		count(n, XFRM_IN_STATE_PROTO_ERROR);
		return;
	}
	if (!replay_accepts(sa, p->sequence)) {
		count(n, XFRM_IN_STATE_SEQ_ERROR);
		return;
	}
	sa->packets++;
	if (n->w->now - sa->used > 5 * SEC)
		sa->resumed = n->w->now;
	sa->used = n->w->now;
	if (!p->genuine)
		return;
	if (n->w->forger.replays && !(p->sequence & 7)) { /* who never got through has a number that is new to R */
		n->w->recorded[rnd_below(n->w, RECORDED_MAX)] = *p;
		n->w->recorded_count = RECORDED_MAX;
	}
	oracle_delivered(n, p->from);
}

/* --- Forgers: nothing of theirs is genuine, whatever address it bears ---------------------------------------------- */

void plane_forge(struct world *w)
{
	struct forger *f = &w->forger;
	struct node *victim = &w->nodes[f->victim];
	struct packet p = { .from = NODE_NONE, .to = f->victim, .stranger = rnd_below(w, 4000), .spi = (uint32_t)rnd(w),
			    .sequence = rnd_below(w, 100000), .encap = victim->user_space };
	uint8_t peer = (uint8_t)(f->victim ? 0 : 1 + rnd_below(w, w->node_count - 1));
	uint32_t burst = 1 + rnd_below(w, 8);

	post(w, f->gap / 2 + rnd_between(w, 0, f->gap), EV_FORGE, 0, 0, 0, 0, NULL);
	if (f->notifies) { /* with the peer's address, or a stranger's; nobody can tell */
		struct plugin_message m = { .kind = PLUGIN_INVALID_SPI_OUTSIDE, .spi = (uint32_t)rnd(w),
					    .remote = rnd_below(w, 4) ? address_of_node(peer) : address_of_stranger(7) };

		gateway_told_report(victim, &m);
	}
	while (burst--) {
		struct packet q = p;

		switch (rnd_below(w, 4)) {
		case 0:
			if (!f->random_spis)
				continue;
			q.spi = (uint32_t)rnd(w);
			break;
		case 1:
			if (!f->peer_random)
				continue;
			q.from = peer;
			q.spi = 0xc0000000u | ((uint32_t)rnd(w) & 0x0fffffffu);
			break;
		case 2:
			if (!f->replays || !w->recorded_count)
				continue;
			q = w->recorded[rnd_below(w, RECORDED_MAX)];
			if (!q.key || q.to != f->victim)
				continue;
			q.genuine = false;
			break;
		default:
			if (!f->garbage || !victim->sa_count)
				continue;
			q.from = f->from_peer ? peer : NODE_NONE;
			q.spi = victim->sas[rnd_below(w, victim->sa_count)].spi;
			q.sequence = (uint32_t)rnd(w);
			break;
		}
		launch(w, &q);
	}
}
