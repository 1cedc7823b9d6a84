/* SPDX-License-Identifier: MIT */
#include "role/sense_devices.h"

#include <string.h>

#include "parse/secrets.h"
#include "spimend/error.h"

/* --- To core ------------------------------------------------------------------------------------------------------- */

/* Part by part. False: core does not keep up. */
static bool send_text(struct sense_devices *d, uint64_t request, struct text text)
{
	struct device_output part;
	size_t n;

	memset(&part, 0, sizeof(part));
	part.request = request;
	for (; text.len; text = text_skip(text, n)) {
		n = text.len < sizeof(part.bytes) ? text.len : sizeof(part.bytes);
		memcpy(part.bytes, text.at, n);
		part.len = (uint32_t)n;
		if (channel_send(d->core, MESSAGE_DEVICE_OUTPUT, &part) < 0)
			return false;
	}
	return true;
}

static void tell_output(struct sense_devices *d, uint64_t request, const struct device_event *event)
{
	struct buffer clean = { 0 };
	struct text rest = event->output, line;
	struct device_output end;
	bool cut = event->cut;

	while (text_take_line(&rest, &line)) {
		secrets_remove(line, &clean);
		buffer_add_char(&clean, '\n');
	}
	if (clean.len > SENSE_OUTPUT_MAX || buffer_error(&clean) < 0)
		cut = true;
	if (!send_text(d, request, text_first(buffer_text(&clean), SENSE_OUTPUT_MAX)))
		cut = true;
	memset(&end, 0, sizeof(end));
	end.request = request;
	end.last = true;
	end.paged = event->paged;
	end.cut = cut;
	end.log_lines = event->log_lines;
	if (channel_send(d->core, MESSAGE_DEVICE_OUTPUT, &end) < 0 && d->core)
		log_say(&d->member->log, LOG_ERR, "core does not keep up with what devices print: an output is lost");
	buffer_done(&clean);
}

/* --- To ssh -------------------------------------------------------------------------------------------------------- */

static void tell_seen(struct sense_devices *d, const struct sense_device *s, enum device_sight sight, const char *why)
{
	struct device_seen seen;

	memset(&seen, 0, sizeof(seen));
	seen.session = s->session;
	seen.request = s->request;
	seen.sight = sight;
	if (why)
		text_copy(text_of(why), seen.why, sizeof(seen.why));
	channel_send(d->ssh, MESSAGE_DEVICE_SEEN, &seen);
}

static void tell_prompt(struct sense_devices *d, struct sense_device *s, const struct device_event *event)
{
	struct device_seen seen;

	if (event->moved || (event->level != DEVICE_LEVEL_USER && event->level != DEVICE_LEVEL_PRIVILEGED)) {
		tell_seen(d, s, DEVICE_SAW_NONSENSE, event->moved ? "its prompt has another name now" : "its prompt is of another mode");
		return;
	}
	if (s->request && !event->echoed) { /* whose output would that be? */
		tell_seen(d, s, DEVICE_SAW_NONSENSE, "the command did not come back as it was typed");
		return;
	}
	if (s->request)
		tell_output(d, s->request, event);
	memset(&seen, 0, sizeof(seen));
	seen.session = s->session;
	seen.request = s->request;
	seen.sight = DEVICE_SAW_PROMPT;
	seen.privileged = event->level == DEVICE_LEVEL_PRIVILEGED;
	seen.refused = event->error > DEVICE_ERROR_REMARK;
	if (seen.refused)
		text_copy(text_of(device_error_name(event->error)), seen.why, sizeof(seen.why));
	s->request = 0; /* what comes unasked belongs to nobody */
	channel_send(d->ssh, MESSAGE_DEVICE_SEEN, &seen);
}

static void take_event(struct sense_devices *d, struct sense_device *s, const struct device_event *event)
{
	switch (event->kind) {
	case DEVICE_EVENT_PROMPT:
		tell_prompt(d, s, event);
		break;
	case DEVICE_EVENT_MORE: /* ssh types a blank */
		device_text_answer(s->text, false);
		tell_seen(d, s, DEVICE_SAW_MORE, NULL);
		break;
	case DEVICE_EVENT_PASSWORD:
		tell_seen(d, s, DEVICE_SAW_PASSWORD, NULL);
		break;
	case DEVICE_EVENT_USERNAME:
	case DEVICE_EVENT_CONFIRM:
	case DEVICE_EVENT_YES_NO:
		tell_seen(d, s, DEVICE_SAW_QUESTION, NULL);
		break;
	default:
		tell_seen(d, s, DEVICE_SAW_NONSENSE, "there are no lines in what it prints");
		break;
	}
}

static void see(struct sense_devices *d, struct sense_device *s)
{
	struct device_event event;

	while (s->text && device_text_event(s->text, loop_now(d->member->loop), &event))
		take_event(d, s, &event);
}

static void settle(struct sense_devices *d)
{
	int64_t next = LOOP_NEVER;

	for (uint32_t i = 0; i < DEVICE_SESSIONS_MAX; i++) {
		int64_t due = d->at[i].text ? device_text_due(d->at[i].text) : LOOP_NEVER;

		if (due < next)
			next = due;
	}
	loop_timer_at(d->timer, next);
}

static void on_timer(void *context, int64_t now)
{
	struct sense_devices *d = context;

	for (uint32_t i = 0; i < DEVICE_SESSIONS_MAX; i++)
		if (d->at[i].text && device_text_due(d->at[i].text) <= now)
			see(d, &d->at[i]);
	settle(d);
}

/* --- From ssh ------------------------------------------------------------------------------------------------------ */

static void forget(struct sense_device *s)
{
	device_text_free(s->text);
	memset(s, 0, sizeof(*s));
}

static void forget_all(struct sense_devices *d)
{
	for (uint32_t i = 0; i < DEVICE_SESSIONS_MAX; i++)
		forget(&d->at[i]);
}

/* NULL: of a session that is no more. */
static struct sense_device *device_of(struct sense_devices *d, uint32_t session)
{
	struct sense_device *s = &d->at[DEVICE_SLOT(session)];

	return s->text && s->session == session ? s : NULL;
}

static void open_session(struct sense_devices *d, const struct device_open *open)
{
	struct sense_device *s = &d->at[DEVICE_SLOT(open->session)];

	forget(s);
	s->text = device_text_new();
	s->session = open->session;
	if (!s->text)
		log_say(&d->member->log, LOG_ERR, "no memory for what a device prints");
}

static void take_typed(struct sense_device *s, const struct device_typed *typed)
{
	struct text command = text_of(typed->command), rest = command;

	if (!command.len) { /* a password: no line of its own */
		device_text_answer(s->text, true);
		return;
	}
	s->request = typed->request;
	(void)text_take_word(&rest);
	device_text_command(s->text, command, text_starts_nocase(text_take_word(&rest), TEXT("log")));
}

static void take(void *context, struct channel *channel, enum message_type type, const union message_item *item,
		 const int *fds, size_t fd_count)
{
	struct sense_devices *d = context;
	struct sense_device *s;

	(void)channel;
	member_close_fds(fds, fd_count);
	if (type == MESSAGE_DEVICE_OPEN) {
		open_session(d, &item->device_open);
	} else if (type == MESSAGE_DEVICE_CLOSE) {
		s = device_of(d, item->device_open.session);
		if (s)
			forget(s);
	} else if (type == MESSAGE_DEVICE_TYPED) {
		s = device_of(d, item->device_typed.session);
		if (s)
			take_typed(s, &item->device_typed);
	} else if (type == MESSAGE_DEVICE_PART) {
		s = device_of(d, item->device_part.session);
		if (!s)
			return;
		device_text_bytes(s->text, (struct text){ item->device_part.bytes, item->device_part.len }, loop_now(d->member->loop));
		see(d, s);
	}
}

static void turn(void *context, struct channel *channel)
{
	(void)channel;
	settle(context);
}

static void closed(void *context, struct channel *channel, const char *why)
{
	struct sense_devices *d = context;

	if (why) /* that a role ended, the parent says */
		log_say(&d->member->log, LOG_ERR, "ssh sent a message %s", why);
	channel_free(channel);
	d->ssh = NULL;
	forget_all(d);
}

/* --- Life ---------------------------------------------------------------------------------------------------------- */

int sense_devices_begin(struct sense_devices *d, struct member *member)
{
	d->member = member;
	return loop_add_timer(member->loop, on_timer, d, &d->timer);
}

void sense_devices_done(struct sense_devices *d)
{
	channel_free(d->ssh);
	d->ssh = NULL;
	forget_all(d);
}

void sense_devices_core(struct sense_devices *d, struct channel *core)
{
	d->core = core;
}

int sense_devices_take(struct sense_devices *d, int fd)
{
	struct channel_calls calls = { .context = d, .take = take, .closed = closed, .turn = turn };

	channel_free(d->ssh);
	d->ssh = NULL;
	forget_all(d);
	return channel_new(d->member->loop, fd, ROLE_SENSE, ROLE_SSH, &calls, &d->ssh);
}
