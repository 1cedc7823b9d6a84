/* SPDX-License-Identifier: MIT */
/*
 * libFuzzer: the whole way from bytes to facts, as plain lines and as records of a table. Fed at once or line by line, the
 * same bytes give the same facts, tables and troubles.
 */
#include <stdio.h>
#include <stdlib.h>

#include "parse/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

struct record {
	struct buffer out;
	uint64_t strays, others, troubles;
};

static void record_fact(void *context, const struct log_fact *f)
{
	struct record *r = context;
	char src[SPIMEND_ADDRESS_TEXT_MAX], dst[SPIMEND_ADDRESS_TEXT_MAX];

	must(f->fact.kind > FACT_NONE && f->fact.kind < FACT_KINDS && f->fact.count >= 1);
	must(f->fact.interface[FACT_INTERFACE_MAX - 1] == '\0');
	buffer_printf(&r->out, "%d %s %s %s %x %x %d %d %d %lld ", (int)f->line, fact_kind_name(f->fact.kind),
		spimend_address_print(&f->fact.src, src), spimend_address_print(&f->fact.dst, dst), f->fact.spi.value, f->fact.flags,
		(int)f->fact.count, f->is_repeat, f->has_at, f->has_at ? (long long)f->at.ns : 0);
	buffer_add(&r->out, f->host);
	buffer_add_char(&r->out, ' ');
	buffer_add(&r->out, f->text);
	buffer_add_char(&r->out, '\n');
	if (f->fact.kind == FACT_STRAY)
		r->strays += !f->is_repeat;
	else
		r->others++;
}

static void record_block(void *context, const struct sa_block *block, uint64_t line)
{
	struct record *r = context;

	buffer_printf(&r->out, "%d table %zu %zu\n", (int)line, block->inbound_count, block->outbound_count);
}

static void record_trouble(void *context, const struct log_trouble *t)
{
	struct record *r = context;

	must(t->kind < TROUBLE_KINDS && t->reason);
	buffer_printf(&r->out, "%d %s %s %zu ", (int)t->line, log_trouble_name(t->kind), t->reason, t->offset);
	buffer_add(&r->out, t->text);
	buffer_add_char(&r->out, '\n');
	r->troubles++;
}

static void read_log(const struct scan *scan, struct text bytes, unsigned column, bool by_line, struct record *ret)
{
	const struct hash_key key = { 1, 2 };
	const struct log_sink sink = { ret, record_fact, record_block, record_trouble };
	const struct log_rules rules = { .stamps = { .year = 2026 }, .column = column };
	const struct log_counts *counts;
	uint64_t troubles = 0;
	struct hosts hosts;
	struct log *log;

	must(hosts_init(&hosts, &key) == 0 && log_new(&rules, scan, &hosts, &sink, &log) == 0);
	while (bytes.len) {
		size_t end = text_find_char(bytes, '\n');
		struct text piece = by_line && end != TEXT_NOT_FOUND ? text_first(bytes, end + 1) : bytes;
		char *copy = malloc(piece.len);

		must(copy != NULL);
		memcpy(copy, piece.at, piece.len);
		log_feed(log, (struct text){ copy, piece.len });
		free(copy);
		bytes = text_skip(bytes, piece.len);
	}
	log_flush(log);
	counts = log_counts(log);
	for (int i = 0; i < TROUBLE_KINDS; i++)
		troubles += counts->troubles[i];
	must(counts->strays == ret->strays && counts->evidence == ret->others && troubles == ret->troubles);
	buffer_printf(&ret->out, "%d lines\n", (int)counts->lines);
	log_free(log);
	hosts_done(&hosts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct scan scan;
	struct text bytes = { (const char *)data, size };

	if (scan.all.bucket_count[0] == 0)
		scan_init_width(&scan, SCAN_PORTABLE);
	for (unsigned column = 0; column < 3; column += 2) {
		struct record whole = { 0 }, lines = { 0 };

		read_log(&scan, bytes, column, false, &whole);
		read_log(&scan, bytes, column, true, &lines);
		must(text_equal(buffer_text(&whole.out), buffer_text(&lines.out)));
		buffer_done(&whole.out);
		buffer_done(&lines.out);
	}
	return 0;
}
