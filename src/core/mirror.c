/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "core/core_private.h"

#define LIST_TIMEOUT_NS (10 * SECOND_NS)  /* a list that was asked for and does not come is asked for again */
#define LIST_GAP_NS (20 * SECOND_NS / 1000)
#define LIST_GAP_MOST_NS SECOND_NS
#define LIST_PERIOD_NS (5 * SECOND_NS)
#define LIST_QUICK_NS (SECOND_NS / 4)     /* while something may be wrong ... */
#define LIST_QUICK_SHARE 50               /* ... and so that lists take no more than this part of the daemon's time */
#define BOOT_SLACK_NS (SECOND_NS / 2)     /* charon tells whole seconds; no daemon starts twice in less */

/* --- tables -------------------------------------------------------------------------------------------------------- */

struct mirror_child *mirror_child(struct core *c, uint16_t daemon, uint32_t id)
{
	uint32_t at;

	return index_find(&c->child_by_id, core_hash_id(c, daemon, id), &at) ? &c->children[at] : NULL;
}

struct mirror_ike *mirror_ike(struct core *c, uint16_t daemon, uint32_t id)
{
	uint32_t at;

	return index_find(&c->ike_by_id, core_hash_id(c, daemon, id), &at) ? &c->ikes[at] : NULL;
}

struct mirror_child *mirror_child_of_spi(struct core *c, const struct sa_key *key)
{
	uint32_t at;

	return index_find(&c->child_by_spi, core_hash(c, key, sizeof(*key)), &at) ? &c->children[at] : NULL;
}

static bool ike_is_live(const struct ike_sa *ike)
{
	return ike->state == IKE_ESTABLISHED || ike->state == IKE_REKEYING;
}

static bool child_is_installed(const struct mirror_child *child)
{
	return child->sa.has_spi_in && !child->lost
	       && (child->sa.state == CHILD_INSTALLED || child->sa.state == CHILD_REKEYING || child->sa.state == CHILD_REKEYED);
}

struct end mirror_end(struct core *c, uint64_t connection, const struct spimend_address *address, uint16_t port)
{
	const struct mirror_connection *known = mirror_connection(c, connection);

	/* A peer with an address of its own is one peer, from whatever port. */
	return (struct end){ *address, known && known->is.dynamic_peer ? port : 0 };
}

static bool is_neighbour(const struct ike_sa *ike, const struct end *peer)
{
	return peer->port && ike->remote_port && ike->remote_port != peer->port;
}

static bool is_child_of(struct core *c, const struct mirror_child *child, uint64_t connection, const struct end *peer)
{
	const struct mirror_ike *ike = mirror_ike(c, child->sa.daemon, child->sa.ike_id);

	return child->sa.connection == connection && spimend_address_equal(&child->sa.remote, &peer->address)
	       && !(ike && is_neighbour(&ike->sa, peer));
}

struct mirror_ike *mirror_ike_with(struct core *c, uint16_t daemon, const struct end *peer, uint32_t id,
				   uint32_t *ret_count)
{
	struct mirror_ike *best = NULL;

	*ret_count = 0;
	for (uint32_t i = 0; i < c->ike_table.count; i++) {
		struct mirror_ike *ike = &c->ikes[i];

		if (!ike->used || ike->sa.daemon != daemon || !ike_is_live(&ike->sa)
		    || !spimend_address_equal(&ike->sa.remote, &peer->address) || is_neighbour(&ike->sa, peer))
			continue;
		(*ret_count)++;
		if (!best || ike->sa.id == id || (best->sa.id != id && ike->sa.id > best->sa.id))
			best = ike;
	}
	return best;
}

uint32_t mirror_ikes_named(const struct core *c, const struct ike_sa *like)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < c->ike_table.count; i++) {
		const struct mirror_ike *ike = &c->ikes[i];

		n += ike->used && ike->sa.daemon == like->daemon && ike_is_live(&ike->sa)
		     && strncmp(ike->sa.name, like->name, sizeof(like->name)) == 0;
	}
	return n;
}

struct mirror_child *mirror_successor(struct core *c, uint16_t daemon, uint64_t connection,
				      const struct end *peer, uint32_t except)
{
	struct mirror_child *best = NULL;
	bool best_works = false, works;

	for (uint32_t i = 0; i < c->child_table.count; i++) {
		struct mirror_child *child = &c->children[i];

		if (!child->used || child->sa.daemon != daemon || child->sa.id == except || child->rekeyed
		    || child->sa.state == CHILD_REKEYED || !child_is_installed(child) || !is_child_of(c, child, connection, peer))
			continue;
		/* Where both ends made one at once, the peer may use the older: what carries packets now comes first. */
		works = child->has_in && child->in > 0 && c->now.mono_ns - child->in_moved_ns < SECOND_NS;
		if (!best || works > best_works || (works == best_works && child->sa.id > best->sa.id)) {
			best = child;
			best_works = works;
		}
	}
	return best;
}

bool mirror_made_works(struct core *c, uint16_t daemon, uint64_t connection, const struct end *peer, uint32_t except,
		       int64_t since_ns)
{
	for (uint32_t i = 0; i < c->child_table.count; i++) {
		const struct mirror_child *child = &c->children[i];

		if (child->used && child->sa.daemon == daemon && child->since_ns >= since_ns && child->sa.id != except
		    && child->has_in && child->in > 0 && is_child_of(c, child, connection, peer))
			return true;
	}
	return false;
}

bool mirror_sends_with(const struct core *c, const struct spimend_address *peer, uint32_t spi)
{
	for (uint32_t i = 0; i < c->child_table.count; i++) {
		const struct mirror_child *child = &c->children[i];

		if (child->used && child->sa.has_spi_out && child->sa.spi_out == spi && spimend_address_equal(&child->sa.remote, peer))
			return true;
	}
	return false;
}

uint32_t mirror_children_of(struct core *c, uint16_t daemon, uint32_t ike_id)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < c->child_table.count; i++)
		n += c->children[i].used && c->children[i].sa.daemon == daemon && c->children[i].sa.ike_id == ike_id;
	return n;
}

/* --- the ledger ---------------------------------------------------------------------------------------------------- */

void mirror_keep(struct core *c, const struct ledger_entry *entry)
{
	struct core_output *output = core_emit(c, CORE_KEEP_LEDGER);

	if (output)
		output->ledger = *entry;
}

void mirror_watch(struct core *c, const struct ledger_entry *entry, enum watch_state state)
{
	struct core_output *output = core_emit(c, CORE_WATCH_SPI);

	if (output) {
		output->watch_spi = (struct watch_spi){ .key = entry->key, .state = state };
		output->watch_spi.sequence_highest = entry->has_sequence ? entry->sequence_highest : 0;
	}
}

static void dies_at(struct core *c, struct ledger_entry *entry, enum ledger_death death, bool seen, struct moment when)
{
	if (ledger_die(c->ledger, entry, death, seen, when.wall, when.mono_ns))
		mirror_keep(c, entry);
	mirror_watch(c, entry, sad_has(c, &entry->key) ? WATCH_LIVE : WATCH_DEAD);
}

void mirror_dies(struct core *c, struct ledger_entry *entry, enum ledger_death death, bool seen)
{
	dies_at(c, entry, death, seen, c->now);
}

/* Kept while it lives, for later. Unknown where connections or devices are told later than it: then it is asked again. */
static enum tunnel_kind kind_now(struct core *c, const struct mirror_child *child)
{
	return kind_of_child(c, mirror_connection(c, child->sa.connection), &child->sa, NULL, &child->sa.local, &child->sa.remote);
}

/* What was not told when it was born. True: something is known now that was not. */
static bool learn(struct core *c, const struct mirror_child *child, struct ledger_entry *known, struct instant ends)
{
	bool learnt = known->kind == TUNNEL_UNKNOWN && (known->kind = kind_now(c, child)) != TUNNEL_UNKNOWN;

	if (known->ends.ns || !ends.ns)
		return learnt;
	known->ends = ends;
	return true;
}

/* The SA of that child is there: born, or there again. */
static void child_lives(struct core *c, struct mirror_child *child, const struct sa_key *key)
{
	struct ledger_entry *known = ledger_find(c->ledger, key), evicted;
	struct ledger_entry entry = {
		.key = *key, .peer = child->sa.remote, .daemon = child->sa.daemon, .encap_udp = child->sa.encap_udp,
		.state = LEDGER_INSTALLED, .spi_out = child->sa.spi_out, .ike_id = child->sa.ike_id, .child_id = child->sa.id,
		.connection = child->sa.connection, .born = c->now.wall,
	};
	struct core_output *output;

	if (child->sa.has_install)
		entry.born.ns -= child->sa.install_s * SECOND_NS;
	if (child->sa.has_life)
		entry.ends.ns = c->now.wall.ns + child->sa.life_s * SECOND_NS;
	if (known && known->state == LEDGER_INSTALLED && known->daemon == entry.daemon
	    && spimend_address_equal(&known->peer, &entry.peer)) {
		known->ike_id = entry.ike_id;
		known->child_id = entry.child_id;
		if (learn(c, child, known, entry.ends))
			mirror_keep(c, known);
		child->went_both_ways |= known->went_both_ways;
		strays_known(c, key);
		return;
	}
	if (known && known->state == LEDGER_DEAD && known->child_id == entry.child_id && known->daemon == entry.daemon
	    && known->spi_out == entry.spi_out) {
		/* Taken for lost while a list was cut short, or replaced and still in use for the overlap. */
		if (child->rekeyed || child->sa.state == CHILD_REKEYED || (child->kernel_lost_ns && !kernel_has(c, key)))
			return;
		ledger_revive(c->ledger, known);
		mirror_keep(c, known);
		mirror_watch(c, known, WATCH_LIVE);
		strays_known(c, key);
		return;
	}
	entry.went_both_ways = child->went_both_ways;
	entry.kind = kind_now(c, child);
	if (ledger_put(c->ledger, &entry, &evicted) && (output = core_emit(c, CORE_DROP_LEDGER)))
		output->ledger = evicted;
	mirror_keep(c, &entry);
	mirror_watch(c, &entry, WATCH_LIVE);
	strays_known(c, key);
}

/* --- IKE SAs ------------------------------------------------------------------------------------------------------- */

static void ike_gone(struct core *c, struct mirror_ike *ike)
{
	if (ike_is_live(&ike->sa))
		mirror_count_peer(c, &ike->sa.remote, 0, -1);
	c->daemons[ike->sa.daemon].ike_count--;
	index_remove(&c->ike_by_id, core_hash_id(c, ike->sa.daemon, ike->sa.id));
	TABLE_GIVE(c, ike, ikes, (uint32_t)(ike - c->ikes));
}

static struct mirror_ike *ike_put(struct core *c, const struct ike_sa *sa)
{
	struct mirror_ike *ike = mirror_ike(c, sa->daemon, sa->id);

	if (ike_is_live(sa)) /* before the old one goes: a peer that stays is not forgotten, nor what is counted of it */
		mirror_count_peer(c, &sa->remote, 0, 1);
	if (!ike) {
		uint32_t at = TABLE_TAKE(c, ike, ikes);

		if (at != NONE && !index_set(&c->ike_by_id, core_hash_id(c, sa->daemon, sa->id), at)) {
			TABLE_GIVE(c, ike, ikes, at);
			at = NONE;
		}
		if (at == NONE) {
			if (ike_is_live(sa))
				mirror_count_peer(c, &sa->remote, 0, -1);
			return NULL;
		}
		ike = &c->ikes[at];
		ike->used = true;
		c->daemons[sa->daemon].ike_count++;
	} else if (ike_is_live(&ike->sa)) {
		mirror_count_peer(c, &ike->sa.remote, 0, -1);
	}
	ike->sa = *sa;
	return ike;
}

struct moved_ike {
	uint16_t daemon;
	uint32_t from, to;
};

static bool follow_ike(void *context, struct ledger_entry *entry)
{
	const struct moved_ike *moved = context;

	if (entry->daemon == moved->daemon && entry->ike_id == moved->from)
		entry->ike_id = moved->to;
	return true;
}

void core_ike_event(struct core *c, const struct ike_event *event, struct moment now)
{
	struct mirror_ike *ike;

	c->now = now;
	if (event->ike.daemon >= GATEWAY_DAEMONS_MAX)
		return;
	if (event->change == IKE_DOWN) {
		if ((ike = mirror_ike(c, event->ike.daemon, event->ike.id)))
			ike_gone(c, ike);
		return;
	}
	ike = ike_put(c, event->has_successor ? &event->successor : &event->ike);
	if (ike)
		ike->changed_ns = now.mono_ns;
	if (event->change == IKE_REKEY && event->has_successor) {
		/* The children move over; the next list says so too. */
		for (uint32_t i = 0; i < c->child_table.count; i++) {
			struct mirror_child *child = &c->children[i];

			if (child->used && child->sa.daemon == event->ike.daemon && child->sa.ike_id == event->ike.id)
				child->sa.ike_id = event->successor.id;
		}
		ledger_each_of_peer(c->ledger, &event->ike.remote, follow_ike,
				    &(struct moved_ike){ event->ike.daemon, event->ike.id, event->successor.id });
		if ((ike = mirror_ike(c, event->ike.daemon, event->ike.id)) && event->ike.id != event->successor.id)
			ike_gone(c, ike);
	}
}

/* --- children ------------------------------------------------------------------------------------------------------ */

static void child_gone(struct core *c, struct mirror_child *child, enum ledger_death death, bool seen)
{
	uint16_t daemon = child->sa.daemon;
	uint32_t at = (uint32_t)(child - c->children), indexed;
	bool has_key = child->sa.has_spi_in;
	struct sa_key key = sa_key_of(&child->sa.local, child->sa.protocol, child->sa.spi_in);
	uint64_t hash = core_hash(c, &key, sizeof(key));
	struct ledger_entry *entry;

	/* A rekeyed SA died when it was replaced; it is out of use only now. */
	if (child->rekeyed)
		death = DEATH_REKEYED;
	if (has_key && index_find(&c->child_by_spi, hash, &indexed) && indexed == at)
		index_remove(&c->child_by_spi, hash);
	c->daemons[daemon].child_count--;
	index_remove(&c->child_by_id, core_hash_id(c, daemon, child->sa.id));
	TABLE_GIVE(c, child, children, at);
	/* SAs in user space end with their daemon, not when it is back. */
	if (has_key && (entry = ledger_find(c->ledger, &key)))
		dies_at(c, entry, death, seen, death == DEATH_RESTART && c->daemons[daemon].state.user_space_esp
						       && c->daemons[daemon].down.mono_ns ? c->daemons[daemon].down : c->now);
}

static void child_rekeyed(struct core *c, struct mirror_child *child)
{
	struct sa_key key = sa_key_of(&child->sa.local, child->sa.protocol, child->sa.spi_in);
	struct ledger_entry *entry;
	struct mirror_daemon *daemon = &c->daemons[child->sa.daemon];

	if (child->rekeyed)
		return;
	child->rekeyed = true;
	if (child->sa.has_spi_in && (entry = ledger_find(c->ledger, &key)))
		mirror_dies(c, entry, DEATH_REKEYED, true);
	/* To see it go: RFC 7296 2.8 lets the old SA be used for a while. */
	daemon->due_ns = earlier(daemon->due_ns, c->now.mono_ns + c->config.overlap_ns + SECOND_NS / 2);
}

static bool ended_since(const struct core *c, uint16_t daemon, uint32_t id, int64_t since_ns)
{
	for (uint32_t i = 0; i < CORE_RECENT_MAX; i++) {
		const struct recent_end *end = &c->ends[i];

		if (end->at_ns && end->daemon == daemon && end->child_id == id && end->at_ns >= since_ns)
			return true;
	}
	return false;
}

/* Its inbound SA is another one from now on: our address changed (MOBIKE). The peer may use the old one for a moment. */
static void child_moves(struct core *c, struct mirror_child *child, const struct sa_key *before)
{
	uint64_t hash = core_hash(c, before, sizeof(*before));
	struct ledger_entry *entry = ledger_find(c->ledger, before);
	uint32_t indexed;

	if (index_find(&c->child_by_spi, hash, &indexed) && indexed == (uint32_t)(child - c->children))
		index_remove(&c->child_by_spi, hash);
	child->lost = child->has_base = false;
	child->kernel_lost_ns = 0;
	if (entry)
		mirror_dies(c, entry, DEATH_REKEYED, true);
}

static struct mirror_child *child_put(struct core *c, const struct child_sa *sa)
{
	struct mirror_child *child = mirror_child(c, sa->daemon, sa->id);
	struct sa_key key = sa_key_of(&sa->local, sa->protocol, sa->spi_in);
	uint32_t at;

	if (!child) {
		at = TABLE_TAKE(c, child, children);
		if (at == NONE)
			return NULL;
		if (!index_set(&c->child_by_id, core_hash_id(c, sa->daemon, sa->id), at)) {
			TABLE_GIVE(c, child, children, at);
			return NULL;
		}
		child = &c->children[at];
		child->used = true;
		child->since_ns = c->now.mono_ns - (sa->has_install ? sa->install_s * SECOND_NS : 0);
		c->daemons[sa->daemon].child_count++;
	} else if (child->sa.has_spi_in) {
		struct sa_key before = sa_key_of(&child->sa.local, child->sa.protocol, child->sa.spi_in);

		if (!sa->has_spi_in) { /* in some states the daemon does not tell it any more: it has it until it drops the child */
			child->sa.state = sa->state;
			child->sa.ike_id = sa->ike_id;
			return child;
		}
		if (!sa_key_equal(&before, &key))
			child_moves(c, child, &before);
	}
	child->sa = *sa;
	if (sa->has_spi_in) {
		index_set(&c->child_by_spi, core_hash(c, &key, sizeof(key)), (uint32_t)(child - c->children));
		if (sa->state == CHILD_REKEYED && ledger_find(c->ledger, &key))
			child_rekeyed(c, child);
		if (child_is_installed(child))
			child_lives(c, child, &key);
	}
	return child;
}

void core_child_event(struct core *c, const struct child_event *event, struct moment now)
{
	struct mirror_child *child, *successor;

	c->now = now;
	if (event->child.daemon >= GATEWAY_DAEMONS_MAX)
		return;
	switch (event->change) {
	case CHILD_UP:
		child = child_put(c, &event->child);
		if (child)
			child->changed_ns = now.mono_ns;
		break;
	case CHILD_DOWN:
		c->ends[c->end_at++ % CORE_RECENT_MAX] = (struct recent_end){
			.daemon = event->child.daemon, .child_id = event->child.id, .at_ns = now.mono_ns,
			.spi_out = event->child.has_spi_out ? event->child.spi_out : 0,
			.key = sa_key_of(&event->child.local, event->child.protocol, event->child.spi_in),
		};
		if ((child = mirror_child(c, event->child.daemon, event->child.id)))
			child_gone(c, child, mirror_death_of(c, &event->child), true);
		break;
	case CHILD_REKEY:
		child = mirror_child(c, event->child.daemon, event->child.id);
		successor = event->has_successor ? child_put(c, &event->successor) : NULL;
		child = mirror_child(c, event->child.daemon, event->child.id); /* the table may have moved */
		if (successor) {
			successor->changed_ns = now.mono_ns;
			successor->went_both_ways |= child && child->went_both_ways;
		}
		if (child) {
			child->changed_ns = now.mono_ns;
			child_rekeyed(c, child);
		}
		break;
	case CHILD_CHANGES:
		break;
	}
	mend_tick(c);
}

/* --- lists --------------------------------------------------------------------------------------------------------- */

void mirror_want(struct core *c, uint16_t daemon)
{
	struct mirror_daemon *d = &c->daemons[daemon];

	if (!d->want_ns && (!d->asked_ns || d->asked_ns < c->now.mono_ns))
		d->want_ns = c->now.mono_ns;
}

void mirror_hurry(struct core *c, uint16_t daemon)
{
	struct mirror_daemon *d = &c->daemons[daemon];
	int64_t pause = earlier(later(d->took_ns * LIST_QUICK_SHARE, LIST_QUICK_NS), LIST_PERIOD_NS);

	d->due_ns = earlier(d->due_ns, later(d->done_ns + pause, c->now.mono_ns));
}

void mirror_want_all(struct core *c)
{
	for (uint16_t d = 0; d < GATEWAY_DAEMONS_MAX; d++) {
		if (c->daemons[d].known && c->daemons[d].state.up)
			mirror_want(c, d);
	}
}

bool mirror_is_younger(const struct core *c, const struct ledger_entry *entry, int64_t than_ns)
{
	bool any = false;

	for (uint32_t i = 0; i < GATEWAY_DAEMONS_MAX; i++) {
		const struct mirror_daemon *d = &c->daemons[i];

		if (!d->known || (entry && entry->daemon != i))
			continue;
		/* One that is down tells nothing, and nothing of it can be mended. */
		if (!d->state.up || d->snapshot_ns < than_ns)
			return false;
		any = true;
	}
	if (entry && c->daemons[entry->daemon].state.user_space_esp) /* the kernel knows nothing of its SAs */
		return any;
	return any && (!c->kernel_known || c->kernel_dump_ns >= than_ns);
}

static bool forget_unlisted(void *context, struct ledger_entry *entry)
{
	struct core *c = context;
	const struct mirror_daemon *d;

	if (entry->state == LEDGER_DEAD || entry->daemon >= GATEWAY_DAEMONS_MAX || !c->daemons[entry->daemon].known)
		return true;
	d = &c->daemons[entry->daemon];
	if (!d->had_snapshot || mirror_child_of_spi(c, &entry->key) || kernel_has(c, &entry->key))
		return true;
	/* B7, T4: a daemon younger than the SA has lost it by its start. */
	mirror_dies(c, entry, d->state.has_boot && d->state.boot.ns > entry->born.ns ? DEATH_RESTART : DEATH_UNKNOWN, false);
	return true;
}

/* Everything of a daemon that started anew. */
static void forget_all(struct core *c, uint16_t daemon)
{
	for (uint32_t i = 0; i < c->child_table.count; i++) {
		if (c->children[i].used && c->children[i].sa.daemon == daemon)
			child_gone(c, &c->children[i], DEATH_RESTART, true);
	}
	for (uint32_t i = 0; i < c->ike_table.count; i++) {
		if (c->ikes[i].used && c->ikes[i].sa.daemon == daemon)
			ike_gone(c, &c->ikes[i]);
	}
}

void core_daemon(struct core *c, const struct daemon_state *state, struct moment now)
{
	struct mirror_daemon *d;
	bool restarted;

	c->now = now;
	if (state->daemon >= GATEWAY_DAEMONS_MAX)
		return;
	d = &c->daemons[state->daemon];
	restarted = d->known && state->up && state->has_boot && d->state.has_boot
		    && (state->boot.ns > d->state.boot.ns + BOOT_SLACK_NS || state->boot.ns < d->state.boot.ns - BOOT_SLACK_NS);
	d->reconnected |= d->known && state->up && !d->state.up;
	if (!d->known || d->state.up != state->up)
		say_notice(c, state->up ? 6 : 4, "IKE daemon %s %s%s%s", c->config.daemons[state->daemon],
			   state->up ? "answers" : "does not answer: nothing can be repaired through it",
			   state->up && state->version[0] ? ", version " : "", state->up ? state->version : "");
	if (!state->up) { /* what was known of it stays known: whether it lost anything is seen when it is back */
		struct daemon_state before = d->state;

		if (!d->known || d->state.up)
			d->down = now;
		d->state = *state;
		d->state.has_boot = before.has_boot;
		d->state.boot = before.boot;
		d->state.user_space_esp = before.user_space_esp;
	} else {
		d->state = *state;
	}
	d->known = true;
	d->asked_ns = 0;
	d->in_snapshot = false;
	d->due_ns = now.mono_ns + LIST_PERIOD_NS;
	if (restarted) {
		say_notice(c, 5, "IKE daemon %s started anew: the SAs that it had are lost", c->config.daemons[state->daemon]);
		forget_all(c, state->daemon);
		d->had_snapshot = false;
		d->snapshot_ns = 0;
	}
	if (state->up)
		mirror_want(c, state->daemon);
}

void core_snapshot_begin(struct core *c, uint16_t daemon, uint64_t serial, struct moment now)
{
	struct mirror_daemon *d;

	c->now = now;
	if (daemon >= GATEWAY_DAEMONS_MAX)
		return;
	d = &c->daemons[daemon];
	d->in_snapshot = true;
	d->generation++;
	/* The list began after the request. One that nobody asked for began at an unknown moment. */
	d->begun_ns = serial && serial == d->serial_asked && d->asked_ns ? d->asked_ns : 0;
}

void core_snapshot_ike(struct core *c, const struct ike_sa *sa)
{
	struct mirror_daemon *d;
	struct mirror_ike *ike;

	if (sa->daemon >= GATEWAY_DAEMONS_MAX)
		return;
	d = &c->daemons[sa->daemon];
	ike = mirror_ike(c, sa->daemon, sa->id);
	if (!ike || ike->changed_ns <= d->begun_ns || !d->begun_ns)
		ike = ike_put(c, sa);
	if (ike)
		ike->generation = d->generation;
}

void core_snapshot_child(struct core *c, const struct child_sa *sa)
{
	struct mirror_daemon *d;
	struct mirror_child *child;

	if (sa->daemon >= GATEWAY_DAEMONS_MAX)
		return;
	d = &c->daemons[sa->daemon];
	if (ended_since(c, sa->daemon, sa->id, d->begun_ns ? d->begun_ns : c->now.mono_ns - SECOND_NS))
		return;
	child = child_put(c, sa);
	if (!child)
		return;
	child->generation = d->generation;
	suspect_listed(c, child, d->begun_ns);
}

/* Nobody said a word: with the IKE SA alive that is a loss, not an end. Where the IKE SA went as well while the daemon was
 * away, it started anew, be it within the second that it tells of its start. */
static enum ledger_death silent_death(struct core *c, const struct mirror_child *child)
{
	const struct mirror_daemon *d = &c->daemons[child->sa.daemon];
	const struct mirror_ike *ike = mirror_ike(c, child->sa.daemon, child->sa.ike_id);

	if (ike && ike->generation == d->generation)
		return DEATH_DAEMON_LOST;
	return d->reconnected ? DEATH_RESTART : DEATH_UNKNOWN;
}

/* What a complete list does not have is gone. */
static void drop_unlisted(struct core *c, uint16_t daemon)
{
	const struct mirror_daemon *d = &c->daemons[daemon];

	for (uint32_t i = 0; i < c->child_table.count; i++) {
		struct mirror_child *child = &c->children[i];

		if (!child->used || child->sa.daemon != daemon || child->generation == d->generation
		    || child->changed_ns >= d->begun_ns || child->since_ns >= d->begun_ns)
			continue;
		child_gone(c, child, silent_death(c, child), d->reconnected);
	}
	for (uint32_t i = 0; i < c->ike_table.count; i++) {
		struct mirror_ike *ike = &c->ikes[i];

		if (ike->used && ike->sa.daemon == daemon && ike->generation != d->generation && ike->changed_ns < d->begun_ns)
			ike_gone(c, ike);
	}
}

void core_snapshot_end(struct core *c, uint16_t daemon, bool complete, struct moment now)
{
	struct mirror_daemon *d;
	bool was_first;

	c->now = now;
	if (daemon >= GATEWAY_DAEMONS_MAX)
		return;
	d = &c->daemons[daemon];
	if (!d->in_snapshot)
		return;
	d->in_snapshot = false;
	d->done_ns = now.mono_ns;
	if (d->begun_ns) {
		d->took_ns = now.mono_ns - d->begun_ns;
		d->asked_ns = 0;
	}
	d->due_ns = now.mono_ns + LIST_PERIOD_NS;
	if (now.mono_ns < d->hurry_until_ns)
		mirror_hurry(c, daemon);
	if (complete && d->begun_ns) {
		was_first = !d->had_snapshot;
		drop_unlisted(c, daemon);
		d->had_snapshot = true;
		d->snapshot_ns = d->begun_ns;
		if (d->want_ns && d->begun_ns >= d->want_ns)
			d->want_ns = 0;
		d->reconnected = false;
		if (was_first)
			ledger_each(c->ledger, forget_unlisted, c);
	} else if (!d->want_ns) {
		d->want_ns = now.mono_ns;
	}
	strays_listed(c);
	strays_tick(c);
	mend_tick(c);
	mirror_tick(c);
}

int64_t mirror_tick(struct core *c)
{
	int64_t next = NEVER;

	for (uint16_t i = 0; i < GATEWAY_DAEMONS_MAX; i++) {
		struct mirror_daemon *d = &c->daemons[i];
		struct core_output *output;
		int64_t gap;

		if (!d->known || !d->state.up)
			continue;
		if (d->asked_ns) {
			if (c->now.mono_ns - d->asked_ns < LIST_TIMEOUT_NS) {
				next = earlier(next, d->asked_ns + LIST_TIMEOUT_NS);
				continue;
			}
			d->asked_ns = 0;
			d->in_snapshot = false;
		}
		if (!d->want_ns && c->now.mono_ns >= d->due_ns)
			d->want_ns = c->now.mono_ns;
		if (!d->want_ns) {
			next = earlier(next, d->due_ns);
			continue;
		}
		/* A daemon with thousands of SAs is not kept busy with lists. */
		gap = earlier(later(d->took_ns * 4, LIST_GAP_NS), LIST_GAP_MOST_NS);
		if (d->done_ns && c->now.mono_ns < d->done_ns + gap) {
			next = earlier(next, d->done_ns + gap);
			continue;
		}
		if (!(output = core_emit(c, CORE_REFRESH))) {
			next = earlier(next, c->now.mono_ns + LIST_GAP_MOST_NS);
			continue;
		}
		d->asked_ns = c->now.mono_ns;
		d->serial_asked = c->next_serial++;
		output->refresh.daemon = i;
		output->refresh.serial = d->serial_asked;
		next = earlier(next, d->asked_ns + LIST_TIMEOUT_NS);
	}
	return next;
}
