/* SPDX-License-Identifier: MIT */
#include "cmd/remote.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "cmd/analyze.h"
#include "cmd/connection.h"
#include "serve/control.h"
#include "spimend/error.h"

#define ANSWER_SECONDS 60 /* the daemon answers at once, or not at all */
#define HEAD_MAX 2048

static const char usage[] =
	"Usage: spimend status [--json] [--socket PATH]\n"
	"       spimend incidents [FILTER]... [--limit COUNT] [--json] [--socket PATH]\n"
	"       spimend stats [FILTER]... [--by peer|cause|month|verdict] [--json] [--socket PATH]\n"
	"       spimend explain ID [--json] [--socket PATH]\n"
	"       spimend evidence ID [--json] [--socket PATH]\n"
	"       spimend watch [--json] [--socket PATH]\n"
	"       spimend approve ID STEP [--json] [--socket PATH]\n"
	"       spimend deny ID STEP [--json] [--socket PATH]\n"
	"       spimend journal DEVICE [--incident ID] [--json] [--socket PATH]\n"
	"       spimend token [--revoke] [--json] [--socket PATH]\n"
	"       spimend metrics [--socket PATH]\n"
	"\n"
	"Asks the running daemon, spimendd. Nothing is changed but by approve and token.\n"
	"\n"
	"  status           what it watches, with which SAs, counters, ledger and troubles\n"
	"  incidents        what it has found, as a table; with a filter or --limit also what is on disk alone\n"
	"  stats            how many, how long packets were black-holed, what repairs spared, what recurs\n"
	"  explain ID       one incident in full: what was seen, why this verdict, what was done, what to fix\n"
	"  evidence ID      what the flight recorder has of it, from before it was found until after its end, in order of time\n"
	"  approve ID STEP  agree to that step of an incident: what 'explain' says is typed on the device, once the device,\n"
	"                   read again just before, still shows the same\n"
	"  deny ID STEP     say no to it\n"
	"  journal DEVICE   what was done on a device, and every byte that was typed there (>) and that came back (<), what\n"
	"                   ssh said (!) and notes (=); secrets are taken out, times are UTC\n"
	"  token            a personal token for the page, for root and operators: with it you read, approve and deny there\n"
	"                   for 12 hours under your name; --revoke takes yours back,\n"
	"                   and everybody's where root types it\n"
	"  metrics          what is counted, in the text format of Prometheus\n"
	"  watch            open incidents, then a line a change, until interrupted\n"
	"\n"
	"  FILTER is --since TIME, --until TIME (30m, 2h, 7d ago; or 2026-11-22, 2026-11-22T09:30:00Z), --peer ADDRESS,\n"
	"  --device NAME, --verdict, --cause or --state NAME[,NAME...].\n"
	"  --limit COUNT    the newest so many\n"
	"\n"
	"  --incident ID    of journal: what belongs to that incident alone\n"
	"  --json           one JSON object a line\n"
	"  --socket PATH    where the daemon listens (default " CONTROL_SOCKET ")\n"
	"  --help           this text\n"
	"\n"
	"Exit status: 0 nothing wrong, 1 a desync or another fault is open, or status has a\n"
	"trouble to tell, 2 wrong use or the daemon could not be asked. Of approve, deny\n"
	"and token: 0 it was taken, 2 it was not. Of journal: 0, 2.\n";

struct question {
	const char *command;
	const char *socket;
	struct control_request request;
};

static int refuse(const struct question *q, const char *what)
{
	fprintf(stderr, "spimend %s: %s\n", q->command, what);
	return EXIT_TROUBLE;
}

static int refuse_value(const struct question *q, const char *key, const char *value, const char *expected)
{
	fprintf(stderr, "spimend %s: %s '", q->command, key);
	for (int i = 0; value[i] && i < 64; i++)
		fputc((unsigned char)value[i] < ' ' || (unsigned char)value[i] > '~' ? '.' : value[i], stderr);
	fprintf(stderr, "': %s\n", expected);
	return EXIT_TROUBLE;
}

static int read_id(struct question *q, const char *id)
{
	size_t len = strlen(id);
	bool is_word = len > 0;

	for (size_t i = 0; i < len; i++)
		is_word = is_word && (char_is_digit(id[i]) || char_is_alpha(id[i]));
	if (!is_word || len >= INCIDENT_ID_MAX)
		return refuse(q, "no such id; they are words such as k3v9q2, and 'spimend incidents' lists them");
	memcpy(q->request.id, id, len + 1);
	return 0;
}

static int read_device(struct question *q, const char *device)
{
	if (strlen(device) >= DEVICE_NAME_MAX || !device_is_name(text_of(device)))
		return refuse(q, "no device has such a name; 'show spimend devices' in the shell lists them");
	text_copy(text_of(device), q->request.device, sizeof(q->request.device));
	return 0;
}

static int read_step(struct question *q, const char *step)
{
	uint64_t number = 0;

	if (text_decimal(text_of(step), CONTROL_STEP_MAX, &number) != 0 || number == 0)
		return refuse(q, "no such step; they are numbers from 1 on, and 'spimend explain ID' lists them");
	q->request.step = (uint32_t)number;
	return 0;
}

/* "--since 2h" becomes "since 2h" of the request; a time with a blank in it is taken as it is printed elsewhere. */
static int add_filter(struct question *q, const char *key, const char *value)
{
	size_t at = strlen(q->request.filter), size = sizeof(q->request.filter) - at;
	bool is_time = strcmp(key, "since") == 0 || strcmp(key, "until") == 0;
	int n = snprintf(q->request.filter + at, size, "%s%s ", at ? " " : "", key);
	cleanup(buffer_done) struct buffer why = { 0 };
	struct incident_filter filter;
	struct timespec now;

	if (n < 0 || (size_t)n >= size || strlen(value) >= size - (size_t)n)
		return refuse(q, "that is more than can be asked for at once");
	if (!value[0])
		return refuse_value(q, key, "", "a value is expected");
	at += (size_t)n;
	for (; *value; value++) {
		if ((unsigned char)*value < ' ' || *value == 0x7f || (*value == ' ' && !is_time))
			return refuse_value(q, key, value, "no blanks and no control characters are expected");
		q->request.filter[at++] = *value == ' ' ? 'T' : *value;
	}
	q->request.filter[at] = '\0';
	clock_gettime(CLOCK_REALTIME, &now); /* the daemon reads it again, by its own clock */
	if (incident_filter_read(text_of(q->request.filter), (struct instant){ (int64_t)now.tv_sec * SECOND_NS + now.tv_nsec },
				 true, &filter, &why) == 0)
		return 0;
	buffer_add_char(&why, '\0');
	return refuse(q, why.failed ? "no memory" : why.bytes);
}

/* 0, or the exit status to end with, plus one. */
static int read_options(int argc, char **argv, struct question *q)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "socket", required_argument, NULL, 's' },
		{ "incident", required_argument, NULL, 'i' },
		{ "revoke", no_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' },
		{ "since", required_argument, NULL, 'f' },
		{ "until", required_argument, NULL, 'f' },
		{ "peer", required_argument, NULL, 'f' },
		{ "verdict", required_argument, NULL, 'f' },
		{ "cause", required_argument, NULL, 'f' },
		{ "state", required_argument, NULL, 'f' },
		{ "device", required_argument, NULL, 'f' },
		{ "limit", required_argument, NULL, 'f' },
		{ "by", required_argument, NULL, 'b' },
		{ NULL, 0, NULL, 0 },
	};
	bool is_list = q->request.command == CONTROL_INCIDENTS || q->request.command == CONTROL_STATS;
	bool wants_step = q->request.command == CONTROL_APPROVE || q->request.command == CONTROL_DENY;
	bool wants_id = q->request.command == CONTROL_EXPLAIN || q->request.command == CONTROL_EVIDENCE || wants_step;
	char name[64];
	int option, which = 0;

	/* getopt_long() names the program by argv[0]. */
	snprintf(name, sizeof(name), "spimend %s", q->command);
	argv[0] = name;
	optind = 0;
	while ((option = getopt_long(argc, argv, "", options, &which)) >= 0) {
		switch (option) {
		case 'j':
			q->request.json = true;
			break;
		case 'i':
			if (q->request.command != CONTROL_JOURNAL)
				return refuse(q, "--incident is of 'spimend journal' alone") + 1;
			if (read_id(q, optarg))
				return EXIT_TROUBLE + 1;
			break;
		case 'r':
			q->request.revoke = true;
			break;
		case 's':
			q->socket = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			return EXIT_NOTHING_WRONG + 1;
		case 'f':
		case 'b':
			if (!is_list || (option == 'b' && q->request.command != CONTROL_STATS)) {
				fprintf(stderr, "%s: --%s belongs to 'spimend %s'\n", name, options[which].name,
					option == 'b' ? "stats" : "incidents' and 'spimend stats");
				return EXIT_TROUBLE + 1;
			}
			if (add_filter(q, options[which].name, optarg))
				return EXIT_TROUBLE + 1;
			break;
		default:
			return EXIT_TROUBLE + 1;
		}
	}
	if (q->request.revoke && q->request.command != CONTROL_TOKEN)
		return refuse(q, "--revoke belongs to 'spimend token'") + 1;
	if (q->request.json && q->request.command == CONTROL_METRICS)
		return refuse(q, "metrics have a format of their own: --json is not for them") + 1;
	if (wants_step && argc - optind != 2)
		return refuse(q, "the id of an incident and the number of a step are expected; 'spimend explain ID' has them") + 1;
	if (wants_step && read_step(q, argv[optind + 1]))
		return EXIT_TROUBLE + 1;
	if (wants_id && !wants_step && argc - optind != 1)
		return refuse(q, "the id of one incident is expected; 'spimend incidents' lists them") + 1;
	if (q->request.command == CONTROL_JOURNAL) {
		if (argc - optind != 1)
			return refuse(q, "the name of one device is expected") + 1;
		return read_device(q, argv[optind]) ? EXIT_TROUBLE + 1 : 0;
	}
	if (!wants_id && optind < argc)
		return refuse(q, "no argument is expected; --help tells the options") + 1;
	return wants_id && read_id(q, argv[optind]) ? EXIT_TROUBLE + 1 : 0;
}

static bool send_request(int fd, const struct question *q)
{
	struct buffer line = { 0 };
	ssize_t n = -1;
	bool sent;

	control_request_print(&q->request, &line);
	if (!line.failed)
		n = send(fd, line.bytes, line.len, MSG_NOSIGNAL);
	/* One that is turned away is answered before it has asked, and hung up on: its answer counts. */
	sent = n == (ssize_t)line.len || (n < 0 && errno == EPIPE);
	buffer_done(&line);
	return sent;
}

/* A daemon's words on the way to a terminal. */
static int say_error(const struct question *q, char *error)
{
	connection_clean(error, strlen(error));
	return refuse(q, error);
}

static int put(const struct question *q, char *bytes, size_t len)
{
	connection_clean(bytes, len);
	if (fwrite(bytes, 1, len, stdout) == len && fflush(stdout) == 0)
		return 0;
	return refuse(q, "standard output cannot be written");
}

static int end_of_answer(const struct question *q, ssize_t n)
{
	if (n < 0)
		return refuse(q, errno == EAGAIN ? "the daemon does not answer" : spimend_strerror(-errno));
	return refuse(q, "the daemon ended the conversation");
}

/* The head, then what is to be printed, as it comes. */
static int take_answer(int fd, const struct question *q)
{
	char bytes[65536];
	struct control_head head;
	size_t got = 0, end;
	int result;
	ssize_t n;

	do { /* the head */
		n = recv(fd, bytes + got, sizeof(bytes) - got, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return end_of_answer(q, n);
		got += (size_t)n;
		end = text_find_char((struct text){ bytes, got }, '\n');
	} while (end == TEXT_NOT_FOUND && got < HEAD_MAX);
	if (end == TEXT_NOT_FOUND || control_head_read((struct text){ bytes, end }, &head) < 0)
		return refuse(q, "that is no spimendd: the answer is not one of its own");
	if (head.error[0])
		return say_error(q, head.error);
	result = put(q, bytes + end + 1, got - end - 1);
	while (result == 0 && (n = recv(fd, bytes, sizeof(bytes), 0)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return end_of_answer(q, n);
		result = put(q, bytes, (size_t)n);
	}
	if (result == 0 && q->request.command == CONTROL_WATCH)
		return end_of_answer(q, 0);
	return result ? result : head.status;
}

int remote_main(int argc, char **argv)
{
	struct question q = { .command = argv[0], .socket = CONTROL_SOCKET };
	int fd, result;

	for (int command = 0; command < CONTROL_COMMANDS; command++)
		if (strcmp(argv[0], control_command_name((enum control_command)command)) == 0)
			q.request.command = (enum control_command)command;
	result = read_options(argc, argv, &q);
	if (result)
		return result - 1;
	fd = connection_open(q.command, q.socket, q.request.command == CONTROL_WATCH ? 0 : ANSWER_SECONDS);
	if (fd < 0)
		return EXIT_TROUBLE;
	result = send_request(fd, &q) ? take_answer(fd, &q) : refuse(&q, "the daemon does not take the request");
	close(fd);
	return result;
}
