/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/memory.h"
#include "cmd/analyze.h"
#include "cmd/analyze_html.h"
#include "parse/peers.h"
#include "sense/input.h"
#include "spimend/error.h"

static const char usage[] =
	"Usage: spimend analyze [OPTION]... FILE...\n"
	"\n"
	"Reads logs of any vendor and packet captures, finds IPsec packets with unknown SPIs, and says of each flow whether it\n"
	"is a harmless transient, a desync that black-holes traffic, noise from strangers or another fault, and what to type\n"
	"where. FILE is a text log, pcap or pcapng, told by its first bytes; it may be plain, gzip or zstd; '-' is standard\n"
	"input. Logs of both ends in one call are joined.\n"
	"\n"
	"  --json           one JSON object a line: incidents, then a summary\n"
	"  --explain        each incident in full: evidence, rule, what would change the verdict, defects, what to collect\n"
	"  --html FILE      also write a page: an overview, and each incident with a picture of its two ends; opens offline\n"
	"  --verbose        show the evidence, and every line that was passed over, with its reason (on stderr)\n"
	"  --follow         go on as the files grow and rotate; report whatever changes\n"
	"  --column N       the files are tables: the message stands in tab-separated column N\n"
	"                   (a first line that names a column raw, message or msg tells it by itself)\n"
	"  --peers FILE     known peers and devices, one a line: ADDRESS[/PREFIX] [ours|foreign] [TUNNEL-KIND] [name NAME]\n"
	"  --sad FILE       captures: what the receiver had then: swanctl's list of SAs, ip xfrm state or show crypto ipsec\n"
	"                   sa, as saved; again for another output of the same receiver. Without it a capture gives candidates,\n"
	"                   no verdicts\n"
	"  --receiver ADDR  captures: an address of that receiver, where its saved output does not tell\n"
	"  --year Y         the year of stamps without one (default: the latest that is not in the future)\n"
	"  --zone Z         the zone of stamps without one: UTC, EST, +01:00 ... (default UTC)\n"
	"  --now TIME       pretend that now is TIME (RFC 3339), for stamps without a year\n"
	"  --set NAME=N     a threshold; --thresholds lists them\n"
	"  --thresholds     list the thresholds, their defaults and ranges\n"
	"  --help           this text\n"
	"\n"
	"Exit status: 0 nothing wrong found, 1 a desync or another fault, 2 wrong use or something could not be read.\n";

enum option_id {
	OPTION_JSON = 256,
	OPTION_EXPLAIN,
	OPTION_VERBOSE,
	OPTION_FOLLOW,
	OPTION_COLUMN,
	OPTION_PEERS,
	OPTION_YEAR,
	OPTION_ZONE,
	OPTION_NOW,
	OPTION_SET,
	OPTION_THRESHOLDS,
	OPTION_HELP,
	OPTION_HTML,
	OPTION_SAD,
	OPTION_RECEIVER,
};

static const struct option long_options[] = {
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "explain", no_argument, NULL, OPTION_EXPLAIN },
	{ "verbose", no_argument, NULL, OPTION_VERBOSE },
	{ "follow", no_argument, NULL, OPTION_FOLLOW },
	{ "column", required_argument, NULL, OPTION_COLUMN },
	{ "peers", required_argument, NULL, OPTION_PEERS },
	{ "year", required_argument, NULL, OPTION_YEAR },
	{ "zone", required_argument, NULL, OPTION_ZONE },
	{ "now", required_argument, NULL, OPTION_NOW },
	{ "set", required_argument, NULL, OPTION_SET },
	{ "thresholds", no_argument, NULL, OPTION_THRESHOLDS },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ "html", required_argument, NULL, OPTION_HTML },
	{ "sad", required_argument, NULL, OPTION_SAD },
	{ "receiver", required_argument, NULL, OPTION_RECEIVER },
	{ NULL, 0, NULL, 0 },
};

static int refuse(const char *what, const char *value, const char *expected)
{
	fprintf(stderr, "spimend analyze: %s '%s': %s\n", what, value, expected);
	return EXIT_TROUBLE + 1;
}

static void print_thresholds(void)
{
	for (size_t i = 0; i < judge_setting_count(); i++) {
		struct judge_setting_help help;

		judge_setting_help(i, &help);
		printf("%-18s %8" PRId64 " %-5s  %" PRId64 "..%" PRId64 "\n        %s\n", help.name, help.value, help.unit,
		       help.least, help.most, help.help);
	}
}

static int read_number(const char *what, const char *value, uint64_t least, uint64_t most, uint64_t *ret)
{
	char expected[80];

	if (text_decimal(text_of(value), most, ret) == 0 && *ret >= least)
		return 0;
	snprintf(expected, sizeof(expected), "a whole number from %" PRIu64 " to %" PRIu64 " is expected", least, most);
	return refuse(what, value, expected);
}

static int read_zone(const char *value, struct stamp_rules *rules)
{
	struct text rest = text_of(value);

	if (stamp_take_zone(&rest, &rules->zone_minutes) && rest.len == 0)
		return 0;
	return refuse("--zone", value, "no zone that is known; try UTC, CET, EDT or an offset such as +01:00");
}

static int read_now(const char *value, struct stamp_rules *rules)
{
	struct text rest = text_of(value);
	struct stamp stamp;

	if (stamp_take(&rest, &stamp) && rest.len == 0 && stamp.has_year && stamp_resolve(&stamp, rules, NULL, &rules->now) == 0)
		return 0;
	return refuse("--now", value, "a time as in RFC 3339 is expected, such as 2026-01-31T12:00:00Z");
}

static int read_setting(const char *value, struct judge_settings *settings)
{
	struct text name = text_of(value);
	size_t equals = text_find_char(name, '=');
	uint64_t number;
	int result;

	if (equals == TEXT_NOT_FOUND || text_decimal(text_skip(name, equals + 1), INT64_MAX, &number) < 0)
		return refuse("--set", value, "NAME=N is expected, N a whole number");
	result = judge_setting_set(settings, text_first(name, equals), (int64_t)number);
	if (result == -ENOENT)
		return refuse("--set", value, "no threshold of that name; --thresholds lists them");
	return result < 0 ? refuse("--set", value, "out of range; --thresholds lists the ranges") : 0;
}

static int add_peer(struct analyze_options *o, const struct peer_line *line)
{
	struct judge_peer *peers = memory_resize(o->peers, o->peer_count + 1, sizeof(*peers));

	if (!peers)
		return -ENOMEM;
	o->peers = peers;
	o->peers[o->peer_count++] = (struct judge_peer){
		.address = line->address,
		.prefix = line->prefix,
		.owner = line->owner,
		.has_kind = line->has_kind,
		.kind = line->kind,
	};
	return 0;
}

static void close_input(struct input **input)
{
	input_close(*input);
}

static int read_peers(const char *path, struct analyze_options *o)
{
	struct input *input cleanup(close_input) = NULL;
	struct text bytes, line;
	unsigned number = 0;
	int result = input_open(path, &input);

	while (result >= 0 && (result = input_next(input, &bytes)) > 0) {
		while (text_take_line(&bytes, &line)) {
			struct peer_line peer;
			const char *reason;
			size_t offset;
			int kind = peers_read_line(line, &peer, &reason, &offset);

			number++;
			if (kind < 0) {
				struct text rest = text_skip(line, offset), word = text_take_word(&rest);

				fprintf(stderr, "spimend analyze: %s:%u:%zu: '%.*s': %s\n", path, number, offset + 1,
					TEXT_ARG(text_first(word, 40)), reason);
				return EXIT_TROUBLE + 1;
			}
			if (kind > 0 && o->peer_count >= JUDGE_PEERS_MAX)
				return refuse("--peers", path, "more than 16384 peers");
			if (kind > 0 && (result = add_peer(o, &peer)) < 0)
				break;
		}
	}
	return result < 0 ? refuse("--peers", path, spimend_strerror(result)) : 0;
}

static int add_table(const char *path, struct analyze_options *o)
{
	const char **tables = memory_resize(o->tables, o->table_count + 1, sizeof(*tables));

	if (!tables)
		return refuse("--sad", path, spimend_strerror(-ENOMEM));
	o->tables = tables;
	o->tables[o->table_count++] = path;
	return 0;
}

static int add_receiver(const char *value, struct analyze_options *o)
{
	struct spimend_address address, *receivers;

	if (spimend_address_parse(value, strlen(value), &address) < 0)
		return refuse("--receiver", value, "an IP address is expected");
	receivers = memory_resize(o->receivers, o->receiver_count + 1, sizeof(*receivers));
	if (!receivers)
		return refuse("--receiver", value, spimend_strerror(-ENOMEM));
	o->receivers = receivers;
	o->receivers[o->receiver_count++] = address;
	return 0;
}

static int read_option(int option, struct analyze_options *o)
{
	uint64_t number;
	int result;

	switch (option) {
	case OPTION_JSON:
		o->json = true;
		return 0;
	case OPTION_EXPLAIN:
		o->explain = true;
		return 0;
	case OPTION_VERBOSE:
		o->verbose = true;
		return 0;
	case OPTION_FOLLOW:
		o->follow = true;
		return 0;
	case OPTION_COLUMN:
		result = read_number("--column", optarg, 1, 1000, &number);
		if (result == 0)
			o->rules.column = (unsigned)number;
		return result;
	case OPTION_PEERS:
		return read_peers(optarg, o);
	case OPTION_YEAR:
		result = read_number("--year", optarg, 1970, 2261, &number);
		if (result == 0)
			o->rules.stamps.year = (int)number;
		return result;
	case OPTION_ZONE:
		return read_zone(optarg, &o->rules.stamps);
	case OPTION_NOW:
		return read_now(optarg, &o->rules.stamps);
	case OPTION_SET:
		return read_setting(optarg, &o->settings);
	case OPTION_THRESHOLDS:
		print_thresholds();
		return EXIT_NOTHING_WRONG + 1;
	case OPTION_HELP:
		fputs(usage, stdout);
		return EXIT_NOTHING_WRONG + 1;
	case OPTION_HTML:
		o->html = optarg;
		result = analyze_html_check(optarg);
		if (result == -EEXIST)
			return refuse("--html", optarg, "it is there and is no page of ours: it is left as it is, name another file");
		return result < 0 ? refuse("--html", optarg, spimend_strerror(result)) : 0;
	case OPTION_SAD:
		return add_table(optarg, o);
	case OPTION_RECEIVER:
		return add_receiver(optarg, o);
	default: /* getopt said what is wrong */
		fputs("Try 'spimend analyze --help'.\n", stderr);
		return EXIT_TROUBLE + 1;
	}
}

int analyze_options_read(int argc, char **argv, struct analyze_options *ret)
{
	struct analyze_options o = { 0 };
	char program[] = "spimend analyze"; /* as getopt names it in its messages */
	char *given = argv[0];
	struct timespec now;
	int option, result = 0;

	argv[0] = program;
	judge_settings_default(&o.settings);
	clock_gettime(CLOCK_REALTIME, &now);
	o.rules.stamps.now.ns = now.tv_sec * SECOND_NS + now.tv_nsec;
	while (result == 0 && (option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		result = read_option(option, &o);
	argv[0] = given;
	o.files = argv + optind;
	o.file_count = argc - optind;
	if (result == 0 && o.file_count == 0) {
		fputs("spimend analyze: no file named ('-' is standard input)\nTry 'spimend analyze --help'.\n", stderr);
		result = EXIT_TROUBLE + 1;
	}
	if (result == 0 && o.html && o.follow) {
		fputs("spimend analyze: --html and --follow do not go together: the page is written once, at the end\n", stderr);
		result = EXIT_TROUBLE + 1;
	}
	if (result == 0 && o.receiver_count && !o.table_count)
		result = refuse("--receiver", "", "it belongs to --sad");
	if (result == 0 && o.table_count && o.follow)
		result = refuse("--sad", o.tables[0], "a capture cannot be followed");
	*ret = o;
	return result;
}

void analyze_options_done(struct analyze_options *options)
{
	memory_free(options->peers);
	options->peers = NULL;
	memory_free(options->tables);
	options->tables = NULL;
	memory_free(options->receivers);
	options->receivers = NULL;
}
