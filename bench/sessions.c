/* SPDX-License-Identifier: MIT */
/*
 * sessions SPIMENDD CONFIG UID: parent, core and sense of one role ssh, for bench/sessions. The role is spimendd's own and
 * runs as that user; what devices print goes through sense's own code. Reads commands from standard input, and answers each
 * with a line:
 *
 *     open     one show on every device of the configuration, all ordered at once; sessions that would be idle for too long
 *              meanwhile are asked again. "open SESSIONS done DONE failed FAILED seconds S"
 *     show     the same, with all of them open already
 *
 * The first line is "role PID".
 */
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "parse/config.h"
#include "role/channel.h"
#include "role/confine.h"
#include "role/member.h"
#include "role/sense_devices.h"

#define TEXT_MAX (4 << 20)
#define WITHIN (240 * SECOND_NS)
#define WARM (15 * SECOND_NS) /* half of what the role lets a session be idle */

struct one { /* a device */
	bool done, under_way;
	int64_t at; /* when it was done */
};

struct bench {
	struct member member; /* as sense sees itself: a loop and a log */
	struct sense_devices sense;
	struct channel *parent, *core, *sense_end, *core_end;
	struct config config;
	struct loop_timer *timer;
	struct one *at;
	char command[16];
	bool is_ready;
	uint32_t done, failed, unread;
	uint64_t rows, bytes;
	int64_t begun;
};

static void die(const char *what)
{
	perror(what);
	exit(2);
}

/* --- Orders ------------------------------------------------------------------------------------------------------- */

static void order(struct bench *b, uint32_t device)
{
	struct device_order o;

	memset(&o, 0, sizeof(o));
	o.request = device + 1;
	o.device = device;
	o.mark = device_mark(&b->config.devices, &b->config.devices.at[device]);
	o.verb = DEVICE_SHOW_ADDRESSES;
	o.within_ns = WITHIN;
	b->at[device].under_way = true;
	if (channel_send(b->core, MESSAGE_DEVICE_ORDER, &o) < 0)
		die("an order");
}

static uint32_t count_open(const struct bench *b)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < DEVICE_SESSIONS_MAX; i++)
		count += b->sense.at[i].text != NULL;
	return count;
}

static void begin(struct bench *b, const char *command)
{
	snprintf(b->command, sizeof(b->command), "%.15s", command);
	b->done = b->failed = b->unread = 0;
	b->rows = b->bytes = 0;
	b->begun = loop_now(b->member.loop);
	for (uint32_t i = 0; i < b->config.devices.count; i++) {
		b->at[i].done = false;
		if (!b->at[i].under_way)
			order(b, i);
	}
}

static void finish(struct bench *b)
{
	printf("%s %u done %u failed %u unread %u rows %" PRIu64 " bytes %" PRIu64 " seconds %.3f\n", b->command, count_open(b),
	       b->done - b->failed, b->failed, b->unread, b->rows, b->bytes,
	       (double)(loop_now(b->member.loop) - b->begun) / SECOND_NS);
	fflush(stdout);
	b->command[0] = '\0';
}

static void take_result(struct bench *b, const struct device_result *result)
{
	struct one *one = &b->at[(result->request - 1) % b->config.devices.count];

	one->under_way = false;
	one->at = loop_now(b->member.loop);
	if (result->outcome != DEVICE_DONE)
		fprintf(stderr, "%s: %s: %s\n", b->config.devices.at[one - b->at].name, device_outcome_name(result->outcome), result->why);
	if (!b->command[0] || one->done)
		return;
	one->done = true;
	b->failed += result->outcome != DEVICE_DONE;
	if (++b->done == b->config.devices.count)
		finish(b);
}

/* Nobody is to be idle for so long that its session ends. */
static void on_timer(void *context, int64_t now)
{
	struct bench *b = context;

	for (uint32_t i = 0; i < b->config.devices.count; i++)
		if (b->at[i].at && !b->at[i].under_way && now - b->at[i].at > WARM)
			order(b, i);
}

/* --- What comes --------------------------------------------------------------------------------------------------- */

static void take(void *context, struct channel *channel, enum message_type type, const union message_item *item,
		 const int *fds, size_t fd_count)
{
	struct bench *b = context;

	(void)channel;
	member_close_fds(fds, fd_count);
	if (type == MESSAGE_DEVICE_RESULT) {
		take_result(b, &item->device_result);
	} else if (type == MESSAGE_DEVICE_OUTPUT) {
		b->bytes += item->device_output.len;
		b->unread += item->device_output.last && (!item->device_output.known || item->device_output.cut);
	} else if (type == MESSAGE_DEVICE_ROW) {
		b->rows++;
	} else if (type == MESSAGE_VIOLATION) {
		fprintf(stderr, "a forbidden system call: %u\n", item->violation.call);
	} else if (type == MESSAGE_READY) {
		b->is_ready = true;
	}
}

static void closed(void *context, struct channel *channel, const char *why)
{
	(void)context;
	(void)channel;
	fprintf(stderr, "the role ended: %s\n", why ? why : "without a word");
	exit(1);
}

static struct channel *make(struct bench *b, int fd, enum role self, enum role peer)
{
	struct channel_calls calls = { .context = b, .take = take, .closed = closed };
	struct channel *channel = NULL;

	if (channel_new(b->member.loop, fd, self, peer, &calls, &channel) < 0)
		die("channel");
	return channel;
}

static void connect_two(int ends[2])
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
		die("socketpair");
}

/* --- Life --------------------------------------------------------------------------------------------------------- */

static void read_config(struct bench *b, const char *path)
{
	struct config_report *report = calloc(1, sizeof(*report));
	char *text = malloc(TEXT_MAX);
	FILE *file = fopen(path, "r");
	struct buffer out = { 0 };
	size_t len;

	if (!file || !report || !text)
		die(path);
	len = fread(text, 1, TEXT_MAX, file);
	fclose(file);
	if (config_parse((struct text){ text, len }, &b->config, report) < 0 || !b->config.devices.count) {
		config_report_print(report, text_of(path), &out);
		fprintf(stderr, "%.*s", TEXT_ARG(buffer_text(&out)));
		exit(2);
	}
	free(report);
	free(text);
}

static int hand_over(const struct bench *b)
{
	struct member_bundle *bundle = calloc(1, sizeof(*bundle));
	int fd = memfd_create("config", MFD_CLOEXEC);

	if (!bundle || fd < 0)
		die("configuration");
	bundle->config = bundle->ceiling = b->config;
	if (write(fd, bundle, sizeof(*bundle)) != (ssize_t)sizeof(*bundle))
		die("configuration");
	free(bundle);
	return fd;
}

static void start(struct bench *b, const char *program, uid_t uid)
{
	struct role_start said = { .log_sink = SINK_STDERR, .uid = uid, .config_size = sizeof(struct member_bundle) };
	struct role_resource to_core = { .kind = RESOURCE_CHANNEL, .index = ROLE_CORE };
	struct role_resource to_sense = { .kind = RESOURCE_CHANNEL, .index = ROLE_SENSE };
	int parent[2], core[2], sense[2], inner[2], fd = hand_over(b);
	pid_t pid;

	connect_two(parent);
	connect_two(core);
	connect_two(sense);
	connect_two(inner);
	b->parent = make(b, parent[0], ROLE_PARENT, ROLE_SSH);
	b->core = make(b, core[0], ROLE_CORE, ROLE_SSH);
	b->sense_end = make(b, inner[0], ROLE_SENSE, ROLE_CORE);
	b->core_end = make(b, inner[1], ROLE_CORE, ROLE_SENSE);
	sense_devices_core(&b->sense, b->sense_end);
	if (sense_devices_take(&b->sense, sense[0]) < 0)
		die("sense");
	pid = fork();
	if (pid == 0) {
		if (confine_identity(uid, uid, false, SIGKILL) < 0)
			die("identity");
		dup2(parent[1], CONFINE_CHANNEL_FD);
		fcntl(CONFINE_CHANNEL_FD, F_SETFD, 0);
		execl(program, "spimendd", "--role=ssh", (char *)NULL);
		die(program);
	}
	printf("role %d\n", (int)pid);
	fflush(stdout);
	channel_send_fds(b->parent, MESSAGE_START, &said, &fd, 1);
	channel_send_fds(b->parent, MESSAGE_RESOURCE, &to_core, &core[1], 1);
	channel_send_fds(b->parent, MESSAGE_RESOURCE, &to_sense, &sense[1], 1);
	close(parent[1]);
	close(core[1]);
	close(sense[1]);
	close(fd);
}

static void on_input(void *context, uint32_t events)
{
	struct bench *b = context;
	char line[64];

	(void)events;
	if (!fgets(line, sizeof(line), stdin)) {
		loop_stop(b->member.loop, 0);
		return;
	}
	line[strcspn(line, "\n")] = '\0';
	begin(b, line);
}

int main(int argc, char **argv)
{
	static struct bench b;
	struct loop_source *source;

	if (argc != 4 || loop_new(&b.member.loop) < 0)
		return 2;
	log_init(&b.member.log, "sense");
	read_config(&b, argv[2]);
	b.at = calloc(b.config.devices.count, sizeof(*b.at));
	if (!b.at || sense_devices_begin(&b.sense, &b.member) < 0)
		return 2;
	start(&b, argv[1], (uid_t)strtoul(argv[3], NULL, 10));
	while (!b.is_ready)
		if (loop_turn(b.member.loop, SECOND_NS) < 0)
			return 2;
	if (loop_add_timer(b.member.loop, on_timer, &b, &b.timer) < 0 ||
	    loop_add(b.member.loop, STDIN_FILENO, EPOLLIN, on_input, &b, &source) < 0)
		return 2;
	loop_timer_every(b.timer, SECOND_NS);
	return loop_run(b.member.loop);
}
