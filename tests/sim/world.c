/* SPDX-License-Identifier: MIT */
#include "sim.h"

#define TRACE_MAX (4u << 20)

uint64_t rnd(struct world *w)
{
	uint64_t z = (w->random += UINT64_C(0x9e3779b97f4a7c15)); /* splitmix64 */

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

uint32_t rnd_below(struct world *w, uint32_t n)
{
	return n ? (uint32_t)(((rnd(w) >> 32) * n) >> 32) : 0;
}

int64_t rnd_between(struct world *w, int64_t least, int64_t most)
{
	return most <= least ? least : least + (int64_t)(rnd(w) % (uint64_t)(most - least + 1));
}

bool chance(struct world *w, uint32_t in_ten_thousand)
{
	return in_ten_thousand && rnd_below(w, 10000) < in_ten_thousand;
}

/* --- Events: a binary heap ----------------------------------------------------------------------------------------- */

static bool earlier(const struct event *a, const struct event *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

void post(struct world *w, int64_t delay, enum event_kind kind, uint8_t node, uint32_t a, uint32_t b, uint64_t c,
	  void *payload)
{
	struct event e = { w->now + (delay > 0 ? delay : 0), w->event_order++, kind, node, a, b, c, payload };
	uint32_t i = w->event_count;

	if (w->event_count == w->event_room) {
		w->event_room = w->event_room ? 2 * w->event_room : 256;
		w->heap = realloc(w->heap, w->event_room * sizeof(*w->heap));
		if (!w->heap)
			abort();
	}
	w->event_count++;
	while (i && earlier(&e, &w->heap[(i - 1) / 2])) {
		w->heap[i] = w->heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	w->heap[i] = e;
}

static struct event take(struct world *w)
{
	struct event first = w->heap[0], last = w->heap[--w->event_count];
	uint32_t i = 0;

	for (;;) {
		uint32_t least = 2 * i + 1;

		if (least >= w->event_count)
			break;
		if (least + 1 < w->event_count && earlier(&w->heap[least + 1], &w->heap[least]))
			least++;
		if (!earlier(&w->heap[least], &last))
			break;
		w->heap[i] = w->heap[least];
		i = least;
	}
	w->heap[i] = last;
	return first;
}

static void free_payload(struct event *e)
{
	if (e->kind == EV_INBOX && e->payload)
		free(((struct inbox *)e->payload)->list);
	free(e->payload);
}

static void dispatch(struct world *w, struct event *e)
{
	struct node *n = &w->nodes[e->node];

	switch (e->kind) {
	case EV_MESSAGE:
		exchange_message(n, e->payload);
		break;
	case EV_PACKET:
		plane_packet(n, e->payload);
		break;
	case EV_TRAFFIC:
		plane_traffic(n, (uint8_t)e->a);
		break;
	case EV_SA_EXPIRE:
		plane_expire(n, e->a, e->b, (int64_t)e->c);
		break;
	case EV_FORGE:
		plane_forge(w);
		break;
	case EV_FAULT:
		fault_strike(w, &w->faults[e->a]);
		break;
	case EV_WATCH:
		oracle_watch(w);
		break;
	case EV_INBOX:
	case EV_SIGHTINGS:
	case EV_COUNTS:
	case EV_TICK:
	case EV_CORE_START:
	case EV_ACT_START:
	case EV_SENSE_START:
	case EV_ACT_ORDER:
	case EV_ACT_LIST:
	case EV_ACT_DUMP:
	case EV_ACT_HELLO:
	case EV_ORDER_TIMEOUT:
		gateway_event(n, e);
		break;
	default:
		daemon_event(n, e);
		break;
	}
}

void world_run(struct world *w, int64_t until)
{
	while (w->event_count && w->heap[0].at <= until && !w->failed) {
		struct event e = take(w);

		w->now = e.at;
		w->steps++;
		dispatch(w, &e);
		free_payload(&e);
	}
	w->now = until;
}

void world_init(struct world *w, uint64_t seed)
{
	memset(w, 0, sizeof(*w));
	w->seed = w->random = seed;
	w->now = 1000 * SEC;
	w->net.delay_least = 1 * MS;
	w->net.delay_most = 5 * MS;
}

void world_done(struct world *w)
{
	for (uint32_t i = 0; i < w->event_count; i++)
		free_payload(&w->heap[i]);
	for (uint32_t i = 0; i < NODES_MAX; i++)
		gateway_done(&w->nodes[i]);
	free(w->heap);
	free(w->trace);
	w->heap = NULL;
	w->trace = NULL;
}

/* --- Trace and failure --------------------------------------------------------------------------------------------- */

static void append(struct world *w, const char *text, size_t len)
{
	if (w->trace_len + len + 1 > TRACE_MAX) { /* the end is what matters */
		size_t half = w->trace_len / 2;

		memmove(w->trace, w->trace + half, w->trace_len - half);
		w->trace_len -= half;
	}
	while (w->trace_len + len + 1 > w->trace_room) {
		w->trace_room = w->trace_room ? 2 * w->trace_room : 4096;
		w->trace = realloc(w->trace, w->trace_room);
		if (!w->trace)
			abort();
	}
	memcpy(w->trace + w->trace_len, text, len);
	w->trace_len += len;
	w->trace[w->trace_len] = 0;
}

void tell(struct world *w, const char *format, ...)
{
	char line[512];
	va_list list;
	int head = snprintf(line, sizeof(line), "%10.4f ", (double)(w->now - 1000 * SEC) / 1e9), body;

	va_start(list, format);
	body = vsnprintf(line + head, sizeof(line) - (size_t)head - 1, format, list);
	va_end(list);
	if (body > (int)sizeof(line) - head - 2)
		body = (int)sizeof(line) - head - 2;
	line[head + body] = '\n';
	append(w, line, (size_t)(head + body) + 1);
}

void violate(struct world *w, const char *invariant, const char *format, ...)
{
	va_list list;
	int head;

	if (w->failed)
		return;
	w->failed = true;
	head = snprintf(w->failure, sizeof(w->failure), "%s at %.3f s: ", invariant, (double)(w->now - 1000 * SEC) / 1e9);
	va_start(list, format);
	vsnprintf(w->failure + head, sizeof(w->failure) - (size_t)head, format, list);
	va_end(list);
	TRACE(w, "*** %s", w->failure);
}

/* --- Network ------------------------------------------------------------------------------------------------------- */

int64_t net_delay(struct world *w)
{
	return rnd_between(w, w->net.delay_least, w->net.delay_most);
}

bool net_passes(struct world *w, uint8_t from, uint8_t to, bool is_ike)
{
	if (from != NODE_NONE && (w->net.blocked[from][to] || (is_ike && w->net.ike_blocked[from][to])))
		return false;
	return !chance(w, w->net.loss);
}

void net_message(struct world *w, const struct message *m)
{
	int copies = chance(w, w->net.duplicate) ? 2 : 1;

	w->messages++;
	TRACE(w, "net: %u to %u: kind %d%s mid %u rekeyed %08x spi %08x error %d", m->from, m->to, (int)m->kind, m->is_response ? " response" : "", m->mid, m->rekeyed, m->spi, (int)m->error);
	if (!net_passes(w, m->from, m->to, true)) {
		TRACE(w, "net: lost an IKE message of %u to %u (kind %d)", m->from, m->to, (int)m->kind);
		return;
	}
	while (copies--) {
		struct message *copy = malloc(sizeof(*copy));

		if (!copy)
			abort();
		*copy = *m;
		post(w, net_delay(w), EV_MESSAGE, m->to, 0, 0, 0, copy);
	}
}

static struct spimend_address address_v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	struct spimend_address address = { .family = 4 };

	address.bytes[0] = a;
	address.bytes[1] = b;
	address.bytes[2] = c;
	address.bytes[3] = d;
	return address;
}

struct spimend_address address_of_node(uint32_t index)
{
	return address_v4(192, 0, 2, (uint8_t)(index + 1));
}

struct spimend_address address_of_stranger(uint32_t number)
{
	return address_v4(198, 18, (uint8_t)(number >> 8), (uint8_t)number);
}

uint8_t node_of_address(const struct world *w, const struct spimend_address *a)
{
	for (uint32_t i = 0; i < w->node_count; i++)
		if (spimend_address_equal(a, &w->nodes[i].address))
			return (uint8_t)i;
	return NODE_NONE;
}

int64_t node_mono(const struct node *n)
{
	return n->w->now - n->machine_boot + 7 * SEC;
}

struct instant node_wall(const struct node *n)
{
	return (struct instant){ INT64_C(1795300000) * SEC + n->w->now + n->wall_offset };
}

struct moment node_moment(const struct node *n)
{
	return (struct moment){ node_mono(n), node_wall(n) };
}
