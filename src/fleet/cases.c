/* SPDX-License-Identifier: MIT */
/* The table of cases: an incident, and what its judging and mending needs. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "fleet/fleet_private.h"

static void make_id(const struct fleet_incident *is, char to[INCIDENT_ID_MAX])
{
	static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
	static const struct hash_key stable = { 0, 0 }; /* the same incident has the same id in every life */
	struct {
		char receiver[DEVICE_NAME_MAX];
		struct spimend_address src, dst;
		int64_t first;
	} key;
	uint64_t hash;

	memset(&key, 0, sizeof(key));
	memcpy(key.receiver, is->receiver, sizeof(key.receiver));
	key.src = is->src;
	key.dst = is->dst;
	key.first = is->first_seen.ns;
	hash = hash_bytes(&stable, &key, sizeof(key));
	for (int i = 0; i < INCIDENT_ID_MAX - 1; i++, hash >>= 5)
		to[i] = digits[hash & 31];
	to[INCIDENT_ID_MAX - 1] = 0;
}

struct case_file *case_of_pair(struct fleet *f, uint32_t device, const struct spimend_address *src,
			       const struct spimend_address *dst)
{
	uint32_t hash = (uint32_t)fleet_hash_pair(f, device, src, dst), cursor = hash, number;

	while ((number = slots_look(&f->by_pair, hash, &cursor))) {
		struct case_file *c = f->cases[number - 1];

		if (c->r == device && spimend_address_equal(&c->is.src, src) && spimend_address_equal(&c->is.dst, dst))
			return c;
	}
	return NULL;
}

static void unlist(struct fleet *f, struct case_file *c)
{
	slots_remove(&f->by_pair, (uint32_t)fleet_hash_pair(f, c->r, &c->is.src, &c->is.dst), c->number);
}

static void enlist(struct fleet *f, struct case_file *c)
{
	slots_add(&f->by_pair, (uint32_t)fleet_hash_pair(f, c->r, &c->is.src, &c->is.dst), c->number);
}

void case_remove(struct fleet *f, struct case_file *c)
{
	uint32_t number = c->number;

	if (case_is_open(c))
		unlist(f, c);
	f->strangers -= c->stranger;
	if (c->older)
		f->cases[c->older - 1]->newer = c->newer;
	else
		f->oldest = c->newer;
	if (c->newer)
		f->cases[c->newer - 1]->older = c->older;
	else
		f->newest = c->older;
	memory_free(c);
	f->cases[number - 1] = NULL;
	f->figures.incidents--;
}

/* A place: a free one, or that of the oldest incident that is over. */
static uint32_t free_place(struct fleet *f)
{
	uint32_t n;

	for (uint32_t i = 0; f->figures.incidents < FLEET_CASES_MAX && i < FLEET_CASES_MAX; i++)
		if (!f->cases[i])
			return i + 1;
	for (n = f->oldest; n && case_is_open(f->cases[n - 1]);)
		n = f->cases[n - 1]->newer;
	if (!n)
		return 0;
	case_remove(f, f->cases[n - 1]);
	f->figures.evicted++;
	return n;
}

static struct case_file *place_case(struct fleet *f)
{
	uint32_t number = free_place(f);
	struct case_file *c = number ? memory_new(1, sizeof(*c)) : NULL;

	if (!c)
		return NULL;
	c->number = number;
	c->r = c->s = c->step = NONE;
	c->phase = PHASE_DONE;
	c->began_ns = f->now.mono_ns;
	c->older = f->newest;
	if (f->newest)
		f->cases[f->newest - 1]->newer = number;
	else
		f->oldest = number;
	f->newest = number;
	f->cases[number - 1] = c;
	f->figures.incidents++;
	return c;
}

void case_find_sender(struct fleet *f, struct case_file *c)
{
	if (c->s != NONE || c->is.is_burst)
		return;
	c->s = device_of(f, &c->is.src);
	if (c->s == NONE)
		return;
	memcpy(c->is.sender, f->config->devices.at[c->s].name, sizeof(c->is.sender));
	f->strangers -= c->stranger;
	c->stranger = false;
}

struct case_file *case_new(struct fleet *f, const struct fleet_sighting *s)
{
	struct case_file *c = place_case(f);

	if (!c)
		return NULL;
	c->r = s->device;
	memcpy(c->is.receiver, f->config->devices.at[s->device].name, sizeof(c->is.receiver));
	c->is.src = s->src;
	c->is.dst = s->dst;
	c->is.protocol = s->protocol;
	text_copy(text_of(s->interface), c->is.interface, sizeof(c->is.interface));
	c->is.first_seen = c->is.last_seen = f->now.wall;
	c->is.rule = RULE_NOT_READ;
	c->is.state = STATE_OPEN;
	make_id(&c->is, c->is.id);
	c->stranger = true;
	f->strangers++;
	case_find_sender(f, c);
	case_wait(c, LOOK_FIRST, f->now.mono_ns + f->settings.gather_ns);
	enlist(f, c);
	return c;
}

void case_take_pair(struct fleet *f, struct case_file *c, const struct pair *pair)
{
	unlist(f, c);
	c->is.src = pair->src;
	c->is.dst = pair->dst;
	c->s = device_of(f, &pair->src);
	memset(c->is.sender, 0, sizeof(c->is.sender));
	if (c->s != NONE)
		memcpy(c->is.sender, f->config->devices.at[c->s].name, sizeof(c->is.sender));
	c->is.has_stale = false;
	c->tries = c->changes = c->voids = c->rechecks = 0;
	memory_forget(c);
	c->nat = (struct nat){ 0 };
	c->step = NONE;
	c->steps_before = c->is.step_count;
	c->took_budget = false;
	enlist(f, c);
}

void case_evidence(struct fleet *f, struct case_file *c, enum fact_kind kind, uint32_t device, const char *format, ...)
{
	const struct config_device *d = device_config(f, device);
	struct fleet_evidence *e;
	va_list args;

	if (c->is.evidence_count == FLEET_EVIDENCE_MAX) { /* the first half stays: what it began with. The latest one comes in */
		memmove(c->is.evidence + FLEET_EVIDENCE_MAX / 2, c->is.evidence + FLEET_EVIDENCE_MAX / 2 + 1,
			(FLEET_EVIDENCE_MAX / 2 - 1) * sizeof(*e));
		c->is.evidence_count--;
		c->is.evidence_cut++;
		c->is.flags |= FLAG_EVIDENCE_CUT;
		f->figures.evidence_cut++;
	}
	e = &c->is.evidence[c->is.evidence_count++];
	memset(e, 0, sizeof(*e));
	e->at = f->now.wall;
	e->kind = kind;
	e->other_end = device != NONE && device == c->s;
	if (d)
		memcpy(e->from, d->name, sizeof(e->from));
	va_start(args, format);
	vsnprintf(e->text, sizeof(e->text), format, args);
	va_end(args);
}

void case_say(struct case_file *c, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(c->is.why, sizeof(c->is.why), format, args);
	va_end(args);
}

void case_keep(struct fleet *f, struct case_file *c)
{
	struct fleet_output *output = fleet_emit(f, FLEET_KEEP);

	if (output)
		memcpy(output->incident, c->is.id, sizeof(output->incident));
}

void case_wait(struct case_file *c, enum purpose purpose, int64_t due_ns)
{
	c->phase = PHASE_WAITING;
	c->purpose = purpose;
	c->due_ns = due_ns;
}

static void give_back(struct fleet *f, struct case_file *c, bool healed)
{
	const struct fleet_step *step = c->step == NONE ? NULL : &c->is.steps[c->step];
	int32_t at = step ? device_find(&f->config->devices, text_of(step->on)) : -1;

	devices_unlock(f, c);
	if (c->counted_look)
		f->under_way--;
	c->counted_look = false;
	if (c->took_budget && at >= 0)
		budget_release(f->budget, &f->config->devices.at[at].address, healed, f->now.mono_ns);
	c->took_budget = false;
}

/* Of what a person was asked and did not answer. */
static void expire_offers(struct fleet *f, struct case_file *c)
{
	for (uint32_t i = 0; i < c->is.step_count; i++) {
		struct fleet_step *step = &c->is.steps[i];

		if (step->state != FLEET_STEP_OFFERED && !step_is_agreed(step))
			continue;
		f->figures.expired += step->needs_person;
		step->state = FLEET_STEP_EXPIRED;
		step->ended = f->now.wall;
	}
}

void case_end(struct fleet *f, struct case_file *c, enum incident_state state)
{
	char src[SPIMEND_ADDRESS_TEXT_MAX], dst[SPIMEND_ADDRESS_TEXT_MAX];

	if (!case_is_open(c))
		return;
	give_back(f, c, state == STATE_HEALED);
	expire_offers(f, c);
	if (c->is.is_burst && (state == STATE_CLOSED || state == STATE_HEALED) && burst_next(f, c))
		return; /* the next pair of the sample */
	unlist(f, c);
	if (c->r != NONE && f->devices[c->r].burst == c->number)
		f->devices[c->r].burst = 0;
	c->phase = PHASE_DONE;
	f->strangers -= c->stranger;
	c->stranger = false;
	for (uint32_t i = 0; i < c->is.step_count && state == STATE_CLOSED; i++)
		if (c->is.steps[i].helped) /* one of the sample was mended, and the rest healed */
			state = STATE_HEALED;
	c->is.state = state;
	c->is.ended = f->now.wall;
	fleet_notice(f, state == STATE_GAVE_UP ? 4 : 5, "incident %s, %s -> %s at %s: %s, %s: %s", c->is.id,
		     spimend_address_print(&c->is.src, src), spimend_address_print(&c->is.dst, dst), c->is.receiver,
		     verdict_name(c->is.verdict), incident_state_name(state), c->is.why);
	case_keep(f, c);
}

/* --- After a restart -------------------------------------------------------------------------------------------- */

static bool is_over(enum incident_state state)
{
	return state != STATE_OPEN && state != STATE_ACTING && state != STATE_AWAITING;
}

/* What was typed counts, and what was agreed to does not any more. */
static void restore_steps(struct fleet *f, struct case_file *c)
{
	for (uint32_t i = 0; i < c->is.step_count; i++) {
		struct fleet_step *step = &c->is.steps[i];
		int32_t at = device_find(&f->config->devices, text_of(step->on));
		int64_t then = f->now.mono_ns - (f->now.wall.ns - step->ordered.ns);

		if (step->state == FLEET_STEP_OFFERED || step_is_agreed(step))
			step->state = FLEET_STEP_EXPIRED;
		if (step->state == FLEET_STEP_ORDERED) {
			step->state = FLEET_STEP_DONE;
			text_copy(TEXT("spimend was restarted: it may have been done"), step->outcome, sizeof(step->outcome));
		}
		if (step->state == FLEET_STEP_DONE && step->ordered.ns && at >= 0)
			budget_restore(f->budget, &f->config->devices.at[at].address, true, step->helped, then);
	}
}

/* A step had been typed, and it was not known yet whether it helped: that time is given it still, and both ends are held
 * meanwhile, or a restart would hurry on to the next step. Mono; nanoseconds. */
static int64_t watched_until(struct fleet *f, const struct case_file *c)
{
	const struct fleet_step *step = c->is.step_count ? &c->is.steps[c->is.step_count - 1] : NULL;
	int64_t ago = step ? f->now.wall.ns - step->ordered.ns : 0;

	if (c->is.state != STATE_ACTING || !step || step->state != FLEET_STEP_DONE || ago >= f->settings.verify_ns)
		return f->now.mono_ns;
	return f->now.mono_ns + f->settings.verify_ns - (ago > 0 ? ago : 0); /* the clock may have been set back */
}

void fleet_restore(struct fleet *f, const struct fleet_incident *incident, struct moment now)
{
	const struct config_devices *devices = &f->config->devices;
	int32_t r = device_find(devices, text_of(incident->receiver)), s;
	int64_t due = now.mono_ns + f->settings.gather_ns, until;
	struct case_file *c;

	f->now = now;
	if (fleet_find(f, incident->id) || incident->step_count > FLEET_STEPS_MAX ||
	    incident->evidence_count > FLEET_EVIDENCE_MAX || !(c = place_case(f)))
		return;
	c->is = *incident;
	restore_steps(f, c);
	s = incident->sender[0] ? device_find(devices, text_of(incident->sender)) : -1;
	c->s = s < 0 ? NONE : (uint32_t)s;
	c->r = r < 0 ? NONE : (uint32_t)r;
	if (is_over(incident->state))
		return;
	if (c->r == NONE || (incident->sender[0] && c->s == NONE) || case_of_pair(f, c->r, &c->is.src, &c->is.dst)) {
		c->is.state = STATE_CLOSED;
		case_say(c, "A device of it is not in the configuration any more.");
		return;
	}
	until = watched_until(f, c);
	c->is.state = STATE_OPEN;
	if (until > now.mono_ns)
		(void)devices_lock(f, c, c->is.tunnel_kind == TUNNEL_SDWAN);
	case_wait(c, LOOK_FIRST, until > due ? until : due);
	enlist(f, c);
	if (c->is.is_burst)
		f->devices[c->r].burst = c->number;
}
