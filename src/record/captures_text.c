/* SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "record/captures.h"
#include "record/values.h"

static void add_flow(const struct capture_flow *f, struct buffer *out)
{
	char src[SPIMEND_ADDRESS_TEXT_MAX], dst[SPIMEND_ADDRESS_TEXT_MAX];

	buffer_printf(out, "  %s -> %s  %s%s 0x%" PRIx32 "  %" PRIu64 " packet%s", spimend_address_print(&f->key.src, src),
		      spimend_address_print(&f->key.dst, dst), f->key.protocol == SPIMEND_PROTOCOL_AH ? "AH" : "ESP",
		      f->key.encap_udp ? "/UDP" : "", f->key.spi, f->packets, text_plural(f->packets));
	if (f->has_times) {
		buffer_add_string(out, "  ");
		calendar_print_short(out, f->first);
		buffer_add_string(out, f->packets > 1 ? " for " : "");
		if (f->packets > 1)
			calendar_print_duration(out, f->last.ns - f->first.ns);
	}
	buffer_printf(out, "  seq %" PRIu32, f->sequence_first);
	if (f->packets > 1)
		buffer_printf(out, "-%" PRIu32, f->sequence_last);
	if (f->is_judged)
		buffer_add_string(out, f->is_known ? "  in the table" : "  not in the table");
	buffer_add_string(out, f->is_new ? "  SPI change" : "");
	buffer_add_string(out, f->is_one_way ? "  one way" : "");
	buffer_add_char(out, '\n');
}

static void add_count(struct buffer *t, uint64_t count, const char *what)
{
	if (count)
		buffer_printf(t, ", %" PRIu64 " %s", count, what);
}

static void add_exchanges(const struct summary_captures *c, struct buffer *t)
{
	bool any = false;

	for (size_t i = 0; i < c->exchange_count; i++) {
		const struct summary_exchange *e = &c->exchanges[i];

		if (e->requests + e->responses == 0)
			continue;
		buffer_add_string(t, any ? ", " : "IKE: ");
		buffer_printf(t, "%s %" PRIu64, e->name, e->requests);
		if (e->responses)
			buffer_printf(t, "+%" PRIu64, e->responses);
		any = true;
	}
	if (any)
		buffer_add_string(t, " (requests+responses). ");
}

static void add_limits(const struct summary_captures *c, struct buffer *t)
{
	if (c->judged.evicted)
		buffer_printf(t, "%" PRIu64 " SPIs of a single packet made room in the table. ", c->judged.evicted);
	if (c->judged.refused_packets)
		buffer_printf(t, "%" PRIu64 " packets were of SPIs that found no room. ", c->judged.refused_packets);
	if (c->judged.table_refused)
		buffer_printf(t, "%" PRIu64 " entries of the receiver's table found no room. ", c->judged.table_refused);
}

void record_captures_text(const struct summary_captures *c, const struct text_style *style, struct buffer *out)
{
	const struct capture_counts *n = &c->counts;
	struct buffer t = { 0 };

	for (size_t i = 0; i < c->flow_count; i++)
		add_flow(&c->flows[i].is, out);
	if (c->judged.flows > c->flow_count)
		buffer_printf(out, "  ... and %" PRIu64 " more SPIs with fewer packets (--json lists up to 1000)\n",
			      c->judged.flows - c->flow_count);
	if (c->flow_count)
		buffer_add_char(out, '\n');
	add_exchanges(c, &t);
	add_limits(c, &t);
	if (t.len)
		record_add_wrapped(out, style->width, buffer_text(&t), 0, 0);
	buffer_clear(&t);
	buffer_printf(&t, "%" PRIu64 " packet%s in %" PRIu64 " capture%s: %" PRIu64 " ESP", n->packets, text_plural(n->packets),
		      c->files, text_plural(c->files), n->esp);
	if (n->esp_udp)
		buffer_printf(&t, " (%" PRIu64 " in UDP)", n->esp_udp);
	add_count(&t, n->ah, "AH");
	add_count(&t, n->ike, "IKE");
	for (size_t i = 0; i < c->result_count; i++) /* "found" and "IKE" are told */
		if (i != FRAME_FOUND && i != FRAME_IKE)
			add_count(&t, c->results[i].count, c->results[i].name);
	add_count(&t, n->refused, "of a link type that is not read");
	add_count(&t, n->other_blocks, n->other_blocks == 1 ? "other block" : "other blocks");
	buffer_printf(&t, "; %" PRIu64 " SPI%s in %" PRIu64 " pair%s", c->judged.flows, text_plural(c->judged.flows),
		      c->judged.pairs, text_plural(c->judged.pairs));
	add_count(&t, c->judged.spi_changes, c->judged.spi_changes == 1 ? "SPI change" : "SPI changes");
	add_count(&t, c->judged.one_way_pairs, c->judged.one_way_pairs == 1 ? "pair one way" : "pairs one way");
	if (c->has_table)
		buffer_printf(&t, "; %" PRIu64 " SPI%s towards the receiver, %" PRIu64 " of them in its table", c->judged.judged,
			      text_plural(c->judged.judged), c->judged.known);
	record_add_wrapped(out, style->width, buffer_text(&t), 2, 0);
	buffer_done(&t);
}
