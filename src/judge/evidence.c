/* SPDX-License-Identifier: MIT */
/*
 * Which neighbouring messages belong to an incident: those that name its SPI at any time, and those that name its
 * addresses, or come from its observer, near its time. Messages of the sender's own log are the other end.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/memory.h"
#include "judge/judge_private.h"

#define LOOKED_AT_MAX 1024 /* messages of one key that one incident looks through */
#define NO_TIME INT64_MIN

struct index {
	uint64_t key;
	int64_t at; /* NO_TIME comes first */
	uint32_t neighbour; /* or, of an owner_key, the host */
};

#define FOUND_MAX 64
struct found {
	uint32_t neighbour;
	bool other_end;
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

static uint64_t owner_key(const struct judge *j, const struct spimend_address *a)
{
	return key_of(j, 'o', a, sizeof(*a));
}

static int compare_index(const void *a, const void *b)
{
	const struct index *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return (x->neighbour > y->neighbour) - (x->neighbour < y->neighbour);
}

int evidence_index(struct judge *j)
{
	size_t room = (size_t)j->neighbour_count * 3 + j->owner_count + 1;
	struct index *all = memory_resize(j->by_key, room, sizeof(*all));
	size_t n = 0;

	if (!all)
		return -ENOMEM;
	j->by_key = all;
	for (uint32_t i = 0; i < j->neighbour_count; i++) {
		const struct fact *f = &j->neighbours[i].fact;
		int64_t at = j->neighbours[i].has_at ? j->neighbours[i].at.ns : NO_TIME;

		if (f->has & FACT_HAS_SPI)
			all[n++] = (struct index){ spi_key(j, f->spi.value), at, i };
		if (f->has & FACT_HAS_SPI_OUT)
			all[n++] = (struct index){ spi_key(j, f->spi_out.value), at, i };
		if (spimend_address_known(&f->src))
			all[n++] = (struct index){ address_key(j, &f->src), at, i };
		else
			all[n++] = (struct index){ writer_key(j, j->neighbours[i].writer), at, i };
	}
	for (size_t i = 0; n > 0 && i < OWNERS_MAX; i++)
		if (j->owners[i].host)
			all[n++] = (struct index){ owner_key(j, &j->owners[i].address), NO_TIME, j->owners[i].host };
	judge_sort(j, all, n, sizeof(*all), compare_index);
	j->by_key_count = n;
	return 0;
}

/* The first entry of that key that is not before `at`. */
static size_t first_of(const struct judge *j, uint64_t key, int64_t at)
{
	size_t low = 0, high = j->by_key_count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		const struct index *x = &j->by_key[middle];

		if (x->key < key || (x->key == key && x->at < at))
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
	struct found found[FOUND_MAX];
	size_t count, kept;
};

/* A walk through the messages of one key: those without a time, then those near the incident's. */
struct walk {
	size_t at, left;
	int64_t until;
	uint64_t key;
	bool sought; /* the times were skipped to */
};

static struct walk walk_of(const struct finder *f, uint64_t key, bool any_time)
{
	const struct case_file *c = f->c;
	struct walk w = { .at = first_of(f->judge, key, NO_TIME), .left = LOOKED_AT_MAX, .until = INT64_MAX, .key = key };

	w.sought = any_time || !c->has_times;
	if (!w.sought)
		w.until = c->last.ns + f->judge->settings.evidence_window_ns;
	return w;
}

/* The next neighbour; NULL at the end. */
static const struct neighbour *walk_next(const struct finder *f, struct walk *w, uint32_t *ret)
{
	const struct judge *j = f->judge;
	const struct judge_settings *s = &j->settings;
	const struct index *x;

	if (!w->sought && w->at < j->by_key_count && j->by_key[w->at].key == w->key && j->by_key[w->at].at != NO_TIME) {
		int64_t before = s->restart_window_ns > s->evidence_window_ns ? s->restart_window_ns : s->evidence_window_ns;

		w->at = first_of(j, w->key, f->c->first.ns - before);
		w->sought = true;
	}
	if (w->left == 0 || w->at >= j->by_key_count)
		return NULL;
	x = &j->by_key[w->at];
	if (x->key != w->key || x->at > w->until)
		return NULL;
	w->left--;
	w->at++;
	*ret = x->neighbour;
	return &j->neighbours[x->neighbour];
}

static void add_found(struct finder *f, uint32_t neighbour, bool other_end)
{
	for (size_t i = 0; i < f->kept; i++)
		if (f->found[i].neighbour == neighbour)
			return;
	f->count++;
	if (f->kept < FOUND_MAX)
		f->found[f->kept++] = (struct found){ neighbour, other_end };
}

/* Did the device with this address write it? Unknown counts as yes only where few enough devices wrote at all. */
static bool wrote(const struct judge *j, const struct neighbour *n, const struct spimend_address *address, bool guess)
{
	bool known;

	if (n->fact.kind == FACT_NHRP_DOWN) { /* the addresses are a tunnel's ends; the writer may be either */
		bool owns = n->has_host && judge_owns(j, n->writer, address, &known);

		if (n->has_host && known)
			return owns;
		if (j->writers <= 2)
			return guess;
	}
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
	const struct neighbour *n;
	struct walk walk;
	uint32_t index;

	if (!spimend_address_known(about))
		return;
	walk = walk_of(f, address_key(j, about), false);
	while ((n = walk_next(f, &walk, &index))) {
		bool same_writer = n->writer == observer_of(j, f->c);
		bool guess = other_end ? !same_writer && j->writers <= 2 : same_writer || j->writers <= 1;

		if (is_near(j, f->c, n) && wrote(j, n, by, guess))
			add_found(f, index, other_end);
	}
}

static void find_by_spi(struct finder *f, uint32_t spi)
{
	struct walk walk = walk_of(f, spi_key(f->judge, spi), true);
	const struct neighbour *n;
	uint32_t index;

	while ((n = walk_next(f, &walk, &index)))
		add_found(f, index, n->fact.has & FACT_HAS_SPI_OUT && n->fact.spi_out.value == spi);
}

/* Restarts, configuration changes, line protocol: of the observer itself. */
static void find_by_writer(struct finder *f)
{
	const struct judge *j = f->judge;
	uint32_t observer = observer_of(j, f->c), index;
	const struct neighbour *n;
	struct walk walk;

	if (!observer)
		return;
	walk = walk_of(f, writer_key(j, observer), false);
	while ((n = walk_next(f, &walk, &index))) {
		uint32_t interface = f->c->flow == FLOW_NONE ? 0 : j->flows.pool[f->c->flow].interface;
		bool line = n->fact.kind == FACT_LINE_UP || n->fact.kind == FACT_LINE_DOWN;

		/* Another tunnel's line protocol is another tunnel's trouble. */
		if (line && interface && !text_equal_nocase(intern_text(&j->names, interface), text_of(n->fact.interface)))
			continue;
		/* What names neither address belongs here by its time alone. */
		if (n->has_at && is_near(j, f->c, n))
			add_found(f, index, false);
	}
}

static bool is_surrounding(enum fact_kind kind)
{
	return kind == FACT_LINE_UP || kind == FACT_LINE_DOWN || kind == FACT_NHRP_DOWN || kind == FACT_BFD_DOWN ||
	       kind == FACT_TUNNEL_UP || kind == FACT_TUNNEL_DOWN;
}

/* What happened to the sender's tunnels, by its own log. */
static void find_by_sender(struct finder *f, uint32_t host)
{
	const struct judge *j = f->judge;
	const struct neighbour *n;
	struct walk walk;
	uint32_t index;

	if (!host || host == observer_of(j, f->c))
		return;
	walk = walk_of(f, writer_key(j, host), false);
	while ((n = walk_next(f, &walk, &index)))
		if (n->has_at && is_surrounding(n->fact.kind) && is_near(j, f->c, n))
			add_found(f, index, true);
}

/* The hosts that own the sender's address; else, where only two devices write, the other one. */
static void find_by_senders(struct finder *f)
{
	const struct judge *j = f->judge;
	uint32_t observer = observer_of(j, f->c), other = 0;
	uint64_t key = owner_key(j, &f->c->src);
	bool found = false, known = false;

	if (!spimend_address_known(&f->c->src))
		return;
	for (size_t i = first_of(j, key, NO_TIME); i < j->by_key_count && j->by_key[i].key == key; i++) {
		find_by_sender(f, j->by_key[i].neighbour);
		found = true;
	}
	if (found || j->writers != 2)
		return;
	if (observer == j->first_writers[0])
		other = j->first_writers[1];
	else if (observer == j->first_writers[1])
		other = j->first_writers[0];
	if (other && !judge_owns(j, other, &f->c->src, &known) && !known)
		find_by_sender(f, other);
}

static void find(struct finder *f)
{
	const struct case_file *c = f->c;

	if (c->aggregated || f->judge->by_key_count == 0)
		return;
	if (c->has_spi && !(c->flags & FLAG_SPI_SMALL)) {
		find_by_spi(f, c->spi);
		find_by_spi(f, spimend_spi_swap((struct spimend_spi){ c->spi }).value);
	}
	find_by_address(f, &c->src, &c->dst, false);
	find_by_address(f, &c->dst, &c->src, true);
	find_by_address(f, &c->src, &c->src, true); /* NHRP names both ends in any order */
	find_by_writer(f);
	find_by_senders(f);
}

/* ---- weighing ---- */

static void weigh_neighbour(const struct judge *j, struct case_file *c, const struct found *found)
{
	const struct neighbour *n = &j->neighbours[found->neighbour];
	const struct fact *f = &n->fact;
	bool before = !n->has_at || !c->has_times || n->at.ns <= c->first.ns;

	c->saw |= UINT64_C(1) << f->kind;
	if (before)
		c->saw_before |= UINT64_C(1) << f->kind;
	if (found->other_end)
		c->flags |= FLAG_BOTH_ENDS;
	if (c->has_spi && f->has & FACT_HAS_SPI && f->spi.value != c->spi &&
	    f->spi.value == spimend_spi_swap((struct spimend_spi){ c->spi }).value)
		c->flags |= FLAG_SPI_SWAPPED;
	if (found->other_end)
		return;
	if ((f->kind == FACT_RESTART || f->kind == FACT_IKE_STARTED) && n->has_at && c->has_times && before) {
		if (!c->restarted || n->at.ns > c->restart.ns)
			c->restart = n->at;
		c->restarted = true;
	}
	if (f->kind == FACT_SA_BORN && f->has & FACT_HAS_SPI && c->has_spi && f->spi.value == c->spi && n->has_at && before) {
		if (!c->is_born || n->at.ns > c->birth.ns)
			c->birth = n->at;
		c->is_born = true;
	}
	if (f->kind == FACT_SA_DIED && f->has & FACT_HAS_SPI && f->spi.value == c->spi && c->has_spi && !c->death)
		c->death = found->neighbour + 1;
}

void evidence_weigh(struct judge *j, struct case_file *c)
{
	struct finder f = { .judge = j, .c = c };

	blocks_weigh(j, c);
	find(&f);
	for (size_t i = 0; i < f.kept; i++)
		weigh_neighbour(j, c, &f.found[i]);
	if (f.count > f.kept)
		c->flags |= FLAG_EVIDENCE_CUT;
	c->has_neighbours = f.kept > 0;
}

/* ---- for the reader ---- */

static struct text place_text(struct judge *j, size_t slot, const struct place *p)
{
	struct text name = intern_text(&j->names, p->source);
	char *to = j->shown_from[slot], digits[20];
	size_t len = name.len, count = 0;
	uint64_t line = p->line;

	if (len)
		memcpy(to, name.at, len);
	to[len++] = ':';
	do
		digits[count++] = (char)('0' + line % 10);
	while ((line /= 10) != 0);
	while (count)
		to[len++] = digits[--count];
	return (struct text){ to, len };
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

static void show_sighting(struct judge *j, size_t n, const struct flow *f, const struct sighting *s)
{
	j->shown[n] = (struct evidence){
		.has_at = s->has_at,
		.at = s->at,
		.kind = f->key.sa_found ? (enum fact_kind)f->found_kind : FACT_STRAY,
		.from = place_text(j, n, &s->place),
		.text = claim_text(&s->text),
	};
}

static size_t show_sightings(struct judge *j, const struct flow *f, size_t room)
{
	size_t n = 0;

	for (int i = 0; i < FLOW_SIGHTINGS && n < room; i++)
		if (f->sightings[i])
			show_sighting(j, n++, f, &j->sightings[f->sightings[i] - 1]);
	return n;
}

const struct sighting *evidence_first(const struct judge *j, const struct flow *f)
{
	const struct sighting *first = NULL;

	for (int i = 0; i < FLOW_SIGHTINGS; i++) {
		const struct sighting *s = f->sightings[i] ? &j->sightings[f->sightings[i] - 1] : NULL;

		if (s && (!first || (s->has_at && (!first->has_at || s->at.ns < first->at.ns))))
			first = s;
	}
	return first;
}

/* The first message of each of its earliest flows. */
static size_t show_group(struct judge *j, const struct case_file *c, struct incident *ret)
{
	size_t n = 0;

	for (int i = 0; i < GROUP_SHOWN && c->shown[i]; i++) {
		const struct flow *f = &j->flows.pool[c->shown[i] - 1];

		show_sighting(j, n++, f, evidence_first(j, f));
	}
	if (c->flows > n)
		ret->flags |= FLAG_EVIDENCE_CUT;
	return n;
}

struct showing {
	struct judge *judge;
	size_t count, room;
	bool other_end;
};

static bool show_block(void *context, uint32_t block)
{
	struct showing *s = context;
	struct stored_block *b = &s->judge->blocks[block];

	if (s->count == s->room)
		return false;
	s->judge->shown[s->count] = (struct evidence){
		.kind = FACT_SA_TABLE,
		.from = place_text(s->judge, s->count, &b->place),
		.text = b->block.inbound_count || b->block.outbound_count ? TEXT("saved show crypto ipsec sa: SAs listed")
									   : TEXT("saved show crypto ipsec sa: a flow without any SA"),
		.other_end = s->other_end,
	};
	s->count++;
	return true;
}

static size_t show_blocks(struct judge *j, const struct case_file *c, size_t count)
{
	struct showing s = { .judge = j, .count = count, .room = count + 4 };

	if (s.room > INCIDENT_EVIDENCE_MAX)
		s.room = INCIDENT_EVIDENCE_MAX;
	blocks_of(j, &c->dst, &c->src, show_block, &s);
	s.other_end = true;
	blocks_of(j, &c->src, &c->dst, show_block, &s);
	return s.count;
}

static size_t show_neighbours(struct judge *j, const struct case_file *c, size_t n, struct incident *ret)
{
	struct finder f = { .judge = j, .c = c };
	const struct flow *flow = c->flow == FLOW_NONE ? NULL : &j->flows.pool[c->flow];

	find(&f);
	for (int weight = 3; weight >= 0; weight--) {
		for (size_t i = 0; i < f.kept; i++) {
			const struct neighbour *near = &j->neighbours[f.found[i].neighbour];
			bool shown_already = flow && flow->key.sa_found && near->fact.kind == (enum fact_kind)flow->found_kind;

			if (weight_of(&near->fact) != weight || shown_already)
				continue;
			if (n == INCIDENT_EVIDENCE_MAX) {
				ret->flags |= FLAG_EVIDENCE_CUT;
				return n;
			}
			j->shown[n] = (struct evidence){
				.has_at = near->has_at,
				.at = near->at,
				.kind = near->fact.kind,
				.from = place_text(j, n, &near->place),
				.text = claim_text(&near->text),
				.other_end = f.found[i].other_end,
				.has_spi = near->fact.has & FACT_HAS_SPI,
				.spi = near->fact.spi,
				.has_spi_out = near->fact.has & FACT_HAS_SPI_OUT,
				.spi_out = near->fact.spi_out,
				.reason = near->fact.reason,
			};
			n++;
		}
	}
	return n;
}

void evidence_show(struct judge *j, const struct case_file *c, struct incident *ret)
{
	size_t n = 0;

	if (c->aggregated)
		n = show_group(j, c, ret);
	else if (c->flow != FLOW_NONE)
		n = show_sightings(j, &j->flows.pool[c->flow], INCIDENT_EVIDENCE_MAX);
	if (c->has_blocks)
		n = show_blocks(j, c, n);
	if (c->has_neighbours)
		n = show_neighbours(j, c, n, ret);
	if (n > 1)
		qsort(j->shown, n, sizeof(j->shown[0]), compare_shown);
	ret->evidence = j->shown;
	ret->evidence_count = n;
}
