/* SPDX-License-Identifier: MIT */
#include "cmd/analysis.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>

#include "base/memory.h"

#define LOGS_MAX 4096
#define SKIP_TEXT_MAX 240
#define CATCH_UP_WINDOW (1u << 20)

struct analysis;

struct log_slot {
	struct analysis *analysis;
	struct log *log; /* owns */
	char *name;      /* owns */
	uint32_t source;
	analysis_again_fn *again;
	void *again_context; /* borrows */
};

struct skip { /* a kept unparsed line */
	char *from, *text; /* own */
	const char *reason;
};

struct analysis {
	struct judge *judge;
	struct scan scan;
	struct hosts hosts;
	struct log_rules rules;
	struct log_slot **logs; /* owns, each too */
	int log_count;
	struct log_counts finished; /* of logs that were replaced */
	analysis_trouble_fn *trouble;
	void *context;
	struct skip skips[ANALYSIS_UNPARSED_KEPT];
	size_t skip_count;
	struct summary_skip shown[ANALYSIS_UNPARSED_KEPT];
	struct summary_count counts[TROUBLE_KINDS];
};

static void on_fact(void *context, const struct log_fact *f)
{
	struct log_slot *slot = context;
	struct judge_claim claim = {
		.fact = &f->fact,
		.host = f->host,
		.has_at = f->has_at,
		.at = f->at,
		.has_heard_at = f->has_heard_at,
		.heard_at = f->heard_at,
		.is_repeat = f->is_repeat,
		.is_alone = f->is_alone,
		.source = slot->source,
		.line = f->line,
		.text = f->text,
	};

	judge_claim(slot->analysis->judge, &claim);
}

static void on_block(void *context, const struct sa_block *block, uint64_t line)
{
	struct log_slot *slot = context;

	judge_block(slot->analysis->judge, block, slot->source, line);
}

static char *copy_text(struct text t)
{
	char *copy = memory_new(t.len + 1, 1);

	if (!copy)
		return NULL;
	text_copy(t, copy, t.len + 1);
	for (size_t i = 0; i < t.len; i++) /* the rest of a damaged line is worth seeing too */
		copy[i] = copy[i] ? copy[i] : ' ';
	return copy;
}

static void on_trouble(void *context, const struct log_trouble *trouble)
{
	struct log_slot *slot = context;
	struct analysis *a = slot->analysis;
	char from[512];
	int n = snprintf(from, sizeof(from), "%s:%" PRIu64, slot->name, trouble->line);
	struct text place = text_first(text_of(from), n > 0 ? (size_t)n : 0);

	if (trouble->kind == TROUBLE_UNPARSED && a->skip_count < ANALYSIS_UNPARSED_KEPT) {
		struct skip skip = {
			.from = copy_text(place),
			.text = copy_text(text_first(trouble->text, SKIP_TEXT_MAX)),
			.reason = trouble->reason,
		};

		if (skip.from && skip.text) {
			a->skips[a->skip_count++] = skip;
		} else {
			memory_free(skip.from);
			memory_free(skip.text);
		}
	}
	if (a->trouble)
		a->trouble(a->context, place, trouble);
}

int analysis_new(const struct judge_settings *settings, const struct log_rules *rules, analysis_trouble_fn *trouble,
		 void *context, struct analysis **ret)
{
	struct analysis *a = memory_new(1, sizeof(*a));
	struct hash_key key;
	int result = 0;

	if (!a)
		return -ENOMEM;
	a->rules = *rules;
	a->trouble = trouble;
	a->context = context;
	scan_init(&a->scan);
	if (getrandom(&key, sizeof(key), 0) != (ssize_t)sizeof(key))
		result = -errno;
	a->logs = memory_new(LOGS_MAX, sizeof(struct log_slot *));
	if (result == 0 && !a->logs)
		result = -ENOMEM;
	if (result == 0)
		result = hosts_init(&a->hosts, &key);
	if (result == 0)
		result = judge_new(settings, &key, &a->judge);
	if (result < 0) {
		analysis_free(a);
		return result;
	}
	*ret = a;
	return 0;
}

void analysis_free(struct analysis *a)
{
	if (!a)
		return;
	for (int i = 0; i < a->log_count; i++) {
		log_free(a->logs[i]->log);
		memory_free(a->logs[i]->name);
		memory_free(a->logs[i]);
	}
	for (size_t i = 0; i < a->skip_count; i++) {
		memory_free(a->skips[i].from);
		memory_free(a->skips[i].text);
	}
	memory_free(a->logs);
	hosts_done(&a->hosts);
	judge_free(a->judge);
	memory_free(a);
}

struct judge *analysis_judge(struct analysis *a)
{
	return a->judge;
}

static size_t read_again(void *context, uint64_t offset, char *to, size_t size)
{
	struct log_slot *slot = context;

	return slot->again(slot->again_context, offset, to, size);
}

static int open_log(struct log_slot *slot)
{
	struct log_rules rules = slot->analysis->rules;
	struct log_sink sink = { .context = slot, .fact = on_fact, .block = on_block, .trouble = on_trouble };

	rules.sparse = slot->again != NULL;
	rules.read_again = slot->again ? read_again : NULL;
	return log_new(&rules, &slot->analysis->scan, &slot->analysis->hosts, &sink, &slot->log);
}

int analysis_add_log(struct analysis *a, struct text name, analysis_again_fn *again, void *context)
{
	struct log_slot *slot;
	int result;

	if (a->log_count == LOGS_MAX)
		return -EMFILE;
	slot = memory_new(1, sizeof(*slot));
	if (!slot)
		return -ENOMEM;
	slot->analysis = a;
	slot->again = again;
	slot->again_context = context;
	slot->name = copy_text(name);
	slot->source = judge_add_source(a->judge, name);
	result = slot->name ? open_log(slot) : -ENOMEM;
	if (result < 0) {
		memory_free(slot->name);
		memory_free(slot);
		return result;
	}
	a->logs[a->log_count] = slot;
	return a->log_count++;
}

void analysis_feed(struct analysis *a, int log, struct text bytes)
{
	log_feed(a->logs[log]->log, bytes);
}

static void hear_unnamed(struct analysis *a, const struct log *log)
{
	char text[SPIMEND_ADDRESS_TEXT_MAX];
	struct spimend_address device;
	struct instant last;

	if (log_heard_unnamed(log, &device, &last))
		judge_hear(a->judge, text_of(spimend_address_print(&device, text)), last);
}

void analysis_flush(struct analysis *a, int log)
{
	log_flush(a->logs[log]->log);
	hear_unnamed(a, a->logs[log]->log);
}

static void hear_hosts(struct analysis *a)
{
	for (size_t i = 0; i < a->hosts.room; i++) {
		const struct host *h = &a->hosts.slots[i];

		if (h->name_len && h->heard)
			judge_hear(a->judge, host_name(h), h->last);
	}
	for (int i = 0; i < a->log_count; i++)
		hear_unnamed(a, a->logs[i]->log);
}

void analysis_catch_up(struct analysis *a, int log)
{
	struct log_slot *slot = a->logs[log];
	uint64_t end = log_counts(slot->log)->bytes;
	char *window cleanup(memory_free_pointer) = memory_new(CATCH_UP_WINDOW, 1);
	struct instant earliest, latest;

	while (window && slot->again && end) {
		uint64_t start = end > CATCH_UP_WINDOW ? end - CATCH_UP_WINDOW : 0;
		struct text bytes = { window, slot->again(slot->again_context, start, window, (size_t)(end - start)) };
		size_t cut = start ? text_find_char(bytes, '\n') : 0;

		hear_hosts(a);
		if (!judge_wants_to_hear(a->judge, &earliest) || bytes.len == 0)
			return;
		if (start && cut != TEXT_NOT_FOUND) { /* the first line is whole only in the window before */
			start += cut + 1;
			bytes = text_skip(bytes, cut + 1);
		}
		/* Lines this old cannot tell what is asked, and neither can those before them. */
		if (log_overhear(slot->log, bytes, &latest) && latest.ns < earliest.ns)
			return;
		end = start;
	}
}

static void add_counts(struct log_counts *to, const struct log_counts *c)
{
	to->lines += c->lines;
	to->bytes += c->bytes;
	to->candidates += c->candidates;
	to->strays += c->strays;
	to->evidence += c->evidence;
	for (int kind = 0; kind < TROUBLE_KINDS; kind++)
		to->troubles[kind] += c->troubles[kind];
}

void analysis_restart(struct analysis *a, int log)
{
	struct log_slot *slot = a->logs[log];
	struct log *old = slot->log;

	analysis_flush(a, log);
	if (open_log(slot) < 0) {
		slot->log = old; /* no memory: go on with the old numbers */
		return;
	}
	add_counts(&a->finished, log_counts(old));
	log_free(old);
}

int analysis_settle(struct analysis *a)
{
	hear_hosts(a);
	return judge_settle(a->judge);
}

void analysis_summary(struct analysis *a, struct summary *ret)
{
	const struct judge_counts *counts = judge_counts(a->judge);
	struct log_counts all = a->finished;
	struct summary s = { 0 };

	for (int i = 0; i < a->log_count; i++)
		add_counts(&all, log_counts(a->logs[i]->log));
	s.lines = all.lines;
	s.bytes = all.bytes;
	s.messages = counts->messages;
	s.copies = counts->copies;
	s.evidence = all.evidence;
	s.unparsed = all.troubles[TROUBLE_UNPARSED];
	s.evicted = counts->evicted;
	s.forgotten = counts->forgotten;
	s.refused = counts->refused;
	s.neighbours_dropped = counts->neighbours_dropped;
	s.tables_dropped = counts->blocks_dropped;
	s.hosts_refused = a->hosts.refused;
	s.incidents = judge_incidents(a->judge);
	judge_verdicts(a->judge, s.by_verdict);
	for (int kind = 0; kind < TROUBLE_KINDS; kind++)
		a->counts[kind] = (struct summary_count){ log_trouble_name((enum log_trouble_kind)kind), all.troubles[kind] };
	s.troubles = a->counts;
	s.trouble_count = TROUBLE_KINDS;
	for (size_t i = 0; i < a->skip_count; i++) {
		a->shown[i] = (struct summary_skip){
			.from = text_of(a->skips[i].from),
			.reason = text_of(a->skips[i].reason),
			.text = text_of(a->skips[i].text),
		};
	}
	s.unparsed_lines = a->shown;
	s.unparsed_lines_count = a->skip_count;
	*ret = s;
}
