/* SPDX-License-Identifier: MIT */
/*
 * Which neighbouring messages and saved tables belong to an incident: those that name its SPI at any time, and those that
 * name its addresses, or come from its observer, near its time. Messages of the sender's own log are the other end.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "judge/judge_private.h"

#define LOOKED_AT_MAX 1024 /* messages about one address that one incident looks through */

struct index {
	uint64_t key;
	uint32_t neighbour;
};

static uint64_t key_of(const struct judge *j, char kind, const void *bytes, size_t len)
{
	char all[64];

	all[0] = kind;
	memcpy(all + 1, bytes, len);
	return hash_bytes(&j->key, all, len + 1);
}

static uint64_t spi_key(const struct judge *j, uint32_t spi)
{
	return key_of(j, 's', &spi, sizeof(spi));
}

static uint64_t address_key(const struct judge *j, const struct spimend_address *a)
{
	return key_of(j, 'a', a, sizeof(*a));
}

static uint64_t writer_key(const struct judge *j, uint32_t writer)
{
	return key_of(j, 'w', &writer, sizeof(writer));
}

static int compare_index(const void *a, const void *b)
{
	const struct index *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return (x->neighbour > y->neighbour) - (x->neighbour < y->neighbour);
}

int evidence_index(struct judge *j)
{
	struct index *all = memory_resize(j->by_key, (size_t)j->neighbour_count * 4 + 1, sizeof(*all));
	size_t n = 0;

	if (!all)
		return -ENOMEM;
	j->by_key = all;
	for (uint32_t i = 0; i < j->neighbour_count; i++) {
		const struct fact *f = &j->neighbours[i].fact;
		bool plain = !spimend_address_known(&f->src) && !spimend_address_known(&f->dst);

		if (f->has & FACT_HAS_SPI)
			all[n++] = (struct index){ spi_key(j, f->spi.value), i };
		if (f->has & FACT_HAS_SPI_OUT)
			all[n++] = (struct index){ spi_key(j, f->spi_out.value), i };
		if (spimend_address_known(&f->src))
			all[n++] = (struct index){ address_key(j, &f->src), i };
		else if (plain || spimend_address_known(&f->dst))
			all[n++] = (struct index){ writer_key(j, j->neighbours[i].writer), i };
	}
	qsort(all, n, sizeof(*all), compare_index);
	j->by_key_count = n;
	return 0;
}

static size_t first_of(const struct judge *j, uint64_t key)
{
	size_t low = 0, high = j->by_key_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (j->by_key[middle].key < key)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static uint32_t source_of(const struct judge *j, const struct case_file *c)
{
	uint32_t first;

	if (c->flow == FLOW_NONE)
		return c->block ? j->blocks[c->block - 1].place.source : 0;
	first = j->flows.pool[c->flow].sightings[0];
	return first ? j->sightings[first - 1].place.source : 0;
}

static bool is_near(const struct judge *j, const struct case_file *c, const struct neighbour *n)
{
	int64_t before = j->settings.evidence_window_ns;

	if (n->fact.kind == FACT_RESTART || n->fact.kind == FACT_IKE_STARTED)
		before = j->settings.restart_window_ns;
	/* Without times only the same file ties them. */
	if (!n->has_at || !c->has_times)
		return n->place.source == source_of(j, c);
	return n->at.ns >= c->first.ns - before && n->at.ns <= c->last.ns + j->settings.evidence_window_ns;
}

struct finder {
	const struct judge *judge;
	const struct case_file *c;
	struct found *found;
	size_t count, kept;
};

static void add_found(struct finder *f, uint32_t neighbour, bool other_end)
{
	for (size_t i = 0; i < f->kept; i++)
		if (f->found[i].neighbour == neighbour)
			return;
	f->count++;
	if (f->kept < EVIDENCE_FOUND_MAX)
		f->found[f->kept++] = (struct found){ neighbour, other_end };
}

/* Did the device with this address write it? Unknown counts as yes only where few enough devices wrote at all. */
static bool wrote(const struct judge *j, const struct neighbour *n, const struct spimend_address *address, bool guess)
{
	bool known;

	if (spimend_address_known(&n->fact.dst))
		return spimend_address_equal(&n->fact.dst, address);
	if (n->has_host && judge_owns(j, n->writer, address, &known))
		return true;
	if (n->has_host && known)
		return false;
	return guess;
}

static uint32_t observer_of(const struct judge *j, const struct case_file *c)
{
	return c->flow == FLOW_NONE ? 0 : j->flows.pool[c->flow].observer;
}

/* Messages about one of the two addresses, by the device that has the other. */
static void find_by_address(struct finder *f, const struct spimend_address *about, const struct spimend_address *by,
			    bool other_end)
{
	const struct judge *j = f->judge;
	uint64_t key = address_key(j, about);

	if (!spimend_address_known(about))
		return;
	for (size_t i = first_of(j, key), end = i + LOOKED_AT_MAX; i < end && i < j->by_key_count && j->by_key[i].key == key; i++) {
		const struct neighbour *n = &j->neighbours[j->by_key[i].neighbour];
		bool same_writer = n->writer == observer_of(j, f->c);
		bool guess = other_end ? !same_writer && j->writers <= 2 : same_writer || j->writers <= 1;

		if (is_near(j, f->c, n) && wrote(j, n, by, guess))
			add_found(f, j->by_key[i].neighbour, other_end);
	}
}

static void find_by_spi(struct finder *f, uint32_t spi)
{
	const struct judge *j = f->judge;
	uint64_t key = spi_key(j, spi);

	for (size_t i = first_of(j, key); i < j->by_key_count && j->by_key[i].key == key; i++) {
		const struct neighbour *n = &j->neighbours[j->by_key[i].neighbour];
		bool outbound = n->fact.has & FACT_HAS_SPI_OUT && n->fact.spi_out.value == spi;

		add_found(f, j->by_key[i].neighbour, outbound);
	}
}

/* Restarts, configuration changes, line protocol: of the observer itself. */
static void find_by_writer(struct finder *f)
{
	const struct judge *j = f->judge;
	uint32_t observer = observer_of(j, f->c);
	uint64_t key = writer_key(j, observer);

	if (!observer)
		return;
	for (size_t i = first_of(j, key), end = i + LOOKED_AT_MAX; i < end && i < j->by_key_count && j->by_key[i].key == key; i++) {
		const struct neighbour *n = &j->neighbours[j->by_key[i].neighbour];
		uint32_t interface = f->c->flow == FLOW_NONE ? 0 : j->flows.pool[f->c->flow].interface;
		bool line = n->fact.kind == FACT_LINE_UP || n->fact.kind == FACT_LINE_DOWN;

		/* Another tunnel's line protocol is another tunnel's trouble. */
		if (line && interface && !text_equal_nocase(intern_text(&j->names, interface), text_of(n->fact.interface)))
			continue;
		/* What names neither address belongs here by its time alone. */
		if (n->has_at && is_near(j, f->c, n))
			add_found(f, j->by_key[i].neighbour, false);
	}
}

size_t evidence_find(const struct judge *j, const struct case_file *c, struct found ret[EVIDENCE_FOUND_MAX])
{
	struct finder f = { .judge = j, .c = c, .found = ret };

	if (c->aggregated)
		return 0;
	if (c->has_spi && !(c->flags & FLAG_SPI_SMALL)) {
		find_by_spi(&f, c->spi);
		find_by_spi(&f, spimend_spi_swap((struct spimend_spi){ c->spi }).value);
	}
	find_by_address(&f, &c->src, &c->dst, false);
	find_by_address(&f, &c->dst, &c->src, true);
	find_by_writer(&f);
	return f.count;
}

/* ---- saved SA tables ---- */

static bool has_spi(const struct spimend_spi *list, size_t count, uint32_t spi)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].value == spi)
			return true;
	return false;
}

static bool block_is_of(const struct sa_block *b, const struct spimend_address *local, const struct spimend_address *peer)
{
	return spimend_address_known(local) && spimend_address_equal(&b->local, local) &&
	       spimend_address_equal(&b->peer, peer);
}

static void weigh_block(struct case_file *c, const struct sa_block *b)
{
	bool receiver = block_is_of(b, &c->dst, &c->src), sender = block_is_of(b, &c->src, &c->dst);

	if (!receiver && !sender)
		return;
	c->saw |= UINT64_C(1) << FACT_SA_TABLE;
	if (b->controller_keyed)
		c->kind = TUNNEL_SDWAN;
	else if (b->manual_or_group && c->kind == TUNNEL_UNKNOWN)
		c->kind = TUNNEL_IKELESS;
	if (b->encap_udp && !b->controller_keyed)
		c->flags |= FLAG_NAT_T;
	if (receiver && c->has_spi && b->inbound_count && !has_spi(b->inbound, b->inbound_count, c->spi))
		c->confirmed_receiver = true;
	if (sender && c->has_spi && has_spi(b->outbound, b->outbound_count, c->spi)) {
		c->confirmed_sender = true;
		c->has_lifetime = b->has_lifetime;
		c->lifetime_s = b->lifetime_s;
	}
}

void evidence_weigh(struct judge *j, struct case_file *c)
{
	struct found found[EVIDENCE_FOUND_MAX];
	size_t count = evidence_find(j, c, found);
	bool other_end = false;

	if (c->aggregated)
		return;
	for (size_t i = 0; i < count && i < EVIDENCE_FOUND_MAX; i++) {
		const struct fact *f = &j->neighbours[found[i].neighbour].fact;

		c->saw |= UINT64_C(1) << f->kind;
		other_end |= found[i].other_end;
		if (c->has_spi && f->has & FACT_HAS_SPI && f->spi.value != c->spi &&
		    f->spi.value == spimend_spi_swap((struct spimend_spi){ c->spi }).value)
			c->flags |= FLAG_SPI_SWAPPED;
	}
	if (count > EVIDENCE_FOUND_MAX)
		c->flags |= FLAG_EVIDENCE_CUT;
	for (uint32_t i = 0; i < j->block_count; i++) {
		weigh_block(c, &j->blocks[i].block);
		other_end |= block_is_of(&j->blocks[i].block, &c->src, &c->dst);
	}
	if (other_end)
		c->flags |= FLAG_BOTH_ENDS;
}

/* ---- for the reader ---- */

static struct text place_text(struct judge *j, size_t slot, const struct place *p)
{
	struct text name = intern_text(&j->names, p->source);
	int n = snprintf(j->shown_from[slot], sizeof(j->shown_from[slot]), "%.*s:%" PRIu64, TEXT_ARG(name), p->line);

	return (struct text){ j->shown_from[slot], n > 0 ? (size_t)n : 0 };
}

/* What is worth more when there is not room for all: direct words about the flow before its surroundings. */
static int weight_of(const struct fact *f)
{
	switch (f->kind) {
	case FACT_NO_DELETE:
	case FACT_CLEARED:
	case FACT_SA_BORN:
	case FACT_SA_DIED:
	case FACT_DELETE_UNKNOWN:
	case FACT_KERNEL_LOST:
		return 3;
	case FACT_NO_IKE_SA:
	case FACT_RESTART:
	case FACT_IKE_STARTED:
	case FACT_INITIAL_CONTACT:
	case FACT_REKEY_COLLISION:
	case FACT_INVALID_SYNTAX:
	case FACT_INVALID_SPI_NOTIFY:
	case FACT_CHILD_NOT_FOUND:
	case FACT_DPD_DEAD:
		return 2;
	case FACT_APPLET:
	case FACT_CONFIGURED:
		return 0;
	default:
		return 1;
	}
}

static int compare_shown(const void *a, const void *b)
{
	const struct evidence *x = a, *y = b;

	if (x->has_at != y->has_at)
		return x->has_at ? -1 : 1;
	return x->has_at ? (x->at.ns > y->at.ns) - (x->at.ns < y->at.ns) : 0;
}

static size_t show_sightings(struct judge *j, const struct flow *f, size_t room)
{
	size_t n = 0;

	for (int i = 0; i < FLOW_SIGHTINGS && n < room; i++) {
		const struct sighting *s = f->sightings[i] ? &j->sightings[f->sightings[i] - 1] : NULL;

		if (!s)
			continue;
		j->shown[n] = (struct evidence){
			.has_at = s->has_at,
			.at = s->at,
			.kind = f->key.sa_found ? (enum fact_kind)f->found_kind : FACT_STRAY,
			.from = place_text(j, n, &s->place),
			.text = claim_text(&s->text),
		};
		n++;
	}
	return n;
}

static size_t show_blocks(struct judge *j, const struct case_file *c, size_t n, size_t room)
{
	for (uint32_t i = 0; i < j->block_count && n < room; i++) {
		const struct sa_block *b = &j->blocks[i].block;
		bool receiver = block_is_of(b, &c->dst, &c->src), sender = block_is_of(b, &c->src, &c->dst);

		if (c->aggregated || (!receiver && !sender))
			continue;
		j->shown[n] = (struct evidence){
			.kind = FACT_SA_TABLE,
			.from = place_text(j, n, &j->blocks[i].place),
			.text = b->inbound_count || b->outbound_count
					? TEXT("saved show crypto ipsec sa: SAs listed")
					: TEXT("saved show crypto ipsec sa: a flow without any SA"),
			.other_end = sender,
		};
		n++;
	}
	return n;
}

void evidence_show(struct judge *j, const struct case_file *c, struct incident *ret)
{
	struct found found[EVIDENCE_FOUND_MAX];
	size_t count = evidence_find(j, c, found), n = 0;

	if (count > EVIDENCE_FOUND_MAX)
		count = EVIDENCE_FOUND_MAX;
	if (c->flow != FLOW_NONE)
		n = show_sightings(j, &j->flows.pool[c->flow], INCIDENT_EVIDENCE_MAX);
	n = show_blocks(j, c, n, n + 4 < INCIDENT_EVIDENCE_MAX ? n + 4 : INCIDENT_EVIDENCE_MAX);
	for (int weight = 3; weight >= 0; weight--) {
		for (size_t i = 0; i < count; i++) {
			const struct neighbour *near = &j->neighbours[found[i].neighbour];
			bool shown_already = c->flow != FLOW_NONE && j->flows.pool[c->flow].key.sa_found &&
					     near->fact.kind == (enum fact_kind)j->flows.pool[c->flow].found_kind;

			if (weight_of(&near->fact) != weight || shown_already)
				continue;
			if (n == INCIDENT_EVIDENCE_MAX) {
				ret->flags |= FLAG_EVIDENCE_CUT;
				break;
			}
			j->shown[n] = (struct evidence){
				.has_at = near->has_at,
				.at = near->at,
				.kind = near->fact.kind,
				.from = place_text(j, n, &near->place),
				.text = claim_text(&near->text),
				.other_end = found[i].other_end,
			};
			n++;
		}
	}
	qsort(j->shown, n, sizeof(j->shown[0]), compare_shown);
	ret->evidence = j->shown;
	ret->evidence_count = n;
}
