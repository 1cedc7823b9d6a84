/* SPDX-License-Identifier: MIT */
#include "role/sense_devices.h"

#include <string.h>

#include "parse/device_output.h"
#include "parse/secrets.h"
#include "spimend/error.h"

/* --- To core ------------------------------------------------------------------------------------------------------- */

/* Part by part. False: core does not keep up. */
static bool send_text(struct sense_devices *d, uint64_t request, struct text text)
{
	struct device_printed part;
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

/* --- Row by row ---------------------------------------------------------------------------------------------------- */

struct rows { /* of one output, on their way to core */
	struct sense_devices *d;
	uint64_t request;
	uint32_t troubles;
	bool lost, cut;
};

static void take_record(void *context, const struct saved_record *record)
{
	struct rows *rows = context;
	struct role_device_sa sa;
	struct role_device_row row;

	memset(&sa, 0, sizeof(sa));
	memset(&row, 0, sizeof(row));
	sa.request = row.request = rows->request;
	if (record->kind == SAVED_FLOW && !record->reason) {
		sa.block = record->flow;
		rows->lost |= channel_send(rows->d->core, MESSAGE_DEVICE_SA, &sa) < 0;
	} else if (device_row_of(record, &row.row)) {
		rows->lost |= channel_send(rows->d->core, MESSAGE_DEVICE_ROW, &row) < 0;
	}
}

static void take_begin(void *context, enum saved_output output, uint32_t line, const struct saved_filter *filter)
{
	(void)context;
	(void)output;
	(void)line;
	(void)filter;
}

static void take_end(void *context, enum saved_output output, bool cut)
{
	struct rows *rows = context;

	(void)output;
	rows->cut |= cut;
}

static void take_trouble(void *context, const struct device_trouble *trouble)
{
	struct rows *rows = context;

	(void)trouble;
	rows->troubles++;
}

/* What is known of the output goes to core; `end` gets what is to be said of it as a whole. */
static void tell_rows(struct sense_devices *d, const struct sense_device *s, const struct device_event *event,
		      struct device_printed *end)
{
	struct rows rows = { .d = d, .request = s->request };
	struct device_sink sink = { &rows, take_begin, take_record, take_end, take_trouble };
	struct device_output *reader = NULL;
	uint64_t bad;

	if (device_output_new(&sink, "", &reader) < 0)
		return;
	if (device_output_command(reader, text_of(s->command))) {
		device_output_feed(reader, event->output);
		device_output_end(reader, event->cut);
		bad = device_output_counts(reader)->bad;
		/* Each row that cannot be read is one trouble; another one is a layout that is not known. */
		end->known = rows.troubles <= bad;
		end->bad_rows = (uint32_t)(bad < UINT32_MAX ? bad : UINT32_MAX);
		end->cut = end->cut || rows.cut || rows.lost;
	}
	device_output_free(reader);
}

static void tell_output(struct sense_devices *d, const struct sense_device *s, const struct device_event *event)
{
	struct buffer clean = { 0 };
	struct text rest = event->output, line;
	struct device_printed end;

	memset(&end, 0, sizeof(end));
	end.request = s->request;
	end.last = true;
	end.paged = event->paged;
	end.cut = event->cut;
	end.log_lines = event->log_lines;
	tell_rows(d, s, event, &end);
	while (text_take_line(&rest, &line)) {
		secrets_remove(line, &clean);
		buffer_add_char(&clean, '\n');
	}
	if (clean.len > SENSE_OUTPUT_MAX || buffer_error(&clean) < 0 ||
	    !send_text(d, s->request, text_first(buffer_text(&clean), SENSE_OUTPUT_MAX)))
		end.cut = true;
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
		tell_output(d, s, event);
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
	case DEVICE_EVENT_CONFIRM: /* ssh types Enter, or ends it */
		device_text_answer(s->text, false);
		tell_seen(d, s, DEVICE_SAW_CONFIRM, NULL);
		break;
	case DEVICE_EVENT_USERNAME:
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

static void forget(struct sense_device *s, const char *why)
{
	sense_tape_end(s->tape, why);
	device_text_free(s->text);
	memset(s, 0, sizeof(*s));
}

static void forget_all(struct sense_devices *d, const char *why)
{
	for (uint32_t i = 0; i < DEVICE_SESSIONS_MAX; i++)
		forget(&d->at[i], why);
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

	forget(s, "another one takes its place");
	s->text = device_text_new();
	s->tape = s->text ? sense_tape_new(&d->tapes, open) : NULL;
	s->session = open->session;
	if (!s->tape)
		log_say(&d->member->log, LOG_ERR, "no memory for what a device prints");
}

static void take_typed(struct sense_device *s, const struct device_typed *typed)
{
	struct text command = text_of(typed->command), rest = command;

	sense_tape_typed(s->tape, typed);
	if (typed->key) /* device_text was told when it asked for it */
		return;
	if (!command.len) { /* a password: no line of its own */
		device_text_answer(s->text, true);
		return;
	}
	s->request = typed->request;
	memcpy(s->command, typed->command, sizeof(s->command));
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
		s = device_of(d, item->device_closed.session);
		if (s)
			forget(s, item->device_closed.why);
	} else if (type == MESSAGE_DEVICE_TYPED) {
		s = device_of(d, item->device_typed.session);
		if (s)
			take_typed(s, &item->device_typed);
	} else if (type == MESSAGE_DEVICE_PART) {
		s = device_of(d, item->device_part.session);
		if (!s)
			return;
		sense_tape_part(s->tape, &item->device_part);
		if (item->device_part.of_ssh)
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
	forget_all(d, "the role ssh ended");
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
	forget_all(d, "spimendd ends");
	sense_tapes_done(&d->tapes);
}

void sense_devices_drained(struct sense_devices *d)
{
	sense_tapes_drain(&d->tapes);
}

void sense_devices_core(struct sense_devices *d, struct channel *core)
{
	d->core = d->tapes.core = core;
}

int sense_devices_take(struct sense_devices *d, int fd)
{
	struct channel_calls calls = { .context = d, .take = take, .closed = closed, .turn = turn };

	channel_free(d->ssh);
	d->ssh = NULL;
	forget_all(d, "the role ssh ended");
	return channel_new(d->member->loop, fd, ROLE_SENSE, ROLE_SSH, &calls, &d->ssh);
}
