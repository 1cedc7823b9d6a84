/* SPDX-License-Identifier: MIT */
/* Actions that reach beyond their run, inside the engine: contexts, counters, other applets, events, track objects. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/memory.h"
#include "eem/engine_private.h"

static bool argument(struct eem *eem, struct run *run, const struct action *a, unsigned slot, struct moment now,
		     struct expansion *e, enum step *step)
{
	*e = (struct expansion){ .taint = TAINT_NONE };
	return !(a->has >> slot & 1) || run_expand(eem, run, a, slot, now, e, step);
}

static bool number_of(struct eem *eem, struct run *run, const struct action *a, unsigned slot, uint64_t least, uint64_t most,
		      struct moment now, uint64_t *ret, enum step *ret_step)
{
	struct expansion e;
	bool fine;

	if (!argument(eem, run, a, slot, now, &e, ret_step))
		return false;
	fine = text_decimal(text_trim(buffer_text(&e.text)), most, ret) == 0 && *ret >= least;
	if (!fine)
		*ret_step = run_fail(eem, run, now, "'%.*s' is no number from %" PRIu64 " to %" PRIu64,
				     TEXT_ARG(text_first(buffer_text(&e.text), 40)), least, most);
	expansion_done(&e);
	return fine;
}

/* --- context ----------------------------------------------------------------------------------------------------- */

static struct named *context_of(struct eem *eem, struct text key)
{
	for (uint32_t i = 0; i < eem->context_count; i++)
		if (text_equal(text_of(eem->contexts[i].name), key))
			return &eem->contexts[i];
	return NULL;
}

static enum step save(struct eem *eem, struct run *run, struct text key, const struct variable *v, struct moment now)
{
	struct named *context = context_of(eem, key);
	struct text value = v ? variable_value(v) : TEXT_NONE;
	char *bytes;

	if (!v)
		return run_fail(eem, run, now, "the variable to save is not set");
	if (value.len > CONTEXT_BYTES_MAX || key.len == 0 || key.len >= EEM_APPLET_NAME_MAX)
		return run_fail(eem, run, now, "a context has a key of 1 to %d bytes and up to %d bytes", EEM_APPLET_NAME_MAX - 1,
				CONTEXT_BYTES_MAX);
	if (!context && eem->context_count == CONTEXTS_MAX)
		return run_fail(eem, run, now, "more than %d contexts", CONTEXTS_MAX);
	bytes = memory_new(value.len, 1);
	if (!bytes)
		return run_fail(eem, run, now, "no memory");
	if (value.len)
		memcpy(bytes, value.at, value.len);
	if (!context) {
		context = &eem->contexts[eem->context_count++];
		*context = (struct named){ .number = 0 };
		text_copy(key, context->name, sizeof(context->name));
	}
	memory_free(context->bytes);
	context->bytes = bytes;
	context->len = (uint32_t)value.len;
	context->taint = v->taint;
	return STEP_NEXT;
}

static enum step take_context(struct eem *eem, struct run *run, const struct action *a, struct moment now)
{
	struct expansion key;
	struct named *context;
	enum step step;

	if (!argument(eem, run, a, 0, now, &key, &step))
		return step;
	context = context_of(eem, buffer_text(&key.text));
	if (a->sub == 1)
		step = save(eem, run, buffer_text(&key.text), run_find(run, a->name[0]), now);
	else if (!context)
		step = run_fail(eem, run, now, "nothing was saved under '%.*s'", TEXT_ARG(text_first(buffer_text(&key.text), 60)));
	else
		step = run_set_or_fail(eem, run, a->name[0], (struct text){ context->bytes, context->len }, context->taint, now);
	expansion_done(&key);
	return step;
}

/* --- counter ----------------------------------------------------------------------------------------------------- */

static enum step take_counter(struct eem *eem, struct run *run, const struct action *a, struct moment now)
{
	struct expansion name;
	uint64_t by = 1;
	int64_t *counter;
	enum step step;

	if (!argument(eem, run, a, 0, now, &name, &step))
		return step;
	if ((a->has & 2) && !number_of(eem, run, a, 1, 0, INT32_MAX, now, &by, &step)) {
		expansion_done(&name);
		return step;
	}
	counter = counter_of(eem, buffer_text(&name.text));
	step = STEP_NEXT;
	if (!counter) {
		step = run_fail(eem, run, now, "no more than %d counters, with names of 1 to %d bytes", COUNTERS_MAX,
				EEM_APPLET_NAME_MAX - 1);
	} else {
		int64_t value = *counter;

		if (a->sub == COUNTER_SET)
			value = (int64_t)by;
		else if (a->sub == COUNTER_INC)
			value += (int64_t)by;
		else if (a->sub == COUNTER_DEC)
			value -= (int64_t)by;
		*counter = value;
		run_set_number(eem, run, "_counter_value_remain", value);
		if (a->sub != COUNTER_NOP)
			counter_changed(eem, buffer_text(&name.text), value, run, now);
	}
	expansion_done(&name);
	return step;
}

/* --- policy, publish-event --------------------------------------------------------------------------------------- */

static enum step take_policy(struct eem *eem, struct run *run, const struct action *a, struct moment now)
{
	struct occurrence o = { .chain = run->chain, .chain_len = run->chain_len, .terminal = run->terminal };
	struct expansion name;
	enum step step;
	uint32_t policy;

	if (!argument(eem, run, a, 0, now, &name, &step))
		return step;
	policy = eem_policy_find(eem->set, buffer_text(&name.text));
	step = STEP_NEXT;
	if (policy == UINT32_MAX) {
		step = run_fail(eem, run, now, "there is no applet '%.*s'", TEXT_ARG(text_first(buffer_text(&name.text), 60)));
	} else {
		const struct policy *p = &eem->set->at[policy];
		uint32_t k = 0;

		while (k < p->event_count && p->events[k].detector != DETECTOR_NONE)
			k++;
		o.device = text_of(run->device);
		if (policy_row(p, o.device) < 0)
			o.device = p->device_count ? p->devices[0].name : TEXT_NONE;
		if (k == p->event_count)
			step = run_fail(eem, run, now, "applet '%.*s' has no 'event none'", TEXT_ARG(p->name));
		else
			event_happens(eem, policy, k, &o, now);
	}
	expansion_done(&name);
	return step;
}

static enum step take_publish(struct eem *eem, struct run *run, const struct action *a, struct moment now)
{
	static const char *const names[] = { "_application_data1", "_application_data2", "_application_data3",
					     "_application_data4" };
	struct expansion e[4] = { { .taint = TAINT_NONE } };
	struct fact data[4];
	uint64_t subsystem, type;
	uint32_t count = 0;
	enum step step = STEP_NEXT;

	if (!number_of(eem, run, a, 0, 1, UINT32_MAX, now, &subsystem, &step) ||
	    !number_of(eem, run, a, 1, 1, UINT32_MAX, now, &type, &step))
		return step;
	for (unsigned i = 0; i < 4; i++) {
		if (!(a->has >> (i + 2) & 1))
			continue;
		if (!argument(eem, run, a, i + 2, now, &e[i], &step))
			break;
		data[count++] = (struct fact){ names[i], buffer_text(&e[i].text), e[i].taint };
	}
	if (step == STEP_NEXT)
		application_event(eem, (uint32_t)subsystem, (uint32_t)type, data, count, run, now);
	for (unsigned i = 0; i < 4; i++)
		expansion_done(&e[i]);
	return step;
}

/* --- track, info ------------------------------------------------------------------------------------------------- */

static enum step take_track(struct eem *eem, struct run *run, const struct action *a, struct moment now)
{
	uint64_t object;
	struct output *o;
	enum step step;

	if (!number_of(eem, run, a, 0, 1, TRACKS_MAX, now, &object, &step))
		return step;
	if (a->sub == 0) {
		if (eem->tracks[object] < 0)
			return run_fail(eem, run, now, "there is no track object %" PRIu64, object);
		run_set_number(eem, run, "_track_number", (int64_t)object);
		return run_set_or_fail(eem, run, TEXT("_track_state"), eem->tracks[object] ? TEXT("up") : TEXT("down"), TAINT_NONE, now);
	}
	o = output_new(eem, EEM_TRACK_SET, run);
	if (o) {
		o->out.track.object = (uint32_t)object;
		o->out.track.is_up = a->is_up;
		output_send(eem, o);
	}
	return STEP_NEXT;
}

enum step run_shared_action(struct eem *eem, struct run *run, const struct action *a, struct moment now)
{
	switch (a->verb) {
	case VERB_CONTEXT:
		return take_context(eem, run, a, now);
	case VERB_COUNTER:
		return take_counter(eem, run, a, now);
	case VERB_POLICY:
		return take_policy(eem, run, a, now);
	case VERB_PUBLISH_EVENT:
		return take_publish(eem, run, a, now);
	case VERB_TRACK:
		return take_track(eem, run, a, now);
	default: /* info type routername */
		return run_set_or_fail(eem, run, TEXT("_info_routername"), text_of(eem->settings.hostname), TAINT_NONE, now);
	}
}
