/* SPDX-License-Identifier: MIT */
#include "judge/capture.h"

#include <errno.h>
#include <stdlib.h>

#include "base/memory.h"
#include "judge/capture_private.h"

_Static_assert(CAPTURE_BATCH_MAX <= PACKET_BATCH_MAX, "a batch goes through the table in one");

int capture_judge_new(const struct judge *judge, const struct hash_key *key, struct capture_judge **ret)
{
	struct capture_judge *j = memory_new(1, sizeof(*j));
	int result;

	if (!j)
		return -ENOMEM;
	j->judge = judge;
	j->key = *key;
	result = intern_init(&j->names, key, CAPTURE_FILES_MAX + 16);
	if (result == 0)
		result = packet_flows_init(&j->flows, key, PACKET_FLOWS_MAX);
	if (result < 0) {
		capture_judge_free(j);
		return result;
	}
	*ret = j;
	return 0;
}

void capture_judge_free(struct capture_judge *j)
{
	if (!j)
		return;
	intern_done(&j->names);
	packet_flows_done(&j->flows);
	capture_table_done(&j->table);
	memory_free(j->sorted);
	memory_free(j->marks);
	memory_free(j->cases);
	memory_free(j);
}

int capture_judge_file(struct capture_judge *j, struct text name)
{
	if (j->file_count == CAPTURE_FILES_MAX)
		return -E2BIG;
	j->files[j->file_count] = intern_get(&j->names, name);
	return j->file_count++;
}

static void count_ike(struct capture_judge *j, int file, const struct packet *p)
{
	struct packet notify = *p;

	j->ike[p->ike < EXCHANGES ? p->ike : EXCHANGE_OTHER][p->is_response]++;
	if (!p->has_bad_spi)
		return;
	notify.key.protocol = PACKET_FLOW_NOTIFY;
	notify.key.encap_udp = 0;
	notify.key.spi = p->bad_spi;
	packet_flows_add(&j->flows, (uint16_t)file, &notify, 1);
}

void capture_judge_packets(struct capture_judge *j, int file, const struct packet *packets, size_t count)
{
	packet_flows_add(&j->flows, (uint16_t)file, packets, count);
	for (size_t i = 0; i < count; i++)
		if (__builtin_expect(packets[i].key.protocol == PACKET_FLOW_IKE, 0))
			count_ike(j, file, &packets[i]);
}

void capture_judge_span(struct capture_judge *j, int64_t first_ns, int64_t last_ns)
{
	if (!j->has_span || first_ns < j->start_ns)
		j->start_ns = first_ns;
	if (!j->has_span || last_ns > j->end_ns)
		j->end_ns = last_ns;
	j->has_span = true;
}

/* ---- the receiver's table ---- */

int capture_judge_table_file(struct capture_judge *j, struct text name)
{
	if (j->table.hosts || j->table.by_host.at)
		return 0;
	j->table_file = intern_get(&j->names, name);
	return capture_table_init(&j->table, &j->key);
}

int capture_judge_table_begin(struct capture_judge *j, enum saved_output output, const struct saved_filter *filter)
{
	return capture_table_begin(&j->table, output, filter);
}

int capture_judge_table_add(struct capture_judge *j, const struct saved_record *record)
{
	return capture_table_add(&j->table, record);
}

void capture_judge_table_end(struct capture_judge *j, bool cut)
{
	capture_table_end(&j->table, cut);
}

int capture_judge_receiver(struct capture_judge *j, const struct spimend_address *address)
{
	return capture_table_own(&j->table, address);
}

int capture_judge_table_finish(struct capture_judge *j)
{
	int result = j->table.has_tables ? capture_table_finish(&j->table) : -ENOENT;

	j->has_table = result == 0;
	return result;
}

/* ---- flows in order ---- */

/* ESP and AH first, then notifies, then IKE. */
static int class_of(const struct packet_flow *f)
{
	return f->key.protocol == PACKET_FLOW_IKE ? 2 : f->key.protocol == PACKET_FLOW_NOTIFY;
}

static int compare_pair(const struct packet_flow *a, const struct packet_flow *b)
{
	int order = class_of(a) - class_of(b);

	if (order == 0)
		order = spimend_address_compare(&a->key.src, &b->key.src);
	return order ? order : spimend_address_compare(&a->key.dst, &b->key.dst);
}

static int compare(const void *left, const void *right)
{
	const struct packet_flow *a = *(const struct packet_flow *const *)left, *b = *(const struct packet_flow *const *)right;
	int order = compare_pair(a, b);

	if (order)
		return order;
	if (class_of(a) == 1) /* they are looked for by what they are about */
		return (a->key.spi > b->key.spi) - (a->key.spi < b->key.spi);
	if (a->has_times != b->has_times)
		return a->has_times ? -1 : 1;
	if (a->first_ns != b->first_ns)
		return a->first_ns < b->first_ns ? -1 : 1;
	return a->key.spi != b->key.spi ? a->key.spi < b->key.spi ? -1 : 1 : memcmp(&a->key, &b->key, sizeof(a->key));
}

/* The first flow that does not come before (class, src, dst). */
static uint32_t find_pair(const struct capture_judge *j, uint8_t protocol, const struct spimend_address *src,
			  const struct spimend_address *dst)
{
	struct packet_flow wanted = { .key = { .src = *src, .dst = *dst, .protocol = protocol } };
	uint32_t low = 0, high = j->sorted_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (compare_pair(j->sorted[middle], &wanted) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool capture_has_traffic(const struct capture_judge *j, const struct spimend_address *src, const struct spimend_address *dst,
			 bool of_ike)
{
	uint8_t protocol = of_ike ? PACKET_FLOW_IKE : SPIMEND_PROTOCOL_ESP;
	struct packet_flow wanted = { .key = { .src = *src, .dst = *dst, .protocol = protocol } };
	uint32_t at = find_pair(j, protocol, src, dst);

	return at < j->sorted_count && compare_pair(j->sorted[at], &wanted) == 0;
}

uint32_t capture_notify_of(const struct capture_judge *j, const struct packet_flow *f)
{
	struct packet_flow wanted = {
		.key = { .src = f->key.dst, .dst = f->key.src, .protocol = PACKET_FLOW_NOTIFY, .spi = f->key.spi },
	};
	const struct packet_flow *key = &wanted, *const *found = NULL;

	if (j->notify_count)
		found = bsearch(&key, j->sorted + j->flow_count, j->notify_count, sizeof(*j->sorted), compare);
	if (!found || ((*found)->bad_protocol && (*found)->bad_protocol != f->key.protocol))
		return NOBODY;
	return (uint32_t)(found - j->sorted);
}

bool capture_is_proven(const struct packet_flow *f)
{
	return f->packets >= CAPTURE_PROOF_PACKETS && f->advances + 1 >= CAPTURE_PROOF_PACKETS && f->has_times &&
	       f->last_ns - f->first_ns >= CAPTURE_PROOF_NS;
}

bool capture_is_newborn(const struct packet_flow *f)
{
	return f->sequence_low <= CAPTURE_NEWBORN;
}

struct capture_case *capture_add_case(struct capture_judge *j, uint32_t flow)
{
	const struct packet_flow *f = flow == NOBODY ? NULL : j->sorted[flow];
	struct capture_case *c;

	if (j->case_count == j->case_room) {
		uint32_t room = j->case_room ? j->case_room * 2 : 64;
		struct capture_case *more = memory_resize(j->cases, room, sizeof(*more));

		if (!more) {
			j->error = -ENOMEM;
			return NULL;
		}
		j->cases = more;
		j->case_room = room;
	}
	c = &j->cases[j->case_count++];
	*c = (struct capture_case){ .flow = flow, .other = NOBODY, .notify = NOBODY, .spis = 1, .sources = 1 };
	if (!f)
		return c;
	c->has_src = c->has_dst = c->has_spi = true;
	c->src = f->key.src;
	c->dst = f->key.dst;
	c->spi = f->key.spi;
	c->protocol = f->key.protocol;
	c->encap_udp = f->key.encap_udp;
	c->packets = f->packets;
	c->has_times = f->has_times;
	c->first_ns = f->first_ns;
	c->last_ns = f->last_ns;
	c->notify = capture_notify_of(j, f);
	return c;
}

/* ---- the settlement ---- */

static int sort_flows(struct capture_judge *j)
{
	memory_free(j->sorted);
	memory_free(j->marks);
	j->sorted_count = j->flows.count;
	j->sorted = memory_new(j->sorted_count + 1, sizeof(struct packet_flow *));
	j->marks = memory_new(j->sorted_count + 1, 1);
	if (!j->sorted || !j->marks)
		return -ENOMEM;
	j->flow_count = j->notify_count = 0;
	for (uint32_t i = 0; i < j->sorted_count; i++) {
		j->sorted[i] = &j->flows.pool[i];
		j->flow_count += class_of(j->sorted[i]) == 0;
		j->notify_count += class_of(j->sorted[i]) == 1;
	}
	qsort(j->sorted, j->sorted_count, sizeof(struct packet_flow *), compare);
	return 0;
}

static bool is_multicast(const struct spimend_address *a)
{
	return a->family == 4 ? a->bytes[0] >= 224 : a->bytes[0] == 0xff;
}

/* What holds of a pair whoever judges it. */
static void mark_pair(struct capture_judge *j, struct capture_pair pair)
{
	const struct packet_flow *f = j->sorted[pair.first];
	bool one_way = !is_multicast(&f->key.dst) && !capture_has_traffic(j, &f->key.dst, &f->key.src, false);

	j->pairs++;
	j->one_way_pairs += one_way;
	for (uint32_t i = 0; i < pair.count; i++) {
		f = j->sorted[pair.first + i];
		if (one_way)
			j->marks[pair.first + i] |= MARK_ONE_WAY;
		if (i > 0 && f->has_times && capture_is_newborn(f) && f->first_ns - j->sorted[pair.first]->first_ns >= SECOND_NS) {
			j->marks[pair.first + i] |= MARK_NEW;
			j->spi_changes++;
		}
	}
}

static bool is_of_table(const struct capture_judge *j, const struct packet_flow *f)
{
	if (!j->has_table || !capture_table_is_local(&j->table, &f->key.dst))
		return false;
	return capture_table_covers(&j->table, &f->key.src);
}

typedef void each_pair(struct capture_judge *j, struct capture_pair pair);

static void for_each_pair(struct capture_judge *j, each_pair *each)
{
	struct capture_pair pair;

	for (uint32_t i = 0; i < j->flow_count; i += pair.count) {
		pair = (struct capture_pair){ i, 1 };
		while (i + pair.count < j->flow_count && compare_pair(j->sorted[i + pair.count], j->sorted[i]) == 0)
			pair.count++;
		each(j, pair);
	}
}

static void look_at_pair(struct capture_judge *j, struct capture_pair pair)
{
	mark_pair(j, pair);
	if (is_of_table(j, j->sorted[pair.first]))
		capture_look_up(j, pair);
}

static void judge_pair(struct capture_judge *j, struct capture_pair pair)
{
	const struct packet_flow *f = j->sorted[pair.first];

	if (is_of_table(j, f))
		capture_judge_exactly(j, pair);
	else if (!j->has_table || !capture_table_is_local(&j->table, &f->key.src))
		capture_guess_pair(j, pair); /* what the receiver itself sends, its table does not judge */
}

static void judge_all(struct capture_judge *j)
{
	for_each_pair(j, look_at_pair);
	for_each_pair(j, judge_pair);
	capture_gather_noise(j);
	for (uint32_t i = 0; i < j->case_count; i++)
		if (j->cases[i].notify != NOBODY)
			j->marks[j->cases[i].notify] |= MARK_TOLD;
	for (uint32_t i = 0; i < j->notify_count; i++)
		capture_guess_notify(j, j->flow_count + i);
}

static int compare_cases(const void *left, const void *right)
{
	const struct capture_case *a = left, *b = right;
	int order;

	if (a->has_times != b->has_times)
		return a->has_times ? -1 : 1;
	if (a->has_times && a->first_ns != b->first_ns)
		return a->first_ns < b->first_ns ? -1 : 1;
	order = spimend_address_compare(&a->src, &b->src);
	if (order == 0)
		order = spimend_address_compare(&a->dst, &b->dst);
	if (order == 0)
		order = (a->spi > b->spi) - (a->spi < b->spi);
	return order ? order : (a->rule > b->rule) - (a->rule < b->rule);
}

int capture_judge_settle(struct capture_judge *j)
{
	int result = sort_flows(j);

	if (result < 0)
		return result;
	j->pairs = j->spi_changes = j->one_way_pairs = j->judged = j->known = 0;
	j->case_count = 0;
	j->error = 0;
	j->has_youngest = false;
	judge_all(j);
	if (j->case_count)
		qsort(j->cases, j->case_count, sizeof(*j->cases), compare_cases);
	return j->error;
}

size_t capture_judge_incidents(const struct capture_judge *j)
{
	return j->case_count;
}

enum verdict capture_judge_verdict(const struct capture_judge *j, size_t index)
{
	return j->cases[index].verdict;
}

void capture_judge_incident(struct capture_judge *j, size_t index, struct incident *ret)
{
	capture_show(j, &j->cases[index], ret);
}

size_t capture_judge_flows(const struct capture_judge *j)
{
	return j->flow_count;
}

void capture_judge_flow(const struct capture_judge *j, size_t index, struct capture_flow *ret)
{
	const struct packet_flow *f = j->sorted[index];
	uint8_t mark = j->marks[index];

	*ret = (struct capture_flow){
		.key = f->key, .packets = f->packets, .bytes = f->bytes, .has_times = f->has_times, .first = { f->first_ns },
		.last = { f->last_ns }, .sequence_first = f->sequence_first, .sequence_last = f->sequence_last,
		.is_new = mark & MARK_NEW, .is_one_way = mark & MARK_ONE_WAY, .is_judged = mark & MARK_JUDGED,
		.is_known = mark & MARK_KNOWN,
	};
}

void capture_judge_counts(const struct capture_judge *j, struct capture_judge_counts *ret)
{
	*ret = (struct capture_judge_counts){
		.flows = j->flow_count, .pairs = j->pairs, .spi_changes = j->spi_changes, .one_way_pairs = j->one_way_pairs,
		.judged = j->judged, .known = j->known, .evicted = j->flows.evicted, .refused_packets = j->flows.refused_packets,
		.table_sas = j->table.sa_count, .table_refused = j->table.refused,
	};
	memcpy(ret->ike, j->ike, sizeof(ret->ike));
	for (uint32_t i = 0; i < j->notify_count; i++)
		ret->notifies += j->sorted[j->flow_count + i]->packets;
}
