/* SPDX-License-Identifier: MIT */
#include "role/parent.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "role/parent_private.h"
#include "spimend/error.h"

#define STOP_WITHIN (5 * SECOND_NS)   /* then the roles are killed */
#define READY_WITHIN (10 * SECOND_NS) /* then we say so although a role is missing */
#define PING_EVERY (5 * SECOND_NS)

/* --- The service manager ---------------------------------------------------------------------------------------------- */

void parent_say_status(struct parent *parent)
{
	const struct role_summary *is = &parent->summary;
	char away[64] = "";

	for (int role = ROLE_SENSE; role < ROLES; role++)
		if (!parent->children[role].ready && parent_wants(parent, role))
			snprintf(away + strlen(away), sizeof(away) - strlen(away), "; %s is away", role_name(role));
	notify_say(&parent->notify, "STATUS=%s: %u tunnel%s, %u open incident%s, %u of %u IKE daemon%s up%s%s",
		   mode_name(parent->config->mode), is->tunnels, text_plural(is->tunnels), is->open, text_plural(is->open), is->daemons_up,
		   parent->config->daemon_count, text_plural(parent->config->daemon_count),
		   is->disk_trouble ? "; the store cannot be written" : "", away);
}

int parent_leave_terminal(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return -errno;
	for (int fd = 0; fd < 3; fd++)
		if (dup2(null, fd) < 0)
			return -errno;
	if (null > 2)
		close(null);
	return 0;
}

static void say_ready(struct parent *parent)
{
	const struct config *config = parent->config;

	if (parent->said_ready)
		return;
	parent->said_ready = true;
	loop_timer_at(parent->ready_timer, LOOP_NEVER);
	log_say(&parent->log, LOG_NOTICE, "ready: mode %s, %u interface%s, %u IKE daemon%s", mode_name(config->mode),
		config->interface_count, text_plural(config->interface_count), config->daemon_count, text_plural(config->daemon_count));
	notify_say(&parent->notify, "READY=1\nMAINPID=%ld", (long)getpid());
	parent_say_status(parent);
	if (parent->ready_fd < 0)
		return;
	(void)!write(parent->ready_fd, "", 1);
	close(parent->ready_fd);
	parent->ready_fd = -1;
	(void)parent_leave_terminal();
}

void parent_child_is_ready(struct parent *parent, struct child *child)
{
	child->ready = true;
	for (int role = ROLE_SENSE; role < ROLES; role++)
		if (!parent->children[role].ready && parent_wants(parent, role))
			return;
	say_ready(parent);
	parent_say_status(parent);
}

static void on_ready_late(void *context, int64_t now)
{
	struct parent *parent = context;

	(void)now;
	if (!parent->said_ready && !parent->stopping) {
		log_say(&parent->log, LOG_WARNING, "not every role came up: going on without, and trying again");
		say_ready(parent);
	}
}

/* --- Stop ------------------------------------------------------------------------------------------------------------- */

static void stop(struct parent *parent)
{
	struct role_ping ping = { 0 };

	if (parent->stopping)
		return;
	parent->stopping = true;
	notify_say(&parent->notify, "STOPPING=1");
	log_say(&parent->log, LOG_NOTICE, "stops");
	for (int role = ROLE_SENSE; role < ROLES; role++)
		channel_send(parent->children[role].channel, MESSAGE_STOP, &ping);
	loop_timer_at(parent->stop_timer, loop_now(parent->loop) + STOP_WITHIN);
	if (!parent_has_children(parent))
		loop_stop(parent->loop, 0);
}

static void on_stop_late(void *context, int64_t now)
{
	struct parent *parent = context;

	(void)now;
	for (int role = ROLE_SENSE; role < ROLES; role++) {
		if (parent->children[role].pid <= 0)
			continue;
		log_say(&parent->log, LOG_WARNING, "%s does not stop: it is killed", role_name(role));
		kill(parent->children[role].pid, SIGKILL);
	}
}

/* --- Loop ------------------------------------------------------------------------------------------------------------- */

static void on_signal(void *context, const struct signalfd_siginfo *info)
{
	struct parent *parent = context;

	switch (info->ssi_signo) {
	case SIGCHLD:
		parent_reap(parent);
		parent_reap_journald(parent);
		if (parent->stopping && !parent_has_children(parent))
			loop_stop(parent->loop, 0);
		break;
	case SIGHUP:
		if (!parent->stopping)
			parent_reload(parent);
		break;
	case SIGTERM:
	case SIGINT:
		stop(parent);
		break;
	default: /* SIGPIPE: stderr went away */
		break;
	}
}

static void on_ping(void *context, int64_t now)
{
	(void)now;
	parent_ping(context);
}

static void on_watchdog(void *context, int64_t now)
{
	struct parent *parent = context;

	(void)now;
	notify_say(&parent->notify, "WATCHDOG=1");
}

static void on_start(void *context, int64_t now)
{
	struct child *child = context;

	(void)now;
	parent_start_child(child->parent, child);
}

static int set_timers(struct parent *parent)
{
	int r = loop_add_timer(parent->loop, on_ping, parent, &parent->ping_timer);

	if (r == 0)
		r = loop_add_timer(parent->loop, parent_on_links_timer, parent, &parent->links_timer);
	if (r == 0)
		r = loop_add_timer(parent->loop, parent_on_syslog_timer, parent, &parent->syslog_timer);
	if (r == 0)
		r = loop_add_timer(parent->loop, parent_on_journald_timer, parent, &parent->journald.timer);
	if (r == 0)
		r = loop_add_timer(parent->loop, on_stop_late, parent, &parent->stop_timer);
	if (r == 0)
		r = loop_add_timer(parent->loop, on_ready_late, parent, &parent->ready_timer);
	if (r == 0)
		r = loop_add_timer(parent->loop, on_watchdog, parent, &parent->watchdog_timer);
	for (int role = ROLE_SENSE; role < ROLES && r == 0; role++) {
		struct child *child = &parent->children[role];

		*child = (struct child){ .parent = parent, .role = role };
		r = loop_add_timer(parent->loop, on_start, child, &child->timer);
		if (r == 0)
			loop_timer_at(child->timer, 0);
	}
	if (r < 0)
		return r;
	loop_timer_every(parent->ping_timer, PING_EVERY);
	loop_timer_at(parent->ready_timer, loop_now(parent->loop) + READY_WITHIN);
	if (parent->notify.watchdog_ns > 0)
		loop_timer_every(parent->watchdog_timer, parent->notify.watchdog_ns / 3);
	return 0;
}

/* Which times of CLOCK_MONOTONIC go together. A kernel without one: zeros. */
static void read_boot(struct parent *parent)
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	char text[RECORDED_BOOT_TEXT_MAX];
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));

	if (n > 0)
		(void)recorded_boot_parse(text_trim((struct text){ text, (size_t)n }), parent->boot);
	if (fd >= 0)
		close(fd);
}

static int run(struct parent *parent)
{
	static const int heard[] = { SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGPIPE };
	struct timespec wall;
	sigset_t signals;
	int r = loop_new(&parent->loop);

	if (r < 0)
		return r;
	signal(SIGCHLD, SIG_DFL); /* whoever started us may ignore it: then nobody would tell of a role's end (wait(2)) */
	clock_gettime(CLOCK_REALTIME, &wall);
	parent->up = (struct instant){ (int64_t)wall.tv_sec * SECOND_NS + wall.tv_nsec };
	parent->up_ns = loop_now(parent->loop);
	read_boot(parent);
	parent->links_at = LOOP_NEVER;
	sigemptyset(&signals);
	for (size_t i = 0; i < sizeof(heard) / sizeof(heard[0]); i++)
		sigaddset(&signals, heard[i]);
	r = loop_add_signals(parent->loop, &signals, on_signal, parent);
	if (r == 0)
		r = set_timers(parent);
	if (r == 0) {
		r = parent_watch_links(parent);
		if (r < 0)
			log_say(&parent->log, LOG_WARNING, "rtnetlink: %s; an interface that returns is not noticed",
				spimend_strerror(r));
		r = loop_run(parent->loop);
	}
	return r;
}

/* --- Beginning and end ------------------------------------------------------------------------------------------------ */

/* The process that was called waits until the daemon is ready, and tells its caller how that went. */
static int go_to_background(struct parent *parent)
{
	int ends[2];
	char byte;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid > 0) {
		int status = 0;

		close(ends[1]);
		if (read(ends[0], &byte, 1) == 1)
			_exit(0);
		waitpid(pid, &status, 0);
		_exit(WIFEXITED(status) && WEXITSTATUS(status) ? WEXITSTATUS(status) : 2);
	}
	close(ends[0]);
	parent->ready_fd = ends[1];
	setsid();
	return chdir("/") < 0 ? -errno : 0;
}

static int choose_log(struct parent *parent)
{
	int fd, r;

	if (parent->options->in_front)
		return 0;
	parent->sink = log_choose();
	r = log_open(parent->sink, &fd);
	if (r < 0) {
		fprintf(stderr, "spimendd: there is neither a journal nor a syslog to write to (%s): use -f\n",
			spimend_strerror(r));
		return r;
	}
	log_use(&parent->log, parent->sink, fd);
	return 0;
}

static void done(struct parent *parent)
{
	for (int role = ROLE_SENSE; role < ROLES; role++)
		channel_free(parent->children[role].channel);
	parent_close_sensor(parent);
	parent->journald.timer = NULL; /* the loop's */
	parent_close_journald(parent);
	parent_close_web(parent, parent->config);
	if (parent->links_fd >= 0)
		close(parent->links_fd);
	if (parent->state_fd >= 0)
		parent_leave_place(parent);
	loop_free(parent->loop);
	notify_done(&parent->notify);
	log_done(&parent->log);
	memory_free(parent->config);
	memory_free(parent->ceiling);
	explicit_bzero(parent->keys, sizeof(parent->keys));
	buffer_done(&parent->text);
	buffer_done(&parent->startup);
	buffer_done(&parent->incoming);
	free(parent->path); /* realpath()'s */
}

static int start(struct parent *parent)
{
	cleanup(buffer_done) struct buffer out = { 0 };
	int r = parent_read_config(parent->options->config, &parent->config, parent->keys, &parent->startup, &out);

	if (r == 0)
		r = parent_note_file(parent);

	if (r == 0 && !(parent->path = realpath(parent->options->config, NULL)))
		r = -errno;
	if (r == 0)
		r = parent_find_user(parent, parent->config, &out);
	if (r == 0 && !parent->options->is_check && geteuid() != 0) {
		buffer_add_string(&out, "spimendd: must be started by root; it drops what it does not need itself\n");
		r = -EPERM;
	}
	if (r == 0 && !parent->options->is_check && !parent->options->in_front && parent->notify.fd < 0)
		r = go_to_background(parent);
	if (r == 0 && !parent->options->is_check)
		r = parent_take_place(parent, &out);
	fprintf(stderr, "%.*s", TEXT_ARG(buffer_text(&out)));
	return r;
}

int parent_run(const struct parent_options *options)
{
	struct parent parent = { .options = options, .state_fd = -1, .lock_fd = -1, .control_fd = -1, .links_fd = -1,
				 .ready_fd = -1, .notify.fd = -1 };
	int r;

	for (size_t i = 0; i < CONFIG_INTERFACES_MAX; i++)
		parent.hearings[i] = (struct hearing){ .link_fd = -1, .state = STATE_UNKNOWN };
	parent_close_syslog(&parent, true);
	parent_close_web(&parent, NULL);
	for (int kind = 0; kind < RESOURCES; kind++)
		parent.lacks[kind] = STATE_UNKNOWN;
	log_init(&parent.log, role_name(ROLE_PARENT));
	if (!options->is_check)
		notify_init(&parent.notify);
	r = start(&parent);
	if (r == 0 && !options->is_check) {
		r = choose_log(&parent);
		if (r == 0)
			r = run(&parent);
		if (r < 0)
			log_say(&parent.log, LOG_ERR, "ends: %s", spimend_strerror(r));
	}
	done(&parent);
	return r < 0 ? 2 : 0;
}
