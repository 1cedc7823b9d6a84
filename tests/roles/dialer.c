/* SPDX-License-Identifier: MIT */
/*
 * dialer SPIMENDD CONFIG [FILE FILE FILE]: parent and core of one role dial, for tests/roles/notify.py. The files are what
 * 'dial tls' names. Reads commands from standard input:
 *
 *     line HOST SEVERITY TEXT    to the syslog server with that index
 *     trap HOST NUMBER           an applet's trap with that intdata1
 *     stale HOST                 a line that was meant for another configuration
 *
 * Prints what dial tells of its receivers, a line each: "syslog 0 up sent 3 dropped 0 waiting 0 failures 1: why".
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "parse/config.h"
#include "role/channel.h"
#include "role/confine.h"
#include "role/log.h"
#include "role/member.h"

struct dialer {
	struct loop *loop;
	struct channel *parent, *core;
	struct config config;
	uint64_t number;
	char input[4096];
	size_t len;
};

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static void take(void *context, struct channel *channel, enum message_type type, const union message_item *item,
		 const int *fds, size_t fd_count)
{
	const struct dial_state *s = &item->dial_state;
	char *name;

	(void)context;
	(void)channel;
	(void)fds;
	(void)fd_count;
	if (type == MESSAGE_DIAL_STATE) {
		printf("%s %u %s sent %" PRIu64 " dropped %" PRIu64 " waiting %u failures %" PRIu64 ": %s\n",
		       s->kind == DIAL_SYSLOG ? "syslog" : "snmp", s->host, s->up ? "up" : "down", s->sent, s->dropped, s->waiting,
		       s->failures, s->why);
	} else if (type == MESSAGE_VIOLATION) {
		name = confine_call_name(item->violation.arch, item->violation.call);
		printf("violation: %s\n", name ? name : "?");
		free(name);
	} else if (type == MESSAGE_READY) {
		printf("ready\n");
	}
	fflush(stdout);
}

static void closed(void *context, struct channel *channel, const char *why)
{
	struct dialer *d = context;

	printf("closed: %s\n", why ? why : "it ended");
	fflush(stdout);
	if (channel == d->parent)
		d->parent = NULL;
	else
		d->core = NULL;
	channel_free(channel);
	loop_stop(d->loop, 1);
}

static struct channel *pair(struct dialer *d, enum role self, int *ret_theirs)
{
	struct channel_calls calls = { .context = d, .take = take, .closed = closed };
	struct channel *channel = NULL;
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0 ||
	    channel_new(d->loop, ends[0], self, ROLE_DIAL, &calls, &channel) < 0)
		die("channel");
	*ret_theirs = ends[1];
	return channel;
}

static void read_config(struct dialer *d, const char *path)
{
	struct config_report *report = calloc(1, sizeof(*report));
	static char text[65536];
	FILE *file = fopen(path, "r");
	struct buffer out = { 0 };
	size_t len;

	if (!file || !report)
		die(path);
	len = fread(text, 1, sizeof(text), file);
	fclose(file);
	if (config_parse((struct text){ text, len }, &d->config, report) < 0) {
		config_report_print(report, text_of(path), &out);
		fprintf(stderr, "%.*s", TEXT_ARG(buffer_text(&out)));
		exit(2);
	}
	free(report);
	for (uint32_t i = 0; i < d->config.notify.user_count; i++) { /* as the parent does */
		file = fopen(d->config.notify.users[i].key_file, "r");
		len = file ? fread(text, 1, sizeof(text), file) : 0;
		if (!file || config_read_keys((struct text){ text, len }, &d->config.notify.users[i], &out) < 0)
			die("keys");
		fclose(file);
	}
	buffer_done(&out);
}

static void start(struct dialer *d, const char *program, char **files)
{
	struct role_start said = { .log_sink = SINK_STDERR, .config_size = sizeof(struct member_bundle) };
	struct member_bundle *bundle = calloc(1, sizeof(*bundle));
	struct role_resource to_core = { .kind = RESOURCE_CHANNEL, .index = ROLE_CORE };
	int theirs, core, fd = memfd_create("config", MFD_CLOEXEC);

	d->parent = pair(d, ROLE_PARENT, &theirs);
	d->core = pair(d, ROLE_CORE, &core);
	if (!bundle)
		die("configuration");
	bundle->config = bundle->ceiling = d->config;
	if (write(fd, bundle, sizeof(*bundle)) != (ssize_t)sizeof(*bundle))
		die("configuration");
	free(bundle);
	if (fork() == 0) {
		dup2(theirs, CONFINE_CHANNEL_FD);
		fcntl(CONFINE_CHANNEL_FD, F_SETFD, 0);
		execl(program, "spimendd", "--role=dial", (char *)NULL);
		die(program);
	}
	close(theirs);
	channel_send_fds(d->parent, MESSAGE_START, &said, &fd, 1);
	channel_send_fds(d->parent, MESSAGE_RESOURCE, &to_core, &core, 1);
	for (uint32_t i = 0; files[0] && i < 3; i++) {
		struct role_resource file = { .kind = RESOURCE_TLS_FILE, .index = i };
		int at = open(files[i], O_RDONLY | O_CLOEXEC);

		file.error = at < 0 ? -2 : 0;
		channel_send_fds(d->parent, MESSAGE_RESOURCE, &file, &at, at < 0 ? 0 : 1);
	}
	close(core);
	close(fd);
}

static void send_line(struct dialer *d, uint32_t host, unsigned severity, const char *text, bool stale)
{
	struct dial_line line;
	struct timespec now;

	memset(&line, 0, sizeof(line));
	clock_gettime(CLOCK_REALTIME, &now);
	line.host = host;
	line.mark = notify_log_host_mark(&d->config.notify.log_hosts[host]) + stale;
	line.number = ++d->number;
	line.at.ns = (int64_t)now.tv_sec * SECOND_NS + now.tv_nsec;
	line.severity = (uint8_t)severity;
	text_copy(text_of(text), line.text, sizeof(line.text));
	channel_send(d->core, MESSAGE_SEND_LINE, &line);
}

static void send_trap(struct dialer *d, uint32_t host, int32_t number)
{
	struct dial_trap trap;

	memset(&trap, 0, sizeof(trap));
	trap.host = host;
	trap.mark = notify_host_mark(&d->config.notify.hosts[host]);
	trap.has_int1 = trap.has_text = true;
	trap.int1 = number;
	trap.index = 1;
	trap.uptime = 4711;
	text_copy(TEXT("command_hub"), trap.name, sizeof(trap.name));
	channel_send(d->core, MESSAGE_SEND_TRAP, &trap);
}

static void obey(struct dialer *d, char *command)
{
	unsigned host, severity;
	int number, at = 0;

	if (sscanf(command, "line %u %u %n", &host, &severity, &at) == 2 && at)
		send_line(d, host, severity, command + at, false);
	else if (sscanf(command, "trap %u %d", &host, &number) == 2)
		send_trap(d, host, number);
	else if (sscanf(command, "stale %u", &host) == 1)
		send_line(d, host, 5, "stale", true);
}

static void on_input(void *context, uint32_t events)
{
	struct dialer *d = context;
	ssize_t n = read(STDIN_FILENO, d->input + d->len, sizeof(d->input) - 1 - d->len);
	char *end;

	(void)events;
	if (n <= 0) {
		loop_stop(d->loop, 0);
		return;
	}
	d->len += (size_t)n;
	d->input[d->len] = 0;
	while ((end = strchr(d->input, '\n'))) {
		*end = 0;
		obey(d, d->input);
		d->len -= (size_t)(end + 1 - d->input);
		memmove(d->input, end + 1, d->len + 1);
	}
}

int main(int argc, char **argv)
{
	static struct dialer d;
	struct loop_source *source;

	if (argc < 3 || loop_new(&d.loop) < 0)
		return 2;
	read_config(&d, argv[2]);
	start(&d, argv[1], argc >= 6 ? argv + 3 : argv + argc);
	if (loop_add(d.loop, STDIN_FILENO, EPOLLIN, on_input, &d, &source) < 0)
		return 2;
	return loop_run(d.loop);
}
