/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "role/confine.h"
#include "role/parent_private.h"
#include "spimend/error.h"

#define WAIT_FIRST (100 * INT64_C(1000000))
#define WAIT_MOST (30 * SECOND_NS)
#define LIVED_WELL (60 * SECOND_NS) /* then the next restart is at once again */
#define ANSWER_WITHIN (60 * SECOND_NS)
#define WANTS_MOST 256 /* a second: eight IKE daemons that are down, and all interfaces lost at once, are far fewer */

/* --- Executing -------------------------------------------------------------------------------------------------------- */

/* What a role may know of our environment: its time zone, whether stderr is the journal's, how sanitizers report. */
static void filter_environment(char **ret, size_t most)
{
	static const char *const kept[] = { "TZ", "JOURNAL_STREAM", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS" };
	size_t count = 0;

	for (char **variable = environ; *variable; variable++)
		for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
			if (strncmp(*variable, kept[i], strlen(kept[i])) == 0 && (*variable)[strlen(kept[i])] == '=' &&
			    count + 1 < most)
				ret[count++] = *variable;
	ret[count] = NULL;
}

/* Those that reach out, as the user of 'dial user'. */
static bool dials(enum role role)
{
	return role == ROLE_DIAL || role == ROLE_SSH;
}

static uid_t uid_of(const struct parent *parent, enum role role)
{
	return role == ROLE_WEB ? parent->web_uid : role == ROLE_HOOK ? parent->hook_uid :
	       dials(role) ? parent->dial_uid : parent->uid;
}

static gid_t gid_of(const struct parent *parent, enum role role)
{
	return role == ROLE_WEB ? parent->web_gid : role == ROLE_HOOK ? parent->hook_gid :
	       dials(role) ? parent->dial_gid : parent->gid;
}

/* In the new process; does not return. */
static void become(const struct parent *parent, enum role role, int fd)
{
	char *environment[16], option[32];
	char *arguments[] = { (char[]){ "spimendd" }, option, NULL };
	sigset_t none;
	int r;

	snprintf(option, sizeof(option), "--role=%s", role_name(role));
	filter_environment(environment, sizeof(environment) / sizeof(environment[0]));
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (parent->sink != SINK_STDERR && parent_leave_terminal() < 0) /* whoever called us waits for its end of file */
		_exit(126);
	if (fd != CONFINE_CHANNEL_FD && dup2(fd, CONFINE_CHANNEL_FD) < 0)
		_exit(126);
	fcntl(CONFINE_CHANNEL_FD, F_SETFD, 0);
	if (syscall(SYS_close_range, CONFINE_CHANNEL_FD + 1, ~0u, 0) < 0)
		_exit(126);
	/* core gets the time to write what it remembers; its channel's end tells the others as well. */
	r = confine_identity(uid_of(parent, role), gid_of(parent, role), role == ROLE_ACT,
			     role == ROLE_CORE ? SIGTERM : SIGKILL);
	if (r < 0) {
		dprintf(STDERR_FILENO, "spimendd[%s]: cannot drop its privileges: %s\n", role_name(role), spimend_strerror(r));
		_exit(126);
	}
	execve("/proc/self/exe", arguments, environment);
	dprintf(STDERR_FILENO, "spimendd[%s]: cannot execute itself: %s\n", role_name(role), strerror(errno));
	_exit(126);
}

static void again_later(struct child *child)
{
	int64_t now = loop_now(child->parent->loop);

	if (child->started && now - child->started >= LIVED_WELL)
		child->wait = 0;
	loop_timer_at(child->timer, now + (child->expected ? 0 : child->wait));
	child->wait = child->wait ? 2 * child->wait : WAIT_FIRST;
	if (child->wait > WAIT_MOST)
		child->wait = WAIT_MOST;
	child->expected = false;
}

static void kill_child(struct child *child)
{
	if (child->pid > 0)
		kill(child->pid, SIGKILL);
}

void parent_condemn(struct parent *parent, enum role role, const char *why)
{
	struct child *child = &parent->children[role];

	if (child->condemned || child->pid <= 0)
		return;
	child->condemned = true;
	log_say(&parent->log, LOG_ERR, "%s %s: it is killed", role_name(role), why);
	kill_child(child);
}

/* What each takes is little, but without an end it keeps the parent from its own work. */
static bool may_want(struct child *child)
{
	int64_t now = loop_now(child->parent->loop);

	if (now - child->wants_since >= SECOND_NS) {
		child->wants_since = now;
		child->wants = 0;
	}
	if (++child->wants > WANTS_MOST)
		parent_condemn(child->parent, child->role, "asks without end");
	return !child->condemned;
}

/* --- What roles say --------------------------------------------------------------------------------------------------- */

static void take(void *context, struct channel *channel, enum message_type type, const union message_item *item,
		 const int *fds, size_t fd_count)
{
	struct child *child = context;
	struct parent *parent = child->parent;
	char *name;

	(void)channel;
	(void)fds; /* the table lets none come from a role */
	(void)fd_count;
	if (child->condemned)
		return;
	switch (type) {
	case MESSAGE_READY:
		parent_child_is_ready(parent, child);
		break;
	case MESSAGE_PONG:
		child->answered = loop_now(parent->loop);
		break;
	case MESSAGE_WANT:
		if (!parent->stopping && may_want(child))
			parent_give_wanted(parent, child, &item->want);
		break;
	case MESSAGE_VIOLATION:
		name = confine_call_name(item->violation.arch, item->violation.call);
		log_say(&parent->log, LOG_CRIT, "%s made the system call %s (%d), which it may not: it is ended",
			role_name(child->role), name ? name : "?", item->violation.call);
		memory_free(name);
		child->condemned = true; /* one that goes on all the same is killed for not answering */
		break;
	case MESSAGE_CONFIG_TEXT:
		if (!parent->stopping && (item->text.at > 0 || may_want(child)))
			parent_take_text(parent, &item->text);
		break;
	case MESSAGE_SAVE:
		if (!parent->stopping && may_want(child))
			parent_save(parent, &item->ping);
		break;
	case MESSAGE_HEAR_NEIGHBORS:
		if (!parent->stopping)
			parent_hear_neighbors(parent, &item->hear);
		break;
	case MESSAGE_JOURNALD_AT:
		parent_journald_at(parent, item->ping.number);
		break;
	case MESSAGE_SUMMARY:
		parent->summary = item->summary;
		parent_say_status(parent);
		break;
	default:
		break;
	}
}

static void closed(void *context, struct channel *channel, const char *why)
{
	struct child *child = context;

	if (why)
		log_say(&child->parent->log, LOG_ERR, "%s sent a message %s: it is killed", role_name(child->role), why);
	channel_free(channel);
	child->channel = NULL;
	if (!child->parent->stopping) /* alive and off its channel: it broke the rules, or is about to end */
		kill_child(child);
}

/* --- Starting --------------------------------------------------------------------------------------------------------- */

static int open_pair(int ret[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ret) < 0 ? -errno : 0;
}

/* Ends of a fresh channel for two roles, when both are there. */
static void connect_roles(struct parent *parent, enum role one, enum role other)
{
	struct role_resource to_one = { .kind = RESOURCE_CHANNEL, .index = other };
	struct role_resource to_other = { .kind = RESOURCE_CHANNEL, .index = one };
	int ends[2], r;

	if (!parent->children[one].channel || !parent->children[other].channel)
		return;
	r = open_pair(ends);
	if (r < 0) {
		log_say(&parent->log, LOG_ERR, "no channel between %s and %s: %s", role_name(one), role_name(other),
			spimend_strerror(r));
		return;
	}
	channel_send_fds(parent->children[one].channel, MESSAGE_RESOURCE, &to_one, &ends[0], 1);
	channel_send_fds(parent->children[other].channel, MESSAGE_RESOURCE, &to_other, &ends[1], 1);
	close(ends[0]);
	close(ends[1]);
}

/* Everybody talks to core, and to nobody else but ssh to sense, which reads what devices print. */
static void connect_child(struct parent *parent, enum role started)
{
	static const enum role others[] = { ROLE_SENSE, ROLE_ACT, ROLE_DIAL, ROLE_SSH, ROLE_WEB, ROLE_HOOK };

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (started == ROLE_CORE || started == others[i])
			connect_roles(parent, others[i], ROLE_CORE);
	if (started == ROLE_SSH || started == ROLE_SENSE)
		connect_roles(parent, ROLE_SSH, ROLE_SENSE);
}

static int send_start(struct parent *parent, struct child *child)
{
	struct role_start start = {
		.uid = uid_of(parent, child->role), .gid = gid_of(parent, child->role), .control_gid = parent->control_gid,
		.has_control_gid = parent->has_control_gid, .log_sink = parent->sink, .restarts = child->restarts,
		.operators_gid = parent->operators_gid, .has_operators_gid = parent->has_operators_gid,
		.up_ns = parent->up_ns, .up = parent->up, .operator_count = child->role == ROLE_CORE ? parent->operator_count : 0,
	};
	int fds[2] = { parent_config_fd(parent, child->role, &start.config_size), -1 }, count = 1, r;

	if (fds[0] < 0)
		return fds[0];
	memcpy(start.boot, parent->boot, sizeof(start.boot));
	memcpy(start.operators, parent->operators, start.operator_count * sizeof(start.operators[0]));
	if (parent->sink != SINK_STDERR && log_open(parent->sink, &fds[1]) == 0)
		count = 2;
	r = channel_send_fds(child->channel, MESSAGE_START, &start, fds, (size_t)count);
	close(fds[0]);
	if (fds[1] >= 0)
		close(fds[1]);
	return r;
}

bool parent_wants(const struct parent *parent, enum role role)
{
	if (role == ROLE_WEB)
		return web_is_wanted(&parent->config->web);
	if (role == ROLE_HOOK)
		return parent->config->hooks.program[0] && parent->has_hook_uid;
	return role != ROLE_SSH || parent->config->devices.login_count > 0;
}

void parent_start_child(struct parent *parent, struct child *child)
{
	struct channel_calls calls = { .context = child, .take = take, .closed = closed };
	int ends[2], r;

	if (child->pid > 0 || parent->stopping || !parent_wants(parent, child->role))
		return;
	if (child->role == ROLE_HOOK && !parent_make_hook_place(parent)) {
		again_later(child);
		return;
	}
	r = open_pair(ends);
	if (r < 0) {
		log_say(&parent->log, LOG_ERR, "%s cannot be started: %s", role_name(child->role), spimend_strerror(r));
		again_later(child);
		return;
	}
	child->started = child->answered = loop_now(parent->loop);
	child->condemned = false;
	child->wants = 0;
	child->pid = fork();
	if (child->pid == 0)
		become(parent, child->role, ends[1]);
	r = child->pid < 0 ? -errno : 0;
	close(ends[1]);
	if (r == 0)
		r = channel_new(parent->loop, ends[0], ROLE_PARENT, child->role, &calls, &child->channel);
	else
		close(ends[0]);
	if (r == 0)
		r = send_start(parent, child);
	if (r < 0) {
		log_say(&parent->log, LOG_ERR, "%s cannot be started: %s", role_name(child->role), spimend_strerror(r));
		if (child->pid > 0) {
			kill_child(child); /* reaped as any other */
		} else {
			child->pid = 0;
			again_later(child);
		}
		return;
	}
	if (child->role == ROLE_SENSE)
		parent_give_sense(parent);
	else if (child->role == ROLE_CORE)
		parent_give_core(parent);
	else if (child->role == ROLE_ACT)
		parent_give_act(parent);
	else if (child->role == ROLE_DIAL)
		parent_give_dial(parent);
	else if (child->role == ROLE_WEB)
		parent_give_web(parent);
	if (child->role == ROLE_SENSE || child->role == ROLE_DIAL)
		parent_give_evidence(parent, child->role);
	connect_child(parent, child->role);
}

/* --- Ending ----------------------------------------------------------------------------------------------------------- */

static void describe(int status, char *to, size_t size)
{
	if (WIFSIGNALED(status))
		snprintf(to, size, "was killed by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status) == CONFINE_VIOLATION_EXIT)
		snprintf(to, size, "was ended by its system-call filter");
	else
		snprintf(to, size, "ended with status %d", WEXITSTATUS(status));
}

static void child_ended(struct parent *parent, struct child *child, int status)
{
	char how[96];
	pid_t pid = child->pid;

	child->pid = 0;
	child->ready = false;
	channel_receive(child->channel); /* its last words: SIGCHLD overtakes them */
	channel_free(child->channel);
	child->channel = NULL;
	if (parent->stopping)
		return;
	child->restarts++;
	describe(status, how, sizeof(how));
	if (!child->expected)
		log_say(&parent->log, LOG_ERR, "%s (pid %ld) %s: started again%s, %u. restart", role_name(child->role), (long)pid,
			how, child->wait ? " after a while" : "", child->restarts);
	again_later(child);
	parent_say_status(parent);
}

void parent_reap(struct parent *parent)
{
	for (int role = ROLE_SENSE; role < ROLES; role++) {
		struct child *child = &parent->children[role];
		int status;

		if (child->pid <= 0)
			continue;
		if (waitpid(child->pid, &status, WNOHANG) == child->pid)
			child_ended(parent, child, status);
	}
}

void parent_renew_child(struct parent *parent, enum role role)
{
	struct child *child = &parent->children[role];
	struct role_ping stop = { 0 };

	if (child->pid <= 0) {
		loop_timer_at(child->timer, 0);
		return;
	}
	child->expected = true;
	if (channel_send(child->channel, MESSAGE_STOP, &stop) < 0)
		kill_child(child);
	/* One that does not hear is killed with those that do not answer. */
}

bool parent_has_children(const struct parent *parent)
{
	for (int role = ROLE_SENSE; role < ROLES; role++)
		if (parent->children[role].pid > 0)
			return true;
	return false;
}

void parent_ping(struct parent *parent)
{
	int64_t now = loop_now(parent->loop);
	struct role_ping ping = { 0 };

	for (int role = ROLE_SENSE; role < ROLES; role++) {
		struct child *child = &parent->children[role];

		if (child->pid <= 0)
			continue;
		if (now - child->answered > ANSWER_WITHIN) {
			log_say(&parent->log, LOG_ERR, "%s does not answer for %lld s: it is killed", role_name(child->role),
				(long long)(ANSWER_WITHIN / SECOND_NS));
			child->answered = now;
			kill_child(child);
		} else {
			channel_send(child->channel, MESSAGE_PING, &ping);
		}
	}
}
