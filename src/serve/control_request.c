/* SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "base/json.h"
#include "parse/flat_json.h"
#include "serve/control_private.h"
#include "spimend/error.h"

static const char *const names[CONTROL_COMMANDS] = { "status", "incidents", "stats", "explain", "watch", "approve",
							    "deny", "journal", "evidence", "exec", "token", "metrics" };
static const char *const verbs[CONTROL_VERBS] = { "run", "help", "complete" };

const char *control_command_name(enum control_command command)
{
	return (unsigned)command < CONTROL_COMMANDS ? names[command] : "?";
}

void control_request_print(const struct control_request *request, struct buffer *out)
{
	struct json j;

	json_init(&j, out);
	json_object(&j, NULL);
	json_unsigned(&j, "spimend", CONTROL_PROTOCOL);
	json_string(&j, "command", control_command_name(request->command));
	json_string(&j, "id", request->id[0] ? request->id : NULL);
	json_bool(&j, "json", request->json);
	if (request->filter[0])
		json_string(&j, "filter", request->filter);
	if (request->step)
		json_unsigned(&j, "step", request->step);
	if (request->device[0])
		json_string(&j, "device", request->device);
	if (request->revoke)
		json_bool(&j, "revoke", true);
	if (request->command == CONTROL_EXEC) {
		json_string(&j, "verb", (unsigned)request->verb < CONTROL_VERBS ? verbs[request->verb] : "?");
		json_string(&j, "line", request->line);
		json_bool(&j, "prompt", request->prompt);
	}
	json_object_end(&j);
	buffer_add_char(out, '\n');
}

void control_state_print(int status, const struct control_state *state, size_t length, struct buffer *out)
{
	struct json j;

	json_init(&j, out);
	json_object(&j, NULL);
	json_unsigned(&j, "spimend", CONTROL_PROTOCOL);
	json_signed(&j, "status", status);
	json_unsigned(&j, "length", length);
	json_string(&j, "prompt", state->prompt);
	json_unsigned(&j, "page", state->page);
	json_bool(&j, "over", state->over);
	json_object_end(&j);
	buffer_add_char(out, '\n');
}

void control_head_print(int status, struct text error, struct buffer *out)
{
	struct json j;

	json_init(&j, out);
	json_object(&j, NULL);
	json_unsigned(&j, "spimend", CONTROL_PROTOCOL);
	json_signed(&j, "status", status);
	if (error.len)
		json_text(&j, "error", error);
	json_object_end(&j);
	buffer_add_char(out, '\n');
}

static bool read_state(const struct flat_json *object, struct control_head *ret)
{
	const struct flat_json_member *length = flat_json_find(object, "length"), *prompt = flat_json_find(object, "prompt"),
				      *page = flat_json_find(object, "page"), *over = flat_json_find(object, "over");

	if (!length)
		return true;
	if (length->type != FLAT_NUMBER || length->number < 0 || length->number > (int64_t)CONTROL_ANSWER_MAX || !prompt ||
	    prompt->type != FLAT_STRING || !page || page->type != FLAT_NUMBER || page->number < 0 || page->number > 100000 ||
	    !over || (over->type != FLAT_TRUE && over->type != FLAT_FALSE))
		return false;
	ret->has_state = true;
	ret->length = (uint64_t)length->number;
	text_copy(text_of(prompt->text), ret->state.prompt, sizeof(ret->state.prompt));
	ret->state.page = (unsigned)page->number;
	ret->state.over = over->type == FLAT_TRUE;
	return true;
}

int control_head_read(struct text line, struct control_head *ret)
{
	const struct flat_json_member *version, *status, *text;
	struct control_head head = { .status = 0 };
	struct flat_json object;
	int result = flat_json_read(line, &object);

	if (result < 0)
		return result;
	version = flat_json_find(&object, "spimend");
	status = flat_json_find(&object, "status");
	text = flat_json_find(&object, "error");
	if (!version || version->type != FLAT_NUMBER || !status || status->type != FLAT_NUMBER || status->number < 0 ||
	    status->number > 2 || !read_state(&object, &head))
		return SPIMEND_E_SYNTAX;
	head.status = (int)status->number;
	text_copy(text && text->type == FLAT_STRING ? text_of(text->text) : TEXT_NONE, head.error, sizeof(head.error));
	*ret = head;
	return 0;
}

static int refuse(struct buffer *why, const char *what)
{
	buffer_add_string(why, what);
	return -1;
}

static int read_command(const struct flat_json_member *member, struct control_request *request, struct buffer *why)
{
	if (!member || member->type != FLAT_STRING)
		return refuse(why, "the request names no command");
	for (int i = 0; i < CONTROL_COMMANDS; i++) {
		if (strcmp(member->text, names[i]) == 0) {
			request->command = (enum control_command)i;
			return 0;
		}
	}
	buffer_printf(why, "no command '%.32s'; there are status, incidents, stats, explain, watch, approve, deny, journal, evidence, exec, "
			   "token and metrics", member->text);
	return -1;
}

static bool is_word(const struct control_request *request)
{
	return request->command == CONTROL_APPROVE || request->command == CONTROL_DENY;
}

static int read_step(const struct flat_json_member *member, struct control_request *request, struct buffer *why)
{
	if (!is_word(request))
		return 0;
	if (!member || member->type != FLAT_NUMBER || member->number < 1 || member->number > CONTROL_STEP_MAX) {
		buffer_printf(why, "%s needs the number of a step", names[request->command]);
		return -1;
	}
	request->step = (uint32_t)member->number;
	return 0;
}

static int read_id(const struct flat_json_member *member, struct control_request *request, struct buffer *why)
{
	size_t len = member && member->type == FLAT_STRING ? strlen(member->text) : 0;

	if (member && member->type != FLAT_STRING && member->type != FLAT_NULL)
		return refuse(why, "the id is a word such as k3v9q2");
	if (len >= INCIDENT_ID_MAX)
		return refuse(why, "no id is so long; they look like k3v9q2");
	for (size_t i = 0; i < len; i++)
		if (!char_is_digit(member->text[i]) && !char_is_alpha(member->text[i]))
			return refuse(why, "the id is a word such as k3v9q2");
	if ((request->command == CONTROL_EXPLAIN || request->command == CONTROL_EVIDENCE || is_word(request)) && len == 0) {
		buffer_printf(why, "%s needs the id of an incident", names[request->command]);
		return -1;
	}
	for (size_t i = 0; i < len; i++) /* ids are lower case, whatever was typed */
		request->id[i] = char_lower(member->text[i]);
	return 0;
}

static int read_filter(const struct flat_json_member *member, struct control_request *request, struct buffer *why)
{
	if (!member || member->type == FLAT_NULL)
		return 0;
	if (member->type != FLAT_STRING || (request->command != CONTROL_INCIDENTS && request->command != CONTROL_STATS))
		return refuse(why, "a filter is a text, of incidents and stats alone");
	if (strlen(member->text) >= sizeof(request->filter))
		return refuse(why, "the filter is too long");
	text_copy(text_of(member->text), request->filter, sizeof(request->filter));
	return 0;
}

static int read_device(const struct flat_json_member *member, struct control_request *request, struct buffer *why)
{
	if (request->command != CONTROL_JOURNAL)
		return 0;
	if (!member || member->type != FLAT_STRING || strlen(member->text) >= sizeof(request->device) ||
	    !device_is_name(text_of(member->text)))
		return refuse(why, "journal needs the name of a device");
	text_copy(text_of(member->text), request->device, sizeof(request->device));
	return 0;
}

static int read_exec(const struct flat_json *object, struct control_request *request, struct buffer *why)
{
	const struct flat_json_member *verb = flat_json_find(object, "verb"), *line = flat_json_find(object, "line"),
				      *prompt = flat_json_find(object, "prompt");
	int i = 0;

	if (request->command != CONTROL_EXEC)
		return 0;
	if (!verb || verb->type != FLAT_STRING || !line || line->type != FLAT_STRING)
		return refuse(why, "exec needs a verb and a line");
	while (i < CONTROL_VERBS && strcmp(verb->text, verbs[i]) != 0)
		i++;
	if (i == CONTROL_VERBS)
		return refuse(why, "the verbs are run, help and complete");
	if (strlen(line->text) >= sizeof(request->line))
		return refuse(why, "the line is too long");
	request->verb = (enum control_verb)i;
	text_copy(text_of(line->text), request->line, sizeof(request->line));
	request->prompt = prompt && prompt->type == FLAT_TRUE;
	return 0;
}

int control_request_read(struct text line, struct control_request *ret, struct buffer *why)
{
	const struct flat_json_member *version, *json, *revoke;
	struct control_request request = { 0 };
	struct flat_json object;

	if (flat_json_read(line, &object) < 0)
		return refuse(why, "the request is no flat JSON object on one line");
	version = flat_json_find(&object, "spimend");
	if (!version || version->type != FLAT_NUMBER)
		return refuse(why, "the request names no version of the protocol");
	if (version->number != CONTROL_PROTOCOL) {
		buffer_printf(why, "version %" PRId64 " of the protocol is not spoken here, version %d is: the daemon and the command "
				   "are of different releases", version->number, CONTROL_PROTOCOL);
		return -1;
	}
	json = flat_json_find(&object, "json");
	request.json = json && json->type == FLAT_TRUE;
	revoke = flat_json_find(&object, "revoke");
	request.revoke = revoke && revoke->type == FLAT_TRUE;
	if (read_command(flat_json_find(&object, "command"), &request, why) < 0 ||
	    read_id(flat_json_find(&object, "id"), &request, why) < 0 ||
	    read_device(flat_json_find(&object, "device"), &request, why) < 0 ||
	    read_step(flat_json_find(&object, "step"), &request, why) < 0 ||
	    read_filter(flat_json_find(&object, "filter"), &request, why) < 0 || read_exec(&object, &request, why) < 0)
		return -1;
	*ret = request;
	return 0;
}
