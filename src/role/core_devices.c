/* SPDX-License-Identifier: MIT */
/* Commands on other devices: `on DEVICE COMMAND`, and the lines of applets that stand on one. core orders, ssh types, sense
 * reads: here the two halves of an answer come together, what was printed and how it ended. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "role/core_role.h"
#include "spimend/error.h"

#define WITHIN_NS (60 * SECOND_NS)
#define OUTPUT_MAX (8u << 20) /* sense keeps no more of a command either */

/* --- Asking -------------------------------------------------------------------------------------------------------- */

static struct mind_asked *asked_of(struct mind *mind, const struct exec_session *session)
{
	for (uint32_t i = 0; i < MIND_ASKED_MAX; i++)
		if (session && mind->devices.asked[i].session == session)
			return &mind->devices.asked[i];
	return NULL;
}

static struct mind_asked *asked_at(struct mind *mind, uint64_t request)
{
	for (uint32_t i = 0; i < MIND_ASKED_MAX; i++)
		if (mind->devices.asked[i].request == request)
			return &mind->devices.asked[i];
	return NULL;
}

/* "clear crypto sa peer ADDRESS", each word as short as IOS takes it. */
static bool is_clear_of_peer(struct text line, struct spimend_address *ret)
{
	static const char *const words[] = { "clear", "crypto", "sa", "peer" };
	struct text word;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		word = text_take_word(&line);
		if (word.len < 2 || !text_starts_nocase(text_of(words[i]), word))
			return false;
	}
	word = text_take_word(&line);
	return word.len && spimend_address_parse(word.at, word.len, ret) == 0 && text_trim(line).len == 0;
}

static bool may_clear(struct mind *mind, uint32_t device, struct device_order *order, struct buffer *why)
{
	const struct config *config = mind->exec.running;

	if (!mind->cases.fleet || !fleet_may_clear(mind->cases.fleet, device, &order->peer, mind_now(mind), why)) {
		if (!why->len)
			buffer_add_string(why, "refused: nothing is known of that tunnel");
	} else if (config->mode != MODE_REPAIR) {
		buffer_add_string(why, "refused: the mode is not repair");
	} else if (!config->devices.at[device].may_repair) {
		buffer_add_string(why, "refused: the device has no 'rights repair'");
	}
	order->verb = DEVICE_CLEAR_SA_PEER;
	return why->len == 0;
}

/* What changes a device is a verb with typed arguments, and what a person may type of it is this one. */
static bool may_type(struct mind *mind, uint32_t device, struct text line, struct device_order *order, struct buffer *why)
{
	if (device_show_fits(line)) {
		order->verb = DEVICE_SHOW;
		text_copy(line, order->text, sizeof(order->text));
		return true;
	}
	if (is_clear_of_peer(line, &order->peer))
		return may_clear(mind, device, order, why);
	if (line.len >= DEVICE_COMMAND_MAX)
		buffer_printf(why, "the command is longer than %d characters", DEVICE_COMMAND_MAX - 1);
	else if (text_starts_nocase(line, TEXT("sh")))
		buffer_add_string(why, "a 'show' that is typed on a device has letters, digits and . , : / - _ ( ) alone, and does not clear");
	else
		buffer_add_string(why, "only 'show' and 'clear crypto sa peer ADDRESS' are typed on other devices; what else repairs one, "
				       "spimend types itself, where a person has to agree after 'spimend approve'");
	return false;
}

/* A `show` carries no secret: device_show_fits(). */
static void note(struct mind *mind, const char *who, const struct config_device *device, const char *line)
{
	char text[EXEC_NAME_MAX + DEVICE_COMMAND_MAX + 8];
	int n = snprintf(text, sizeof(text), "%s: %s", who, line);

	mind_journal(mind, device->name, mind_now(mind).wall, (struct text){ text, n < 0 ? 0 : strnlen(text, sizeof(text)) });
}

int mind_on_device(void *context, struct exec_session *session, struct text device, struct text line, struct buffer *why)
{
	struct mind *mind = context;
	const struct config_devices *devices = &mind->exec.running->devices;
	const struct exec_who *who = exec_session_who(session);
	struct mind_asked *asked = asked_at(mind, 0);
	int32_t at = device_find(devices, device);
	cleanup(buffer_done) struct buffer typed = { 0 };
	struct device_order order;

	line = text_trim(line);
	memset(&order, 0, sizeof(order));
	if (at < 0)
		buffer_printf(why, "no device '%.*s' is configured", TEXT_ARG(text_first(device, 64)));
	else if (!device_login(devices, &devices->at[at]))
		buffer_printf(why, "device %s has no 'ssh user' line: nobody can log in to it", devices->at[at].name);
	else if (!may_type(mind, (uint32_t)at, line, &order, why))
		return -EPERM;
	else if (!asked)
		buffer_add_string(why, "too many commands on devices are under way");
	if (why->len)
		return -ENOENT;
	order.request = MIND_ASKED_FIRST + ++mind->devices.request;
	order.device = (uint32_t)at;
	order.mark = device_mark(devices, &devices->at[at]);
	order.within_ns = WITHIN_NS;
	if (!device_command(&order, devices->at[at].platform, &typed)) {
		buffer_printf(why, "platform %s has no such command", platform_name(devices->at[at].platform));
		return -ENOTSUP;
	}
	buffer_add_char(&typed, '\0');
	if (buffer_error(&typed) < 0 || channel_send(mind->devices.ssh, MESSAGE_DEVICE_ORDER, &order) < 0) {
		buffer_add_string(why, "the role ssh is not here");
		return -ENOTCONN;
	}
	log_say(&mind->member->log, LOG_NOTICE, "%s: on %s: %s", who->name, devices->at[at].name, typed.bytes);
	note(mind, who->name, &devices->at[at], typed.bytes);
	mind_record_typed(mind, order.request, (uint32_t)at, who->name, typed.bytes);
	*asked = (struct mind_asked){ .request = order.request, .device = order.device, .session = session,
					  .deadline = mind_now(mind).mono_ns + 2 * WITHIN_NS };
	return 0;
}

bool mind_asked_device(struct mind *mind, uint64_t request, uint32_t *ret)
{
	const struct mind_asked *asked = asked_at(mind, request);

	if (asked)
		*ret = asked->device;
	return asked;
}

bool mind_device_command(struct mind *mind, const struct exec_session *session, uint64_t request)
{
	struct mind_asked *asked = asked_of(mind, session);

	if (asked)
		asked->command = request;
	return asked;
}

/* --- What comes of it ---------------------------------------------------------------------------------------------- */

static void say_why(const struct mind_asked *asked, char *to, size_t size)
{
	const struct device_result *r = &asked->result;

	to[0] = 0;
	if (r->outcome != DEVICE_DONE && r->outcome != DEVICE_REFUSED) /* that word stands in what it printed */
		snprintf(to, size, "%s%s%s", device_outcome_name(r->outcome), r->why[0] ? ": " : "", r->why);
	else if (asked->end.cut)
		snprintf(to, size, "it printed more than %u bytes: the rest is lost", OUTPUT_MAX);
}

static void finish(struct mind *mind, struct mind_asked *asked)
{
	cleanup(buffer_done) struct buffer out = { 0 };
	struct exec_session *session = asked->session;
	uint64_t command = asked->command;
	struct control_state state;
	enum exec_result result;
	char why[DEVICE_REASON_MAX + 80];

	say_why(asked, why, sizeof(why));
	asked->session = NULL;
	asked->request = 0;
	if (session) {
		result = exec_finish_output(session, buffer_text(&asked->output), why[0] ? why : NULL, &out);
		if (command) {
			mind_answer_command(mind, command, session, result, &out);
			loop_timer_at(mind->eem.timer, 0); /* the run goes on */
		} else {
			mind_note_state(session, false, &state);
			control_finish(mind->control, session, result == EXEC_REFUSED, &state, buffer_text(&out), mind_now(mind).mono_ns);
		}
	}
	buffer_done(&asked->output);
	mind_settle(mind);
}

/* Both halves are there, or there will be no other one. */
static void look(struct mind *mind, struct mind_asked *asked)
{
	bool is_printed = asked->result.outcome == DEVICE_DONE || asked->result.outcome == DEVICE_REFUSED;

	if (asked->is_over && (asked->is_whole || !is_printed))
		finish(mind, asked);
}

void mind_device_output(struct mind *mind, const struct device_printed *output)
{
	struct mind_asked *asked = mind_cases_printed(mind, output) ? NULL : asked_at(mind, output->request);

	if (!asked)
		return; /* the fleet's, or nobody waits any more */
	if (asked->output.len + output->len <= OUTPUT_MAX)
		buffer_add(&asked->output, (struct text){ output->bytes, output->len });
	else
		asked->end.cut = true;
	if (!output->last)
		return;
	asked->is_whole = true;
	asked->end.paged = output->paged;
	asked->end.cut = asked->end.cut || output->cut || asked->output.failed;
	look(mind, asked);
}

static void fail(struct mind *mind, struct mind_asked *asked, const char *why)
{
	asked->is_over = true;
	asked->result.outcome = DEVICE_LOST;
	snprintf(asked->result.why, sizeof(asked->result.why), "%s", why);
	finish(mind, asked);
}

void mind_device_lost(struct mind *mind)
{
	for (uint32_t i = 0; i < MIND_ASKED_MAX; i++)
		if (mind->devices.asked[i].request && !mind->devices.asked[i].is_whole)
			fail(mind, &mind->devices.asked[i], "the role sense, which was reading, ended");
	mind_cases_lost(mind);
}

void mind_devices_tick(struct mind *mind, int64_t now)
{
	for (uint32_t i = 0; i < MIND_ASKED_MAX; i++)
		if (mind->devices.asked[i].request && mind->devices.asked[i].deadline <= now)
			fail(mind, &mind->devices.asked[i], "its answer was lost");
}

void mind_forget_asked(struct mind *mind, const struct exec_session *session)
{
	struct mind_asked *asked = asked_of(mind, session);

	if (asked)
		asked->session = NULL;
}

/* --- The role ssh -------------------------------------------------------------------------------------------------- */

static void from_ssh(void *context, struct channel *channel, enum message_type type, const union message_item *item,
		     const int *fds, size_t fd_count)
{
	struct mind *mind = context;
	struct mind_asked *asked;

	(void)channel;
	member_close_fds(fds, fd_count);
	if (type != MESSAGE_DEVICE_RESULT || mind_cases_result(mind, &item->device_result))
		return;
	asked = asked_at(mind, item->device_result.request);
	if (!asked)
		return;
	asked->is_over = true;
	asked->result = item->device_result;
	look(mind, asked);
}

static void ssh_closed(void *context, struct channel *channel, const char *why)
{
	struct mind *mind = context;

	if (why) /* that a role ended, the parent says */
		log_say(&mind->member->log, LOG_ERR, "ssh sent a message %s", why);
	channel_free(channel);
	mind->devices.ssh = NULL;
	for (uint32_t i = 0; i < MIND_ASKED_MAX; i++)
		if (mind->devices.asked[i].request)
			fail(mind, &mind->devices.asked[i], "the role ssh ended");
	mind_cases_lost(mind);
}

int mind_take_ssh(struct mind *mind, int fd)
{
	struct channel_calls calls = { .context = mind, .take = from_ssh, .closed = ssh_closed };

	channel_free(mind->devices.ssh);
	mind->devices.ssh = NULL;
	return channel_new(mind->member->loop, fd, ROLE_CORE, ROLE_SSH, &calls, &mind->devices.ssh);
}

void mind_devices_done(struct mind *mind)
{
	channel_flush(mind->devices.ssh);
	channel_free(mind->devices.ssh);
	mind->devices.ssh = NULL;
	for (uint32_t i = 0; i < MIND_ASKED_MAX; i++)
		buffer_done(&mind->devices.asked[i].output);
}
