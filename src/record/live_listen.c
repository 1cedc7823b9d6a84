/* SPDX-License-Identifier: MIT */
/* How the listeners of the fleet's syslog fare: in `spimend status`. */
#include <inttypes.h>

#include "record/live_fleet.h"
#include "record/live_private.h"
#include "record/values.h"
#include "spimend/error.h"

#define LOSS_SHOWN_NS (600 * SECOND_NS) /* a loss is a trouble for so long */

static void label(struct buffer *out, const char *name)
{
	buffer_printf(out, "  %-11s", name);
}

static void add_listener(const struct syslog_listener *l, struct buffer *out)
{
	char address[SPIMEND_ADDRESS_TEXT_MAX];

	buffer_printf(out, "%s ", notify_transport_name(l->transport));
	if (spimend_address_known(&l->address))
		buffer_printf(out, "%s ", spimend_address_print(&l->address, address));
	buffer_printf(out, "port %u", l->port);
}

static void add_journald(const struct config_syslog *c, struct buffer *out)
{
	buffer_add_string(out, "journald");
	if (!c->journald_directory[0])
		return;
	buffer_add_char(out, ' ');
	record_add_printable(out, text_of(c->journald_directory));
}

static void add_places(const struct live_fleet *fleet, const struct config_syslog *c, struct buffer *out)
{
	bool first = true;

	for (uint32_t i = 0; i < c->listener_count; i++, first = false) {
		buffer_add_string(out, first ? "" : ", ");
		add_listener(&c->listeners[i], out);
		buffer_add_string(out, fleet->listen_errors[i] ? " (NOT HEARD)" : "");
	}
	for (uint32_t i = 0; i < c->file_count; i++, first = false) {
		buffer_add_string(out, first ? "" : ", ");
		record_add_printable(out, text_of(c->files[i]));
		buffer_add_string(out, fleet->file_errors[i] ? " (NOT THERE)" : "");
	}
	if (c->has_journald) {
		buffer_add_string(out, first ? "" : ", ");
		add_journald(c, out);
		buffer_add_string(out, fleet->journald_error ? " (NOT READ)" : "");
	}
}

static void add_count(struct buffer *out, uint64_t count, const char *what)
{
	if (count)
		buffer_printf(out, ", %" PRIu64 " %s", count, what);
}

void live_fleet_status(const struct live_fleet *fleet, const struct config *config, struct buffer *out)
{
	const struct syslog_counts *c = fleet->counts;
	const struct judge_counts *judged = judge_counts(fleet->judge);
	char address[SPIMEND_ADDRESS_TEXT_MAX];

	label(out, "syslog");
	add_places(fleet, &config->syslog, out);
	buffer_printf(out, "; %" PRIu32 " source%s", c->sources, c->sources == 1 ? "" : "s");
	add_count(out, c->open, "connections");
	buffer_add_char(out, '\n');
	label(out, "");
	buffer_printf(out, "%" PRIu64 " messages came, %" PRIu64 " taken", c->received, c->fates[SYSLOG_TAKEN]);
	add_count(out, c->fates[SYSLOG_FOREIGN], "of others");
	add_count(out, c->fates[SYSLOG_NO_ROOM], "of more sources than are followed");
	add_count(out, c->fates[SYSLOG_EMPTY], "empty");
	add_count(out, c->fates[SYSLOG_OWN], "of spimendd itself");
	add_count(out, c->lost, "LOST by the sockets");
	add_count(out, c->dropped, "DROPPED by journald");
	add_count(out, c->cut, "cut");
	add_count(out, c->odd, "odd");
	buffer_printf(out, "; %" PRIu64 " facts in %" PRIu64 " lines", c->claims, c->lines);
	add_count(out, c->unread, "unreadable");
	add_count(out, c->over_rate, "over a source's rate");
	add_count(out, c->not_told, "NOT TAKEN in time");
	add_count(out, c->clock_off, "with a clock that is off");
	add_count(out, c->borrowed, "under another's name");
	buffer_add_char(out, '\n');
	if (c->fates[SYSLOG_FOREIGN]) {
		label(out, "");
		buffer_printf(out, "of others: from %s last", spimend_address_print(&c->foreign_last, address));
		for (int class = 0; class < SYSLOG_CLASSES; class++)
			add_count(out, c->foreign[class], syslog_class_name((enum syslog_class)class));
		buffer_add_char(out, '\n');
	}
	if (c->connections) {
		label(out, "");
		buffer_printf(out, "%" PRIu64 " connections", c->connections);
		add_count(out, c->refused, "refused");
		add_count(out, c->silent, "closed for silence");
		add_count(out, c->broken, "closed for their framing");
		add_count(out, c->tls_failed, "without TLS");
		buffer_add_char(out, '\n');
	}
	label(out, "");
	buffer_printf(out, "%zu incidents; %" PRIu64 " messages judged, %" PRIu64 " copies", live_fleet_count(fleet),
		      judged->messages, judged->copies);
	add_count(out, judged->evicted, "flows made room");
	add_count(out, judged->refused, "flows REFUSED");
	add_count(out, fleet->rows_lost, "facts not kept over a restart");
	buffer_add_char(out, '\n');
}

static void put_places(const struct live_fleet *fleet, const struct config_syslog *c, struct json *j)
{
	json_array(j, "listeners");
	for (uint32_t i = 0; i < c->listener_count; i++) {
		json_object(j, NULL);
		json_string(j, "transport", notify_transport_name(c->listeners[i].transport));
		record_put_address(j, "address", &c->listeners[i].address);
		json_unsigned(j, "port", c->listeners[i].port);
		json_string(j, "error", fleet->listen_errors[i] ? spimend_strerror(fleet->listen_errors[i]) : NULL);
		json_object_end(j);
	}
	json_array_end(j);
	json_array(j, "files");
	for (uint32_t i = 0; i < c->file_count; i++) {
		json_object(j, NULL);
		record_put_text(j, "path", text_of(c->files[i]));
		json_string(j, "error", fleet->file_errors[i] ? spimend_strerror(fleet->file_errors[i]) : NULL);
		json_object_end(j);
	}
	json_array_end(j);
	if (!c->has_journald) {
		json_null(j, "journald");
		return;
	}
	json_object(j, "journald");
	record_put_text(j, "directory", text_of(c->journald_directory));
	json_string(j, "error", fleet->journald_error ? spimend_strerror(fleet->journald_error) : NULL);
	json_object_end(j);
}

static void put_counts(const struct syslog_counts *c, struct json *j)
{
	const struct {
		const char *name;
		uint64_t value;
	} rows[] = {
		{ "received", c->received }, { "lost", c->lost }, { "dropped", c->dropped }, { "cut", c->cut }, { "odd", c->odd }, { "lines", c->lines },
		{ "facts", c->claims }, { "unreadable", c->unread }, { "over_rate", c->over_rate }, { "not_told", c->not_told },
		{ "clock_off", c->clock_off }, { "borrowed_names", c->borrowed }, { "sources", c->sources },
		{ "connections", c->connections }, { "connections_open", c->open }, { "connections_refused", c->refused },
		{ "connections_silent", c->silent }, { "connections_broken", c->broken }, { "tls_failed", c->tls_failed },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		json_unsigned(j, rows[i].name, rows[i].value);
	json_object(j, "fates");
	for (int fate = 0; fate < SYSLOG_FATES; fate++)
		json_unsigned(j, syslog_fate_name((enum syslog_fate)fate), c->fates[fate]);
	json_object_end(j);
	json_object(j, "foreign");
	for (int class = 0; class < SYSLOG_CLASSES; class++)
		json_unsigned(j, syslog_class_name((enum syslog_class)class), c->foreign[class]);
	json_object_end(j);
	record_put_address(j, "foreign_last", &c->foreign_last);
}

void live_fleet_status_json(const struct live_fleet *fleet, const struct config *config, struct json *j)
{
	const struct judge_counts *judged;

	if (!fleet || !fleet->judge) {
		json_null(j, "syslog");
		return;
	}
	judged = judge_counts(fleet->judge);
	json_object(j, "syslog");
	put_places(fleet, &config->syslog, j);
	put_counts(fleet->counts, j);
	json_unsigned(j, "incidents", live_fleet_count(fleet));
	json_unsigned(j, "messages", judged->messages);
	json_unsigned(j, "copies", judged->copies);
	json_unsigned(j, "flows_evicted", judged->evicted);
	json_unsigned(j, "flows_forgotten", judged->forgotten);
	json_unsigned(j, "flows_refused", judged->refused);
	json_unsigned(j, "not_kept", fleet->rows_lost);
	json_object_end(j);
}

void live_fleet_troubles(const struct live_fleet *fleet, const struct config *config, int64_t now_ns, struct buffer *out)
{
	static const char *const what[LOSSES] = {
		[LOSS_SOCKET] = "syslog comes faster than it is read: some was lost by the sockets",
		[LOSS_RATE] = "a source of syslog tells more than its rate lets in: some facts were passed over",
		[LOSS_QUEUE] = "syslog tells more facts than are judged in time: some were passed over",
		[LOSS_SOURCES] = "syslog comes from more sources than are followed: that of the latest is not looked at",
		[LOSS_JOURNALD] = "journald threw messages away for their rate (RateLimitBurst in journald.conf)",
		[LOSS_FLOWS] = "syslog tells of more flows than 'limit syslog-flows' lets in: further ones are not judged",
	};
	const struct config_syslog *c = &config->syslog;

	for (uint32_t i = 0; i < c->listener_count; i++) {
		if (!fleet->listen_errors[i])
			continue;
		buffer_add_string(out, "syslog is not heard on ");
		add_listener(&c->listeners[i], out);
		buffer_printf(out, ": %s\n", spimend_strerror(fleet->listen_errors[i]));
	}
	for (uint32_t i = 0; i < c->file_count; i++) {
		if (!fleet->file_errors[i])
			continue;
		record_add_printable(out, text_of(c->files[i]));
		buffer_printf(out, " is not followed: %s\n", spimend_strerror(fleet->file_errors[i]));
	}
	if (c->has_journald && fleet->journald_error) {
		add_journald(c, out);
		buffer_printf(out, " is not read: %s\n", spimend_strerror(fleet->journald_error));
	}
	for (int i = 0; i < LOSSES; i++)
		if (fleet->grew_ns[i] && now_ns - fleet->grew_ns[i] < LOSS_SHOWN_NS)
			buffer_printf(out, "%s\n", what[i]);
}
