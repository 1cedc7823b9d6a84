/* SPDX-License-Identifier: MIT */
#include "role/core_record.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/memory.h"
#include "parse/secrets.h"
#include "record/live_cases.h"
#include "record/recorded_json.h"
#include "record/recorded_of.h"
#include "role/core_role.h"
#include "spimend/error.h"

#define MEBIBYTE (UINT64_C(1) << 20)
#define RETRY_NS (5 * SECOND_NS)
#define OUTPUT_PARTS_MAX 16 /* of one command's output: the rest is cut, which is marked */
#define LISTED_MAX 64       /* SAs with a peer that are listed at an incident */

/* --- Into the ring ------------------------------------------------------------------------------------------------- */

static void wake(struct mind *mind, int64_t at)
{
	struct mind_recorder *r = &mind->recorder;

	if (at >= r->due)
		return;
	r->due = at;
	loop_timer_at(r->timer, at);
}

static void record(void *context, const struct recorded *event)
{
	struct mind *mind = context;
	struct mind_recorder *r = &mind->recorder;
	struct moment now = mind_now(mind);
	struct recorded e = *event;

	if (!r->ring)
		return;
	if (!(e.has & (RECORDED_HAS_MONO | RECORDED_HAS_WALL))) {
		e.has |= RECORDED_HAS_MONO | RECORDED_HAS_WALL;
		e.mono_ns = now.mono_ns;
		e.wall = now.wall;
	}
	e.has |= RECORDED_HAS_BOOT;
	memcpy(e.boot, mind->member->start.boot, sizeof(e.boot));
	if (e.end.len == 0)
		e.end = text_of(mind->member->config->hostname);
	ring_add(r->ring, &e, now);
	if (r->frozen)
		frozen_add(r->frozen, &e, now);
	wake(mind, now.mono_ns + RING_BATCH_NS);
}

/* What others make happen may fill so much of the ring in a second and no more. */
static bool takes(struct mind *mind, enum record_share share)
{
	static const uint32_t a_second[SHARES] = { [SHARE_STRAY_OURS] = 2000, [SHARE_STRAY] = 100, [SHARE_HEAD] = 400,
						   [SHARE_COUNT] = 200,
						   [SHARE_CLAIM] = 500, [SHARE_OUTPUT] = 500 };
	struct mind_recorder *r = &mind->recorder;
	int64_t second = mind_now(mind).mono_ns / SECOND_NS;

	if (!r->ring)
		return false;
	if (r->shares[share].second != second) {
		r->shares[share].second = second;
		r->shares[share].used = 0;
	}
	if (r->shares[share].used >= a_second[share]) {
		r->held++;
		return false;
	}
	r->shares[share].used++;
	return true;
}

static void note(struct mind *mind, const char *text)
{
	struct recorded e = { .kind = RECORDED_NOTE, .text = text_of(text) };

	record(mind, &e);
}

/* A step is of the incident that has its order. */
struct of_order {
	struct mind *mind;
	uint64_t order;
};

static void record_step(void *context, const struct recorded *event)
{
	const struct of_order *of = context;
	const struct core_incident *is;
	struct recorded e = *event;

	for (size_t i = 0; e.incident.len == 0 && (is = core_incident_at(of->mind->core, i)); i++)
		for (uint32_t s = 0; s < is->step_count && s < CORE_STEPS_MAX; s++)
			if (is->steps[s].order == of->order)
				e.incident = text_of(is->id);
	record(of->mind, &e);
}

static void see_result(struct mind *mind, const struct order_result *result)
{
	struct of_order of = { mind, result->id };

	recorded_of_result(result, record_step, &of);
}

/* --- What other roles tell ------------------------------------------------------------------------------------------ */

static void see_daemon(struct mind *mind, const struct daemon_state *state)
{
	if (state->daemon >= GATEWAY_DAEMONS_MAX || mind->recorder.daemon_up[state->daemon] == state->up)
		return; /* it is told again and again */
	mind->recorder.daemon_up[state->daemon] = state->up;
	recorded_of_daemon(state, record, mind);
}

static void see_counters(struct mind *mind, const struct xfrm_counters *counters)
{
	struct mind_recorder *r = &mind->recorder;

	if (r->has_counters)
		recorded_of_counters(&r->counters, counters, record, mind);
	r->counters = *counters;
	r->has_counters = true;
}

static void see_claim(struct mind *mind, const struct syslog_claim *claim)
{
	const char *device = mind_cases_device_of(mind, &claim->source);
	char address[SPIMEND_ADDRESS_TEXT_MAX];
	struct text end = text_of(claim->host);

	if (!takes(mind, SHARE_CLAIM))
		return;
	if (device)
		end = text_of(device);
	else if (end.len == 0)
		end = text_of(spimend_address_print(&claim->source, address));
	recorded_of_claim(claim, end, record, mind);
}

void mind_record_see(struct mind *mind, enum message_type type, const union message_item *item)
{
	const struct ike_sa *ike;

	if (!mind->recorder.ring)
		return;
	switch (type) {
	case MESSAGE_CHILD_EVENT:
		recorded_of_child(&item->child_event, record, mind);
		break;
	case MESSAGE_IKE_EVENT:
		recorded_of_ike(&item->ike_event, record, mind);
		break;
	case MESSAGE_HINT:
		ike = item->hint.has_ike ? core_ike_of(mind->core, item->hint.daemon, item->hint.ike_id) : NULL;
		recorded_of_hint(&item->hint, ike, record, mind);
		break;
	case MESSAGE_DAEMON:
		see_daemon(mind, &item->daemon);
		break;
	case MESSAGE_KERNEL:
		recorded_of_kernel(&item->kernel, record, mind);
		break;
	case MESSAGE_REPORT:
		recorded_of_report(&item->report, record, mind);
		break;
	case MESSAGE_RESULT:
		see_result(mind, &item->result);
		break;
	case MESSAGE_SIGHTING:
		if (takes(mind, item->sighting.in_ledger ? SHARE_STRAY_OURS : SHARE_STRAY))
			recorded_of_sighting(&item->sighting, record, mind);
		break;
	case MESSAGE_PACKET_HEAD:
		if (takes(mind, SHARE_HEAD))
			recorded_of_head(&item->packet_head, record, mind);
		break;
	case MESSAGE_SPI_COUNT:
		if (item->spi_count.at_death || takes(mind, SHARE_COUNT))
			recorded_of_count(&item->spi_count, record, mind);
		break;
	case MESSAGE_COUNTERS:
		see_counters(mind, &item->counters);
		break;
	case MESSAGE_CLAIM:
		see_claim(mind, &item->claim);
		break;
	default:
		break;
	}
}

void mind_record_order(struct mind *mind, const struct order *order)
{
	struct of_order of = { mind, order->id };

	if (mind->recorder.ring)
		recorded_of_order(order, record_step, &of);
}

void mind_record_debug(struct mind *mind, const char *line)
{
	struct recorded e = { .kind = RECORDED_DEBUG, .text = text_of(line) };

	record(mind, &e);
}

/* --- What is typed -------------------------------------------------------------------------------------------------- */

void mind_record_command(struct mind *mind, const char *who, struct text line)
{
	cleanup(buffer_done) struct buffer text = { 0 };
	struct recorded e = { .kind = RECORDED_COMMAND };

	if (!mind->recorder.ring || text_trim(line).len == 0)
		return;
	buffer_printf(&text, "%s: ", who);
	secrets_remove(line, &text);
	e.text = buffer_text(&text);
	record(mind, &e);
}

/* In parts of whole lines. */
static void record_output(struct mind *mind, struct recorded *e, struct text output)
{
	for (int part = 0; output.len; part++) {
		struct text piece = text_first(output, RECORDED_TEXT_MAX);
		size_t len = piece.len;

		if (part == OUTPUT_PARTS_MAX) {
			e->text = TEXT("[the rest is not recorded]");
			record(mind, e);
			return;
		}
		while (piece.len < output.len && len > 0 && piece.at[len - 1] != '\n')
			len--;
		piece = text_first(piece, len ? len : piece.len);
		e->text = piece;
		record(mind, e);
		output = text_skip(output, piece.len);
	}
}

void mind_record_output(struct mind *mind, struct text output)
{
	cleanup(buffer_done) struct buffer clean = { 0 };
	struct recorded e = { .kind = RECORDED_OUTPUT };
	struct text line;

	if (!mind->recorder.ring || output.len == 0 || !takes(mind, SHARE_OUTPUT))
		return;
	output = text_first(output, (OUTPUT_PARTS_MAX + 1) * RECORDED_TEXT_MAX);
	while (text_take_line(&output, &line)) {
		secrets_remove(line, &clean);
		buffer_add_char(&clean, '\n');
	}
	if (!clean.failed)
		record_output(mind, &e, buffer_text(&clean));
}

static struct text device_name(const struct mind *mind, uint32_t device)
{
	const struct config_devices *devices = &mind->exec.running->devices;

	return device < devices->count ? text_of(devices->at[device].name) : TEXT_NONE;
}

void mind_record_typed(struct mind *mind, uint64_t request, uint32_t device, const char *who, const char *line)
{
	struct mind_recorder *r = &mind->recorder;
	struct recorded e = { .kind = RECORDED_COMMAND, .end = device_name(mind, device) };
	char text[FLEET_WHO_MAX + DEVICE_COMMAND_MAX + 8];

	if (!r->ring)
		return;
	r->typed[request % MIND_RECORD_TYPED].request = request;
	r->typed[request % MIND_RECORD_TYPED].device = device;
	snprintf(text, sizeof(text), "%s: %s", who ? who : "spimend", line);
	e.text = text_of(text);
	record(mind, &e);
}

static bool device_of(const struct mind *mind, uint64_t request, struct text *ret)
{
	const struct mind_recorder *r = &mind->recorder;

	if (!r->ring || r->typed[request % MIND_RECORD_TYPED].request != request)
		return false;
	*ret = device_name(mind, r->typed[request % MIND_RECORD_TYPED].device);
	return ret->len > 0;
}

void mind_record_printed(struct mind *mind, const struct device_printed *printed)
{
	struct recorded e = { .kind = RECORDED_OUTPUT };

	if (printed->len && device_of(mind, printed->request, &e.end) && takes(mind, SHARE_OUTPUT))
		record_output(mind, &e, (struct text){ printed->bytes, printed->len });
}

void mind_record_result(struct mind *mind, const struct device_result *result)
{
	struct recorded e = { .kind = RECORDED_OUTPUT };
	char text[DEVICE_REASON_MAX + 64];

	if (result->outcome == DEVICE_DONE || !device_of(mind, result->request, &e.end))
		return;
	snprintf(text, sizeof(text), "%s%s%s", device_outcome_name(result->outcome), result->why[0] ? ": " : "", result->why);
	e.text = text_of(text);
	record(mind, &e);
}

/* --- Incidents ------------------------------------------------------------------------------------------------------ */

static const char *untold_death(enum ledger_death death)
{
	switch (death) {
	case DEATH_RESTART:
		return "its IKE daemon, or the machine, started anew";
	case DEATH_KERNEL_LOST:
		return "the IKE daemon lists it, the data plane has it no more";
	case DEATH_DAEMON_LOST:
		return "gone without a word while its IKE daemon lived";
	default:
		return NULL;
	}
}

void mind_record_ledger(struct mind *mind, const struct ledger_entry *entry)
{
	const char *why = entry->state == LEDGER_DEAD ? untold_death(entry->death) : NULL;
	struct recorded e = { .kind = RECORDED_SA_DIED, .has = RECORDED_HAS_SPI, .direction = RECORDED_IN, .src = entry->peer,
			      .dst = entry->key.dst, .spi = { entry->key.spi } };
	char name[INCIDENT_ID_MAX];

	if (!mind->recorder.ring || !why || entry->died_mono_ns == 0)
		return;
	/* A dead one is kept again when more of it is known. */
	snprintf(name, sizeof(name), "%06" PRIx32, entry->key.spi & 0xffffff);
	if (!told_is_news(&mind->recorder.deaths, name, (uint64_t)entry->died.ns ^ (uint64_t)entry->key.spi << 32, true))
		return;
	e.protocol = (enum spimend_protocol)entry->key.protocol;
	e.reason = text_of(ledger_death_name(entry->death));
	e.text = text_of(why);
	record(mind, &e);
	if (entry->spi_out) {
		e.direction = RECORDED_OUT;
		e.src = entry->key.dst;
		e.dst = entry->peer;
		e.spi.value = entry->spi_out;
		record(mind, &e);
	}
}

static bool is_over(void *context, const char *id)
{
	struct mind *mind = context;
	const struct core_incident *incident = core_find(mind->core, id);
	const struct fleet_incident *is = mind->cases.fleet ? fleet_find(mind->cases.fleet, id) : NULL;

	if (incident)
		return incident->state == STATE_HEALED || incident->state == STATE_CLOSED;
	return !is || is->state == STATE_HEALED || is->state == STATE_CLOSED;
}

void mind_record_event(struct mind *mind, const struct recorded *event)
{
	record(mind, event);
}

int mind_record_freeze(struct mind *mind, const struct frozen_want *want)
{
	struct mind_recorder *r = &mind->recorder;
	struct moment now = mind_now(mind);
	int result = r->frozen ? frozen_begin(r->frozen, r->ring, want, is_over, mind, now) : -ENOENT;

	wake(mind, now.mono_ns);
	return result;
}

static void freeze(struct mind *mind, const struct frozen_want *want)
{
	if (mind_record_freeze(mind, want) == 0) /* what it refuses it counts */
		mind_evidence_wanted(mind, want);
}

static void tell_incident(struct mind *mind, struct recorded *e, enum verdict verdict, enum rule rule, enum cause cause,
			  enum confidence confidence, enum incident_state state)
{
	char text[256];

	snprintf(text, sizeof(text), "%s (%s), cause %s%s%s, %s", verdict_name(verdict), rule_name(rule), cause_name(cause),
		 confidence_name(confidence) ? ", " : "", confidence_name(confidence) ? confidence_name(confidence) : "",
		 incident_state_name(state));
	e->text = text_of(text);
	record(mind, e);
}

/* Which SAs there are with that peer, and what went over them: of those born long before the window nothing else tells. */
static void list_sas(struct mind *mind, const struct spimend_address *peer)
{
	cleanup(core_walk_done) struct core_walk walk;
	struct core_tunnel tunnel;
	uint32_t listed = 0;

	core_walk_begin(mind->core, &walk);
	while (listed < LISTED_MAX && core_walk_next(&walk, &tunnel)) {
		if (!spimend_address_equal(&tunnel.child.remote, peer))
			continue;
		listed++;
		recorded_of_listed(&tunnel.child, record, mind);
	}
}

static bool is_fault(enum verdict verdict)
{
	return verdict == VERDICT_DESYNC || verdict == VERDICT_OTHER_FAULT;
}

void mind_record_incident(struct mind *mind, const struct core_incident *i)
{
	struct recorded e = { .kind = RECORDED_INCIDENT, .has = RECORDED_HAS_SPI | RECORDED_HAS_PACKETS, .src = i->src,
			      .dst = i->key.dst, .spi = { i->key.spi }, .packets = i->packets, .connection = text_of(i->ike_name),
			      .child = text_of(i->child_name), .incident = text_of(i->id) };
	struct frozen_want want = { .ends = { i->src, i->key.dst } };
	bool is_new;

	if (!mind->recorder.ring || !told_is_news(&mind->recorder.told, i->id, live_watch_mark(i), true))
		return;
	e.protocol = i->key.protocol == SPIMEND_PROTOCOL_AH ? SPIMEND_PROTOCOL_AH : SPIMEND_PROTOCOL_ESP;
	tell_incident(mind, &e, i->verdict, i->rule, i->cause, i->confidence, i->state);
	if (!is_fault(i->verdict) || i->is_aggregate)
		return;
	memcpy(want.id, i->id, sizeof(want.id));
	is_new = mind->recorder.frozen && !frozen_has(mind->recorder.frozen, i->id);
	freeze(mind, &want);
	if (is_new)
		list_sas(mind, &i->src);
}

void mind_record_case(struct mind *mind, const struct fleet_incident *is)
{
	struct recorded e = { .kind = RECORDED_INCIDENT, .end = text_of(is->receiver), .src = is->src, .dst = is->dst,
			      .incident = text_of(is->id) };
	struct frozen_want want = { .ends = { is->src, is->dst } };

	if (!mind->recorder.ring || !told_is_news(&mind->recorder.told, is->id, live_case_mark(is), true))
		return;
	if (is->has_stale) {
		e.has |= RECORDED_HAS_SPI;
		e.spi = is->stale;
	}
	e.protocol = is->protocol == SPIMEND_PROTOCOL_AH ? SPIMEND_PROTOCOL_AH : SPIMEND_PROTOCOL_ESP;
	tell_incident(mind, &e, is->verdict, is->rule, is->cause, is->confidence, is->state);
	if (!is_fault(is->verdict))
		return;
	memcpy(want.id, is->id, sizeof(want.id));
	text_copy(text_of(is->receiver), want.hosts[0], sizeof(want.hosts[0]));
	text_copy(text_of(is->sender), want.hosts[1], sizeof(want.hosts[1]));
	freeze(mind, &want);
}

int mind_record_evidence(struct mind *mind, const char *id, bool json, struct buffer *out)
{
	cleanup(frozen_content_done) struct frozen_content content = { 0 };
	const struct recorded none = { .kind = RECORDED_NOTE, .incident = text_of(id),
				       .text = TEXT("nothing is frozen of this incident") };
	int r = mind->recorder.frozen ? frozen_read(mind->recorder.frozen, id, &content) : -ENOENT;

	if (r == 0)
		live_evidence(&content, id, json, out);
	else if (r == -ENOENT && json)
		record_recorded_json(&none, out);
	else if (r == -ENOENT)
		buffer_printf(out, "%.*s\n", TEXT_ARG(none.text));
	return r == -ENOENT ? 0 : r;
}

int mind_record_timeline(struct mind *mind, const char *id, const struct web_filter *filter, struct buffer *out)
{
	cleanup(frozen_content_done) struct frozen_content content = { 0 };
	int r = mind->recorder.frozen ? frozen_read(mind->recorder.frozen, id, &content) : -ENOENT;
	cleanup(buffer_done) struct buffer events = { 0 };
	size_t next;

	if (r < 0 && r != -ENOENT) /* nothing is frozen: an empty list */
		return r;
	next = live_evidence_page(&content, filter->offset, filter->limit, WEB_ANSWER_MAX / 2, &events);
	buffer_printf(out, ",\"total\":%zu,\"after\":%u,\"next\":", content.count, filter->offset);
	if (next < content.count)
		buffer_printf(out, "%zu", next);
	else
		buffer_add_string(out, "null");
	buffer_printf(out, ",\"damaged\":%llu,\"recorded\":[", (unsigned long long)content.torn);
	buffer_add(out, buffer_text(&events));
	buffer_add_char(out, ']');
	return buffer_error(&events);
}

/* --- Life ----------------------------------------------------------------------------------------------------------- */

static void say_trouble(struct mind *mind, int *said, int trouble, const char *what, const char *costs)
{
	if (*said == trouble)
		return;
	*said = trouble;
	if (trouble)
		log_say(&mind->member->log, LOG_ERR, "%s cannot be written: %s; %s", what, spimend_strerror(trouble), costs);
	else
		log_say(&mind->member->log, LOG_NOTICE, "%s can be written again", what);
}

static void look(struct mind *mind)
{
	struct mind_recorder *r = &mind->recorder;
	int ring = r->ring ? ring_figures(r->ring).trouble : 0, frozen = r->frozen ? frozen_figures(r->frozen).trouble : 0;

	say_trouble(mind, &r->ring_said, ring, "the flight recorder", "everything else goes on, it is tried again");
	say_trouble(mind, &r->frozen_said, frozen, "evidence", "everything else goes on, it is tried again");
	if (ring || frozen)
		snprintf(r->note, sizeof(r->note), "%s cannot be written (%s)", ring ? "the flight recorder" : "evidence",
			 spimend_strerror(ring ? ring : frozen));
	else if (!r->open_error)
		r->note[0] = 0;
}

static void on_timer(void *context, int64_t mono)
{
	struct mind *mind = context;
	struct mind_recorder *r = &mind->recorder;
	struct moment now = mind_now(mind);
	int64_t next, other;

	(void)mono;
	r->due = LOOP_NEVER;
	if (!r->ring)
		return;
	next = ring_tick(r->ring, now);
	other = r->frozen ? frozen_tick(r->frozen, r->ring, now) : LOOP_NEVER;
	look(mind);
	wake(mind, other < next ? other : next);
}

struct limits {
	struct ring_limits ring;
	struct frozen_limits frozen;
};

static uint64_t at_most(uint64_t value, uint64_t most)
{
	return value < most ? value : most;
}

/* As configured; of a small disk the ring gets an eighth, evidence a quarter, and a tenth is left to others. */
static struct limits limits_of(const struct config *config)
{
	const struct config_recorder *c = &config->recorder;
	struct limits l = {
		.ring = { .bytes = c->size_mib * MEBIBYTE, .age_ns = c->age_ns, .reserve = c->reserve_mib * MEBIBYTE },
		.frozen = { .count = c->incidents, .bytes = c->evidence_mib * MEBIBYTE, .age_ns = c->evidence_age_ns,
			    .before_ns = c->before_ns, .after_ns = c->after_ns },
	};
	char folder[CONFIG_PATH_MAX + sizeof("/" MEMBER_RECORDER_DIRECTORY)];
	struct statvfs fs;
	uint64_t disk;
	int fd;

	snprintf(folder, sizeof(folder), "%s/" MEMBER_RECORDER_DIRECTORY, config->state_directory);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && fstatvfs(fd, &fs) == 0) {
		disk = (uint64_t)fs.f_blocks * fs.f_frsize;
		l.ring.bytes = at_most(l.ring.bytes, disk / 8 > RING_BYTES_LEAST ? disk / 8 : RING_BYTES_LEAST);
		l.ring.reserve = at_most(l.ring.reserve, disk / 10);
		l.frozen.bytes = at_most(l.frozen.bytes, disk / 4);
	}
	if (fd >= 0)
		close(fd);
	l.frozen.reserve = l.ring.reserve;
	return l;
}

static int open_all(struct mind *mind)
{
	struct mind_recorder *r = &mind->recorder;
	const struct config *config = mind->member->config;
	struct limits limits = limits_of(config);
	struct ring_self self = { .end = "" };
	char folder[CONFIG_PATH_MAX + sizeof("/" MEMBER_RECORDER_DIRECTORY)];
	int result = 0;

	text_copy(text_of(config->hostname), self.end, sizeof(self.end));
	memcpy(self.boot, mind->member->start.boot, sizeof(self.boot));
	if (!r->timer)
		result = loop_add_timer(mind->member->loop, on_timer, mind, &r->timer);
	r->due = LOOP_NEVER;
	snprintf(folder, sizeof(folder), "%s/" MEMBER_RECORDER_DIRECTORY, config->state_directory);
	if (result == 0)
		result = ring_open(folder, &limits.ring, &self, mind_now(mind), &r->ring);
	snprintf(folder, sizeof(folder), "%s/" MEMBER_EVIDENCE_DIRECTORY, config->state_directory);
	if (result == 0)
		result = frozen_open(folder, &limits.frozen, &self, mind_now(mind), &r->frozen);
	if (result < 0)
		mind_record_done(mind);
	return result;
}

static void begin(struct mind *mind)
{
	struct mind_recorder *r = &mind->recorder;
	int result = open_all(mind);

	if (result == 0) {
		r->note[0] = 0;
		r->is_scanned = false;
		note(mind, "the recorder started");
	} else {
		snprintf(r->note, sizeof(r->note), "the flight recorder's folder cannot be had (%s): nothing is recorded",
			 spimend_strerror(result));
		if (result != r->open_error)
			log_say(&mind->member->log, LOG_ERR, "%s", r->note);
	}
	r->open_error = result;
	r->again = mind_now(mind).mono_ns + RETRY_NS;
}

void mind_record_configure(struct mind *mind)
{
	struct mind_recorder *r = &mind->recorder;
	const struct config *config = mind->member->config;
	struct limits limits;

	if (!config->recorder.is_on) {
		mind_record_done(mind);
		r->note[0] = 0;
		r->open_error = 0;
	} else if (!r->ring) {
		begin(mind);
	} else {
		limits = limits_of(config);
		ring_change(r->ring, &limits.ring, config->hostname);
		frozen_change(r->frozen, &limits.frozen);
	}
}

void mind_record_tick(struct mind *mind)
{
	struct mind_recorder *r = &mind->recorder;
	char text[160];

	if (!r->ring && mind->member->config->recorder.is_on && mind_now(mind).mono_ns >= r->again)
		begin(mind);
	if (!r->ring)
		return;
	if (!r->is_scanned) /* a segment a second: nobody waits for it */
		r->is_scanned = !ring_scan(r->ring);
	if (r->held == r->held_said)
		return;
	snprintf(text, sizeof(text), "%" PRIu64 " events are not recorded: more packets or log lines came than may fill the ring",
		 r->held - r->held_said);
	r->held_said = r->held;
	note(mind, text);
}

void mind_record_view(const struct mind *mind, struct live_recorder *ret)
{
	const struct mind_recorder *r = &mind->recorder;

	*ret = (struct live_recorder){ .is_on = mind->member->config->recorder.is_on, .frozen = r->frozen, .has_ring = r->ring,
				       .held = r->held, .note = r->note[0] ? r->note : NULL };
	if (r->ring)
		ret->ring = ring_figures(r->ring);
	if (r->frozen)
		ret->kept = frozen_figures(r->frozen);
}

void mind_record_done(struct mind *mind)
{
	struct mind_recorder *r = &mind->recorder;

	if (r->ring)
		note(mind, "the recorder ends");
	frozen_close(r->frozen);
	ring_close(r->ring, mind_now(mind));
	r->frozen = NULL;
	r->ring = NULL;
}
