/* SPDX-License-Identifier: MIT */
/* One log-in to a device: from ssh's start over privileged mode and a terminal without pages to one order after another. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "repair/ssh_ask.h"
#include "role/ssh_role.h"
#include "spimend/error.h"

#define READS_MAX 8 /* parts of one turn */
#define SLIP_MAX (CONFIG_PATH_MAX + 32)

/* --- What goes out ------------------------------------------------------------------------------------------------- */

static void fail_login(struct session *s, enum device_outcome outcome, const char *why)
{
	hold_after_failure(s->reach, s->device);
	session_end(s, outcome, why);
}

/* A key that answers what the device asks. */
static void press(struct session *s, char key)
{
	struct device_typed typed;

	memset(&typed, 0, sizeof(typed));
	typed.session = s->number;
	typed.key = key;
	if (channel_send(s->reach->sense, MESSAGE_DEVICE_TYPED, &typed) < 0)
		session_end(s, DEVICE_LOST, "the role sense does not hear");
	else if (write(s->process.terminal, &key, 1) != 1)
		session_end(s, DEVICE_LOST, "ssh does not take what is typed");
}

/* A line and its end. sense learns first what it is the echo of. False: the session is over. */
static bool type(struct session *s, uint64_t request, const char *line, bool is_secret)
{
	struct device_typed typed;
	char bytes[DEVICE_COMMAND_MAX + 2];
	int len = snprintf(bytes, sizeof(bytes), "%s\r", line);
	ssize_t n;

	memset(&typed, 0, sizeof(typed));
	typed.session = s->number;
	typed.request = request;
	if (!is_secret)
		text_copy(text_of(line), typed.command, sizeof(typed.command));
	if (channel_send(s->reach->sense, MESSAGE_DEVICE_TYPED, &typed) < 0) {
		session_end(s, DEVICE_LOST, "the role sense does not hear");
		return false;
	}
	s->heard = loop_now(s->reach->member->loop);
	n = write(s->process.terminal, bytes, (size_t)len);
	explicit_bzero(bytes, sizeof(bytes));
	if (n == len)
		return true;
	session_end(s, DEVICE_LOST, n < 0 ? spimend_strerror(-errno) : "ssh does not take what is typed");
	return false;
}

static void become_idle(struct session *s)
{
	s->phase = SESSION_IDLE;
	memset(&s->order, 0, sizeof(s->order));
	s->deadline = loop_now(s->reach->member->loop) + REACH_IDLE_NS;
}

/* The terminal without pages, as wide as it gets: devices.md 3. */
static void prepare(struct session *s)
{
	static const char *const ios[] = { "terminal length 0", "terminal width 512" }, *const asa[] = { "terminal pager 0" };
	bool is_asa = s->platform == PLATFORM_ASA;
	size_t count = is_asa ? 1 : 2;

	s->phase = SESSION_PREPARES;
	if (s->prepared < count) {
		(void)type(s, 0, is_asa ? asa[s->prepared] : ios[s->prepared], false);
		s->prepared++;
		return;
	}
	hold_end(s->reach, s->device);
	if (s->order.request) {
		struct device_order order = s->order;

		become_idle(s);
		session_take(s, &order, s->order_deadline);
	} else {
		become_idle(s);
	}
}

void session_take(struct session *s, const struct device_order *order, int64_t deadline)
{
	cleanup(buffer_done) struct buffer line = { 0 };

	s->order = *order;
	s->deadline = deadline;
	s->phase = SESSION_BUSY;
	s->typed = s->confirmed = false;
	if (!device_command(order, s->platform, &line) || line.len >= DEVICE_COMMAND_MAX) {
		reach_tell(s->reach, order->request, DEVICE_STALE, false, "that platform has no such command");
		become_idle(s);
		return;
	}
	buffer_add_char(&line, '\0');
	if (buffer_error(&line) < 0) {
		session_end(s, DEVICE_LOST, "no memory");
		return;
	}
	s->typed = true;
	(void)type(s, order->request, line.bytes, false);
}

/* --- What comes back ----------------------------------------------------------------------------------------------- */

static void enable(struct session *s)
{
	const struct config_login *login = device_login(&s->reach->devices, &s->reach->devices.at[s->device]);

	if (!login || !login->enable_file[0]) { /* what a user may see is seen */
		prepare(s);
		return;
	}
	s->phase = SESSION_ENABLES;
	(void)type(s, 0, "enable", false);
}

static void give_secret(struct session *s)
{
	const struct config_login *login = device_login(&s->reach->devices, &s->reach->devices.at[s->device]);
	char secret[DEVICE_COMMAND_MAX], why[DEVICE_REASON_MAX];
	int r;

	if (s->phase != SESSION_ENABLES || s->gave_secret || !login) {
		if (s->phase == SESSION_BUSY)
			session_end(s, DEVICE_UNCLEAR, "it asks for a password");
		else
			fail_login(s, s->phase == SESSION_ENABLES ? DEVICE_NO_ENABLE : DEVICE_NO_LOGIN,
				   s->gave_secret ? "it asks for the password again" : "it asks for a password");
		return;
	}
	r = ssh_read_secret(login->enable_file, secret, sizeof(secret));
	if (r < 0) {
		snprintf(why, sizeof(why), "the file of its enable password: %s", ssh_secret_trouble(r));
		fail_login(s, DEVICE_NO_ENABLE, why);
		return;
	}
	s->gave_secret = true;
	(void)type(s, 0, secret, true);
	explicit_bzero(secret, sizeof(secret));
}

static void take_prompt(struct session *s, const struct device_seen *seen)
{
	switch (s->phase) {
	case SESSION_STARTS:
		if (seen->privileged)
			prepare(s);
		else
			enable(s);
		break;
	case SESSION_ENABLES:
		if (seen->privileged)
			prepare(s);
		else
			fail_login(s, DEVICE_NO_ENABLE, seen->why);
		break;
	case SESSION_PREPARES: /* an image without one of these words: pages are answered where they come */
		prepare(s);
		break;
	case SESSION_BUSY:
		if (seen->request != s->order.request)
			break;
		reach_tell(s->reach, s->order.request, seen->refused ? DEVICE_REFUSED : DEVICE_DONE, true, seen->why);
		become_idle(s);
		break;
	default:
		break;
	}
}

void session_seen(struct session *s, const struct device_seen *seen)
{
	switch (seen->sight) {
	case DEVICE_SAW_PROMPT:
		take_prompt(s, seen);
		break;
	case DEVICE_SAW_MORE:
		press(s, ' ');
		break;
	case DEVICE_SAW_PASSWORD:
		give_secret(s);
		break;
	case DEVICE_SAW_CONFIRM: /* of what was decided before it was typed: once */
		if (s->phase != SESSION_BUSY || !device_verb_changes(s->order.verb) || s->confirmed)
			session_end(s, DEVICE_UNCLEAR, "it asks whether it shall");
		else
			press(s, '\r');
		s->confirmed = true;
		break;
	case DEVICE_SAW_QUESTION:
		session_end(s, DEVICE_UNCLEAR, "it asks whether it shall");
		break;
	default:
		if (s->phase == SESSION_BUSY)
			session_end(s, DEVICE_UNCLEAR, seen->why);
		else
			fail_login(s, DEVICE_NO_LOGIN, "what it prints has no prompt that is known");
		break;
	}
}

/* --- Its passwords: see repair/ssh_ask.h --- */

static void slip_of(const struct session *s, bool of_jump, char *ret, size_t size)
{
	snprintf(ret, size, "%s/ask-%u%s", s->reach->sockets, s->number, of_jump ? SSH_JUMP_SLIP : "");
}

static const struct config_login *login_of(const struct session *s, bool of_jump)
{
	const struct config_devices *devices = &s->reach->devices;
	const struct config_login *login = device_login(devices, &devices->at[s->device]);
	int32_t at = of_jump && login && login->jump[0] ? device_find(devices, text_of(login->jump)) : -1;

	return !of_jump ? login : at < 0 ? NULL : device_login(devices, &devices->at[at]);
}

/* What its ssh may ask for. 0, or a negative errno with the reason in `why`. */
static int write_slips(struct session *s, struct buffer *why)
{
	char slip[SLIP_MAX], secret[DEVICE_COMMAND_MAX];

	for (int of_jump = 0; of_jump < 2; of_jump++) {
		const struct config_login *login = login_of(s, of_jump);
		int r;

		if (!login || !login->password_file[0])
			continue;
		r = ssh_read_secret(login->password_file, secret, sizeof(secret));
		explicit_bzero(secret, sizeof(secret));
		if (r < 0) {
			buffer_printf(why, "the file of its password: %s", ssh_secret_trouble(r));
			return r;
		}
		if (access(s->reach->program, X_OK) < 0) { /* ssh would try an empty password */
			buffer_add_string(why, "the program of spimendd was replaced: it has to be started anew");
			return -ENOENT;
		}
		slip_of(s, of_jump, slip, sizeof(slip));
		r = ssh_ask_allow(slip, login->password_file);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Nobody may ask any more. True: somebody had. */
static bool take_slip_back(struct session *s, bool of_jump)
{
	const struct config_login *login = login_of(s, of_jump);
	char slip[SLIP_MAX];

	if (s->printed || !login || !login->password_file[0])
		return false;
	slip_of(s, of_jump, slip, sizeof(slip));
	return ssh_ask_forbid(slip);
}

/* For the tape: the log-in goes on without it. */
static void tape(const struct session *s, struct text said)
{
	struct device_part part;

	memset(&part, 0, sizeof(part));
	part.session = s->number;
	part.of_ssh = true;
	part.len = (uint32_t)said.len;
	memcpy(part.bytes, said.at, said.len);
	channel_send(s->reach->sense, MESSAGE_DEVICE_PART, &part);
}

/* The first thing that the device prints: so it let us in. */
static void note_printed(struct session *s)
{
	for (int of_jump = 0; of_jump < 2; of_jump++) {
		if (!take_slip_back(s, of_jump))
			continue;
		tape(s, of_jump ? TEXT("(the host in between took its password)\n") : TEXT("(the device took its password)\n"));
		hold_taken(s->reach, s->device, of_jump);
	}
	s->printed = true;
	loop_timer_at(s->reach->timer, 0); /* others may begin */
}

/* Printable ASCII, its last line that says something: "Host key verification failed." */
static void take_complaint(struct session *s, struct text bytes)
{
	struct text line;

	while (text_take_line(&bytes, &line)) {
		line = text_trim(line);
		if (line.len == 0 || text_find_char(line, '@') == 0) /* the frame around a changed host key */
			continue;
		if (text_starts_nocase(line, TEXT("stdio forwarding"))) /* "... request failed", "... failed": by who was logged in to */
			s->through = true;
		text_copy(line, s->said, sizeof(s->said));
		text_make_printable(s->said);
	}
}

static void on_complaints(void *context, uint32_t events)
{
	struct session *s = context;
	char bytes[2048];
	ssize_t n = read(s->process.complaints, bytes, sizeof(bytes));

	(void)events;
	if (n > 0) {
		tape(s, (struct text){ bytes, (size_t)n });
		take_complaint(s, (struct text){ bytes, (size_t)n });
	} else if (n == 0 || errno != EAGAIN) {
		loop_remove(s->complaints_source);
		s->complaints_source = NULL;
	}
}

/* False: nothing more is to be had now. */
static bool read_part(struct session *s)
{
	struct device_part part;
	ssize_t n = read(s->process.terminal, part.bytes, sizeof(part.bytes));

	if (n <= 0)
		return false;
	s->heard = loop_now(s->reach->member->loop);
	if (!s->printed)
		note_printed(s);
	part.session = s->number;
	part.of_ssh = false;
	part.len = (uint32_t)n;
	memset(part.bytes + n, 0, sizeof(part.bytes) - (size_t)n);
	if (channel_send(s->reach->sense, MESSAGE_DEVICE_PART, &part) < 0) {
		session_end(s, DEVICE_LOST, "the role sense does not keep up");
		return false;
	}
	return true;
}

static void on_terminal(void *context, uint32_t events)
{
	struct session *s = context;

	for (int i = 0; i < READS_MAX; i++) {
		if (channel_is_full(s->reach->sense)) {
			s->paused = true;
			loop_set_events(s->terminal_source, 0);
			return;
		}
		if (!read_part(s)) {
			/* The other side is closed: what ssh says of it, its end will tell. */
			if (s->phase != SESSION_NONE && events & (EPOLLHUP | EPOLLERR) && !(events & EPOLLIN)) {
				loop_remove(s->terminal_source);
				s->terminal_source = NULL;
			}
			return;
		}
	}
}

void session_resume(struct session *s)
{
	if (s->phase == SESSION_NONE || !s->paused)
		return;
	s->paused = false;
	if (s->terminal_source)
		loop_set_events(s->terminal_source, EPOLLIN);
}

/* ssh ended before anybody was logged in, or `late`: nobody was in time. Who was told a password then may have refused it,
 * or do so later; one that others take is not doubted for a device that hangs. */
static void fail_start(struct session *s, bool late)
{
	bool by_jump = take_slip_back(s, true), denied = take_slip_back(s, false);
	bool unsure = late || text_has(text_of(s->said), TEXT("timed out"));
	char why[2 * DEVICE_REASON_MAX];

	if (by_jump && s->through) {
		hold_taken(s->reach, s->device, true);
		by_jump = false;
	}
	if ((!denied && !by_jump) || (unsure && hold_is_proved(s->reach, s->device, !denied))) {
		fail_login(s, DEVICE_NO_LOGIN, s->said[0] ? s->said : late ? "there was no prompt in time" : "ssh ended without a word");
		return;
	}
	snprintf(why, sizeof(why), "its password was not taken%s%s%s%s", unsure ? " in time" : "",
		 !denied ? " by the host in between" : "", s->said[0] ? ": " : "", s->said);
	hold_after_denial(s->reach, s->device, !denied);
	session_end(s, DEVICE_NO_LOGIN, why);
}

static void on_end(void *context, uint32_t events)
{
	struct session *s = context;

	(void)events;
	if (s->complaints_source)
		on_complaints(s, 0);
	if (s->phase == SESSION_IDLE)
		session_end(s, DEVICE_LOST, NULL);
	else if (s->phase == SESSION_BUSY)
		session_end(s, DEVICE_LOST, s->said);
	else if (s->printed)
		fail_login(s, DEVICE_NO_LOGIN, s->said[0] ? s->said : "ssh ended without a word");
	else
		fail_start(s, false);
}

/* --- Life ---------------------------------------------------------------------------------------------------------- */

static int start(struct session *s, struct buffer *why)
{
	cleanup(buffer_done) struct buffer arguments = { 0 };
	struct loop *loop = s->reach->member->loop;
	struct device_open open;
	char slip[SLIP_MAX];
	struct ssh_ask ask = { s->reach->program, slip };
	int r;

	slip_of(s, false, slip, sizeof(slip));
	r = ssh_arguments(&s->reach->devices, s->device, s->reach->sockets, slip, &arguments, why);
	if (r == 0)
		r = write_slips(s, why);

	if (r < 0)
		return r;
	memset(&open, 0, sizeof(open));
	open.session = s->number;
	open.platform = s->platform;
	open.device = s->device;
	open.mark = device_mark(&s->reach->devices, &s->reach->devices.at[s->device]);
	open.request = s->order.request;
	r = channel_send(s->reach->sense, MESSAGE_DEVICE_OPEN, &open);
	if (r == 0)
		r = ssh_start(&arguments, &ask, &s->process);
	if (r == 0)
		r = loop_add(loop, s->process.terminal, EPOLLIN, on_terminal, s, &s->terminal_source);
	if (r == 0)
		r = loop_add(loop, s->process.complaints, EPOLLIN, on_complaints, s, &s->complaints_source);
	if (r == 0)
		r = loop_add(loop, s->process.pid_fd, EPOLLIN, on_end, s, &s->end_source);
	return r;
}

bool session_begin(struct reach *reach, struct session *s, uint32_t device, const struct device_order *order,
		   int64_t deadline)
{
	uint32_t place = (uint32_t)(s - reach->sessions);
	int64_t now = loop_now(reach->member->loop);
	cleanup(buffer_done) struct buffer why = { 0 };
	char text[DEVICE_REASON_MAX];
	int r;

	memset(s, 0, sizeof(*s));
	s->reach = reach;
	s->number = ++reach->rounds * DEVICE_SESSIONS_MAX + place;
	s->phase = SESSION_STARTS;
	s->heard = now;
	s->device = device;
	s->platform = reach->devices.at[device].platform;
	s->order = *order;
	s->order_deadline = deadline;
	s->deadline = deadline < now + REACH_LOGIN_NS ? deadline : now + REACH_LOGIN_NS;
	s->process = (struct ssh_process){ .pid_fd = -1, .terminal = -1, .complaints = -1 };
	reach->session_of[device] = (int16_t)place;
	r = start(s, &why);
	if (r == 0)
		return true;
	snprintf(text, sizeof(text), "%.*s", TEXT_ARG(why.len ? buffer_text(&why) : text_of(spimend_strerror(r))));
	fail_login(s, DEVICE_NO_LOGIN, text);
	return false;
}

void session_end(struct session *s, enum device_outcome outcome, const char *why)
{
	struct device_closed closed;
	char kept[DEVICE_REASON_MAX];
	uint64_t request = s->order.request;
	bool typed = s->phase == SESSION_BUSY && s->typed;

	if (s->phase == SESSION_NONE)
		return;
	snprintf(kept, sizeof(kept), "%s", why ? why : ""); /* it may be s->said */
	(void)take_slip_back(s, false);
	(void)take_slip_back(s, true);
	s->phase = SESSION_NONE;
	s->order.request = 0;
	loop_remove(s->terminal_source);
	loop_remove(s->complaints_source);
	loop_remove(s->end_source);
	s->terminal_source = s->complaints_source = s->end_source = NULL;
	ssh_end(&s->process);
	s->reach->session_of[s->device] = -1;
	loop_timer_at(s->reach->timer, 0);
	memset(&closed, 0, sizeof(closed));
	closed.session = s->number;
	text_copy(text_of(kept), closed.why, sizeof(closed.why));
	text_make_printable(closed.why);
	channel_send(s->reach->sense, MESSAGE_DEVICE_CLOSE, &closed);
	if (request)
		reach_tell(s->reach, request, outcome, typed, kept);
}

int64_t session_due(const struct session *s)
{
	if (s->phase == SESSION_NONE)
		return LOOP_NEVER;
	if (s->phase == SESSION_IDLE || s->paused || s->deadline < s->heard + REACH_QUIET_NS)
		return s->deadline;
	return s->heard + REACH_QUIET_NS;
}

void session_late(struct session *s)
{
	if (s->phase == SESSION_IDLE)
		session_end(s, DEVICE_LOST, NULL);
	else if (s->phase == SESSION_BUSY)
		session_end(s, DEVICE_LATE, s->deadline > loop_now(s->reach->member->loop) ? "it prints nothing any more" : NULL);
	else if (s->phase == SESSION_STARTS && !s->printed)
		fail_start(s, true);
	else
		fail_login(s, s->phase == SESSION_ENABLES ? DEVICE_NO_ENABLE : DEVICE_NO_LOGIN,
			   s->said[0] ? s->said : "there was no prompt in time");
}
