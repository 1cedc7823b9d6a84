/* SPDX-License-Identifier: MIT */
/* A person's word on a step: bound to the incident, the device, the exact command and the blast radius that was counted. It
 * counts once, for a while, and only if the device, read just before, still shows the same. Where the configuration says
 * that nobody is asked (`repair sdwan approval not-required`), all of that holds for what was announced. */
#include <string.h>

#include "base/memory.h"
#include "fleet/fleet_private.h"

/* What is not counted, nobody can be asked about, and nobody types. */
static bool is_counted(struct fleet *f, struct case_file *c, const struct fleet_step *step)
{
	if (step->blast.told)
		return true;
	c->is.state = STATE_OPEN;
	case_say(c, "What %s would disturb could not be counted on %s, so %s: a person has to look.", step->command, step->on,
		 step->needs_person ? "nobody can be asked" : "it is not typed");
	case_end(f, c, STATE_GAVE_UP);
	return false;
}

void mend_announce(struct fleet *f, struct case_file *c, const struct fleet_step *step)
{
	struct buffer blast cleanup(buffer_done) = { 0 };
	int32_t device = device_find(&f->config->devices, text_of(step->on));
	struct fleet_step *to;

	if (!is_counted(f, c, step))
		return;
	c->step = c->is.step_count++; /* both ends stay locked: nobody else changes what was counted */
	to = &c->is.steps[c->step];
	*to = *step;
	to->state = FLEET_STEP_COUNTED;
	to->offered = f->now.wall;
	c->is.state = STATE_ACTING;
	c->approved_ns = f->now.mono_ns;
	blast_say(to, &blast);
	case_say(c, "Step %u asks for nobody, by the configuration: the devices are read once more before it. On %s: %s (%.*s)",
		 c->is.step_count, to->on, to->command, TEXT_ARG(buffer_text(&blast)));
	fleet_notice(f, 4, "incident %s: %s", c->is.id, c->is.why);
	if (device >= 0)
		fleet_journal(f, (uint32_t)device, "incident %s: step %u, %s: to be typed without a person, by 'repair sdwan approval'; "
						   "blast radius: %.*s", c->is.id, c->is.step_count, to->command, TEXT_ARG(buffer_text(&blast)));
	case_wait(c, LOOK_CONFIRM, f->now.mono_ns);
	case_keep(f, c);
}

void mend_offer(struct fleet *f, struct case_file *c, const struct fleet_step *step)
{
	struct buffer blast cleanup(buffer_done) = { 0 };
	struct fleet_step *to;

	devices_unlock(f, c);
	if (!is_counted(f, c, step))
		return;
	c->step = c->is.step_count++;
	to = &c->is.steps[c->step];
	*to = *step;
	to->state = FLEET_STEP_OFFERED;
	to->offered = f->now.wall;
	c->is.state = STATE_AWAITING;
	c->phase = PHASE_AWAITING;
	c->due_ns = f->now.mono_ns + f->settings.offer_ns;
	blast_say(to, &blast);
	case_say(c, "Step %u asks for a person: on %s: %s (%.*s)", c->is.step_count, to->on, to->command, TEXT_ARG(buffer_text(&blast)));
	fleet_notice(f, 4, "incident %s: %s", c->is.id, c->is.why);
	case_keep(f, c);
}

bool mend_approval_holds(struct fleet *f, struct case_file *c, const struct fleet_step *like, bool has_like)
{
	struct fleet_step *step = c->step == NONE ? NULL : &c->is.steps[c->step];
	const char *why = NULL;

	bool is_word;

	if (!step || !step_is_agreed(step))
		return false;
	is_word = step->state == FLEET_STEP_APPROVED;
	if (f->now.mono_ns - c->approved_ns > f->settings.approval_ns)
		why = is_word ? "it was given too long ago" : "what it disturbs was counted too long ago";
	else if (!has_like)
		why = "the fault is not what it was";
	else if (strcmp(like->command, step->command) != 0 || strcmp(like->on, step->on) != 0)
		why = "another step is the next one by now";
	else if (like->needs_person && !is_word)
		why = "the configuration has a person asked by now";
	else if (!blast_equal(&like->blast, &step->blast))
		why = "what it would disturb is not what was counted";
	if (!why)
		return true;
	step->state = FLEET_STEP_VOID;
	step->ended = f->now.wall;
	text_copy(text_of(why), step->outcome, sizeof(step->outcome));
	f->figures.void_approvals++;
	if (is_word)
		fleet_notice(f, 4, "incident %s: the word of %s on step %u is void: %s", c->is.id, step->who, c->step + 1, why);
	else
		fleet_notice(f, 4, "incident %s: step %u is not typed: %s", c->is.id, c->step + 1, why);
	if (++c->voids >= FLEET_VOIDS_MAX) {
		case_say(c, "%s ended before it was typed, the last one because %s: a person has to look.",
			 is_word ? "Each word on a step" : "Each step that nobody is asked about", why);
		case_end(f, c, STATE_GAVE_UP);
	}
	return false;
}

void mend_offer_over(struct fleet *f, struct case_file *c)
{
	case_say(c, "Nobody agreed to step %u in time: a person is needed.", c->step + 1);
	case_end(f, c, STATE_GAVE_UP);
}

static struct case_file *case_of_offer(struct fleet *f, const char *id, uint32_t step, const char *who, struct buffer *why)
{
	struct case_file *c = NULL;

	for (uint32_t n = f->oldest; n && !c; n = f->cases[n - 1]->newer)
		if (strncmp(f->cases[n - 1]->is.id, id, INCIDENT_ID_MAX) == 0)
			c = f->cases[n - 1];
	if (!who[0] || !text_is_string(who, strlen(who) + 1) || strlen(who) >= FLEET_WHO_MAX)
		buffer_add_string(why, "who says so is not known");
	else if (!c)
		buffer_add_string(why, "there is no such incident of other devices");
	else if (!step || step > c->is.step_count)
		buffer_printf(why, "incident %s has no step %u", c->is.id, step);
	else if (c->phase != PHASE_AWAITING || c->step != step - 1 || c->is.steps[step - 1].state != FLEET_STEP_OFFERED)
		buffer_printf(why, "step %u of incident %s is not one that waits for a person: it is %s", step, c->is.id,
			      fleet_step_state_name(c->is.steps[step - 1].state));
	return why->len ? NULL : c;
}

static void take_word(struct fleet *f, struct case_file *c, const char *who, const char *what)
{
	struct fleet_step *step = &c->is.steps[c->step];
	int32_t device = device_find(&f->config->devices, text_of(step->on));
	struct buffer blast cleanup(buffer_done) = { 0 };

	text_copy(text_of(who), step->who, sizeof(step->who));
	step->decided = f->now.wall;
	blast_say(step, &blast);
	if (device >= 0)
		fleet_journal(f, (uint32_t)device, "incident %s: step %u, %s: %s by %s; blast radius: %.*s", c->is.id, c->step + 1,
			      step->command, what, who, TEXT_ARG(buffer_text(&blast)));
	fleet_notice(f, 5, "incident %s: step %u, on %s: %s: %s by %s", c->is.id, c->step + 1, step->on, step->command, what, who);
}

bool fleet_approve(struct fleet *f, const char *id, uint32_t step, const char *who, struct moment now, struct buffer *why)
{
	struct case_file *c;
	int32_t device;

	f->now = now;
	c = case_of_offer(f, id, step, who, why);
	if (!c || !mend_may_act(f, c, c->first.keys, why))
		return false;
	c->is.steps[step - 1].state = FLEET_STEP_APPROVED;
	take_word(f, c, who, "approved");
	c->approved_ns = now.mono_ns;
	c->is.state = STATE_ACTING;
	f->figures.approved++;
	device = device_find(&f->config->devices, text_of(c->is.steps[step - 1].on));
	if (device >= 0)
		window_warn(f, (uint32_t)device, why);
	case_say(c, "%s agreed to step %u: the devices are read once more before it.", who, step);
	case_wait(c, LOOK_CONFIRM, now.mono_ns);
	case_keep(f, c);
	return true;
}

bool fleet_deny(struct fleet *f, const char *id, uint32_t step, const char *who, struct moment now, struct buffer *why)
{
	struct case_file *c;

	f->now = now;
	c = case_of_offer(f, id, step, who, why);
	if (!c)
		return false;
	c->is.steps[step - 1].state = FLEET_STEP_DENIED;
	take_word(f, c, who, "denied");
	f->figures.denied++;
	case_say(c, "%s denied step %u: a person is needed.", who, step);
	case_end(f, c, STATE_GAVE_UP);
	return true;
}
