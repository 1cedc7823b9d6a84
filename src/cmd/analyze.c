/* SPDX-License-Identifier: MIT */
#include "cmd/analyze.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "cmd/analysis.h"
#include "cmd/analyze_html.h"
#include "cmd/captures.h"
#include "cmd/style.h"
#include "plan/plan.h"
#include "record/incident_json.h"
#include "record/incident_text.h"
#include "sense/input.h"
#include "spimend/error.h"

#define FOLLOW_WAIT_MS 250
#define FOLLOW_SETTLE_NS (500 * INT64_C(1000000)) /* weigh at most twice a second */
#define FOLLOW_FLUSH_NS (2 * SECOND_NS)           /* a wrapped message waits so long for its rest */
#define LISTED_BRIEFLY 10
#define FLOWS_LISTED 1000 /* of captures: in JSON and with --verbose */
#define SPARSE_SIZE (UINT64_C(32) << 20) /* plain files from this size on: read sparsely */
#define MAP_SIZE (UINT64_C(8) << 20)     /* and mapped */

static volatile sig_atomic_t stop_signal; /* the one variable of the process: a signal came */

static void on_signal(int number)
{
	stop_signal = number;
}

struct reported { /* following: what was last said of an incident */
	uint64_t flow; /* hash of its flow: the id may change while earlier lines come in */
	uint64_t state;
};

struct run {
	const struct analyze_options *options;
	struct analysis *analysis;
	struct captures *captures; /* owns */
	struct text_style style;
	uint64_t files, failed;
	bool found_fault;
	bool table_failed; /* --sad: not read, or of no use */
	bool progress;       /* stderr is a terminal */
	bool progress_shown;
	int64_t progress_at; /* monotonic ns of the next word */
	struct input **inputs; /* following: owns */
	int *logs;
	bool *begun; /* owns: something was read of it */
	struct reported *reported; /* owns: sorted by flow */
	size_t reported_count, reported_room;
};

static void close_input(struct input **input)
{
	input_close(*input);
}

static int64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * SECOND_NS + now.tv_nsec;
}

static void say_trouble(void *context, struct text from, const struct log_trouble *t)
{
	struct run *run = context;
	struct buffer line = { 0 };

	if (!run->options->verbose)
		return;
	buffer_printf(&line, "%.*s: %s: %s (at byte %zu): ", TEXT_ARG(from), log_trouble_name(t->kind), t->reason, t->offset);
	for (size_t i = 0; i < t->text.len && i < 160; i++) {
		unsigned char c = (unsigned char)t->text.at[i];

		buffer_add_char(&line, c >= 0x20 && c < 0x7f ? (char)c : '.');
	}
	buffer_add_char(&line, '\n');
	fwrite(line.bytes, 1, line.len, stderr);
	buffer_done(&line);
}

static void say_progress(struct run *run, const char *name, uint64_t bytes)
{
	int64_t now;

	if (!run->progress)
		return;
	now = monotonic_ns();
	if (now < run->progress_at)
		return;
	fprintf(stderr, "\rspimend: %s: %" PRIu64 " MiB read\033[K", name, bytes >> 20);
	run->progress_at = now + SECOND_NS / 5;
	run->progress_shown = true;
}

static void end_progress(struct run *run)
{
	if (run->progress_shown)
		fputs("\r\033[K", stderr);
	run->progress_shown = false;
}

static void fail(struct run *run, const char *name, const char *reason)
{
	end_progress(run);
	fprintf(stderr, "spimend analyze: %s: %s\n", name, reason);
	run->failed++;
}

static const char *reason_of(int error)
{
	if (error == SPIMEND_E_LIMIT)
		return "compressed with too large a window; decompress it first (zstd -d --long=31) and use '-'";
	return spimend_strerror(error);
}

/* ---- output ---- */

static int put(const struct buffer *b)
{
	if (buffer_error(b) < 0)
		return -ENOMEM;
	if (fwrite(b->bytes, 1, b->len, stdout) != b->len || fflush(stdout) != 0)
		return errno ? -errno : -EIO;
	return 0;
}

static void add_incident(struct run *run, const struct incident *incident, struct buffer *out)
{
	struct plan plan;

	plan_build(incident, &plan);
	if (run->options->json)
		record_incident_json(incident, &plan, run->options->explain, out);
	else
		record_incident_text(incident, &plan, &run->style, out);
}

/* The next ones of logs and of captures, which are each in order of time. */
struct turn {
	size_t log, capture;
	bool has_log, has_capture;
	struct incident of_log, of_capture;
};

static void fill_turn(struct run *run, bool any, enum verdict verdict, struct turn *t)
{
	struct judge *judge = analysis_judge(run->analysis);
	struct capture_judge *captures = captures_judge(run->captures);

	while (!t->has_log && t->log < judge_incidents(judge)) {
		if (any || judge_verdict(judge, t->log) == verdict) {
			judge_incident(judge, t->log, &t->of_log);
			t->has_log = true;
		}
		t->log++;
	}
	while (!t->has_capture && t->capture < capture_judge_incidents(captures)) {
		if (any || capture_judge_verdict(captures, t->capture) == verdict) {
			capture_judge_incident(captures, t->capture, &t->of_capture);
			t->has_capture = true;
		}
		t->capture++;
	}
}

/* By first_seen, then flow. */
static int compare_incidents(const struct incident *a, const struct incident *b)
{
	int order;

	if (a->has_times != b->has_times)
		return a->has_times ? -1 : 1;
	if (a->has_times && a->first_seen.ns != b->first_seen.ns)
		return a->first_seen.ns < b->first_seen.ns ? -1 : 1;
	order = spimend_address_compare(&a->src, &b->src);
	if (order == 0)
		order = spimend_address_compare(&a->dst, &b->dst);
	return order ? order : (a->spi.value > b->spi.value) - (a->spi.value < b->spi.value);
}

static int print_turn(struct run *run, bool any, enum verdict verdict)
{
	struct turn t = { 0 };
	struct buffer out = { 0 };
	int result = 0;

	for (fill_turn(run, any, verdict, &t); result == 0 && (t.has_log || t.has_capture); fill_turn(run, any, verdict, &t)) {
		bool of_log = t.has_log && (!t.has_capture || compare_incidents(&t.of_log, &t.of_capture) <= 0);

		buffer_clear(&out);
		add_incident(run, of_log ? &t.of_log : &t.of_capture, &out);
		t.has_log &= !of_log;
		t.has_capture &= of_log;
		result = put(&out);
	}
	buffer_done(&out);
	return result;
}

/* For people the worst comes first; programs get them by time. */
static int print_incidents(struct run *run)
{
	static const enum verdict order[] = { VERDICT_DESYNC, VERDICT_OTHER_FAULT, VERDICT_UNDECIDED, VERDICT_TRANSIENT,
					      VERDICT_NOISE };
	int result = 0;

	if (run->options->json)
		return print_turn(run, true, VERDICT_UNDECIDED);
	for (size_t turn = 0; turn < sizeof(order) / sizeof(order[0]) && result == 0; turn++)
		result = print_turn(run, false, order[turn]);
	return result;
}

static int add_captures(struct run *run, struct summary *summary, struct summary_captures *captures)
{
	struct capture_judge *judge = captures_judge(run->captures);
	int result = captures_summary(run->captures, run->options->json || run->options->verbose ? FLOWS_LISTED : LISTED_BRIEFLY,
				      captures);

	if (result < 0)
		return result;
	summary->captures = captures;
	summary->bytes += captures->counts.bytes;
	summary->incidents += capture_judge_incidents(judge);
	for (size_t i = 0; i < capture_judge_incidents(judge); i++)
		summary->by_verdict[capture_judge_verdict(judge, i)]++;
	return 0;
}

/* `captures` is what the summary's member points to, where there are any. */
static int summarize(struct run *run, struct summary *ret, struct summary_captures *captures)
{
	analysis_summary(run->analysis, ret);
	ret->files = run->files;
	ret->files_failed = run->failed;
	return captures_count(run->captures) ? add_captures(run, ret, captures) : 0;
}

static int print_summary(struct run *run)
{
	struct buffer out = { 0 };
	struct summary_captures captures;
	struct summary summary;
	int result = summarize(run, &summary, &captures);

	if (result < 0)
		return result;
	run->found_fault |= summary.by_verdict[VERDICT_DESYNC] || summary.by_verdict[VERDICT_OTHER_FAULT];
	if (run->options->json)
		record_summary_json(&summary, &out);
	else
		record_summary_text(&summary, &run->style, run->options->verbose ? ANALYSIS_UNPARSED_KEPT : LISTED_BRIEFLY, &out);
	result = put(&out);
	buffer_done(&out);
	return result;
}

/* ---- reading to the end ---- */

static size_t again(void *context, uint64_t offset, char *to, size_t size)
{
	return input_read_again(context, offset, to, size);
}

/* Big logs are read sparsely; --verbose wants to hear of every line's trouble. */
static bool is_read_sparsely(const struct run *run, const struct input *input)
{
	return input_is_repeatable(input) && input_size(input) >= SPARSE_SIZE && !run->options->verbose;
}

/* A pipe may give pcapng's first byte, a line break, and no more at once. */
static bool could_be_capture(struct text bytes)
{
	return bytes.len < CAPTURE_MAGIC && bytes.len > 0 && bytes.at[0] == '\n';
}

/* At least as much as tells a capture from a log, where there is so much. */
static int read_more(struct input *input, struct text *bytes)
{
	int result = 1;

	while (bytes->len < CAPTURE_MAGIC && (result > 0 || result == -EINTR)) {
		if (stop_signal)
			return 0;
		if (result > 0)
			input_keep(input, bytes->len);
		result = input_next_bytes(input, bytes);
	}
	if (result < 0)
		return result;
	if (bytes->len && capture_format_of(*bytes) == CAPTURE_NONE) { /* a log: whole lines again */
		input_keep(input, bytes->len);
		result = input_next(input, bytes);
	}
	return result < 0 ? result : 0;
}

/* Feeds all of an open input; 0, or the error that ended it. */
static int read_input(struct run *run, struct input *input, int *ret_log)
{
	const char *name = input_name(input);
	struct text bytes;
	uint64_t total = 0;
	int result;

	while ((result = input_next(input, &bytes)) > 0 || result == -EINTR) {
		if (stop_signal)
			return 0;
		if (result == -EINTR)
			continue;
		if (total == 0 && could_be_capture(bytes) && (result = read_more(input, &bytes)) < 0)
			return result;
		if (total == 0 && capture_format_of(bytes) != CAPTURE_NONE) {
			run->failed += !captures_read(run->captures, input, bytes);
			return 0;
		}
		if (total == 0) {
			bool sparse = is_read_sparsely(run, input);

			*ret_log = analysis_add_log(run->analysis, text_of(name), sparse ? again : NULL, input);
			if (*ret_log < 0)
				return *ret_log;
		}
		analysis_feed(run->analysis, *ret_log, bytes);
		if (total == 0 && input_size(input) >= MAP_SIZE)
			input_map(input); /* read on as before where that cannot be */
		total += bytes.len;
		say_progress(run, name, total);
	}
	return result;
}

static void read_file(struct run *run, const char *name)
{
	struct input *input cleanup(close_input) = NULL;
	int log = -1, result = input_open(name, &input);

	run->files++;
	if (result == 0)
		result = read_input(run, input, &log);
	if (log >= 0) {
		analysis_flush(run->analysis, log);
		analysis_catch_up(run->analysis, log);
	}
	if (result < 0)
		fail(run, name, reason_of(result));
}

/* ---- following ---- */

static uint64_t hash_of(const void *bytes, size_t len)
{
	static const struct hash_key stable = { 0, 0 };

	return hash_bytes(&stable, bytes, len);
}

static uint64_t flow_hash(const struct incident *i)
{
	struct {
		struct spimend_address src, dst;
		uint32_t spi, aggregated, found;
	} parts;

	memset(&parts, 0, sizeof(parts));
	parts.src = i->src;
	parts.dst = i->dst;
	parts.spi = i->spi.value;
	parts.aggregated = i->verdict == VERDICT_NOISE ? i->rule + 1u : 0;
	parts.found = i->rule == RULE_SA_FOUND;
	return hash_of(&parts, sizeof(parts));
}

/* What a person wants to hear again: another verdict or cause, or ten times as many messages. */
static uint64_t state_hash(const struct incident *i)
{
	uint64_t magnitude = 0;

	for (uint64_t n = i->messages; n >= 10; n /= 10)
		magnitude++;
	uint64_t parts[5] = { i->verdict, i->rule, i->cause, i->confidence, magnitude };

	return hash_of(parts, sizeof(parts));
}

/* True when this was not said before. */
static bool is_news(struct run *run, const struct incident *incident)
{
	uint64_t flow = flow_hash(incident), state = state_hash(incident);
	size_t low = 0, high = run->reported_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (run->reported[middle].flow < flow)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < run->reported_count && run->reported[low].flow == flow) {
		bool news = run->reported[low].state != state;

		run->reported[low].state = state;
		return news;
	}
	if (run->reported_count == run->reported_room) {
		size_t room = run->reported_room ? run->reported_room * 2 : 256;
		struct reported *more = memory_resize(run->reported, room, sizeof(*more));

		if (!more)
			return true; /* better said twice than not at all */
		run->reported = more;
		run->reported_room = room;
	}
	memmove(run->reported + low + 1, run->reported + low, (run->reported_count - low) * sizeof(*run->reported));
	run->reported[low] = (struct reported){ flow, state };
	run->reported_count++;
	return true;
}

static int report_news(struct run *run)
{
	struct judge *judge = analysis_judge(run->analysis);
	struct buffer out = { 0 };
	struct incident incident;
	int result = analysis_settle(run->analysis);

	for (size_t i = 0; result == 0 && i < judge_incidents(judge); i++) {
		judge_incident(judge, i, &incident);
		if (!is_news(run, &incident))
			continue;
		buffer_clear(&out);
		add_incident(run, &incident, &out);
		result = put(&out);
	}
	buffer_done(&out);
	return result;
}

/* Reads what there is; true when there was something. */
static bool drain(struct run *run, int index)
{
	struct input *input = run->inputs[index];
	struct text bytes;
	bool any = false;
	int result = 0;

	while (input && !stop_signal && (result = input_next(input, &bytes)) > 0) {
		if (!run->begun[index] && capture_format_of(bytes) != CAPTURE_NONE) {
			fail(run, run->options->files[index], "a packet capture cannot be followed");
			input_close(input);
			run->inputs[index] = NULL;
			return any;
		}
		run->begun[index] = true;
		if (input_rotated(input))
			analysis_restart(run->analysis, run->logs[index]);
		analysis_feed(run->analysis, run->logs[index], bytes);
		any = true;
	}
	if (result < 0 && result != -EINTR) {
		fail(run, run->options->files[index], reason_of(result));
		input_close(input);
		run->inputs[index] = NULL;
	}
	return any;
}

static bool all_ended(const struct run *run)
{
	for (int i = 0; i < run->options->file_count; i++)
		if (run->inputs[i] && !input_ended(run->inputs[i]))
			return false;
	return true;
}

static int follow(struct run *run)
{
	int count = run->options->file_count, result = 0;
	int64_t settled = 0, fed = monotonic_ns();
	bool dirty = false, waiting = false;

	run->inputs = memory_new((size_t)count, sizeof(struct input *));
	run->logs = memory_new((size_t)count, sizeof(int));
	run->begun = memory_new((size_t)count, sizeof(bool));
	if (!run->inputs || !run->logs || !run->begun)
		return -ENOMEM;
	for (int i = 0; i < count; i++) {
		const char *name = run->options->files[i];
		int opened = input_follow(name, &run->inputs[i]);

		run->files++;
		run->logs[i] = opened < 0 ? opened : analysis_add_log(run->analysis, text_of(name), NULL, NULL);
		if (run->logs[i] < 0)
			fail(run, name, opened == -EINVAL ? "a compressed file cannot be followed" : reason_of(run->logs[i]));
		else if (isatty(STDERR_FILENO) && input_size(run->inputs[i]) == 0 && access(name, F_OK) < 0)
			fprintf(stderr, "spimend analyze: %s: is not there yet; waiting for it\n", name);
		if (run->logs[i] < 0 && run->inputs[i]) {
			input_close(run->inputs[i]);
			run->inputs[i] = NULL;
		}
	}
	while (!stop_signal && result == 0) {
		bool any = false;
		int64_t now;

		for (int i = 0; i < count; i++)
			any |= drain(run, i);
		now = monotonic_ns();
		if (any) {
			fed = now;
			dirty = waiting = true;
		} else if (waiting && now - fed > FOLLOW_FLUSH_NS) {
			for (int i = 0; i < count; i++)
				if (run->inputs[i])
					analysis_flush(run->analysis, run->logs[i]);
			waiting = false;
			dirty = true;
		}
		if (dirty && now - settled > FOLLOW_SETTLE_NS) {
			result = report_news(run);
			settled = monotonic_ns();
			dirty = false;
		}
		if (all_ended(run))
			break;
		if (!any && result == 0)
			result = input_wait(run->inputs, (size_t)count, FOLLOW_WAIT_MS);
	}
	for (int i = 0; i < count; i++) {
		if (run->inputs[i])
			analysis_flush(run->analysis, run->logs[i]);
		input_close(run->inputs[i]);
	}
	return result < 0 ? result : report_news(run);
}

/* ---- */

static void set_style(struct run *run)
{
	style_of_output(&run->style);
	run->style.verbose = run->options->verbose;
	run->style.explain = run->options->explain;
	run->progress = isatty(STDERR_FILENO) && !run->options->follow;
	run->progress_at = monotonic_ns() + SECOND_NS;
}

/* What goes wrong is said, and counts as trouble. */
static void write_page(struct run *run)
{
	struct summary_captures captures;
	struct summary summary;
	int result = summarize(run, &summary, &captures);

	if (result == 0)
		result = analyze_html_write(run->options->html, analysis_judge(run->analysis), captures_judge(run->captures), &summary);
	if (result < 0)
		fail(run, run->options->html, spimend_strerror(result));
}

static void say_of_capture(void *context, const char *name, const char *reason)
{
	struct run *run = context;

	end_progress(run);
	fprintf(stderr, "spimend analyze: %s: %s\n", name, reason);
}

static bool go_on(void *context, const char *name, uint64_t bytes)
{
	say_progress(context, name, bytes);
	return !stop_signal;
}

/* Captures are judged when all are there, with the receiver's table. */
static int judge_captures(struct run *run)
{
	const struct analyze_options *o = run->options;
	bool is_sound = true;

	if (o->table_count && captures_count(run->captures) == 0) {
		say_of_capture(run, o->tables[0], "--sad is about captures, and none was given");
		run->table_failed = true;
		return 0;
	}
	for (size_t i = 0; i < o->table_count; i++)
		is_sound &= captures_read_table(run->captures, o->tables[i]);
	if (o->table_count)
		is_sound &= captures_finish_table(run->captures, o->receivers, o->receiver_count);
	run->table_failed = !is_sound;
	return captures_settle(run->captures);
}

static int analyze(struct run *run)
{
	const struct analyze_options *o = run->options;
	int result = analysis_new(&o->settings, &o->rules, say_trouble, run, &run->analysis);

	for (size_t i = 0; i < o->peer_count && result == 0; i++)
		result = judge_add_peer(analysis_judge(run->analysis), &o->peers[i]);
	if (result == 0)
		result = captures_new(analysis_judge(run->analysis), say_of_capture, go_on, run, &run->captures);
	if (result < 0)
		return result;
	if (o->follow) {
		result = follow(run);
	} else {
		for (int i = 0; i < o->file_count && !stop_signal; i++)
			read_file(run, o->files[i]);
		end_progress(run);
		result = analysis_settle(run->analysis);
		if (result == 0)
			result = judge_captures(run);
		if (result == 0 && captures_missed_receiver(run->captures)) {
			say_of_capture(run, o->tables[0], "no packet of the captures goes to an address of this receiver");
			run->table_failed = true;
		}
		if (result == 0)
			result = print_incidents(run);
	}
	if (result == 0)
		result = print_summary(run);
	if (result == 0 && o->html)
		write_page(run);
	return result;
}

int analyze_main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct analyze_options options;
	struct run run = { .options = &options };
	int status = analyze_options_read(argc, argv, &options), result;

	if (status) {
		analyze_options_done(&options);
		return status - 1;
	}
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	set_style(&run);
	result = analyze(&run);
	if (result < 0 && result != -EPIPE)
		fprintf(stderr, "spimend analyze: %s\n", spimend_strerror(result));
	analysis_free(run.analysis);
	memory_free(run.inputs);
	memory_free(run.logs);
	memory_free(run.begun);
	captures_free(run.captures);
	memory_free(run.reported);
	analyze_options_done(&options);
	if (result < 0 || run.failed || run.table_failed)
		return EXIT_TROUBLE;
	return run.found_fault ? EXIT_FAULT_FOUND : EXIT_NOTHING_WRONG;
}
