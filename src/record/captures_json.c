/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>

#include "record/captures.h"
#include "record/values.h"

static void put_flow(struct json *j, const struct capture_flow *f)
{
	char spi[16];

	snprintf(spi, sizeof(spi), "0x%" PRIx32, f->key.spi);
	json_object(j, NULL);
	record_put_address(j, "src", &f->key.src);
	record_put_address(j, "dst", &f->key.dst);
	json_string(j, "proto", spimend_protocol_name(f->key.protocol));
	json_string(j, "spi", spi);
	json_string(j, "encap", f->key.encap_udp ? "udp" : NULL);
	json_unsigned(j, "packets", f->packets);
	json_unsigned(j, "bytes", f->bytes);
	record_put_time(j, "first_seen", f->has_times, f->first);
	record_put_time(j, "last_seen", f->has_times, f->last);
	json_unsigned(j, "first_sequence", f->sequence_first);
	json_unsigned(j, "last_sequence", f->sequence_last);
	json_bool(j, "spi_change", f->is_new);
	json_bool(j, "one_way", f->is_one_way);
	if (f->is_judged)
		json_bool(j, "in_table", f->is_known);
	else
		json_null(j, "in_table");
	json_object_end(j);
}

/* "not IP" is the key "not-ip". */
static void put_result(struct json *j, const struct summary_count *result)
{
	char key[32];
	size_t len = text_copy(text_of(result->name), key, sizeof(key));

	for (size_t i = 0; i < len; i++)
		key[i] = key[i] == ' ' ? '-' : char_lower(key[i]);
	json_unsigned(j, key, result->count);
}

static void put_counts(struct json *j, const struct summary_captures *c)
{
	const struct capture_counts *n = &c->counts;

	json_unsigned(j, "packets", n->packets);
	json_unsigned(j, "wire_bytes", n->wire_bytes);
	record_put_time(j, "first_packet", n->has_times, (struct instant){ n->first_ns });
	record_put_time(j, "last_packet", n->has_times, (struct instant){ n->last_ns });
	json_unsigned(j, "esp", n->esp);
	json_unsigned(j, "esp_in_udp", n->esp_udp);
	json_unsigned(j, "ah", n->ah);
	json_unsigned(j, "ike", n->ike);
	json_unsigned(j, "invalid_spi_notifies", n->invalid_spi_notifies);
	json_object(j, "read_as");
	for (size_t i = 0; i < c->result_count; i++)
		put_result(j, &c->results[i]);
	json_object_end(j);
	json_unsigned(j, "link_type_refused", n->refused);
	json_unsigned(j, "captured_in_part", n->cut);
	json_unsigned(j, "without_time", n->without_time);
	json_unsigned(j, "interfaces", n->interfaces);
	json_unsigned(j, "other_blocks", n->other_blocks);
}

void record_captures_json(const struct summary_captures *c, struct json *j)
{
	json_object(j, "capture");
	json_unsigned(j, "files", c->files);
	put_counts(j, c);
	json_object(j, "ike_exchanges");
	for (size_t i = 0; i < c->exchange_count; i++) {
		json_object(j, c->exchanges[i].name);
		json_unsigned(j, "requests", c->exchanges[i].requests);
		json_unsigned(j, "responses", c->exchanges[i].responses);
		json_object_end(j);
	}
	json_object_end(j);
	json_unsigned(j, "spis", c->judged.flows);
	json_unsigned(j, "pairs", c->judged.pairs);
	json_unsigned(j, "spi_changes", c->judged.spi_changes);
	json_unsigned(j, "one_way_pairs", c->judged.one_way_pairs);
	if (c->has_table) {
		json_object(j, "table");
		json_unsigned(j, "sas", c->judged.table_sas);
		json_unsigned(j, "spis_judged", c->judged.judged);
		json_unsigned(j, "spis_known", c->judged.known);
		json_unsigned(j, "refused", c->judged.table_refused);
		json_object_end(j);
	} else {
		json_null(j, "table");
	}
	json_unsigned(j, "spis_evicted", c->judged.evicted);
	json_unsigned(j, "packets_without_place", c->judged.refused_packets);
	json_array(j, "flows");
	for (size_t i = 0; i < c->flow_count; i++)
		put_flow(j, &c->flows[i].is);
	json_array_end(j);
	json_unsigned(j, "flows_left_out", c->judged.flows - c->flow_count);
	json_object_end(j);
}
