/* SPDX-License-Identifier: MIT */
/* A person's word on a step: `spimend approve`, `spimend deny`, and the same in the shell. */
#include <errno.h>
#include <stdio.h>

#include "base/json.h"
#include "base/memory.h"
#include "role/core_role.h"

/* "alice (uid 1000)"; "uid 1000" where the parent had no name for it: a client's word for who it is counts nothing. */
void mind_name_who(const struct mind *mind, uint32_t uid, char to[FLEET_WHO_MAX])
{
	const struct role_start *start = &mind->member->start;

	snprintf(to, FLEET_WHO_MAX, "uid %u", uid);
	for (uint32_t i = 0; i < start->operator_count && i < ROLE_NAMES_MAX; i++)
		if (start->operators[i].uid == uid)
			snprintf(to, FLEET_WHO_MAX, "%.15s (uid %u)", start->operators[i].name, uid);
}

static void say_what_follows(const struct fleet_incident *is, uint32_t step, bool approves, const char *who, bool json,
			     struct text window, struct buffer *out)
{
	const struct fleet_step *s = &is->steps[step - 1];
	struct json j;

	if (json) {
		json_init(&j, out);
		json_object(&j, NULL);
		json_string(&j, "schema", "spimend.word/1");
		json_string(&j, "id", is->id);
		json_unsigned(&j, "step", step);
		json_string(&j, "word", approves ? "approved" : "denied");
		json_string(&j, "by", who);
		json_string(&j, "on", s->on);
		json_string(&j, "command", s->command);
		if (window.len)
			json_text(&j, "window", window);
		json_object_end(&j);
		buffer_add_char(out, '\n');
	} else if (approves) {
		buffer_printf(out, "Step %u of %s is approved by %s. Once the devices, read again now, show the same as before,\n"
				   "this is typed on %s:\n    %s\n'spimend explain %s' tells what became of it.\n", step, is->id, who, s->on,
			      s->command, is->id);
		if (window.len)
			buffer_printf(out, "%.*s\n", TEXT_ARG(window));
	} else {
		buffer_printf(out, "Step %u of %s is denied by %s: nothing is typed, and a person has to look.\n", step, is->id, who);
	}
}

int mind_say_word(struct mind *mind, const char *who, const struct mind_word *word, struct buffer *out, struct buffer *why)
{
	struct fleet *fleet = mind->cases.fleet;
	const struct fleet_incident *is = fleet ? fleet_find(fleet, word->id) : NULL;
	bool taken;

	if (!fleet) {
		buffer_add_string(why, "no device is configured: there is nothing that a person could agree to");
		return -ENOENT;
	}
	if (is && word->step >= 1 && word->step <= is->step_count && is->steps[word->step - 1].state != FLEET_STEP_OFFERED &&
	    is->steps[word->step - 1].who[0]) {
		buffer_printf(why, "%s said so already: the step is %s", is->steps[word->step - 1].who,
			      fleet_step_state_name(is->steps[word->step - 1].state));
		return -EALREADY;
	}
	taken = word->approves ? fleet_approve(fleet, word->id, word->step, who, mind_now(mind), why) :
				 fleet_deny(fleet, word->id, word->step, who, mind_now(mind), why);
	if (!taken)
		return -EPERM;
	is = fleet_find(fleet, word->id);
	if (is)
		say_what_follows(is, word->step, word->approves, who, word->json, buffer_text(why), out);
	mind_cases_settle(mind);
	return 0;
}

int mind_take_word(struct mind *mind, const struct control_request *request, struct buffer *out)
{
	cleanup(buffer_done) struct buffer why = { 0 };
	struct mind_word word = { .step = request->step, .approves = request->command == CONTROL_APPROVE, .json = request->json };
	char who[FLEET_WHO_MAX];
	int r;

	mind_name_who(mind, request->uid, who);
	memcpy(word.id, request->id, sizeof(word.id));
	r = mind_say_word(mind, who, &word, out, &why);
	log_say(&mind->member->log, r < 0 ? LOG_WARNING : LOG_NOTICE, "%s: %s %s %u%s%.*s", who,
		control_command_name(request->command), word.id, word.step, r < 0 ? ": refused: " : why.len ? ": " : "",
		TEXT_ARG(buffer_text(&why)));
	if (r == 0)
		return 0;
	buffer_clear(out);
	buffer_add(out, buffer_text(&why));
	return CONTROL_REFUSED;
}

int mind_word_typed(void *context, const struct exec_who *who, const char *id, uint32_t step, bool approves,
		    struct buffer *out, struct buffer *why)
{
	struct mind_word word = { .step = step, .approves = approves };
	char name[FLEET_WHO_MAX];

	for (size_t i = 0; i < sizeof(word.id) - 1 && id[i]; i++) /* ids are lower case, whatever was typed */
		word.id[i] = char_lower(id[i]);
	mind_name_who(context, who->uid, name);
	return mind_say_word(context, name, &word, out, why);
}
