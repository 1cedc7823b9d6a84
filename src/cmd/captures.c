/* SPDX-License-Identifier: MIT */
#include "cmd/captures.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/memory.h"
#include "parse/device_output.h"
#include "record/values.h"
#include "spimend/error.h"

#define TABLE_BYTES_MOST (512u << 20)
#define MAP_SIZE (UINT64_C(8) << 20) /* plain files from this size on are mapped */
#define TROUBLES_SAID 5              /* of one saved output */

struct captures {
	struct capture_judge *judge; /* owns */
	captures_say_fn *say;
	captures_go_on_fn *go_on;
	void *context; /* borrows */
	struct packet batch[CAPTURE_BATCH_MAX];
	struct capture_counts counts; /* of all files */
	uint64_t files, failed;
	const char *table; /* borrows: the name of what is read */
	unsigned troubles;
	bool has_table;
	bool table_failed; /* and why was said */
	bool is_partial;   /* one of the outputs of the receiver was not read */
	int error;
	struct summary_flow *flows; /* owns: for the summary */
	struct summary_exchange exchanges[EXCHANGES];
	struct summary_count results[FRAME_RESULTS];
};

int captures_new(const struct judge *judge, captures_say_fn *say, captures_go_on_fn *go_on, void *context,
		 struct captures **ret)
{
	struct captures *c = memory_new(1, sizeof(*c));
	struct hash_key key;
	int result = 0;

	if (!c)
		return -ENOMEM;
	*c = (struct captures){ .say = say, .go_on = go_on, .context = context };
	if (getrandom(&key, sizeof(key), 0) != (ssize_t)sizeof(key))
		result = -errno;
	if (result == 0)
		result = capture_judge_new(judge, &key, &c->judge);
	if (result < 0) {
		captures_free(c);
		return result;
	}
	*ret = c;
	return 0;
}

void captures_free(struct captures *c)
{
	if (!c)
		return;
	capture_judge_free(c->judge);
	memory_free(c->flows);
	memory_free(c);
}

struct capture_judge *captures_judge(struct captures *c)
{
	return c->judge;
}

uint64_t captures_count(const struct captures *c)
{
	return c->files;
}

static void free_capture(struct capture_reader **capture)
{
	capture_free(*capture);
}

static void add_up(struct capture_counts *sum, const struct capture_counts *more)
{
	sum->bytes += more->bytes;
	sum->packets += more->packets;
	sum->wire_bytes += more->wire_bytes;
	sum->esp += more->esp;
	sum->esp_udp += more->esp_udp;
	sum->ah += more->ah;
	sum->ike += more->ike;
	sum->invalid_spi_notifies += more->invalid_spi_notifies;
	for (int i = 0; i < FRAME_RESULTS; i++)
		sum->results[i] += more->results[i];
	sum->refused += more->refused;
	sum->without_time += more->without_time;
	sum->cut += more->cut;
	sum->sections += more->sections;
	sum->interfaces += more->interfaces;
	sum->other_blocks += more->other_blocks;
	if (!more->has_times)
		return;
	if (!sum->has_times || more->first_ns < sum->first_ns)
		sum->first_ns = more->first_ns;
	if (!sum->has_times || more->last_ns > sum->last_ns)
		sum->last_ns = more->last_ns;
	sum->has_times = true;
}

/* All whole records of `bytes`, a batch at a time; what is left of them. */
static struct text take(struct captures *c, struct capture_reader *capture, int file, struct text bytes)
{
	size_t count;

	do {
		size_t used = capture_read(capture, bytes, c->batch, CAPTURE_BATCH_MAX, &count);

		bytes = text_skip(bytes, used);
		capture_judge_packets(c->judge, file, c->batch, count);
	} while (count == CAPTURE_BATCH_MAX);
	return bytes;
}

/* 0 at the end, or where a person stopped it; negative: why it ended before. */
static int take_all(struct captures *c, struct capture_reader *capture, int file, struct input *input, struct text bytes)
{
	bool is_first = true;
	int result = 1;

	while (result > 0 || result == -EINTR) {
		if (!c->go_on(c->context, input_name(input), capture_counts(capture)->bytes))
			return 0;
		if (result > 0) {
			bytes = take(c, capture, file, bytes);
			if (capture_is_over(capture))
				return 0;
			input_keep(input, bytes.len); /* a record always fits: CAPTURE_RECORD_MAX */
			if (is_first && input_size(input) >= MAP_SIZE)
				input_map(input); /* read on as before where that cannot be */
			is_first = false;
		}
		result = input_next_bytes(input, &bytes);
	}
	if (result == 0)
		capture_end(capture, bytes.len);
	return result;
}
_Static_assert(CAPTURE_RECORD_MAX < INPUT_LINE_MAX && CAPTURE_RECORD_MAX < INPUT_MAP_WINDOW, "a record fits");

static bool say_troubles(struct captures *c, struct capture_reader *capture, const char *name)
{
	struct capture_trouble t;
	char reason[CAPTURE_REASON_MAX + 64];
	bool any = false;

	while (capture_trouble(capture, &t)) {
		snprintf(reason, sizeof(reason), "at byte %" PRIu64 ": %s", t.offset, t.reason);
		c->say(c->context, name, reason);
		any = true;
	}
	return any;
}

bool captures_read(struct captures *c, struct input *input, struct text first)
{
	struct capture_reader *capture cleanup(free_capture) = NULL;
	const struct capture_counts *counts;
	int file = capture_judge_file(c->judge, text_of(input_name(input))), result = file;
	char reason[128];
	bool failed;

	c->files++;
	if (result >= 0)
		result = capture_new(&capture);
	if (result < 0) {
		c->say(c->context, input_name(input), result == -E2BIG ? "more captures than one run can have" : spimend_strerror(result));
		return false;
	}
	result = take_all(c, capture, file, input, first);
	counts = capture_counts(capture);
	if (counts->has_times)
		capture_judge_span(c->judge, counts->first_ns, counts->last_ns);
	add_up(&c->counts, counts);
	failed = say_troubles(c, capture, input_name(input));
	if (result < 0) {
		snprintf(reason, sizeof(reason), "at byte %" PRIu64 " of what is inside, after %" PRIu64 " packets: %s", counts->bytes,
			 counts->packets, spimend_strerror(result));
		c->say(c->context, input_name(input), reason);
		failed = true;
	}
	return !failed;
}

/* ---- the receiver's table ---- */

static void on_begin(void *context, enum saved_output output, uint32_t line, const struct saved_filter *filter)
{
	struct captures *c = context;
	int result = capture_judge_table_begin(c->judge, output, filter);

	(void)line;
	if (result < 0)
		c->error = result;
}

static void on_record(void *context, const struct saved_record *record)
{
	struct captures *c = context;
	int result = capture_judge_table_add(c->judge, record);

	if (result < 0)
		c->error = result;
}

static void on_end(void *context, enum saved_output output, bool cut)
{
	struct captures *c = context;

	(void)output;
	capture_judge_table_end(c->judge, cut);
}

static void on_trouble(void *context, const struct device_trouble *t)
{
	struct captures *c = context;
	struct buffer reason = { 0 };

	if (c->troubles++ >= TROUBLES_SAID)
		return;
	buffer_printf(&reason, "line %" PRIu32 ": %s", t->line, t->reason);
	if (t->text.len) {
		buffer_add_string(&reason, ": ");
		record_add_printable(&reason, text_first(t->text, 80));
	}
	buffer_add_char(&reason, '\0');
	if (buffer_error(&reason) == 0)
		c->say(c->context, c->table, reason.bytes);
	buffer_done(&reason);
}

bool captures_read_table(struct captures *c, const char *path)
{
	const struct device_sink sink = { c, on_begin, on_record, on_end, on_trouble };
	struct device_output *reader = NULL;
	struct buffer bytes = { 0 };
	int result = input_read_whole(path, TABLE_BYTES_MOST, &bytes);
	bool damaged = result == SPIMEND_E_COMPRESSED && bytes.len > 0;

	c->table = path;
	c->troubles = 0;
	if (result < 0) {
		c->say(c->context, path, spimend_strerror(result));
		c->table_failed = true;
	}
	if (result == 0 || damaged) {
		result = capture_judge_table_file(c->judge, text_of(path));
		if (result == 0)
			result = device_output_new(&sink, "", &reader);
		if (result == 0) {
			device_output_feed(reader, buffer_text(&bytes));
			device_output_end(reader, damaged);
			device_output_free(reader);
			result = c->error;
		}
		if (result < 0)
			c->say(c->context, path, spimend_strerror(result));
	}
	buffer_done(&bytes);
	c->has_table |= result == 0;
	c->is_partial |= result < 0;
	return result == 0 && !damaged && c->troubles == 0;
}

bool captures_finish_table(struct captures *c, const struct spimend_address *receivers, size_t count)
{
	int result = c->has_table ? 0 : -ENOENT;

	for (size_t i = 0; i < count && result == 0; i++)
		result = capture_judge_receiver(c->judge, &receivers[i]);
	if (result == 0 && c->is_partial) /* what another of its outputs could not tell may have the SA */
		capture_judge_table_end(c->judge, true);
	if (result == 0)
		result = capture_judge_table_finish(c->judge);
	c->has_table = result == 0;
	if (result == -ENOENT && !c->table_failed)
		c->say(c->context, "--sad", "no table of SAs in there: swanctl --list-sas, ip xfrm state or show crypto ipsec sa is expected");
	else if (result == -ENODATA)
		c->say(c->context, "--sad", "nothing there tells which addresses are the receiver's: name them with --receiver");
	else if (result < 0 && result != -ENOENT)
		c->say(c->context, "--sad", spimend_strerror(result));
	return result == 0;
}

bool captures_missed_receiver(struct captures *c)
{
	struct capture_judge_counts counts;

	capture_judge_counts(c->judge, &counts);
	return c->has_table && c->files && counts.judged == 0;
}

/* ---- what was seen ---- */

int captures_settle(struct captures *c)
{
	return capture_judge_settle(c->judge);
}

static int by_packets(const void *left, const void *right)
{
	const struct summary_flow *a = left, *b = right;

	if (a->is.packets != b->is.packets)
		return a->is.packets > b->is.packets ? -1 : 1;
	return (a->order > b->order) - (a->order < b->order);
}

static int by_order(const void *left, const void *right)
{
	const struct summary_flow *a = left, *b = right;

	return (a->order > b->order) - (a->order < b->order);
}

int captures_summary(struct captures *c, size_t listed, struct summary_captures *ret)
{
	struct capture_judge_counts counts;
	size_t flows = capture_judge_flows(c->judge);
	struct summary_captures s = { .files = c->files, .counts = c->counts, .exchanges = c->exchanges };

	memory_free(c->flows);
	c->flows = memory_new(flows + 1, sizeof(*c->flows));
	if (!c->flows)
		return -ENOMEM;
	for (size_t i = 0; i < flows; i++) {
		capture_judge_flow(c->judge, i, &c->flows[i].is);
		c->flows[i].order = i;
	}
	qsort(c->flows, flows, sizeof(*c->flows), by_packets);
	s.flows = c->flows;
	s.flow_count = flows < listed ? flows : listed;
	qsort(c->flows, s.flow_count, sizeof(*c->flows), by_order);
	capture_judge_counts(c->judge, &counts);
	s.judged = counts;
	s.has_table = c->has_table;
	for (int i = 0; i < EXCHANGES; i++)
		c->exchanges[i] = (struct summary_exchange){ packet_ike_name((enum packet_ike)i), counts.ike[i][0], counts.ike[i][1] };
	for (int i = 0; i < FRAME_RESULTS; i++)
		c->results[i] = (struct summary_count){ frame_result_name((enum frame_result)i), c->counts.results[i] };
	s.exchange_count = EXCHANGES;
	s.results = c->results;
	s.result_count = FRAME_RESULTS;
	*ret = s;
	return 0;
}
