/* SPDX-License-Identifier: MIT */
/* What was recorded, as a picture and as a capture. */
#include <inttypes.h>
#include <stdio.h>

#include "base/memory.h"
#include "model/fact.h"
#include "parse/frame.h"
#include "parse/ike_header.h"
#include "parse/recorded.h"
#include "record/report_private.h"

#define SAME_MESSAGE_NS (2 * SECOND_NS)  /* recorded at both ends */
#define BEFORE_MAX_NS (2 * MINUTE_NS)    /* of the first stray packet: what is drawn at most */
#define AFTER_MAX_NS (2 * MINUTE_NS)
#define LEAST_AROUND_NS (SECOND_NS / 2)
#define PACKETS_MAX 400000

/* Whose lane an address has; false, and any lane, where it has none. */
static bool lane_of(const struct report_evidence *e, const struct spimend_address *a, enum picture_end *ret)
{
	*ret = spimend_address_equal(a, &e->src) ? PICTURE_SENDER : PICTURE_RECEIVER;
	return spimend_address_known(a) && (spimend_address_equal(a, &e->src) || spimend_address_equal(a, &e->dst));
}

static bool is_of_pair(const struct report_evidence *e, const struct recorded *event)
{
	enum picture_end a, b;

	return lane_of(e, &event->src, &a) && lane_of(e, &event->dst, &b) && a != b;
}

/* Whose lane a recorder has: by what it said of itself, else the observer is the receiver. */
static enum picture_end lane_of_end(struct report_evidence *e, struct text name)
{
	const struct report_end *end = report_end_of(e, name);
	struct text observer = json_tree_text(e->incident, json_tree_root(e->incident), "observer");

	if (end->has_lane)
		return end->lane;
	return text_equal(name, observer) || !name.len || e->end_count < 2 ? PICTURE_RECEIVER : PICTURE_SENDER;
}

static void learn_lane(struct report_evidence *e, struct text name, enum picture_end lane)
{
	struct report_end *end = report_end_of(e, name);

	if (!end->has_lane)
		end->lane = lane;
	end->has_lane = true;
}

static void add_event(struct report_evidence *e, const struct recorded *event, enum picture_kind kind, enum picture_end lane,
		      const char *what)
{
	struct picture_event drawn = {
		.at = event->wall, .kind = kind, .end = lane, .what = text_of(what), .text = event->text,
		.count = event->has & RECORDED_HAS_PACKETS ? event->packets : 1,
	};

	if (!(event->has & RECORDED_HAS_WALL))
		e->picture.untimed++;
	else
		picture_add(&e->picture, &drawn);
}

static void set_born(struct picture_bar *bar, struct instant at)
{
	if (!bar->has_born || at.ns < bar->born.ns)
		bar->born = at;
	bar->has_born = true;
}

/* The daemon and the kernel tell of one death each: it is over with the later, and the one that says more says why. */
static void set_died(struct report_evidence *e, struct picture_bar *bar, const struct recorded *event)
{
	if (!bar->has_died || event->wall.ns > bar->died.ns)
		bar->died = event->wall;
	if (!bar->why.len || text_equal(bar->why, TEXT("deleted")))
		bar->why = picture_keep(&e->picture, event->reason);
	bar->has_died = true;
}

/* "listed: installed 3600 s ago": of an SA that is older than the record. */
static void set_listed(struct picture_bar *bar, const struct recorded *event)
{
	struct text t = event->text;
	uint64_t seconds;

	if (text_take(&t, TEXT("listed: installed ")) && text_take_digits(&t, 9, &seconds, NULL) && !bar->has_born &&
	    event->wall.ns >= (int64_t)seconds * SECOND_NS)
		set_born(bar, (struct instant){ event->wall.ns - (int64_t)seconds * SECOND_NS });
}

static void draw_sa(struct report_evidence *e, const struct recorded *event)
{
	bool is_out = event->direction == RECORDED_OUT;
	struct picture_bar *bar;
	enum picture_end lane;

	if (!is_of_pair(e, event) || !(event->has & RECORDED_HAS_SPI)) {
		e->elsewhere++;
		return;
	}
	lane_of(e, is_out ? &event->src : &event->dst, &lane);
	learn_lane(e, event->end, lane);
	if (event->kind == RECORDED_SA_BORN && text_equal(event->reason, TEXT("requested")))
		return; /* an SPI, no SA yet */
	bar = picture_bar(&e->picture, lane, is_out, event->spi);
	if (!bar || !(event->has & RECORDED_HAS_WALL))
		return;
	if (event->kind == RECORDED_SA_BORN)
		set_born(bar, event->wall);
	else if (event->kind == RECORDED_SA_DIED)
		set_died(e, bar, event);
	else
		set_listed(bar, event);
}

/* All of that end at once; no SPI is told. */
static void draw_flush(struct report_evidence *e, const struct recorded *event)
{
	enum picture_end lane = lane_of_end(e, event->end);
	struct picture *p = &e->picture;
	char what[64];

	text_copy(event->reason, what, sizeof(what));
	add_event(e, event, PICTURE_HAPPENED, lane, what);
	for (size_t i = 0; i < p->bar_count && event->has & RECORDED_HAS_WALL; i++)
		if (p->bars[i].end == lane && !p->bars[i].has_died && (!p->bars[i].has_born || p->bars[i].born.ns <= event->wall.ns))
			set_died(e, &p->bars[i], event);
}

static void draw_sighting(struct report_evidence *e, const struct recorded *event)
{
	bool is_its = !e->picture.has_spi || (event->has & RECORDED_HAS_SPI && event->spi.value == e->picture.spi.value);

	if (!is_of_pair(e, event) || !spimend_address_equal(&event->dst, &e->dst) || !is_its) {
		e->elsewhere++;
		return;
	}
	learn_lane(e, event->end, PICTURE_RECEIVER);
	if (!(event->has & RECORDED_HAS_PACKETS))
		e->picture.counts_packets = false; /* a line of its log */
	if (event->has & RECORDED_HAS_WALL) {
		if (!e->has_stray || event->wall.ns < e->first_stray.ns)
			e->first_stray = event->wall;
		if (!e->has_stray || event->wall.ns > e->last_stray.ns)
			e->last_stray = event->wall;
		e->has_stray = true;
	}
	add_event(e, event, PICTURE_STRAY, PICTURE_RECEIVER, "");
}

/* The same message, recorded at the other end already? It is remembered in any case. */
static bool is_seen(struct report_evidence *e, const struct recorded *event, const struct ike_header *h, bool is_down)
{
	size_t room = sizeof(e->recent) / sizeof(e->recent[0]);

	for (size_t i = 0; i < room; i++) {
		int64_t apart = event->wall.ns - e->recent[i].at.ns;

		if (e->recent[i].is_set && e->recent[i].message_id == h->message_id && e->recent[i].exchange == h->exchange &&
		    e->recent[i].is_response == h->is_response && e->recent[i].is_down == is_down && apart < SAME_MESSAGE_NS &&
		    apart > -SAME_MESSAGE_NS && !text_equal(e->recent[i].end, event->end))
			return true;
	}
	e->recent[e->recent_at].message_id = h->message_id;
	e->recent[e->recent_at].exchange = h->exchange;
	e->recent[e->recent_at].is_response = h->is_response;
	e->recent[e->recent_at].is_down = is_down;
	e->recent[e->recent_at].is_set = true;
	e->recent[e->recent_at].at = event->wall;
	e->recent[e->recent_at].end = report_end_of(e, event->end)->name;
	e->recent_at = (e->recent_at + 1) % room;
	return false;
}

static void draw_packet(struct report_evidence *e, const struct recorded *event)
{
	struct recorded of = *event;
	struct ike_header h;
	enum picture_end from;
	const char *name;
	char what[64];

	if (!(event->has & RECORDED_HAS_LINKTYPE) || event->linktype != RECORDED_LINKTYPE_RAW || !ike_header_read(event->data, &h))
		return;
	of.src = h.src;
	of.dst = h.dst;
	if (!is_of_pair(e, &of) || !lane_of(e, &h.src, &from)) {
		e->elsewhere++;
		return;
	}
	if (is_seen(e, event, &h, from == PICTURE_SENDER))
		return;
	name = ike_exchange_name(&h);
	if (name)
		snprintf(what, sizeof(what), "%s%s", name, h.version == 1 ? "" : h.is_response ? " response" : " request");
	else
		snprintf(what, sizeof(what), "exchange %u", h.exchange);
	of.text = TEXT_NONE;
	of.has &= ~(uint32_t)RECORDED_HAS_PACKETS;
	add_event(e, &of, PICTURE_IKE, from, what);
}

static bool is_of_another(const struct report_evidence *e, const struct recorded *event)
{
	return event->incident.len && !text_equal(event->incident, e->id);
}

/* A line of an end: about this pair, or about nobody by name. */
static void draw_word(struct report_evidence *e, const struct recorded *event, enum picture_kind kind, const char *what)
{
	enum picture_end lane = lane_of_end(e, event->end);
	struct recorded plain = *event;

	if (is_of_another(e, event) || (spimend_address_known(&event->src) && !is_of_pair(e, event))) {
		e->elsewhere++;
		return;
	}
	plain.has &= ~(uint32_t)RECORDED_HAS_PACKETS;
	if (event->kind == RECORDED_IKE && lane_of(e, &event->dst, &lane))
		learn_lane(e, event->end, lane);
	add_event(e, &plain, kind, lane, what);
}

void report_draw(struct report_evidence *e, const struct recorded *event)
{
	char what[160];

	switch (event->kind) {
	case RECORDED_SA_BORN:
		draw_sa(e, event);
		break;
	case RECORDED_SA_DIED:
		if (event->has & RECORDED_HAS_SPI)
			draw_sa(e, event);
		else
			draw_flush(e, event);
		break;
	case RECORDED_COUNTER: /* of the SAs that are listed */
		if (event->direction != RECORDED_NO_DIRECTION && is_of_pair(e, event))
			draw_sa(e, event);
		break;
	case RECORDED_SIGHTING:
		draw_sighting(e, event);
		break;
	case RECORDED_PACKET:
		draw_packet(e, event);
		break;
	case RECORDED_IKE:
		text_copy(event->text.len ? event->text : event->reason, what, sizeof(what));
		draw_word(e, event, PICTURE_HAPPENED, what);
		break;
	case RECORDED_COMMAND:
		draw_word(e, event, PICTURE_COMMAND, "command");
		break;
	case RECORDED_STEP:
		e->told_steps = e->told_steps || !is_of_another(e, event);
		text_copy(event->text, what, sizeof(what));
		draw_word(e, event, PICTURE_STEP, what);
		break;
	case RECORDED_INCIDENT:
		e->told_states = e->told_states || !is_of_another(e, event);
		text_copy(event->text, what, sizeof(what));
		draw_word(e, event, PICTURE_DECIDED, what);
		break;
	case RECORDED_DEBUG:
	case RECORDED_OUTPUT:
	case RECORDED_CLOCK:
	case RECORDED_NOTE:
	case RECORDED_KINDS:
		break; /* the timeline has them */
	}
}

/* --- What the incident itself says ----------------------------------------------------------------------------- */

static void add_told(struct report_evidence *e, struct text at, enum picture_kind kind, const char *what, struct text text)
{
	struct picture_event drawn = { .kind = kind, .end = PICTURE_RECEIVER, .what = text_of(what), .text = text };

	if (recorded_time(at, &drawn.at))
		picture_add(&e->picture, &drawn);
}

static struct text proof_of(const struct json_tree *t, const struct json_node *incident)
{
	struct text proof = TEXT_NONE;

	for (const struct json_node *k = json_tree_first(t, json_tree_find(t, incident, "evidence")); k; k = json_tree_next(t, k))
		if (text_equal(json_tree_text(t, k, "says"), text_of(fact_kind_name(FACT_TUNNEL_UP))))
			proof = json_tree_text(t, k, "text");
	return proof;
}

static void add_actions(struct report_evidence *e)
{
	const struct json_tree *t = e->incident;
	const struct json_node *list = json_tree_find(t, json_tree_root(t), "actions");

	for (const struct json_node *a = json_tree_first(t, list); a; a = json_tree_next(t, a)) {
		char what[64];

		text_copy(json_tree_text(t, a, "verb"), what, sizeof(what));
		add_told(e, json_tree_text(t, a, "at"), PICTURE_STEP, what, json_tree_text(t, a, "outcome"));
	}
}

/* An instant that is worth being seen, if it is near the strays. */
static void widen(struct report_evidence *e, struct instant at)
{
	struct picture *p = &e->picture;

	if (at.ns < p->from.ns && at.ns >= e->first_stray.ns - BEFORE_MAX_NS)
		p->from = at;
	if (at.ns > p->until.ns && at.ns <= e->last_stray.ns + AFTER_MAX_NS)
		p->until = at;
}

static void set_window(struct report_evidence *e)
{
	struct picture *p = &e->picture;
	int64_t around;

	if (!e->has_stray)
		return;
	p->has_window = true;
	p->from = e->first_stray;
	p->until = e->last_stray;
	if (p->has_flow && p->flows.ns > p->until.ns)
		p->until = p->flows;
	for (size_t i = 0; i < p->bar_count; i++)
		if (p->bars[i].spi.value == p->spi.value && p->bars[i].has_died)
			widen(e, p->bars[i].died);
	for (size_t i = 0; i < p->event_count; i++)
		if (p->events[i].kind == PICTURE_STEP || p->events[i].kind == PICTURE_DECIDED)
			widen(e, p->events[i].at);
	around = (p->until.ns - p->from.ns) / 3;
	around = around < LEAST_AROUND_NS ? LEAST_AROUND_NS : around > MINUTE_NS ? MINUTE_NS : around;
	p->from.ns -= around;
	p->until.ns += around;
}

/* When it was told as healed: of devices, traffic is proved by what they print. */
static void add_healed(struct report_evidence *e)
{
	struct picture_event flows = { .kind = PICTURE_FLOWS, .end = PICTURE_RECEIVER, .what = TEXT("traffic flows again") };
	bool found = false;

	for (size_t i = 0; i < e->picture.event_count; i++) {
		const struct picture_event *told = &e->picture.events[i];

		if (told->kind == PICTURE_DECIDED && text_ends(told->what, TEXT(", healed")) && (!found || told->at.ns < flows.at.ns)) {
			flows.at = told->at;
			found = true;
		}
	}
	flows.text = json_tree_text(e->incident, json_tree_root(e->incident), "waits_for");
	if (found)
		picture_add(&e->picture, &flows);
}

/* Nothing was recorded of the packets: when the first and the last came is known all the same. */
static void add_seen(struct report_evidence *e)
{
	const struct json_tree *t = e->incident;
	const struct json_node *incident = json_tree_root(t);
	struct picture_event seen = { .kind = PICTURE_STRAY, .end = PICTURE_RECEIVER };
	uint64_t packets = 0;

	if (!recorded_time(json_tree_text(t, incident, "first_seen"), &e->first_stray) ||
	    !recorded_time(json_tree_text(t, incident, "last_seen"), &e->last_stray))
		return;
	e->has_stray = true;
	seen.at = e->first_stray;
	picture_add(&e->picture, &seen);
	seen.at = e->last_stray;
	if (e->last_stray.ns > e->first_stray.ns)
		picture_add(&e->picture, &seen);
	if (json_tree_unsigned(t, incident, "packets", &packets) && packets > 2)
		e->picture.events_left_out += packets - 2;
}

/* The receiver's ledger remembers what may be older than the record. */
static void add_ledger(struct report_evidence *e)
{
	const struct json_tree *t = e->incident;
	const struct json_node *live = json_tree_find(t, json_tree_root(t), "live"), *ledger = json_tree_find(t, live, "ledger");
	struct text born = json_tree_text(t, ledger, "born"), died = json_tree_text(t, ledger, "died");
	struct picture_bar *bar;
	struct instant at;

	if (!e->picture.has_spi || !(born.len || died.len) || text_equal(json_tree_text(t, live, "seen_by"), TEXT("sender")))
		return;
	bar = picture_bar(&e->picture, PICTURE_RECEIVER, false, e->picture.spi);
	if (bar && !bar->has_born && recorded_time(born, &at)) {
		bar->has_born = true;
		bar->born = at;
	}
	if (bar && !bar->has_died && recorded_time(died, &at)) {
		bar->has_died = true;
		bar->died = at;
		bar->why = picture_keep(&e->picture, json_tree_text(t, ledger, "death"));
	}
}

/* By the recorder there, which said so itself; the incident may not know its name. */
static void name_sender(struct report_evidence *e)
{
	struct text *name = &e->picture.names[PICTURE_SENDER];
	struct buffer both = { 0 };

	for (size_t i = 0; i < e->end_count && both.len == 0; i++) {
		if (!e->ends[i].has_lane || e->ends[i].lane != PICTURE_SENDER || !e->ends[i].name.len || text_has(*name, e->ends[i].name))
			continue;
		buffer_add(&both, *name);
		buffer_add_string(&both, " (");
		buffer_add(&both, text_first(e->ends[i].name, 60));
		buffer_add_char(&both, ')');
	}
	if (both.len)
		*name = picture_keep(&e->picture, buffer_text(&both));
	buffer_done(&both);
}

void report_draw_end(struct report_evidence *e)
{
	const struct json_tree *t = e->incident;
	const struct json_node *incident = json_tree_root(t), *live = json_tree_find(t, incident, "live");
	struct picture *p = &e->picture;
	struct picture_bar *bar;

	if (!e->told_states)
		add_told(e, json_tree_text(t, live, "decided"), PICTURE_DECIDED, "decided", json_tree_text(t, incident, "verdict"));
	if (!e->told_steps)
		add_actions(e);
	add_told(e, json_tree_text(t, live, "healed"), PICTURE_FLOWS, "traffic flows again", proof_of(t, incident));
	if (!p->has_flow && text_equal(json_tree_text(t, incident, "state"), TEXT("healed")))
		add_healed(e);
	if (!e->has_stray)
		add_seen(e);
	add_ledger(e);
	bar = p->is_missing && e->has_stray ? picture_bar(p, PICTURE_SENDER, true, p->spi) : NULL;
	if (bar && !bar->has_born && !bar->has_died) { /* as the receiver saw it */
		bar->has_seen = true;
		bar->first = e->first_stray;
		bar->last = e->last_stray;
	}
	name_sender(e);
	set_window(e);
}

/* --- The capture ----------------------------------------------------------------------------------------------- */

void report_keep_packet(struct report_evidence *e, const struct recorded *event)
{
	struct report_packet *p;
	struct frame frame;

	if (!(event->has & RECORDED_HAS_LINKTYPE) || !(event->has & RECORDED_HAS_WALL) || !event->data.len)
		return;
	if (e->packet_count == e->packet_room) {
		size_t room = e->packet_room ? e->packet_room * 2 : 256;

		p = e->packet_count < PACKETS_MAX ? memory_resize(e->packets, room, sizeof(*p)) : NULL;
		if (!p) {
			e->packet_bytes.failed |= e->packet_count < PACKETS_MAX;
			e->pcapng.refused++;
			return;
		}
		e->packets = p;
		e->packet_room = room;
	}
	p = &e->packets[e->packet_count++];
	*p = (struct report_packet){
		.at = event->wall, .end = report_end_of(e, event->end)->name, .linktype = event->linktype,
		.size = (uint16_t)event->data.len, .length = event->length, .offset = e->packet_bytes.len,
	};
	buffer_add(&e->packet_bytes, event->data);
	if (event->linktype == RECORDED_LINKTYPE_RAW && frame_read_network(event->data, 0, NULL, &frame) == FRAME_FOUND) {
		p->has_spi = true;
		p->spi = frame.spi;
		p->is_down = spimend_address_equal(&frame.src, &e->src) && spimend_address_equal(&frame.dst, &e->dst);
	}
}

/* The packets that tell the story: the first and the last one with the SPI, and the first from the same sender with another
 * one behind them. SIZE_MAX: there is none. */
struct decisive {
	size_t first, last, next;
};

static struct decisive find_decisive(const struct report_evidence *e)
{
	struct decisive d = { SIZE_MAX, SIZE_MAX, SIZE_MAX };

	for (size_t i = 0; e->picture.has_spi && i < e->packet_count; i++) {
		const struct report_packet *p = &e->packets[i];

		if (!p->has_spi || !p->is_down)
			continue;
		if (p->spi == e->picture.spi.value) {
			if (e->has_stray && p->at.ns < e->first_stray.ns - SECOND_NS)
				continue; /* it was known then */
			d.first = d.first == SIZE_MAX ? i : d.first;
			d.last = i;
			d.next = SIZE_MAX;
		} else if (d.last != SIZE_MAX && d.next == SIZE_MAX) {
			d.next = i;
		}
	}
	return d;
}

static void add_comment(const struct report_evidence *e, const struct decisive *d, size_t i, struct buffer *out)
{
	buffer_clear(out);
	if (i == d->first)
		buffer_printf(out, "spimend: SPI 0x%08" PRIx32 " is not known to its receiver: the first such packet of incident %.*s that was kept",
			      e->picture.spi.value, TEXT_ARG(e->id));
	else if (i == d->last)
		buffer_printf(out, "spimend: the last packet with SPI 0x%08" PRIx32 " that was kept", e->picture.spi.value);
	else if (i == d->next)
		buffer_printf(out, "spimend: the sender uses another SA now, SPI 0x%08" PRIx32, e->packets[i].spi);
}

void report_write_capture(struct report_evidence *e)
{
	struct decisive d = find_decisive(e);
	struct buffer comment = { 0 };

	e->pcapng.out = &e->capture;
	buffer_printf(&comment, "spimend incident %.*s: the first bytes of packets, no payload", TEXT_ARG(e->id));
	pcapng_begin(&e->pcapng, buffer_text(&comment));
	for (size_t i = 0; i < e->packet_count; i++) {
		const struct report_packet *p = &e->packets[i];
		struct pcapng_packet packet = {
			.end = p->end, .linktype = p->linktype, .at = p->at, .length = p->length,
			.bytes = { e->packet_bytes.bytes + p->offset, p->size },
		};

		if (e->packet_bytes.failed)
			break;
		add_comment(e, &d, i, &comment);
		packet.comment = buffer_text(&comment);
		pcapng_add(&e->pcapng, &packet);
	}
	buffer_done(&comment);
}
