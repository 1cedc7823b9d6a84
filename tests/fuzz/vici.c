/* SPDX-License-Identifier: MIT */
/* libFuzzer: a VICI segment, as any reader may get it: whatever it holds, nothing but sound nouns come out, and what was
 * read writes itself again, byte for byte. */
#include <stdlib.h>

#include "parse/daemon_hint.h"
#include "parse/vici_info.h"
#include "parse/vici_sa.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void check_child(void *context, const struct child_sa *child)
{
	(void)context;
	must(gateway_valid_child(child));
}

static void check_connection(void *context, const struct connection *connection, struct text ike, struct text child)
{
	(void)context;
	must(gateway_valid_connection(connection));
	must(connection->id == connection_id(connection->daemon, ike, child));
}

/* Reads to the end; true when the message is sound. */
static bool write_again(struct text message, struct buffer *out)
{
	struct vici_reader r = vici_reader_of(message);
	struct vici_element e;
	bool encodable = true;

	while (vici_read(&r, &e)) {
		int status = 0;

		must(e.depth <= VICI_DEPTH_MAX);
		if (e.kind == VICI_SECTION_START)
			status = vici_write_section(out, e.name);
		else if (e.kind == VICI_SECTION_END)
			status = vici_write_section_end(out);
		else if (e.kind == VICI_KEY_VALUE)
			status = vici_write_key(out, e.name, e.value);
		else if (e.kind == VICI_LIST_START)
			status = vici_write_list(out, e.name);
		else if (e.kind == VICI_LIST_ITEM)
			status = vici_write_item(out, e.value);
		else
			status = vici_write_list_end(out);
		encodable = encodable && status == 0; /* we write no empty names and no NULs, but read them */
	}
	must(r.at <= message.len && (r.status == 0 || (r.failure.reason && r.failure.at <= message.len)));
	if (r.status == 0 && encodable)
		must(text_equal(buffer_text(out), message));
	return r.status == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text segment = { (const char *)data, size };
	struct buffer out = { 0 };
	struct vici_failure failure;
	struct vici_packet packet;
	struct vici_reading reading;
	struct child_event child_event;
	struct ike_event ike_event;
	struct vici_version version;
	struct vici_result result;
	struct daemon_hint hint;
	struct vici_stats stats;
	struct vici_log log;
	struct instant boot;
	struct ike_sa ike;
	bool sound;

	if (vici_packet_read(segment, &packet, &failure)) {
		must(failure.reason && failure.at <= size);
		return 0;
	}
	sound = write_again(packet.message, &out);
	buffer_done(&out);
	if (vici_read_ike(1, packet.message, &ike, &reading) == 0) {
		must(sound && gateway_valid_ike(&ike));
		must(vici_each_child(1, packet.message, &ike, check_child, NULL, &reading) == 0);
	}
	must((vici_each_connection(1, packet.message, check_connection, NULL, &reading) == 0) == sound);
	if (vici_read_child_updown(1, packet.message, &child_event, &reading) == 0)
		must(gateway_valid_child_event(&child_event));
	if (vici_read_child_rekey(1, packet.message, &child_event, &reading) == 0)
		must(gateway_valid_child_event(&child_event));
	if (vici_read_ike_updown(1, packet.message, &ike_event, &reading) == 0)
		must(gateway_valid_ike_event(&ike_event));
	if (vici_read_ike_rekey(1, packet.message, &ike_event, &reading) == 0)
		must(gateway_valid_ike_event(&ike_event));
	if (vici_read_ike_update(1, packet.message, &ike_event, &reading) == 0)
		must(gateway_valid_ike_event(&ike_event));
	vici_read_version(packet.message, &version, &reading);
	vici_read_result(packet.message, &result, &reading);
	if (vici_read_stats(packet.message, &stats, &reading) == 0)
		vici_stats_boot(&stats, (struct instant){ 0 }, (struct instant){ INT64_C(1795341674) * SECOND_NS }, &boot);
	if (vici_read_log(packet.message, &log, &reading) == 0) {
		struct daemon_hint_memory memory = { 0 };

		hint = daemon_hint_read(&memory, 1, &log);
		must(gateway_valid_hint(&hint));
	}
	if (vici_read_alert(1, packet.message, &hint, &reading) == 0)
		must(gateway_valid_hint(&hint));
	return 0;
}
