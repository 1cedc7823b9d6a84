/* SPDX-License-Identifier: MIT */
#include "cmd/report.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/memory.h"
#include "cmd/analyze.h"
#include "cmd/report_files.h"
#include "cmd/report_source.h"
#include "cmd/report_streams.h"
#include "record/report_evidence.h"
#include "record/report_page.h"
#include "serve/control.h"
#include "spimend/error.h"

#define PATH_ROOM 4096

static const char usage[] =
	"Usage: spimend report ID [--with FILE]... [--output DIR|FILE.tar.zst] [--force] [--socket PATH]\n"
	"       spimend report --from FILE [--with FILE]... [--output DIR|FILE.tar.zst] [--force]\n"
	"\n"
	"Hands over one incident with all that was recorded around it, for who has to find its cause: a page that opens\n"
	"offline (report.html), the incident as JSON, a timeline of every event, a capture for Wireshark with comments at\n"
	"the decisive packets, the journal of what was done, and what commands printed. Asks the running daemon, spimendd.\n"
	"\n"
	"  --output PATH    a folder to be made, or an archive if it ends in .tar.zst (default spimend-report-ID)\n"
	"  --from FILE      recorded evidence saved before, recorded.ndjson of a report, instead of the daemon's; '-' is\n"
	"                   standard input\n"
	"  --with FILE      what the other end recorded, recorded.ndjson of a report made there: joined, by its clock's offset as\n"
	"                   the IKE messages tell it that both recorded; up to three\n"
	"  --force          write over an older report\n"
	"  --socket PATH    where the daemon listens (default " CONTROL_SOCKET ")\n"
	"  --help           this text\n"
	"\n"
	"Exit status: 0 the report is written, 1 it is, without recorded lines that could not be read, 2 it is not.\n";

struct options {
	const char *output, *from, *socket;
	const char *with[REPORT_STREAMS_MAX - 1]; /* further ends */
	size_t with_count;
	char id[INCIDENT_ID_MAX];
	bool force;
};

struct run {
	struct options options;
	struct json_tree incident;
	struct report_streams streams;
	struct report_evidence evidence;
	struct buffer first;    /* the incident's line, which `incident` borrows from */
	struct buffer recorded; /* all lines as they came, joined */
};

static int refuse(const char *what, const char *why)
{
	fprintf(stderr, "spimend report: %s%s%s\n", what, why ? ": " : "", why ? why : "");
	return EXIT_TROUBLE;
}

/* --- What comes ------------------------------------------------------------------------------------------------ */

/* The first line of the first stream. */
static int read_incident(struct run *run)
{
	struct text rest = buffer_text(&run->streams.at[0].lines), line;

	if (!text_take_line(&rest, &line))
		return SPIMEND_E_SYNTAX;
	buffer_add(&run->first, line);
	if (buffer_error(&run->first) < 0)
		return -ENOMEM;
	if (json_tree_read(&run->incident, buffer_text(&run->first), NULL) < 0)
		return SPIMEND_E_SYNTAX;
	return report_evidence_begin(&run->evidence, &run->incident);
}

/* 0, REPORT_SOURCE_SAID, or a negative error of that stream. */
static int read_stream(struct run *run, const char *name, bool from_daemon)
{
	struct report_stream *s = report_streams_new(&run->streams, name);

	if (!s)
		return SPIMEND_E_LIMIT;
	return from_daemon ? report_source_daemon(name, run->options.id, report_stream_take, s)
			   : report_source_file(name, report_stream_take, s);
}

/* --- What is written ------------------------------------------------------------------------------------------- */

static void write_title(const struct run *run, struct buffer *title)
{
	const struct json_node *i = json_tree_root(&run->incident);
	struct text verdict = json_tree_text(&run->incident, i, "verdict"), state = json_tree_text(&run->incident, i, "state");
	uint64_t ms;

	if (verdict.len) {
		buffer_add_char(title, verdict.at[0] >= 'a' && verdict.at[0] <= 'z' ? (char)(verdict.at[0] - 32) : verdict.at[0]);
		buffer_add(title, text_skip(verdict, 1));
	}
	if (text_equal(state, TEXT("healed"))) {
		buffer_add_string(title, ", healed");
		if (json_tree_unsigned(&run->incident, json_tree_find(&run->incident, i, "live"), "outage_ms", &ms) && ms < (uint64_t)DAY_NS) {
			buffer_add_string(title, " after ");
			calendar_print_duration(title, (int64_t)ms * 1000000);
		}
	} else if (state.len) {
		buffer_add_string(title, ", ");
		buffer_add(title, state);
	}
	buffer_add_string(title, ": ");
	report_flow(&run->incident, title);
}

static void write_page(struct run *run, const struct report_file *files, size_t count, struct buffer *page)
{
	struct report_case is = { .incident = &run->incident, .picture = &run->evidence.picture };
	struct buffer title = { 0 };

	write_title(run, &title);
	report_page_begin(buffer_text(&title), TEXT_NONE, page);
	report_page_case(&is, 1, page);
	report_evidence_page(&run->evidence, run->streams.unread, files, count, page);
	report_page_end(page);
	page->failed |= title.failed;
	buffer_done(&title);
}

static int write_files(struct run *run, struct report_output *output)
{
	const struct report_evidence *e = &run->evidence;
	const struct {
		const char *name, *what;
		const struct buffer *bytes;
	} parts[] = {
		{ "incident.json", "the incident, spimend.incident/1", &run->first },
		{ "timeline.txt", "every recorded event, in order of time", &e->timeline },
		{ "capture.pcapng", e->pcapng.packets ? "the first bytes of packets, for Wireshark, with comments at the decisive ones"
						       : "a capture without packets: none was recorded", &e->capture },
		{ "journal.txt", "what was decided, ordered and done", &e->journal },
		{ "shows.txt", "commands and what they printed", &e->shows },
		{ "recorded.ndjson", "all of it for programs, spimend.recorded/1; `spimend report --from` reads it", &run->recorded },
	};
	struct report_file files[sizeof(parts) / sizeof(parts[0])];
	struct buffer page = { 0 };
	int result;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		files[i] = (struct report_file){ parts[i].name, parts[i].what, parts[i].bytes->len };
	write_page(run, files, sizeof(parts) / sizeof(parts[0]), &page);
	result = buffer_error(&page);
	if (result == 0)
		result = report_output_add(output, "report.html", buffer_text(&page), e->last);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && result == 0; i++)
		result = buffer_error(parts[i].bytes) < 0 ? -ENOMEM
							   : report_output_add(output, parts[i].name, buffer_text(parts[i].bytes), e->last);
	buffer_done(&page);
	return result;
}

/* Only what a file's name may safely have, for the default. */
static bool is_word(struct text id)
{
	for (size_t i = 0; i < id.len; i++)
		if (!char_is_alpha(id.at[i]) && !char_is_digit(id.at[i]))
			return false;
	return id.len > 0 && id.len < 32;
}

static int write_report(struct run *run)
{
	struct report_output *output = NULL;
	char path[PATH_ROOM];
	int result;

	if (run->options.output)
		snprintf(path, sizeof(path), "%s", run->options.output);
	else if (is_word(run->evidence.id))
		snprintf(path, sizeof(path), "spimend-report-%.*s", TEXT_ARG(run->evidence.id));
	else
		return refuse("the incident's id is no word", "name a folder with --output");
	buffer_add_char(&run->first, '\n');
	result = report_output_open(path, run->options.force, &output);
	if (result == -EEXIST)
		return refuse(path, "is there already; --force writes over an older report");
	if (result < 0)
		return refuse(path, spimend_strerror(result));
	result = write_files(run, output);
	if (result < 0)
		report_output_drop(output);
	else
		result = report_output_close(output);
	if (result < 0)
		return refuse(path, spimend_strerror(result));
	puts(path);
	if (!run->streams.unread)
		return EXIT_NOTHING_WRONG;
	fprintf(stderr, "spimend report: %" PRIu64 " recorded line%s could not be read; the first is line %" PRIu64 " of %s: %s\n",
		run->streams.unread, text_plural(run->streams.unread), run->streams.unread_line, run->streams.unread_name,
		run->streams.unread_why);
	return EXIT_FAULT_FOUND;
}

/* --- */

/* 0, or the exit status to end with, plus one. */
static int read_options(int argc, char **argv, struct options *o)
{
	static const struct option known[] = {
		{ "output", required_argument, NULL, 'o' }, { "from", required_argument, NULL, 'f' }, { "force", no_argument, NULL, 'F' },
		{ "with", required_argument, NULL, 'w' },   { "socket", required_argument, NULL, 's' }, { "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	char name[] = "spimend report";
	int option;

	argv[0] = name; /* as getopt_long() names the program */
	optind = 0;
	while ((option = getopt_long(argc, argv, "", known, NULL)) >= 0) {
		switch (option) {
		case 'o':
			o->output = optarg;
			break;
		case 'f':
			o->from = optarg;
			break;
		case 'F':
			o->force = true;
			break;
		case 'w':
			if (o->with_count == REPORT_STREAMS_MAX - 1)
				return refuse("--with", "no more than three further ends") + 1;
			o->with[o->with_count++] = optarg;
			break;
		case 's':
			o->socket = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			return EXIT_NOTHING_WRONG + 1;
		default:
			return EXIT_TROUBLE + 1;
		}
	}
	if (o->output && (!o->output[0] || strlen(o->output) >= PATH_ROOM))
		return refuse("--output", "no name of a folder or file") + 1;
	if (o->from ? optind != argc : argc - optind != 1)
		return refuse(o->from ? "no id is expected with --from: the file has it"
				      : "the id of one incident is expected; 'spimend incidents' lists them", NULL) + 1;
	if (!o->from && (!is_word(text_of(argv[optind])) || strlen(argv[optind]) >= sizeof(o->id)))
		return refuse("no such id; they are words such as k3v9q2, and 'spimend incidents' lists them", NULL) + 1;
	if (!o->from)
		memcpy(o->id, argv[optind], strlen(argv[optind]) + 1);
	return 0;
}

/* What went wrong with one stream, said; EXIT_NOTHING_WRONG: nothing. */
static int say_stream(const char *name, int result)
{
	if (result == REPORT_SOURCE_SAID)
		return EXIT_TROUBLE;
	if (result == SPIMEND_E_SYNTAX)
		return refuse(name, "no evidence of an incident: its first line is to be the incident (spimend.incident/1)");
	if (result == SPIMEND_E_LIMIT)
		return refuse(name, "more than 512 MiB of recorded lines");
	return result < 0 ? refuse(name, spimend_strerror(result)) : EXIT_NOTHING_WRONG;
}

static int make(struct run *run)
{
	struct options *o = &run->options;
	const char *source = o->from ? o->from : o->socket;
	int result = read_stream(run, source, !o->from);

	if (result == 0)
		result = read_incident(run);
	result = say_stream(source, result);
	for (size_t i = 0; i < o->with_count && result == EXIT_NOTHING_WRONG; i++)
		result = say_stream(o->with[i], read_stream(run, o->with[i], false));
	if (result != EXIT_NOTHING_WRONG)
		return result;
	report_streams_join(&run->streams, &run->evidence, &run->recorded);
	result = report_evidence_end(&run->evidence);
	return result < 0 ? refuse(source, spimend_strerror(result)) : write_report(run);
}

int report_main(int argc, char **argv)
{
	struct run *run = memory_new(1, sizeof(*run)); /* the evidence is large for a stack */
	int result;

	if (!run)
		return refuse(spimend_strerror(-ENOMEM), NULL);
	run->options.socket = CONTROL_SOCKET;
	result = read_options(argc, argv, &run->options);
	result = result ? result - 1 : make(run);
	report_evidence_done(&run->evidence);
	report_streams_done(&run->streams);
	json_tree_done(&run->incident);
	buffer_done(&run->first);
	buffer_done(&run->recorded);
	memory_free(run);
	return result;
}
