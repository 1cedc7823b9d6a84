/* SPDX-License-Identifier: MIT */
#include "cmd/audit_live.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "cmd/live_devices.h"
#include "record/values.h"
#include "spimend/error.h"

#define ANSWER_SECONDS 150 /* the daemon itself gives a device up after 120 */
#define AGAIN_MAX 5000     /* findings; so many are no rekeys, and each is held against each */
#define LINE_ROOM (CONTROL_LINE_MAX + 1)

struct asked {
	enum saved_output output;
	bool is_sdwan, may_be_absent;
	const char *sources[AUDIT_LIVE_READINGS + 1]; /* in findings */
};

#define SOURCES(command) { command ", first reading", command ", second reading", command ", third reading" }
/* SAs first, close to each other's; then what only explains them. */
static const struct asked asked[] = {
	{ OUTPUT_IPSEC_SA, false, false, SOURCES("show crypto ipsec sa") },
	{ OUTPUT_SDWAN_LOCAL_SA, true, false, SOURCES("show sdwan ipsec local-sa") },
	{ OUTPUT_SDWAN_OUTBOUND, true, false, SOURCES("show sdwan ipsec outbound-connections") },
	{ OUTPUT_SDWAN_BFD, true, false, SOURCES("show sdwan bfd sessions") },
	{ OUTPUT_IKEV2_SA, false, true, SOURCES("show crypto ikev2 sa") },
	{ OUTPUT_ISAKMP_SA, false, true, SOURCES("show crypto isakmp sa") },
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
		fprintf(stderr, "\rspimend audit: reading %d: %" PRIu32 " of %" PRIu32 " devices\033[K", live->reading + 1, live->read,
			live->devices.count);
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
	if (w->asks == ASKED || w->device->is_given_up || w->device->is_passed) {
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
		if (!live->devices.at[live->next].is_given_up && !live->devices.at[live->next].is_passed)
			give_up(live, &live->devices.at[live->next], "the daemon ended the conversation");
}

/* ---- once more, where something is wrong ---- */

static struct live_device *device_of(const struct live *live, const struct audit_end *end)
{
	for (uint32_t i = 0; end->device && i < live->devices.count; i++)
		if (strcmp(live->devices.at[i].name, end->device) == 0)
			return &live->devices.at[i];
	return NULL;
}

/* Leaves the devices of errors and warnings to be asked. False: there are none. */
static bool choose_again(struct live *live)
{
	bool any = false;

	for (uint32_t i = 0; i < live->devices.count; i++)
		live->devices.at[i].is_passed = true;
	for (size_t i = 0; i < sa_audit_findings(live->run->audit); i++) {
		const struct audit_finding *f = sa_audit_finding(live->run->audit, i);

		for (int end = 0; end < 2 && f->severity != AUDIT_NOTE; end++) {
			struct live_device *device = device_of(live, &f->ends[end]);

			if (device)
				device->is_passed = false;
			any |= device != NULL;
		}
	}
	return any;
}

static bool has_device(const struct audit_finding *f, const char *device)
{
	return !device || strcmp(f->ends[0].device, device) == 0 || (f->ends[1].device && strcmp(f->ends[1].device, device) == 0);
}

/* Is there still something wrong between these devices, with that SA where it is one? */
static bool is_found(const struct sa_audit *audit, const struct audit_finding *wanted)
{
	for (size_t i = 0; i < sa_audit_findings(audit); i++) {
		const struct audit_finding *f = sa_audit_finding(audit, i);

		if (f->severity != AUDIT_NOTE && has_device(f, wanted->ends[0].device) && has_device(f, wanted->ends[1].device) &&
		    (!f->has_spi || !wanted->has_spi || f->spi.value == wanted->spi.value))
			return true;
	}
	return false;
}

/* Who could not be read again takes nothing back. */
static int mark_gone(struct live *live, const struct sa_audit *again)
{
	size_t count = sa_audit_findings(live->run->audit);

	live->run->is_gone = memory_new(count, sizeof(*live->run->is_gone));
	if (!live->run->is_gone)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		const struct audit_finding *f = sa_audit_finding(live->run->audit, i);
		bool is_read = f->severity != AUDIT_NOTE;

		for (int end = 0; end < 2; end++) {
			const struct live_device *device = device_of(live, &f->ends[end]);

			is_read = is_read && (!f->ends[end].device || (device && !device->is_given_up));
		}
		live->run->is_gone[i] = is_read && !is_found(again, f);
	}
	return 0;
}

/* Within one reading the ends of a tunnel are read in no order, so a rekey in that moment looks like a fault. The devices of
 * what was found are read once more, and compared by that alone: what is a fault is there still. 0 or a negative code. */
static int look_again(struct live *live)
{
	struct audit_run *run = live->run, again = { .output = -1 };
	int result;

	if (sa_audit_findings(run->audit) > AGAIN_MAX) {
		wipe_progress(live);
		fprintf(stderr, "spimend audit: more than %d findings: their devices are not read a third time\n", AGAIN_MAX);
		return 0;
	}
	if (!choose_again(live))
		return 0;
	result = audit_run_init(&again, live->devices.count);
	if (result == 0) {
		live->run = &again;
		read_once(live);
		live->run = run;
		audit_run_add_up(run, &again);
		result = live->is_interrupted || live->error ? live->error : sa_audit_judge(again.audit);
	}
	if (result == 0 && !live->is_interrupted)
		result = mark_gone(live, again.audit);
	audit_run_done(&again);
	return result;
}

/* ---- all of it ---- */

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
	if (!live->is_interrupted && live->error == 0)
		live->error = sa_audit_judge(live->run->audit);
	if (!live->is_interrupted && live->error == 0)
		live->error = look_again(live);
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
