/* SPDX-License-Identifier: MIT */
/*
 * The role hook: runs the program of 'hook exec' at each change of an incident, which the program reads as JSON from its
 * standard input. A role of its own, as a user of its own: what it runs holds no key, no channel, and reaches neither the
 * files nor the processes of the other roles. One at a time, each with a limit; what waits is bounded, and counted.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "repair/program.h"
#include "role/member.h"
#include "role/roles.h"
#include "spimend/error.h"

#define WAITING_MAX 128              /* changes; then the oldest makes room */
#define RUN_NS (30 * SECOND_NS)      /* then it is killed */
#define TELL_EVERY SECOND_NS

struct runner {
	struct member *member;       /* borrows */
	struct channel *core;        /* owns */
	struct loop_timer *timer, *tell_timer;
	struct change {
		char *body;          /* owns */
		uint32_t length;
	} waiting[WAITING_MAX];      /* ring */
	uint32_t first, count;
	struct program program;      /* pid 0: none runs */
	struct loop_source *end_source, *complaints_source;
	char said[DIAL_WHY_MAX];     /* its first words */
	int64_t deadline;            /* mono */
	bool said_failure;
	struct dial_state state, told;
};

static void begin_next(struct runner *r);

/* --- Its end -------------------------------------------------------------------------------------------------------- */

static void note_failure(struct runner *r, const char *what)
{
	char *why = r->state.why;

	r->state.failures++;
	r->state.up = false;
	memset(why, 0, sizeof(r->state.why));
	snprintf(why, sizeof(r->state.why), "%.40s%s%.50s", what, r->said[0] ? ": " : "", r->said);
	for (char *c = why; *c; c++)
		*c = *c < 0x20 || *c > 0x7e ? '.' : *c;
	if (!r->said_failure)
		log_say(&r->member->log, LOG_WARNING, "%s %s", r->member->config->hooks.program, why);
	r->said_failure = true;
}

/* It is over, or too late. */
static void end_program(struct runner *r, bool is_late)
{
	char what[48];
	int status;

	loop_remove(r->end_source);
	loop_remove(r->complaints_source);
	r->end_source = r->complaints_source = NULL;
	status = program_end(&r->program);
	r->deadline = LOOP_NEVER;
	loop_timer_at(r->timer, LOOP_NEVER);
	if (is_late) {
		note_failure(r, "took longer than 30 s and was killed");
	} else if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		r->state.sent++;
		r->state.up = true;
		if (r->said_failure)
			log_say(&r->member->log, LOG_NOTICE, "%s ends well again", r->member->config->hooks.program);
		r->said_failure = false;
	} else {
		if (WIFEXITED(status))
			snprintf(what, sizeof(what), "ended with status %d", WEXITSTATUS(status));
		else
			snprintf(what, sizeof(what), "was killed by signal %d", WTERMSIG(status));
		note_failure(r, what);
	}
}

static void on_end(void *context, uint32_t events)
{
	struct runner *r = context;

	(void)events;
	end_program(r, false);
	begin_next(r);
}

/* The beginning is kept, the rest is read and forgotten, or it would wait for us. */
static void on_complaint(void *context, uint32_t events)
{
	struct runner *r = context;
	size_t len = strlen(r->said);
	char part[4096];
	ssize_t n = read(r->program.complaints, part, sizeof(part));

	(void)events;
	if (n <= 0) {
		if (n == 0 || errno != EAGAIN) {
			loop_remove(r->complaints_source);
			r->complaints_source = NULL;
		}
		return;
	}
	for (ssize_t i = 0; i < n && len + 1 < sizeof(r->said); i++)
		r->said[len++] = part[i] < 0x20 || part[i] > 0x7e ? ' ' : part[i];
	r->said[len] = '\0';
}

/* --- Its beginning ---------------------------------------------------------------------------------------------------- */

static void drop_first(struct runner *r)
{
	memory_free(r->waiting[r->first].body);
	r->waiting[r->first] = (struct change){ .length = 0 };
	r->first = (r->first + 1) % WAITING_MAX;
	r->state.waiting = --r->count;
}

static int start_program(struct runner *r, const struct change *change)
{
	const struct config *config = r->member->config;
	char home[CONFIG_PATH_MAX + sizeof("/" MEMBER_HOOK_DIRECTORY)];
	struct program made;
	int error;

	snprintf(home, sizeof(home), "%s/" MEMBER_HOOK_DIRECTORY, config->state_directory);
	error = program_start(config->hooks.program, config->hooks.arguments, home,
			      (struct text){ change->body, change->length }, &made);
	if (error < 0)
		return error;
	r->program = made;
	error = loop_add(r->member->loop, made.pid_fd, EPOLLIN, on_end, r, &r->end_source);
	if (error == 0)
		error = loop_add(r->member->loop, made.complaints, EPOLLIN, on_complaint, r, &r->complaints_source);
	if (error == 0)
		return 0;
	loop_remove(r->end_source);
	r->end_source = NULL;
	(void)program_end(&r->program);
	return error;
}

static void begin_next(struct runner *r)
{
	char what[64];
	int error;

	while (r->count && r->program.pid == 0 && r->member->config->hooks.program[0]) {
		memset(r->said, 0, sizeof(r->said));
		error = start_program(r, &r->waiting[r->first]);
		drop_first(r);
		if (error < 0) {
			snprintf(what, sizeof(what), "cannot be run (%.32s)", spimend_strerror(error));
			note_failure(r, what);
			continue;
		}
		r->deadline = loop_now(r->member->loop) + RUN_NS;
		loop_timer_at(r->timer, r->deadline);
	}
}

static void on_timer(void *context, int64_t now)
{
	struct runner *r = context;

	if (r->program.pid == 0 || now < r->deadline)
		return;
	end_program(r, true);
	begin_next(r);
}

/* --- Core -------------------------------------------------------------------------------------------------------------- */

static void tell(struct runner *r, bool always)
{
	if (!always && memcmp(&r->state, &r->told, sizeof(r->state)) == 0)
		return;
	if (channel_send(r->core, MESSAGE_DIAL_STATE, &r->state) == 0)
		r->told = r->state;
}

static void on_tell(void *context, int64_t now)
{
	(void)now;
	tell(context, false);
}

static void take_change(struct runner *r, const struct dial_hook *hook)
{
	struct change *to;

	if (r->count == WAITING_MAX) {
		r->state.dropped++;
		drop_first(r);
	}
	to = &r->waiting[(r->first + r->count) % WAITING_MAX];
	*to = (struct change){ .length = hook->length, .body = memory_new(hook->length, 1) };
	if (!to->body) {
		r->state.dropped++;
		return;
	}
	memcpy(to->body, hook->body, hook->length);
	r->state.waiting = ++r->count;
	begin_next(r);
}

static void from_core(void *context, struct channel *channel, enum message_type type, const union message_item *item,
		      const int *fds, size_t fd_count)
{
	(void)channel;
	member_close_fds(fds, fd_count);
	if (type == MESSAGE_HOOK)
		take_change(context, &item->hook);
}

static void core_closed(void *context, struct channel *channel, const char *why)
{
	struct runner *r = context;

	if (why) /* that a role ended, the parent says */
		log_say(&r->member->log, LOG_ERR, "core sent a message %s", why);
	channel_free(channel);
	r->core = NULL;
}

static void take_resource(void *context, const struct role_resource *resource, const int *fds, size_t fd_count)
{
	struct runner *r = context;
	struct channel_calls calls = { .context = r, .take = from_core, .closed = core_closed };
	int error;

	if (resource->kind != RESOURCE_CHANNEL || fd_count != 1) {
		member_close_fds(fds, fd_count);
		return;
	}
	channel_free(r->core);
	r->core = NULL;
	error = channel_new(r->member->loop, fds[0], ROLE_HOOK, ROLE_CORE, &calls, &r->core);
	if (error < 0)
		log_say(&r->member->log, LOG_ERR, "no channel to core: %s", spimend_strerror(error));
	else
		tell(r, true);
}

/* --- Life -------------------------------------------------------------------------------------------------------------- */

static int begin(void *context, struct member *member)
{
	struct runner *r = context;
	int error = loop_add_timer(member->loop, on_timer, r, &r->timer);

	r->member = member;
	r->state = (struct dial_state){ .kind = DIAL_PROGRAM, .mark = 1 };
	if (error == 0)
		error = loop_add_timer(member->loop, on_tell, r, &r->tell_timer);
	if (error == 0)
		loop_timer_every(r->tell_timer, TELL_EVERY);
	return error;
}

/* The parent starts it anew when there is another program. */
static void reload(void *context)
{
	(void)context;
}

static void end(void *context)
{
	struct runner *r = context;

	tell(r, false);
	if (r->program.pid) {
		loop_remove(r->end_source);
		loop_remove(r->complaints_source);
		(void)program_end(&r->program);
	}
	while (r->count)
		drop_first(r);
	channel_flush(r->core);
	channel_free(r->core);
}

int hook_role_run(void)
{
	static const struct member_calls calls = { .begin = begin, .resource = take_resource, .reload = reload, .end = end };
	struct runner *r cleanup(memory_free_pointer) = memory_new(1, sizeof(*r));

	if (!r)
		return 1;
	r->program.pid_fd = r->program.complaints = -1;
	return member_run(ROLE_HOOK, &calls, r);
}
