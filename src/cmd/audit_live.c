/* SPDX-License-Identifier: MIT */
#include "cmd/audit_live.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "cmd/live_devices.h"
#include "record/values.h"
#include "spimend/error.h"

#define ANSWER_SECONDS 150 /* the daemon itself gives a device up after 120 */
#define LINE_ROOM (CONTROL_LINE_MAX + 1)

struct asked {
	enum saved_output output;
	bool is_sdwan, may_be_absent;
	const char *sources[AUDIT_LIVE_READINGS]; /* in findings */
};

/* SAs first, close to each other's; then what only explains them. */
static const struct asked asked[] = {
	{ OUTPUT_IPSEC_SA, false, false, { "show crypto ipsec sa, first reading", "show crypto ipsec sa, second reading" } },
	{ OUTPUT_SDWAN_LOCAL_SA, true, false,
	  { "show sdwan ipsec local-sa, first reading", "show sdwan ipsec local-sa, second reading" } },
	{ OUTPUT_SDWAN_OUTBOUND, true, false,
	  { "show sdwan ipsec outbound-connections, first reading", "show sdwan ipsec outbound-connections, second reading" } },
	{ OUTPUT_SDWAN_BFD, true, false,
	  { "show sdwan bfd sessions, first reading", "show sdwan bfd sessions, second reading" } },
	{ OUTPUT_IKEV2_SA, false, true, { "show crypto ikev2 sa, first reading", "show crypto ikev2 sa, second reading" } },
	{ OUTPUT_ISAKMP_SA, false, true, { "show crypto isakmp sa, first reading", "show crypto isakmp sa, second reading" } },
};
#define ASKED (sizeof(asked) / sizeof(asked[0]))

struct worker {
	struct session session;
	struct live_device *device; /* borrows; NULL: idle */
	size_t asks;                /* place in asked[] */
	int64_t late_ns;
};

struct live {
	struct audit_run *run;
	struct live_devices devices;
	struct worker workers[AUDIT_LIVE_SESSIONS];
	uint32_t worker_count;
	int signals; /* owns; -1: none */
	int reading; /* from 0 on */
	uint32_t next, read; /* devices of this reading: the next one, and how many are done with */
	bool shows_progress, is_interrupted;
	int64_t began_ns;
	struct buffer answer; /* owns */
	int error;
};

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * SECOND_NS + t.tv_nsec;
}

/* ---- progress, on a terminal alone ---- */

static void wipe_progress(const struct live *live)
{
	if (live->shows_progress)
		fputs("\r\033[K", stderr);
}

static void show_progress(const struct live *live)
{
	if (live->shows_progress && now_ns() - live->began_ns > SECOND_NS)
		fprintf(stderr, "\rspimend audit: reading %d of %d: %" PRIu32 " of %" PRIu32 " devices\033[K", live->reading + 1,
			AUDIT_LIVE_READINGS, live->read, live->devices.count);
}

/* ---- what a device says ---- */

static void say(struct live *live, const char *where, const char *what)
{
	wipe_progress(live);
	audit_run_say(live->run, where, what);
}

static void give_up(struct live *live, struct live_device *device, const char *why)
{
	device->is_given_up = true;
	live->run->summary.devices_failed++;
	say(live, device->name, why);
}

/* The last line of an answer, cut off; printable. */
static void take_last_line(struct text *bytes, struct buffer *ret)
{
	struct text t = *bytes;
	size_t from;

	while (t.len && (t.at[t.len - 1] == '\n' || t.at[t.len - 1] == '\r'))
		t.len--;
	from = t.len;
	while (from && t.at[from - 1] != '\n')
		from--;
	bytes->len = from;
	t = text_skip(t, from);
	text_take(&t, TEXT("% "));
	record_add_printable(ret, text_first(t, 200));
}

/* The device does not know the command: in whatever language a line with a '%' in front, below the marker's, and not more
 * than one line beside them. */
static bool is_refusal(struct text bytes)
{
	struct text line;
	unsigned others = 0;
	bool refused = false;

	while (text_take_line(&bytes, &line)) {
		line = text_trim(line);
		if (text_starts(line, TEXT("% ")) || text_starts(line, TEXT("ERROR: %")) || text_starts(line, TEXT("syntax error")))
			refused = true;
		else
			others += line.len && !text_equal(line, TEXT("^"));
	}
	return refused && others <= 1;
}

static void read_answer(struct live *live, const struct worker *w, const char *where, struct text bytes, bool damaged)
{
	struct audit_run *run = live->run;
	int result;

	run->device = sa_audit_device(run->audit, w->device->name);
	run->source = asked[w->asks].sources[live->reading];
	run->said_of = where;
	result = run->device < 0 ? run->device :
		 audit_run_read(run, text_of(saved_output_command(asked[w->asks].output)), bytes, damaged);
	if (result < 0)
		live->error = result;
}

/* Its answer is there, good or bad. */
static void take_answer(struct live *live, struct worker *w)
{
	static const struct text cut_mark = TEXT("it is cut here\n");
	cleanup(buffer_done) struct buffer why = { 0 };
	struct text bytes = buffer_text(&live->answer);
	const char *command = saved_output_command(asked[w->asks].output);
	char where[DEVICE_NAME_MAX + 64];

	live->run->summary.files++;
	snprintf(where, sizeof(where), "%s: %s", w->device->name, command);
	if (w->session.is_refused || text_ends(bytes, cut_mark)) {
		take_last_line(&bytes, &why);
		buffer_add_char(&why, '\0');
		live->run->summary.files_failed++;
		if (text_trim(bytes).len) /* what stood before that counts */
			read_answer(live, w, where, bytes, true);
		if (buffer_error(&why) < 0)
			live->error = -ENOMEM;
		else if (w->session.is_refused)
			give_up(live, w->device, why.bytes);
		else
			say(live, where, why.bytes);
	} else if (is_refusal(bytes)) {
		live->run->summary.files_unknown++;
		if (!asked[w->asks].may_be_absent)
			say(live, where, "the device does not take this command");
	} else {
		wipe_progress(live);
		read_answer(live, w, where, bytes, false);
	}
}

/* ---- sessions ---- */

static void lose(struct live *live, struct worker *w, const char *why)
{
	session_end(&w->session);
	if (w->device)
		give_up(live, w->device, why);
	live->read += w->device != NULL;
	w->device = NULL;
}

/* Types the command at w->asks or the next one that this device has; is done with the device behind the last one. */
static void ask_on(struct live *live, struct worker *w)
{
	char line[LINE_ROOM];
	int n;

	while (w->asks < ASKED && asked[w->asks].is_sdwan && !w->device->is_sdwan)
		w->asks++;
	if (w->asks == ASKED || w->device->is_given_up) {
		w->device = NULL;
		live->read++;
		return;
	}
	n = snprintf(line, sizeof(line), "on %s %s", w->device->name, saved_output_command(asked[w->asks].output));
	w->late_ns = now_ns() + ANSWER_SECONDS * SECOND_NS;
	if (session_send(&w->session, CONTROL_RUN, (struct text){ line, (size_t)n }) < 0)
		lose(live, w, "the daemon ended the conversation");
}

/* Gives the next devices to who is idle. */
static void hand_out(struct live *live)
{
	for (uint32_t i = 0; i < live->worker_count; i++) {
		struct worker *w = &live->workers[i];

		while (w->session.fd >= 0 && !w->device && live->next < live->devices.count) {
			w->device = &live->devices.at[live->next++];
			w->asks = 0;
			ask_on(live, w); /* may be done with it at once */
		}
	}
}

static void take(struct live *live, struct worker *w)
{
	if (session_take(&w->session, &live->answer) < 0) {
		lose(live, w, "the daemon ended the conversation");
		return;
	}
	take_answer(live, w);
	w->asks++;
	ask_on(live, w);
}

static void wait_and_take(struct live *live)
{
	struct pollfd fds[AUDIT_LIVE_SESSIONS + 1];

	for (uint32_t i = 0; i < live->worker_count; i++)
		fds[i] = (struct pollfd){ .fd = live->workers[i].device ? live->workers[i].session.fd : -1, .events = POLLIN };
	fds[live->worker_count] = (struct pollfd){ .fd = live->signals, .events = POLLIN };
	if (poll(fds, live->worker_count + 1, 1000) < 0 && errno != EINTR)
		live->error = -errno;
	live->is_interrupted = fds[live->worker_count].revents != 0;
	for (uint32_t i = 0; i < live->worker_count && !live->is_interrupted; i++) {
		if (fds[i].revents)
			take(live, &live->workers[i]);
		else if (live->workers[i].device && live->workers[i].late_ns < now_ns())
			lose(live, &live->workers[i], "the daemon does not answer");
	}
}

static bool is_at_work(const struct live *live)
{
	for (uint32_t i = 0; i < live->worker_count; i++)
		if (live->workers[i].device)
			return true;
	return false;
}

/* Every device once. The next reading begins when this one is over, or it would prove nothing. */
static void read_once(struct live *live)
{
	live->next = live->read = 0;
	hand_out(live);
	while (is_at_work(live) && !live->is_interrupted && live->error == 0) {
		wait_and_take(live);
		hand_out(live);
		show_progress(live);
	}
	if (live->is_interrupted || live->error)
		return;
	for (; live->next < live->devices.count; live->next++) /* no session is left */
		if (!live->devices.at[live->next].is_given_up)
			give_up(live, &live->devices.at[live->next], "the daemon ended the conversation");
}

/* 0, or -1: said on stderr. */
static int begin_session(struct session *session, const char *socket)
{
	cleanup(buffer_done) struct buffer out = { 0 };

	if (session_begin(session, "audit", socket, false) < 0 || session_ask(session, CONTROL_RUN, TEXT("enable"), &out) < 0)
		return -1;
	session->keeps_bytes = true;
	if (!session->is_refused && !session->was_lost)
		return 0;
	fputs("spimend audit: --live is for root and for the members of the group that 'operators' names in spimend.conf\n", stderr);
	return -1;
}

static void begin_sessions(struct live *live, const char *socket)
{
	while (live->worker_count < AUDIT_LIVE_SESSIONS && live->worker_count < live->devices.count) {
		struct session *session = &live->workers[live->worker_count].session;

		if (begin_session(session, socket) < 0) { /* others may be at it too */
			session_end(session);
			fprintf(stderr, "spimend audit: goes on with %" PRIu32 " at once\n", live->worker_count);
			return;
		}
		live->worker_count++;
	}
}

static int catch_signals(struct live *live)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	live->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return live->signals < 0 ? -errno : 0;
}

static int read_all(struct live *live, const char *socket)
{
	int result = audit_run_init(live->run, live->devices.count);

	if (result == 0)
		result = catch_signals(live);
	if (result < 0)
		return result;
	for (uint32_t i = 0; i < live->devices.count; i++)
		if (!live->devices.at[i].has_login)
			give_up(live, &live->devices.at[i], "has no 'ssh user' line: nobody can log in to it");
	begin_sessions(live, socket);
	for (; live->reading < AUDIT_LIVE_READINGS && !live->is_interrupted && live->error == 0; live->reading++)
		read_once(live);
	wipe_progress(live);
	if (!live->is_interrupted)
		return live->error;
	fputs("spimend audit: interrupted: nothing is compared\n", stderr);
	return AUDIT_LIVE_OVER;
}

int audit_live_read(struct audit_run *run, const char *socket, char *const *names, uint32_t name_count)
{
	struct live *live = memory_new(1, sizeof(*live));
	int result;

	if (!live)
		return -ENOMEM;
	live->run = run;
	live->signals = -1;
	live->shows_progress = isatty(STDERR_FILENO);
	live->began_ns = now_ns();
	result = begin_session(&live->workers[0].session, socket);
	live->worker_count = 1;
	if (result == 0)
		result = live_devices_ask(&live->workers[0].session, names, name_count, &live->devices);
	result = result < 0 ? AUDIT_LIVE_OVER : read_all(live, socket);
	for (uint32_t i = 0; i < live->worker_count; i++)
		session_end(&live->workers[i].session);
	if (live->signals >= 0)
		close(live->signals);
	live_devices_done(&live->devices);
	buffer_done(&live->answer);
	memory_free(live);
	return result;
}
