/* SPDX-License-Identifier: MIT */
/* Hints to cases. A hint is forgeable: it opens a case, or adds to one, and does nothing else. Many pairs of ends at one
 * receiver within seconds are one case, of which a few pairs are looked at, one after the other. */
#include <string.h>

#include "fleet/fleet_private.h"

#define FOREIGN_LOOKS_MAX 4 /* a minute, at one receiver, for senders that are no devices of ours: anybody can name those */

const char *fleet_taken_name(enum fleet_taken taken)
{
	static const char *const names[FLEET_TAKENS] = {
		[FLEET_TAKEN] = "taken",
		[FLEET_REFUSED_DEVICE] = "it comes from no device that can be logged in to",
		[FLEET_REFUSED_ADDRESS] = "its addresses or its SPI cannot be",
		[FLEET_REFUSED_CONTRADICTION] = "the addresses are not those of who says it",
		[FLEET_REFUSED_PEER_MODE] = "one of its addresses is to be ignored",
		[FLEET_REFUSED_LOOKED_AT] = "that pair was looked at a moment ago, or too many such pairs were",
		[FLEET_REFUSED_FULL] = "too many incidents are open",
	};

	return (unsigned)taken < FLEET_TAKENS ? names[taken] : "?";
}

static bool is_host(const struct spimend_address *address)
{
	if (address->family == 4)
		return address->bytes[0] && address->bytes[0] != 127 && address->bytes[0] < 224;
	return address->family == 6 && address->bytes[0] != 0xff;
}

static enum fleet_taken refusal_of(struct fleet *f, const struct fleet_sighting *s)
{
	uint32_t receiver, sender;

	if (s->device >= f->config->devices.count || !device_login(&f->config->devices, &f->config->devices.at[s->device]))
		return FLEET_REFUSED_DEVICE;
	if (!is_host(&s->src) || !is_host(&s->dst) || s->src.family != s->dst.family || !s->spi.value ||
	    (s->protocol != SPIMEND_PROTOCOL_ESP && s->protocol != SPIMEND_PROTOCOL_AH))
		return FLEET_REFUSED_ADDRESS;
	receiver = device_of(f, &s->dst);
	sender = device_of(f, &s->src);
	if ((receiver != NONE && receiver != s->device) || sender == s->device || address_is_shared(f, &s->src))
		return FLEET_REFUSED_CONTRADICTION;
	if (fleet_peer_mode(f, &s->src) == PEER_IGNORE || fleet_peer_mode(f, &s->dst) == PEER_IGNORE)
		return FLEET_REFUSED_PEER_MODE;
	return FLEET_TAKEN;
}

/* One look per pair within look_gap_ns: a place that another pair holds for so long is as good as one's own, so that the
 * limit holds whatever the table forgets. */
static bool may_look(struct fleet *f, uint64_t hash)
{
	struct looked *l = &f->looked[hash % FLEET_PAIRS_MAX];

	if (l->hash && f->now.mono_ns - l->at_ns < f->settings.look_gap_ns)
		return false;
	*l = (struct looked){ hash, f->now.mono_ns };
	return true;
}

static bool may_look_for_foreign(struct fleet *f, uint32_t device)
{
	struct fleet_device *d = &f->devices[device];

	if (!d->foreign_looks || f->now.mono_ns - d->looked_ns >= MINUTE_NS) {
		d->looked_ns = f->now.mono_ns;
		d->foreign_looks = 0;
	}
	return d->foreign_looks++ < FOREIGN_LOOKS_MAX;
}

static void note_source(struct fleet *f, struct case_file *c, const struct spimend_address *src)
{
	uint64_t hash = hash_bytes(&f->key, src, sizeof(*src)) % FLEET_SOURCE_BITS, bit = UINT64_C(1) << hash % 64;

	c->is.sources += !(c->sources_seen[hash / 64] & bit);
	c->sources_seen[hash / 64] |= bit;
}

static void take(struct fleet *f, struct case_file *c, const struct fleet_sighting *s)
{
	c->is.messages += s->messages;
	c->is.last_seen = f->now.wall;
	note_source(f, c, &s->src);
	for (uint32_t i = 0; i < c->is.spi_count; i++)
		if (c->is.spis[i].value == s->spi.value)
			return;
	if (c->is.spi_count < FLEET_SPIS_MAX)
		c->is.spis[c->is.spi_count++] = s->spi;
	else
		f->figures.spis_dropped++;
}

/* --- Bursts ----------------------------------------------------------------------------------------------------- */

static void sample(struct case_file *c, const struct spimend_address *src, const struct spimend_address *dst)
{
	for (uint32_t i = 0; i < c->queued; i++)
		if (spimend_address_equal(&c->queue[i].src, src))
			return;
	if (!spimend_address_equal(&c->is.src, src) && c->queued < FLEET_QUEUE_MAX)
		c->queue[c->queued++] = (struct pair){ *src, *dst };
}

bool burst_next(struct fleet *f, struct case_file *c)
{
	struct pair pair;

	while (c->r != NONE && c->queued && f->now.mono_ns - c->began_ns < f->settings.case_most_ns) {
		pair = c->queue[0];
		memmove(c->queue, c->queue + 1, --c->queued * sizeof(c->queue[0]));
		if (case_of_pair(f, c->r, &pair.src, &pair.dst))
			continue; /* it has an incident of its own */
		case_take_pair(f, c, &pair);
		c->is.state = STATE_OPEN;
		case_wait(c, LOOK_FIRST, f->now.mono_ns + f->settings.gather_ns);
		case_keep(f, c);
		return true;
	}
	return false;
}

/* Cases of that device that nobody has looked at yet become parts of this one. */
static void merge(struct fleet *f, struct case_file *into)
{
	uint32_t next;

	for (uint32_t n = f->oldest; n; n = next) {
		struct case_file *c = f->cases[n - 1];

		next = c->newer;
		if (c == into || c->r != into->r || c->phase != PHASE_WAITING || c->is.looks)
			continue;
		into->is.messages += c->is.messages;
		note_source(f, into, &c->is.src);
		sample(into, &c->is.src, &c->is.dst);
		case_remove(f, c);
		f->figures.merged++;
	}
}

static void begin_burst(struct fleet *f, struct case_file *c)
{
	c->is.is_burst = true;
	c->is.flags |= FLAG_MANY_PEERS;
	f->devices[c->r].burst = c->number;
	f->figures.bursts++;
	merge(f, c);
	c->due_ns = f->now.mono_ns + f->settings.burst_wait_ns;
	case_say(c, "Many senders at once at %s: a rekey at scale, a failover or a reload. It is given time to end by itself.",
		 c->is.receiver);
	fleet_notice(f, 4, "incident %s: packets of many senders without an SA at %s: one incident, of which a sample is looked at",
		     c->is.id, c->is.receiver);
	case_keep(f, c);
}

static bool is_burst(struct fleet *f, uint32_t device)
{
	struct fleet_device *d = &f->devices[device];

	if (!d->pairs || f->now.mono_ns - d->pairs_ns >= f->settings.burst_ns) {
		d->pairs = 0;
		d->pairs_ns = f->now.mono_ns;
	}
	return ++d->pairs >= f->settings.burst_pairs;
}

static enum fleet_taken take_into_burst(struct fleet *f, const struct fleet_sighting *s)
{
	struct case_file *c = f->cases[f->devices[s->device].burst - 1];

	take(f, c, s);
	if (device_of(f, &s->src) != NONE && c->queued < FLEET_QUEUE_MAX &&
	    !spimend_address_equal(&c->is.src, &s->src) && may_look(f, fleet_hash_pair(f, s->device, &s->src, &s->dst)))
		sample(c, &s->src, &s->dst);
	return FLEET_TAKEN;
}

static enum fleet_taken open_case(struct fleet *f, const struct fleet_sighting *s)
{
	struct case_file *c;

	if (!may_look(f, fleet_hash_pair(f, s->device, &s->src, &s->dst)))
		return FLEET_REFUSED_LOOKED_AT;
	if (device_of(f, &s->src) == NONE && !may_look_for_foreign(f, s->device))
		return FLEET_REFUSED_LOOKED_AT;
	if (device_of(f, &s->src) == NONE && f->strangers == FLEET_STRANGERS_MAX)
		return FLEET_REFUSED_FULL;
	c = case_new(f, s);
	if (!c)
		return FLEET_REFUSED_FULL;
	take(f, c, s);
	if (is_burst(f, s->device))
		begin_burst(f, c);
	else
		case_keep(f, c);
	return FLEET_TAKEN;
}

enum fleet_taken fleet_sighting(struct fleet *f, const struct fleet_sighting *s, struct moment now)
{
	enum fleet_taken taken;
	struct case_file *c;

	f->now = now;
	f->figures.sightings++;
	taken = refusal_of(f, s);
	if (taken == FLEET_TAKEN) {
		c = case_of_pair(f, s->device, &s->src, &s->dst);
		if (c)
			take(f, c, s);
		else if (f->devices[s->device].burst)
			taken = take_into_burst(f, s);
		else
			taken = open_case(f, s);
	}
	f->figures.taken[taken]++;
	return taken;
}
