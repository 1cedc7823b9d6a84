/* SPDX-License-Identifier: MIT */
/* Evidence of two gateways in the role core: whose peer is asked when, what of ours a peer gets, and what of its part is
 * kept beside ours. A peer is asked when its incident begins, so that it freezes its own, and when our window is over. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "role/core_role.h"
#include "spimend/error.h"

#define GAP_NS (61 * SECOND_NS) /* one request an incident, peer and minute */
#define DEBTS_A_MINUTE 4        /* of one peer: each takes a window, and room on the disk */
#define ASKS_MAX 2              /* at its beginning, and at its end */
#define ANSWER_WITHIN (40 * SECOND_NS) /* else it is lost */
#define COPIED_WITHIN (10 * SECOND_NS) /* our past is copied for a peer, or what there is has to do */

/* --- We ask ---------------------------------------------------------------------------------------------------------- */

static int find_peer(const struct config *config, const struct spimend_address ends[2])
{
	for (uint32_t i = 0; i < config->recorder.peer_count; i++)
		if (spimend_address_equal(&config->recorder.peers[i].address, &ends[0]) ||
		    spimend_address_equal(&config->recorder.peers[i].address, &ends[1]))
			return (int)i;
	return -1;
}

void mind_evidence_wanted(struct mind *mind, const struct frozen_want *want)
{
	const struct config *config = mind->member->config;
	struct mind_evidence *e = &mind->evidence;
	int peer = find_peer(config, want->ends);
	struct mind_evidence_wish *place = NULL;

	if (peer < 0 && !config->recorder.trap)
		return;
	if (!spimend_address_known(&want->ends[0]) || !spimend_address_known(&want->ends[1]))
		return;
	for (size_t i = 0; i < MIND_WISHES_MAX; i++) {
		struct mind_evidence_wish *w = &e->wishes[i];

		if (w->used && strcmp(w->ask.id, want->id) == 0)
			return; /* its window may last longer now: then the end is told by frozen */
		if (!w->used && !place)
			place = w;
	}
	if (!place)
		return;
	*place = (struct mind_evidence_wish){ .used = true, .is_trap = peer < 0, .due = mind_now(mind).mono_ns };
	if (peer >= 0) {
		place->ask.peer = (uint32_t)peer;
		place->address = config->recorder.peers[peer].address;
		place->ask.mark = evidence_peer_mark(&config->recorder.peers[peer]);
	}
	memcpy(place->ask.id, want->id, sizeof(place->ask.id));
	memcpy(place->ask.ends, want->ends, sizeof(place->ask.ends));
}

static void ask(struct mind *mind, struct mind_evidence_wish *w, int64_t now)
{
	w->ask.number = ++mind->evidence.number;
	w->answer_by = now + ANSWER_WITHIN;
	buffer_clear(&w->bytes);
	w->asked++;
	w->due = now + GAP_NS;
	if (channel_send(mind->notify.dial, MESSAGE_EVIDENCE_FETCH, &w->ask) < 0)
		w->answer_by = 0;
}

static void note(struct mind *mind, const struct mind_evidence_wish *w, const char *text)
{
	struct recorded e = { .kind = RECORDED_NOTE, .incident = text_of(w->ask.id), .text = text_of(text) };

	mind_record_event(mind, &e);
}

static struct recorded clock_event(const struct mind_evidence_wish *w, struct text end, char *text, size_t size)
{
	struct recorded e = { .kind = RECORDED_CLOCK, .has = RECORDED_HAS_OFFSET | RECORDED_HAS_ERROR, .end = end,
			      .incident = text_of(w->ask.id), .offset_ns = w->offset_ns, .error_ns = w->error_ns };
	int64_t us = w->offset_ns / 1000;

	snprintf(text, size, "its clock is %" PRId64 ".%03" PRId64 " ms %s ours, to within %" PRId64 ".%03" PRId64
		 " ms: by four time stamps, as NTP has it", (us < 0 ? -us : us) / 1000, (us < 0 ? -us : us) % 1000,
		 us < 0 ? "behind" : "ahead of", w->error_ns / 1000000, w->error_ns / 1000 % 1000);
	e.text = text_of(text);
	return e;
}

/* By what its part stands beside ours: one that has our host name, or none, by its address. */
static struct text peer_name(struct mind *mind, const struct mind_evidence_wish *w, const char *end,
			     char address[SPIMEND_ADDRESS_TEXT_MAX])
{
	bool is_ours = strcmp(end, mind->member->config->hostname) == 0;

	if (!is_ours && end[0])
		return text_of(end);
	if (is_ours)
		note(mind, w, "the peer has this gateway's host name: its part stands under its address");
	return text_of(spimend_address_print(&w->address, address));
}

/* The whole of its part has come. */
static void keep(struct mind *mind, struct mind_evidence_wish *w)
{
	struct segment_reader reader;
	cleanup(memory_free_pointer) struct recorded *events = NULL;
	size_t count = 0, room = w->bytes.len / 64 + 2;
	char text[160], address[SPIMEND_ADDRESS_TEXT_MAX];
	struct text end;
	int r;

	if (segment_begin(&reader, buffer_text(&w->bytes)) < 0) {
		note(mind, w, "what the peer sent is no evidence");
		return;
	}
	/* The key is the same both ways: whoever turns the way around has us ask ourselves. */
	if (strcmp(reader.header.end, mind->member->config->hostname) == 0 &&
	    memcmp(reader.header.boot, mind->member->start.boot, sizeof(reader.header.boot)) == 0) {
		note(mind, w, "what came is this gateway's own record: the way to the peer leads back here");
		return;
	}
	events = memory_new(room, sizeof(*events));
	if (!events)
		return;
	end = peer_name(mind, w, reader.header.end, address);
	while (count + 1 < room && segment_next(&reader, &events[count])) {
		if (!evidence_is_shared(&events[count], w->ask.ends, text_of(reader.header.end)))
			continue; /* whoever sends anything else has no place for it here, and none under another's name */
		events[count].end = end;
		events[count].incident = TEXT_NONE;
		count++;
	}
	if (w->has_clock)
		events[count] = clock_event(w, end, text, sizeof(text));
	r = mind->recorder.frozen ? frozen_put_peer(mind->recorder.frozen, w->ask.id, events, count + w->has_clock, mind_now(mind))
				  : -ENOENT;
	if (r == 0)
		log_say(&mind->member->log, LOG_INFO, "incident %s: %zu events of evidence from %.*s", w->ask.id, count, TEXT_ARG(end));
	else
		log_say(&mind->member->log, LOG_ERR, "incident %s: evidence from %.*s cannot be kept: %s", w->ask.id, TEXT_ARG(end),
			spimend_strerror(r));
}

void mind_evidence_fetched(struct mind *mind, const struct evidence_part *part)
{
	char address[SPIMEND_ADDRESS_TEXT_MAX], text[EVIDENCE_WHY_MAX + 80];
	struct mind_evidence_wish *w = NULL;

	for (size_t i = 0; i < MIND_WISHES_MAX && !w; i++)
		if (mind->evidence.wishes[i].used && mind->evidence.wishes[i].answer_by &&
		    mind->evidence.wishes[i].ask.number == part->number)
			w = &mind->evidence.wishes[i];
	if (!w)
		return;
	if (part->failed || part->at != w->bytes.len) {
		w->answer_by = 0;
		snprintf(text, sizeof(text), "evidence of %s: %s", spimend_address_print(&w->address, address),
			 part->failed ? part->why : "its answer was lost");
		note(mind, w, text);
		log_say(&mind->member->log, LOG_NOTICE, "incident %s: its peer gives no evidence: %s", w->ask.id,
			part->failed ? part->why : "its answer was lost");
		return;
	}
	w->has_clock = part->has_clock;
	w->offset_ns = part->offset_ns;
	w->error_ns = part->error_ns;
	buffer_add(&w->bytes, (struct text){ (const char *)part->bytes, part->len });
	if (w->bytes.failed || w->bytes.len < part->total)
		return;
	w->answer_by = 0;
	keep(mind, w);
	buffer_done(&w->bytes);
}

/* --- We are asked ---------------------------------------------------------------------------------------------------- */

static void refuse(struct mind *mind, uint64_t number, const char *why)
{
	struct evidence_part part;

	memset(&part, 0, sizeof(part));
	part.number = number;
	part.failed = true;
	text_copy(text_of(why), part.why, sizeof(part.why));
	channel_send(mind->sense, MESSAGE_EVIDENCE_ANSWER, &part);
}

/* What concerns nobody but the two: no host's own state, nothing that was typed or printed, and of no third end. */
static void gather(struct mind *mind, const struct evidence_ask *asked, struct buffer *out)
{
	cleanup(frozen_content_done) struct frozen_content content = { 0 };
	struct segment_header header = { .wall = mind_now(mind).wall, .mono_ns = mind_now(mind).mono_ns };
	unsigned char bytes[SEGMENT_RECORD_MAX], head[SEGMENT_HEADER_BYTES];

	header.salt = mind->evidence.number ^ (uint64_t)header.mono_ns;
	text_copy(text_of(mind->member->config->hostname), header.end, sizeof(header.end));
	memcpy(header.boot, mind->member->start.boot, sizeof(header.boot));
	segment_write_header(&header, head);
	buffer_add(out, (struct text){ (const char *)head, sizeof(head) });
	if (frozen_read(mind->recorder.frozen, asked->id, &content) < 0)
		return;
	for (size_t i = 0; i < content.count; i++) {
		const struct recorded *e = &content.events[i];
		struct recorded shown = *e;
		size_t len;

		if (!evidence_is_shared(e, asked->ends, text_of(header.end)))
			continue;
		shown.incident = TEXT_NONE;
		len = segment_write_record(&header, out->len, &shown, bytes);
		if (out->len + len > EVIDENCE_ANSWER_MAX)
			break;
		buffer_add(out, (struct text){ (const char *)bytes, len });
	}
}

static void answer(struct mind *mind, const struct evidence_ask *asked)
{
	cleanup(buffer_done) struct buffer out = { 0 };
	struct evidence_part part;
	struct text rest;

	gather(mind, asked, &out);
	if (out.failed) {
		refuse(mind, asked->number, "no memory");
		return;
	}
	for (rest = buffer_text(&out); rest.len; rest = text_skip(rest, part.len)) {
		memset(&part, 0, sizeof(part));
		part.number = asked->number;
		part.total = (uint32_t)out.len;
		part.at = (uint32_t)(out.len - rest.len);
		part.len = (uint32_t)(rest.len < EVIDENCE_PART_MAX ? rest.len : EVIDENCE_PART_MAX);
		memcpy(part.bytes, rest.at, part.len);
		if (channel_send(mind->sense, MESSAGE_EVIDENCE_ANSWER, &part) < 0)
			return; /* it runs out there */
	}
}

void mind_evidence_asked(struct mind *mind, const struct evidence_ask *asked)
{
	const struct config_recorder *c = &mind->member->config->recorder;
	struct mind_evidence *e = &mind->evidence;
	int64_t now = mind_now(mind).mono_ns;
	struct frozen_want want = { .ends = { asked->ends[0], asked->ends[1] }, .is_foreign = true };
	struct mind_evidence_debt *place = NULL;
	uint32_t lately = 0;
	char address[SPIMEND_ADDRESS_TEXT_MAX];

	if (asked->peer >= c->peer_count || asked->mark != evidence_peer_mark(&c->peers[asked->peer]) || !mind->recorder.frozen) {
		refuse(mind, asked->number, mind->recorder.frozen ? "another configuration counts by now" : "nothing is recorded here");
		return;
	}
	for (size_t i = 0; i < MIND_DEBTS_MAX; i++) {
		struct mind_evidence_debt *d = &e->debts[i];

		if (d->asked.number && d->asked.peer == asked->peer && now - d->at < MINUTE_NS) {
			lately++;
			if (strcmp(d->asked.id, asked->id) == 0 || lately >= DEBTS_A_MINUTE) {
				refuse(mind, asked->number, "asked too often: once an incident and minute, of few incidents");
				return;
			}
		}
		if (!place || d->at < place->at)
			place = d;
	}
	if (place->asked.number && !place->is_answered)
		refuse(mind, place->asked.number, "too much is asked for");
	memcpy(want.id, asked->id, sizeof(want.id));
	(void)mind_record_freeze(mind, &want);
	*place = (struct mind_evidence_debt){ .asked = *asked, .at = now };
	log_say(&mind->member->log, LOG_INFO, "%s asks for evidence of its incident %s",
		spimend_address_print(&c->peers[asked->peer].address, address), asked->id);
}

/* --- Time ------------------------------------------------------------------------------------------------------------ */

/* As the notes' applet does when its debugs have covered the aftermath (B19): the other end's may end its own then (B20). */
static void send_trap(struct mind *mind, const struct mind_evidence_wish *w)
{
	struct dial_trap trap;

	memset(&trap, 0, sizeof(trap));
	trap.has_int1 = trap.has_text = true;
	trap.int1 = (int32_t)mind->member->config->recorder.trap;
	text_copy(TEXT("spimend"), trap.name, sizeof(trap.name));
	text_copy(text_of(w->ask.id), trap.text, sizeof(trap.text));
	mind_send_trap(mind, &trap, w->ask.ends);
}

static void tick_wish(struct mind *mind, struct mind_evidence_wish *w, int64_t now)
{
	bool is_over = !mind->recorder.frozen || !frozen_is_under_way(mind->recorder.frozen, w->ask.id);

	if (w->is_trap && is_over) {
		send_trap(mind, w);
		memset(w, 0, sizeof(*w));
	}
	if (!w->used || w->is_trap)
		return;
	if (w->answer_by && w->answer_by <= now)
		w->answer_by = 0;
	if (w->answer_by)
		return;
	if (w->asked == 0 || (w->asked < ASKS_MAX && is_over && w->due <= now)) {
		ask(mind, w, now);
	} else if (w->asked >= ASKS_MAX) {
		buffer_done(&w->bytes);
		memset(w, 0, sizeof(*w));
	}
}

void mind_evidence_tick(struct mind *mind)
{
	struct mind_evidence *e = &mind->evidence;
	int64_t now = mind_now(mind).mono_ns;

	for (size_t i = 0; i < MIND_WISHES_MAX; i++)
		if (e->wishes[i].used)
			tick_wish(mind, &e->wishes[i], now);
	for (size_t i = 0; i < MIND_DEBTS_MAX; i++) {
		struct mind_evidence_debt *d = &e->debts[i];

		if (!d->asked.number || d->is_answered || !mind->recorder.frozen ||
		    (frozen_copies_past(mind->recorder.frozen, d->asked.id) && now - d->at < COPIED_WITHIN))
			continue;
		d->is_answered = true;
		answer(mind, &d->asked);
	}
}

void mind_evidence_done(struct mind *mind)
{
	for (size_t i = 0; i < MIND_WISHES_MAX; i++)
		buffer_done(&mind->evidence.wishes[i].bytes);
}
