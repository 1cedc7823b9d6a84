/* SPDX-License-Identifier: MIT */
#include "role/member.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/memory.h"
#include "role/confine.h"
#include "spimend/error.h"

void member_close_fds(const int *fds, size_t fd_count)
{
	for (size_t i = 0; i < fd_count; i++)
		close(fds[i]);
}

void member_want(struct member *member, enum resource kind, uint32_t index, const char *name)
{
	struct role_want want = { .kind = kind, .index = index };

	text_copy(text_of(name), want.name, sizeof(want.name));
	channel_send(member->parent, MESSAGE_WANT, &want);
}

static int read_text(int fd, uint32_t len, struct buffer *ret)
{
	char part[16384];

	buffer_clear(ret);
	while (len) {
		ssize_t n = read(fd, part, len < sizeof(part) ? len : sizeof(part));

		if (n <= 0)
			return -EIO;
		buffer_add(ret, (struct text){ part, (size_t)n });
		len -= (uint32_t)n;
	}
	return buffer_error(ret);
}

/* Reads the configuration of a memfd that the parent sealed. */
static int take_config(struct member *member, uint32_t size, const int *fds, size_t fd_count)
{
	struct member_bundle *bundle cleanup(memory_free_pointer) = NULL;
	struct config *config;
	int r;

	if (fd_count < 1 || size < sizeof(*bundle))
		return -EPROTO;
	bundle = memory_new(1, sizeof(*bundle));
	config = memory_new(1, sizeof(*config));
	if (!bundle || !config) {
		memory_free(config);
		return -ENOMEM;
	}
	r = lseek(fds[0], 0, SEEK_SET) < 0 || read(fds[0], bundle, sizeof(*bundle)) != (ssize_t)sizeof(*bundle) ? -EIO : 0;
	if (r == 0 && size - sizeof(*bundle) != (uint64_t)bundle->text_len + bundle->startup_len)
		r = -EPROTO;
	if (r == 0)
		r = read_text(fds[0], bundle->text_len, &member->text);
	if (r == 0)
		r = read_text(fds[0], bundle->startup_len, &member->startup);
	if (r < 0) {
		memory_free(config);
		return r;
	}
	memcpy(config, &bundle->config, sizeof(*config));
	memcpy(&member->ceiling, &bundle->ceiling, sizeof(member->ceiling));
	memory_free(member->config);
	member->config = config;
	return 0;
}

static void fail(struct member *member, const char *what, int error)
{
	log_say(&member->log, LOG_ERR, "%s: %s", what, spimend_strerror(error));
	member->status = 1;
	loop_stop(member->loop, 1);
}

static void say_confinement(struct member *member, const struct confine_report *report)
{
	if (report->is_sanitized)
		log_say(&member->log, LOG_WARNING,
			"built with sanitizers: no system-call filter and no landlock, not for production");
	else
		log_say(&member->log, LOG_INFO, "confined: uid %u, %s%d system calls, landlock %s", member->start.uid,
			report->is_denied ? "all but " : "", report->calls, report->landlock ? "on" : "not in this kernel");
}

/* What the role may reach in the file system. */
static int confine(struct member *member, struct confine_report *ret)
{
	cleanup(confine_places_done) struct confine_places places = { 0 };
	const struct config *config = member->config;

	if (member->role == ROLE_CORE) {
		confine_add_place(&places, CONFINE_OWN, "%s/" MEMBER_CORE_DIRECTORY, config->state_directory);
		confine_add_place(&places, CONFINE_OWN, "%s/" MEMBER_FLASH_DIRECTORY, config->state_directory);
		confine_add_place(&places, CONFINE_OWN, "%s/" MEMBER_RECORDER_DIRECTORY, config->state_directory);
		confine_add_place(&places, CONFINE_OWN, "%s/" MEMBER_EVIDENCE_DIRECTORY, config->state_directory);
	} else if (member->role == ROLE_SSH) {
		confine_add_place(&places, CONFINE_OWN, "%s/" MEMBER_SSH_DIRECTORY, config->state_directory);
		confine_add_ssh(&places, &config->devices);
	} else if (member->role == ROLE_HOOK) {
		confine_add_place(&places, CONFINE_OWN, "%s/" MEMBER_HOOK_DIRECTORY, config->state_directory);
		confine_add_hook(&places, &config->hooks);
	}
	return confine_role(member->role, &places, ret);
}

static void start(struct member *member, const struct role_start *said, const int *fds, size_t fd_count)
{
	struct confine_report report;
	struct role_ping ready = { 0 };
	int r;

	if (member->config)
		return;
	member->start = *said;
	if (said->log_sink != SINK_STDERR && fd_count == 2) {
		log_use(&member->log, said->log_sink, fds[1]);
		fd_count = 1;
	}
	r = take_config(member, said->config_size, fds, fd_count);
	member_close_fds(fds, fd_count);
	if (r < 0) {
		fail(member, "no configuration", r);
		return;
	}
	r = confine(member, &report);
	if (r < 0) {
		fail(member, "cannot confine itself", r);
		return;
	}
	say_confinement(member, &report);
	r = member->calls->begin(member->context, member);
	if (r < 0) {
		fail(member, "cannot begin", r);
		return;
	}
	channel_send(member->parent, MESSAGE_READY, &ready);
}

static void take_resource(struct member *member, const struct role_resource *resource, const int *fds, size_t fd_count)
{
	if (!member->config) {
		member_close_fds(fds, fd_count);
		return;
	}
	if (resource->kind == RESOURCE_LOG) {
		member->wants_log = false;
		if (fd_count == 1 && member->start.log_sink != SINK_STDERR)
			log_use(&member->log, member->start.log_sink, fds[0]);
		else
			member_close_fds(fds, fd_count);
		return;
	}
	member->calls->resource(member->context, resource, fds, fd_count);
}

static void take(void *context, struct channel *channel, enum message_type type, const union message_item *item,
		 const int *fds, size_t fd_count)
{
	struct member *member = context;
	int r;

	switch (type) {
	case MESSAGE_START:
		start(member, &item->start, fds, fd_count);
		return;
	case MESSAGE_RESOURCE:
		take_resource(member, &item->resource, fds, fd_count);
		return;
	case MESSAGE_CONFIG:
		r = member->config ? take_config(member, item->config.config_size, fds, fd_count) : -EPROTO;
		member->config_serial = item->config.serial;
		if (r == 0)
			member->calls->reload(member->context);
		break;
	case MESSAGE_PING:
		channel_send(channel, MESSAGE_PONG, &item->ping);
		if (member->log.broken && !member->wants_log) {
			member->wants_log = true;
			member_want(member, RESOURCE_LOG, 0, "");
		}
		break;
	case MESSAGE_STOP:
		loop_stop(member->loop, 0);
		break;
	case MESSAGE_SAVED:
		if (member->calls->saved)
			member->calls->saved(member->context, &item->saved);
		break;
	default:
		if (member->config && member->calls->told)
			member->calls->told(member->context, type, item);
		break;
	}
	member_close_fds(fds, fd_count);
}

static void closed(void *context, struct channel *channel, const char *why)
{
	struct member *member = context;

	(void)why;
	channel_free(channel);
	member->parent = NULL;
	loop_stop(member->loop, 0);
}

static void on_signal(void *context, const struct signalfd_siginfo *info)
{
	struct member *member = context;

	/* What a terminal sends goes to all processes of the group; the parent ends us in its own time. */
	if (info->ssi_signo == SIGTERM)
		loop_stop(member->loop, 0);
}

static int set_up(struct member *member)
{
	struct channel_calls calls = { .context = member, .take = take, .closed = closed };
	sigset_t signals;
	int r;

	r = loop_new(&member->loop);
	if (r < 0)
		return r;
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGPIPE);
	r = loop_add_signals(member->loop, &signals, on_signal, member);
	if (r < 0)
		return r;
	return channel_new(member->loop, CONFINE_CHANNEL_FD, member->role, ROLE_PARENT, &calls, &member->parent);
}

int member_run(enum role role, const struct member_calls *calls, void *context)
{
	struct member member = { .role = role, .calls = calls, .context = context };
	char name[16];
	int kind = 0, r;
	socklen_t size = sizeof(kind);

	log_init(&member.log, role_name(role));
	if (getsockopt(CONFINE_CHANNEL_FD, SOL_SOCKET, SO_TYPE, &kind, &size) < 0 || kind != SOCK_SEQPACKET) {
		fprintf(stderr, "spimendd: only spimendd itself starts the role %s\n", role_name(role));
		return 2;
	}
	snprintf(name, sizeof(name), "spimendd:%s", role_name(role));
	prctl(PR_SET_NAME, name, 0, 0, 0);
	r = set_up(&member);
	if (r == 0)
		r = loop_run(member.loop);
	if (r < 0) {
		log_say(&member.log, LOG_ERR, "ends: %s", spimend_strerror(r));
		member.status = 1;
	}
	if (member.config)
		calls->end(context);
	channel_flush(member.parent);
	channel_free(member.parent);
	loop_free(member.loop);
	memory_free(member.config);
	buffer_done(&member.text);
	buffer_done(&member.startup);
	log_done(&member.log);
	return member.status;
}
