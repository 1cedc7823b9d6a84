/* SPDX-License-Identifier: MIT */
/*
 * journald's journal for sense: files that are mapped, looked up and rotated in ways that systemd's own library knows, which
 * a role that opens nothing cannot do. So journalctl(1) reads them, in a process of its own that has no capability, no
 * network, and no file but to read: its words are fixed, but for the configured directory and a number, the time to begin
 * at. It prints into a pipe whose other end is sense's. It is started again whenever it ends, behind the last entry that
 * sense says to have read: nothing is lost by that.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "parse/journald.h"
#include "role/confine.h"
#include "role/parent_private.h"
#include "spimend/error.h"

#define PROGRAM "/usr/bin/journalctl"
#define PIPE_SIZE (1 << 20)
#define WAIT_FIRST (100 * INT64_C(1000000))
#define WAIT_MOST (30 * SECOND_NS)
#define LIVED_WELL (3 * SECOND_NS) /* what cannot read the journal has said so by then */
#define NOT_EXECUTED 126

static const char *const own_journals[] = { "/var/log/journal", "/run/log/journal" };

static uint64_t wall_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* core shows it. */
static void note(struct parent *parent, int error)
{
	struct role_resource resource = { .kind = RESOURCE_SYSLOG_JOURNALD, .error = error };

	if (parent->journald.state == error)
		return;
	parent->journald.state = error;
	if (parent->children[ROLE_CORE].channel)
		parent_hand(parent, ROLE_CORE, resource, NULL, 0);
}

void parent_tell_journald(struct parent *parent)
{
	struct role_resource resource = { .kind = RESOURCE_SYSLOG_JOURNALD, .error = parent->journald.state };

	if (parent->config->syslog.has_journald && resource.error <= 0)
		parent_hand(parent, ROLE_CORE, resource, NULL, 0);
}

/* --- In the new process -------------------------------------------------------------------------------------------- */

/* Whom the files let read them: systemd-journal, where nothing is out of the ordinary. Never root's group. */
static gid_t group_of(const struct parent *parent)
{
	const char *directory = parent->config->syslog.journald_directory;
	struct stat found;

	if (directory[0])
		return stat(directory, &found) == 0 && found.st_gid ? found.st_gid : parent->gid;
	for (size_t i = 0; i < sizeof(own_journals) / sizeof(own_journals[0]); i++)
		if (stat(own_journals[i], &found) == 0 && found.st_gid)
			return found.st_gid;
	return parent->gid;
}

static int confine(const struct parent *parent)
{
	static const char *const read[] = { "/etc", "/proc", "/run/log/journal", "/var/log/journal", "/dev/null" };
	static const char *const run[] = { "/usr", "/bin", "/lib", "/lib64" };
	struct confine_places places = { 0 };
	int r = confine_identity(parent->uid, group_of(parent), false, SIGKILL);

	for (size_t i = 0; i < sizeof(read) / sizeof(read[0]); i++)
		confine_add_place(&places, CONFINE_READ, "%s", read[i]);
	for (size_t i = 0; i < sizeof(run) / sizeof(run[0]); i++)
		confine_add_place(&places, CONFINE_RUN, "%s", run[i]);
	if (parent->config->syslog.journald_directory[0])
		confine_add_place(&places, CONFINE_READ, "%s", parent->config->syslog.journald_directory);
	if (r == 0)
		r = confine_program(&places);
	confine_places_done(&places);
	return r;
}

/* Does not return. Nothing of ours goes on into it but the pipe and, in front, where it may complain to. */
static void become(const struct parent *parent, int to)
{
	char *environment[] = { (char[]){ "LC_ALL=C" }, NULL };
	char since[64], directory[NOTIFY_FILE_MAX + 16];
	char *arguments[] = { (char[]){ PROGRAM }, (char[]){ "--output=export" }, (char[]){ "--output-fields=" JOURNALD_FIELDS },
			      (char[]){ "--follow" }, (char[]){ "--no-tail" }, (char[]){ "--no-pager" }, (char[]){ "--quiet" },
			      since, parent->config->syslog.journald_directory[0] ? directory : NULL, NULL };
	uint64_t at = parent->journald.position + 1;
	sigset_t none;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), r;

	snprintf(since, sizeof(since), "--since=@%" PRIu64 ".%06" PRIu64, at / 1000000, at % 1000000);
	snprintf(directory, sizeof(directory), "--directory=%s", parent->config->syslog.journald_directory);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(to, STDOUT_FILENO) < 0 ||
	    (parent->sink != SINK_STDERR && dup2(null, STDERR_FILENO) < 0) || syscall(SYS_close_range, 3, ~0u, 0) < 0)
		_exit(NOT_EXECUTED);
	r = confine(parent);
	if (r < 0) {
		dprintf(STDERR_FILENO, "spimendd: journalctl cannot be confined: %s\n", spimend_strerror(r));
		_exit(NOT_EXECUTED);
	}
	execve(PROGRAM, arguments, environment);
	dprintf(STDERR_FILENO, "spimendd: " PROGRAM ": %s\n", strerror(errno));
	_exit(NOT_EXECUTED);
}

/* --- Its life ------------------------------------------------------------------------------------------------------ */

static void end(struct parent *parent)
{
	if (parent->journald.pid > 0) {
		kill(parent->journald.pid, SIGKILL);
		waitpid(parent->journald.pid, NULL, 0);
	}
	parent->journald.pid = 0;
}

static void again_later(struct parent *parent)
{
	struct parent_journald *j = &parent->journald;
	int64_t now = loop_now(parent->loop);

	if (j->started && now - j->started >= LIVED_WELL)
		j->wait = 0;
	j->wait = j->wait ? 2 * j->wait : WAIT_FIRST;
	if (j->wait > WAIT_MOST)
		j->wait = WAIT_MOST;
	loop_timer_at(j->timer, now + j->wait);
}

static int start(struct parent *parent)
{
	struct role_resource resource = { .kind = RESOURCE_SYSLOG_JOURNALD };
	struct parent_journald *j = &parent->journald;
	int ends[2], r = 0;

	if (access(PROGRAM, X_OK) < 0)
		return -errno;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	fcntl(ends[0], F_SETFL, O_NONBLOCK); /* journalctl's end waits: what is not read stays in the journal */
	(void)fcntl(ends[0], F_SETPIPE_SZ, PIPE_SIZE);
	j->pid = fork();
	if (j->pid == 0)
		become(parent, ends[1]);
	if (j->pid < 0) {
		r = -errno;
		j->pid = 0;
	} else {
		parent_hand(parent, ROLE_SENSE, resource, &ends[0], 1);
	}
	close(ends[0]);
	close(ends[1]);
	return r;
}

/* The next start is due, or what was started has lived well so far. */
void parent_on_journald_timer(void *context, int64_t now)
{
	struct parent *parent = context;
	struct parent_journald *j = &parent->journald;
	int r;

	if (!parent->config->syslog.has_journald || parent->stopping || !parent->children[ROLE_SENSE].channel)
		return;
	if (j->pid > 0) {
		note(parent, 0);
		return;
	}
	j->started = now;
	r = start(parent);
	if (r == 0) {
		loop_timer_at(j->timer, now + LIVED_WELL);
		return;
	}
	if (j->state != r)
		log_say(&parent->log, LOG_ERR, "the journal cannot be read: " PROGRAM ": %s; trying again", spimend_strerror(r));
	note(parent, r);
	again_later(parent);
}

void parent_give_journald(struct parent *parent)
{
	end(parent); /* its pipe was another sense's */
	if (!parent->config->syslog.has_journald) {
		parent->journald.position = 0;
		return;
	}
	if (!parent->journald.position) /* what was there before us was judged, or is for `spimend analyze` */
		parent->journald.position = wall_us();
	loop_timer_at(parent->journald.timer, 0);
}

void parent_journald_at(struct parent *parent, uint64_t position)
{
	uint64_t now = wall_us();

	/* Another machine's entry may come from the future: what is logged until then is not to be missed. */
	if (position)
		parent->journald.position = position < now ? position : now;
}

void parent_reap_journald(struct parent *parent)
{
	struct parent_journald *j = &parent->journald;
	const char *what = "ended with status";
	int status, number;

	if (j->pid <= 0 || waitpid(j->pid, &status, WNOHANG) != j->pid)
		return;
	j->pid = 0;
	if (parent->stopping || !parent->config->syslog.has_journald)
		return;
	number = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
	if (WIFSIGNALED(status))
		what = "was killed by signal";
	if (j->state != -EIO) /* said once, until it has lived well again */
		log_say(&parent->log, LOG_ERR, "journalctl %s %d: started again, from where it was", what, number);
	note(parent, -EIO);
	again_later(parent);
}

void parent_close_journald(struct parent *parent)
{
	end(parent);
	parent->journald = (struct parent_journald){ .timer = parent->journald.timer, .position = parent->journald.position,
						     .state = STATE_UNKNOWN };
	if (parent->journald.timer)
		loop_timer_at(parent->journald.timer, LOOP_NEVER);
}
