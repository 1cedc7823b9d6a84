/* SPDX-License-Identifier: MIT */
#include "role/message.h"

#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "role/log.h"

#define FROM(role) (1u << (role))
#define ANY_ROLE (FROM(ROLE_SENSE) | FROM(ROLE_CORE) | FROM(ROLE_ACT) | FROM(ROLE_DIAL) | FROM(ROLE_SSH) | \
		  FROM(ROLE_WEB) | FROM(ROLE_HOOK))

struct message_row {
	const char *name;
	uint16_t size;
	uint8_t from, to; /* bits of enum role */
	uint8_t fds;      /* at most */
	bool may_drop;
	bool (*valid)(const union message_item *item); /* NULL: any bits will do */
};

/* --- What an item must be -------------------------------------------------------------------------------------------- */

static bool valid_start(const union message_item *item)
{
	const struct role_start *s = &item->start;

	if (s->operator_count > ROLE_NAMES_MAX)
		return false;
	for (uint32_t i = 0; i < s->operator_count; i++)
		if (!text_is_string(s->operators[i].name, sizeof(s->operators[i].name)))
			return false;
	return is_bool(&item->start.has_control_gid) && is_bool(&item->start.has_operators_gid) && item->start.log_sink < SINKS;
}

static bool valid_resource(const union message_item *item)
{
	return (unsigned)item->resource.kind < RESOURCES && item->resource.error <= 0 && item->resource.error > -4096 &&
	       memchr(item->resource.name, 0, sizeof(item->resource.name));
}

static bool valid_want(const union message_item *item)
{
	return (unsigned)item->want.kind < RESOURCES && memchr(item->want.name, 0, sizeof(item->want.name));
}

static bool valid_text(const union message_item *item)
{
	const struct role_text *t = &item->text;

	return t->len <= ROLE_TEXT_MAX && t->at <= t->total && t->len <= t->total - t->at && t->serial > 0;
}

static bool valid_saved(const union message_item *item)
{
	return item->saved.error <= 0 && item->saved.error > -4096;
}

static bool valid_summary(const union message_item *item)
{
	return is_bool(&item->summary.disk_trouble);
}

static bool valid_daemon_index(const union message_item *item)
{
	return item->refresh.daemon < GATEWAY_DAEMONS_MAX;
}

static bool valid_list(const union message_item *item)
{
	return item->list.daemon < GATEWAY_DAEMONS_MAX && is_bool(&item->list.complete);
}

static bool valid_journal(const union message_item *item)
{
	return item->journal.error <= 0 && item->journal.error > -4096;
}

static bool valid_gre_device(const union message_item *item)
{
	return gateway_valid_gre_device(&item->gre_device);
}

static bool valid_sighting(const union message_item *item)
{
	return gateway_valid_sighting(&item->sighting);
}

static bool valid_spi_count(const union message_item *item)
{
	return gateway_valid_spi_count(&item->spi_count);
}

static bool valid_watch_spi(const union message_item *item)
{
	return gateway_valid_watch_spi(&item->watch_spi);
}

static bool valid_watch_peer(const union message_item *item)
{
	return gateway_valid_watch_peer(&item->watch_peer);
}

static bool valid_order(const union message_item *item)
{
	return gateway_valid_order(&item->order);
}

static bool valid_daemon(const union message_item *item)
{
	return gateway_valid_daemon(&item->daemon);
}

static bool valid_connection(const union message_item *item)
{
	return gateway_valid_connection(&item->connection);
}

static bool valid_ike(const union message_item *item)
{
	return gateway_valid_ike(&item->ike);
}

static bool valid_child(const union message_item *item)
{
	return gateway_valid_child(&item->child);
}

static bool valid_child_event(const union message_item *item)
{
	return gateway_valid_child_event(&item->child_event);
}

static bool valid_ike_event(const union message_item *item)
{
	return gateway_valid_ike_event(&item->ike_event);
}

static bool valid_hint(const union message_item *item)
{
	return gateway_valid_hint(&item->hint);
}

static bool valid_kernel(const union message_item *item)
{
	return gateway_valid_kernel_event(&item->kernel);
}

static bool valid_result(const union message_item *item)
{
	return gateway_valid_result(&item->result);
}

static bool valid_plugin(const union message_item *item)
{
	return gateway_valid_plugin(&item->plugin);
}

static bool valid_report(const union message_item *item)
{
	return gateway_valid_report(&item->report);
}

static bool valid_trap(const union message_item *item)
{
	return snmp_valid_trap(&item->trap.trap) && report_valid(&item->trap.report);
}

static bool valid_trap_counts(const union message_item *item)
{
	return trap_counts_valid(&item->trap_counts);
}

static bool valid_send_line(const union message_item *item)
{
	return dial_valid_line(&item->send_line);
}

static bool valid_send_trap(const union message_item *item)
{
	return dial_valid_trap(&item->send_trap);
}

static bool valid_send_mail(const union message_item *item)
{
	return dial_valid_mail(&item->send_mail);
}

static bool valid_hook(const union message_item *item)
{
	return dial_valid_hook(&item->hook);
}

static bool valid_mailed(const union message_item *item)
{
	return dial_valid_mailed(&item->mailed);
}

static bool valid_debug(const union message_item *item)
{
	return is_bool(&item->debug.lines);
}

static bool valid_daemon_line(const union message_item *item)
{
	return daemon_line_valid(&item->daemon_line);
}

static bool valid_evidence_ask(const union message_item *item)
{
	return evidence_valid_ask(&item->evidence_ask);
}

static bool valid_evidence_part(const union message_item *item)
{
	return evidence_valid_part(&item->evidence_part);
}

static bool valid_packet_head(const union message_item *item)
{
	return packet_head_valid(&item->packet_head);
}

static bool valid_neighbor(const union message_item *item)
{
	return neighbor_valid(&item->neighbor);
}

static bool valid_hear(const union message_item *item)
{
	return neighbor_valid_hearing(&item->hear);
}

static bool valid_claim(const union message_item *item)
{
	return syslog_valid_claim(&item->claim);
}

static bool valid_heard(const union message_item *item)
{
	return syslog_valid_heard(&item->heard);
}

static bool valid_syslog_counts(const union message_item *item)
{
	return syslog_valid_counts(&item->syslog_counts);
}

static bool valid_device_order(const union message_item *item)
{
	return device_valid_order(&item->device_order);
}

static bool valid_device_result(const union message_item *item)
{
	return device_valid_result(&item->device_result);
}

static bool valid_device_output(const union message_item *item)
{
	return device_valid_printed(&item->device_output);
}

static bool valid_device_sa(const union message_item *item)
{
	return item->device_sa.request && sa_block_valid(&item->device_sa.block);
}

static bool valid_device_row(const union message_item *item)
{
	return item->device_row.request && device_valid_row(&item->device_row.row);
}

static bool valid_device_open(const union message_item *item)
{
	return device_valid_open(&item->device_open);
}

static bool valid_device_typed(const union message_item *item)
{
	return device_valid_typed(&item->device_typed);
}

static bool valid_device_part(const union message_item *item)
{
	return device_valid_part(&item->device_part);
}

static bool valid_device_closed(const union message_item *item)
{
	return device_valid_closed(&item->device_closed);
}

static bool valid_device_tape(const union message_item *item)
{
	return tape_valid_piece(&item->device_tape);
}

static bool valid_device_seen(const union message_item *item)
{
	return device_valid_seen(&item->device_seen);
}

static bool valid_web_ask(const union message_item *item)
{
	return web_valid_ask(&item->web_ask);
}

static bool valid_web_part(const union message_item *item)
{
	return web_valid_part(&item->web_part);
}

static bool valid_web_news(const union message_item *item)
{
	return web_valid_news(&item->web_news);
}

static bool valid_dial_state(const union message_item *item)
{
	return dial_valid_state(&item->dial_state);
}

/* --- The table ------------------------------------------------------------------------------------------------------- */

#define SIZE(member) sizeof(((union message_item *)NULL)->member)

static const struct message_row rows[MESSAGE_TYPES] = {
	[MESSAGE_START] = { "start", SIZE(start), FROM(ROLE_PARENT), ANY_ROLE, 2, false, valid_start },
	[MESSAGE_CONFIG] = { "config", SIZE(config), FROM(ROLE_PARENT), ANY_ROLE, 1, false, NULL },
	[MESSAGE_RESOURCE] = { "resource", SIZE(resource), FROM(ROLE_PARENT), ANY_ROLE, MESSAGE_FDS_MAX, false,
			       valid_resource },
	[MESSAGE_PING] = { "ping", SIZE(ping), FROM(ROLE_PARENT), ANY_ROLE, 0, true, NULL },
	[MESSAGE_STOP] = { "stop", SIZE(ping), FROM(ROLE_PARENT), ANY_ROLE, 0, false, NULL },
	[MESSAGE_GRE_BEGIN] = { "gre-begin", SIZE(ping), FROM(ROLE_PARENT), FROM(ROLE_CORE), 0, false, NULL },
	[MESSAGE_GRE_DEVICE] = { "gre-device", SIZE(gre_device), FROM(ROLE_PARENT), FROM(ROLE_CORE), 0, false, valid_gre_device },
	[MESSAGE_GRE_END] = { "gre-end", SIZE(ping), FROM(ROLE_PARENT), FROM(ROLE_CORE), 0, false, NULL },
	[MESSAGE_READY] = { "ready", SIZE(ping), ANY_ROLE, FROM(ROLE_PARENT), 0, false, NULL },
	[MESSAGE_PONG] = { "pong", SIZE(ping), ANY_ROLE, FROM(ROLE_PARENT), 0, true, NULL },
	[MESSAGE_WANT] = { "want", SIZE(want), ANY_ROLE, FROM(ROLE_PARENT), 0, false, valid_want },
	[MESSAGE_VIOLATION] = { "violation", SIZE(violation), ANY_ROLE, FROM(ROLE_PARENT), 0, false, NULL },
	[MESSAGE_CONFIG_TEXT] = { "config-text", SIZE(text), FROM(ROLE_CORE), FROM(ROLE_PARENT), 0, false, valid_text },
	[MESSAGE_SAVE] = { "save", SIZE(ping), FROM(ROLE_CORE), FROM(ROLE_PARENT), 0, false, NULL },
	[MESSAGE_SAVED] = { "saved", SIZE(saved), FROM(ROLE_PARENT), FROM(ROLE_CORE), 0, false, valid_saved },
	[MESSAGE_SUMMARY] = { "summary", SIZE(summary), FROM(ROLE_CORE), FROM(ROLE_PARENT), 0, true, valid_summary },

	[MESSAGE_SIGHTING] = { "sighting", SIZE(sighting), FROM(ROLE_SENSE), FROM(ROLE_CORE), 0, true, valid_sighting },
	[MESSAGE_SPI_COUNT] = { "spi-count", SIZE(spi_count), FROM(ROLE_SENSE), FROM(ROLE_CORE), 0, true, valid_spi_count },
	[MESSAGE_COUNTERS] = { "counters", SIZE(counters), FROM(ROLE_SENSE), FROM(ROLE_CORE), 0, true, NULL },
	[MESSAGE_SENSOR] = { "sensor", SIZE(sensor), FROM(ROLE_SENSE), FROM(ROLE_CORE), 0, true, NULL },

	[MESSAGE_WATCH_SPI] = { "watch-spi", SIZE(watch_spi), FROM(ROLE_CORE), FROM(ROLE_SENSE), 0, false, valid_watch_spi },
	[MESSAGE_WATCH_PEER] = { "watch-peer", SIZE(watch_peer), FROM(ROLE_CORE), FROM(ROLE_SENSE), 0, false,
				 valid_watch_peer },

	[MESSAGE_ORDER] = { "order", SIZE(order), FROM(ROLE_CORE), FROM(ROLE_ACT), 0, false, valid_order },
	[MESSAGE_REFRESH] = { "refresh", SIZE(refresh), FROM(ROLE_CORE), FROM(ROLE_ACT), 0, false, valid_daemon_index },
	[MESSAGE_REFRESH_KERNEL] = { "refresh-kernel", SIZE(refresh), FROM(ROLE_CORE), FROM(ROLE_ACT), 0, false,
				     valid_daemon_index },

	[MESSAGE_DAEMON] = { "daemon", SIZE(daemon), FROM(ROLE_ACT), FROM(ROLE_CORE), 0, false, valid_daemon },
	[MESSAGE_CONNECTIONS_BEGIN] = { "connections-begin", SIZE(list), FROM(ROLE_ACT), FROM(ROLE_CORE), 0, false,
					valid_list },
	[MESSAGE_CONNECTION] = { "connection", SIZE(connection), FROM(ROLE_ACT), FROM(ROLE_CORE), 0, false,
				 valid_connection },
	[MESSAGE_CONNECTIONS_END] = { "connections-end", SIZE(list), FROM(ROLE_ACT), FROM(ROLE_CORE), 0, false, valid_list },
	[MESSAGE_SNAPSHOT_BEGIN] = { "snapshot-begin", SIZE(list), FROM(ROLE_ACT), FROM(ROLE_CORE), 0, false, valid_list },
	[MESSAGE_IKE] = { "ike", SIZE(ike), FROM(ROLE_ACT), FROM(ROLE_CORE), 0, false, valid_ike },
	[MESSAGE_CHILD] = { "child", SIZE(child), FROM(ROLE_ACT), FROM(ROLE_CORE), 0, false, valid_child },
	[MESSAGE_SNAPSHOT_END] = { "snapshot-end", SIZE(list), FROM(ROLE_ACT), FROM(ROLE_CORE), 0, false, valid_list },
	[MESSAGE_CHILD_EVENT] = { "child-event", SIZE(child_event), FROM(ROLE_ACT), FROM(ROLE_CORE), 0, false,
				  valid_child_event },
	[MESSAGE_IKE_EVENT] = { "ike-event", SIZE(ike_event), FROM(ROLE_ACT), FROM(ROLE_CORE), 0, false, valid_ike_event },
	[MESSAGE_HINT] = { "hint", SIZE(hint), FROM(ROLE_ACT), FROM(ROLE_CORE), 0, false, valid_hint },
	[MESSAGE_KERNEL_BEGIN] = { "kernel-begin", SIZE(list), FROM(ROLE_ACT), FROM(ROLE_CORE), 0, false, valid_list },
	[MESSAGE_KERNEL] = { "kernel", SIZE(kernel), FROM(ROLE_ACT), FROM(ROLE_CORE), 0, false, valid_kernel },
	[MESSAGE_KERNEL_END] = { "kernel-end", SIZE(list), FROM(ROLE_ACT), FROM(ROLE_CORE), 0, false, valid_list },
	[MESSAGE_RESULT] = { "result", SIZE(result), FROM(ROLE_ACT), FROM(ROLE_CORE), 0, false, valid_result },
	[MESSAGE_JOURNAL] = { "journal", SIZE(journal), FROM(ROLE_ACT), FROM(ROLE_CORE), 0, false, valid_journal },
	[MESSAGE_PLUGIN] = { "plugin", SIZE(plugin), FROM(ROLE_ACT) | FROM(ROLE_SENSE), FROM(ROLE_CORE), 0, false, valid_plugin },
	[MESSAGE_REPORT] = { "report", SIZE(report), FROM(ROLE_SENSE), FROM(ROLE_CORE), 0, true, valid_report },
	[MESSAGE_TRAP] = { "trap", SIZE(trap), FROM(ROLE_SENSE), FROM(ROLE_CORE), 0, true, valid_trap },
	[MESSAGE_TRAP_COUNTS] = { "trap-counts", SIZE(trap_counts), FROM(ROLE_SENSE), FROM(ROLE_CORE), 0, true,
				  valid_trap_counts },
	[MESSAGE_CLAIM] = { "claim", SIZE(claim), FROM(ROLE_SENSE), FROM(ROLE_CORE), 0, true, valid_claim },
	[MESSAGE_HEARD] = { "heard", SIZE(heard), FROM(ROLE_SENSE), FROM(ROLE_CORE), 0, true, valid_heard },
	[MESSAGE_SYSLOG_COUNTS] = { "syslog-counts", SIZE(syslog_counts), FROM(ROLE_SENSE), FROM(ROLE_CORE), 0, true,
				    valid_syslog_counts },
	[MESSAGE_SEND_LINE] = { "send-line", SIZE(send_line), FROM(ROLE_CORE), FROM(ROLE_DIAL), 0, true, valid_send_line },
	[MESSAGE_SEND_TRAP] = { "send-trap", SIZE(send_trap), FROM(ROLE_CORE), FROM(ROLE_DIAL), 0, true, valid_send_trap },
	[MESSAGE_SEND_MAIL] = { "send-mail", SIZE(send_mail), FROM(ROLE_CORE), FROM(ROLE_DIAL), 0, false, valid_send_mail },
	[MESSAGE_HOOK] = { "hook", SIZE(hook), FROM(ROLE_CORE), FROM(ROLE_DIAL) | FROM(ROLE_HOOK), 0, true, valid_hook },
	[MESSAGE_MAILED] = { "mailed", SIZE(mailed), FROM(ROLE_DIAL), FROM(ROLE_CORE), 0, false, valid_mailed },
	[MESSAGE_DEBUG] = { "debug", SIZE(debug), FROM(ROLE_CORE), FROM(ROLE_ACT), 0, false, valid_debug },
	[MESSAGE_DAEMON_LINE] = { "daemon-line", SIZE(daemon_line), FROM(ROLE_ACT), FROM(ROLE_CORE), 0, true, valid_daemon_line },
	[MESSAGE_EVIDENCE_FETCH] = { "evidence-fetch", SIZE(evidence_ask), FROM(ROLE_CORE), FROM(ROLE_DIAL), 0, false,
				     valid_evidence_ask },
	[MESSAGE_EVIDENCE_FETCHED] = { "evidence-fetched", SIZE(evidence_part), FROM(ROLE_DIAL), FROM(ROLE_CORE), 0, false,
				       valid_evidence_part },
	[MESSAGE_EVIDENCE_ASKED] = { "evidence-asked", SIZE(evidence_ask), FROM(ROLE_SENSE), FROM(ROLE_CORE), 0, false,
				     valid_evidence_ask },
	[MESSAGE_EVIDENCE_ANSWER] = { "evidence-answer", SIZE(evidence_part), FROM(ROLE_CORE), FROM(ROLE_SENSE), 0, false,
				      valid_evidence_part },
	[MESSAGE_PACKET_HEAD] = { "packet-head", SIZE(packet_head), FROM(ROLE_SENSE), FROM(ROLE_CORE), 0, true,
				  valid_packet_head },
	[MESSAGE_NEIGHBOR] = { "neighbor", SIZE(neighbor), FROM(ROLE_SENSE), FROM(ROLE_CORE), 0, true, valid_neighbor },
	[MESSAGE_NEIGHBOR_COUNTS] = { "neighbor-counts", SIZE(neighbor_counts), FROM(ROLE_SENSE), FROM(ROLE_CORE), 0, true, NULL },
	[MESSAGE_JOURNALD_AT] = { "journald-at", SIZE(ping), FROM(ROLE_SENSE), FROM(ROLE_PARENT), 0, true, NULL },
	[MESSAGE_HEAR_NEIGHBORS] = { "hear-neighbors", SIZE(hear), FROM(ROLE_CORE), FROM(ROLE_PARENT), 0, false, valid_hear },
	[MESSAGE_DEVICE_ORDER] = { "device-order", SIZE(device_order), FROM(ROLE_CORE), FROM(ROLE_SSH), 0, false, valid_device_order },
	[MESSAGE_DEVICE_RESULT] = { "device-result", SIZE(device_result), FROM(ROLE_SSH), FROM(ROLE_CORE), 0, false,
				    valid_device_result },
	[MESSAGE_DEVICE_OUTPUT] = { "device-output", SIZE(device_output), FROM(ROLE_SENSE), FROM(ROLE_CORE), 0, false,
				    valid_device_output },
	[MESSAGE_DEVICE_SA] = { "device-sa", SIZE(device_sa), FROM(ROLE_SENSE), FROM(ROLE_CORE), 0, false, valid_device_sa },
	[MESSAGE_DEVICE_ROW] = { "device-row", SIZE(device_row), FROM(ROLE_SENSE), FROM(ROLE_CORE), 0, false, valid_device_row },
	[MESSAGE_DEVICE_TAPE] = { "device-tape", SIZE(device_tape), FROM(ROLE_SENSE), FROM(ROLE_CORE), 0, false, valid_device_tape },
	[MESSAGE_DEVICE_OPEN] = { "device-open", SIZE(device_open), FROM(ROLE_SSH), FROM(ROLE_SENSE), 0, false, valid_device_open },
	[MESSAGE_DEVICE_TYPED] = { "device-typed", SIZE(device_typed), FROM(ROLE_SSH), FROM(ROLE_SENSE), 0, false, valid_device_typed },
	[MESSAGE_DEVICE_PART] = { "device-part", SIZE(device_part), FROM(ROLE_SSH), FROM(ROLE_SENSE), 0, false, valid_device_part },
	[MESSAGE_DEVICE_CLOSE] = { "device-close", SIZE(device_closed), FROM(ROLE_SSH), FROM(ROLE_SENSE), 0, false,
				   valid_device_closed },
	[MESSAGE_DEVICE_SEEN] = { "device-seen", SIZE(device_seen), FROM(ROLE_SENSE), FROM(ROLE_SSH), 0, false, valid_device_seen },
	[MESSAGE_WEB_ASK] = { "web-ask", SIZE(web_ask), FROM(ROLE_WEB), FROM(ROLE_CORE), 0, false, valid_web_ask },
	[MESSAGE_WEB_COUNTS] = { "web-counts", SIZE(web_counts), FROM(ROLE_WEB), FROM(ROLE_CORE), 0, true, NULL },
	[MESSAGE_WEB_PART] = { "web-part", SIZE(web_part), FROM(ROLE_CORE), FROM(ROLE_WEB), 0, false, valid_web_part },
	[MESSAGE_WEB_NEWS] = { "web-news", SIZE(web_news), FROM(ROLE_CORE), FROM(ROLE_WEB), 0, true, valid_web_news },
	[MESSAGE_WEB_TOKEN] = { "web-token", SIZE(token), FROM(ROLE_PARENT), FROM(ROLE_WEB), 0, false, NULL },
	[MESSAGE_DIAL_STATE] = { "dial-state", SIZE(dial_state), FROM(ROLE_DIAL) | FROM(ROLE_HOOK), FROM(ROLE_CORE), 0, true,
				 valid_dial_state },
};

static const char *const role_names[ROLES] = { "parent", "sense", "core", "act", "dial", "ssh", "web", "hook" };
static const char *const resource_names[RESOURCES] = {
	"log socket", "channel", "BPF maps", "packet socket", "XDP", "audit socket", "XFRM counters", "XFRM sockets",
	"IKE daemon", "journal", "control socket", "rtnetlink socket", "plugin", "trap socket", "processor times", "TLS file",
	"neighbours' socket",
	"syslog socket", "log file", "journald's journal", "web socket", "evidence socket", "evidence key", "IKE socket",
};

const char *role_name(enum role role)
{
	return (unsigned)role < ROLES ? role_names[role] : "?";
}

const char *resource_name(enum resource resource)
{
	return (unsigned)resource < RESOURCES ? resource_names[resource] : "?";
}

static const struct message_row *row_of(enum message_type type)
{
	return (unsigned)type < MESSAGE_TYPES ? &rows[type] : &rows[MESSAGE_NONE];
}

const char *message_name(enum message_type type)
{
	return row_of(type)->name ? row_of(type)->name : "?";
}

size_t message_item_size(enum message_type type)
{
	return row_of(type)->size;
}

size_t message_items_max(enum message_type type)
{
	const struct message_row *row = row_of(type);

	if (!row->size)
		return 0;
	return row->fds ? 1 : (MESSAGE_MAX - sizeof(struct message_header)) / row->size;
}

bool message_may(enum message_type type, enum role from, enum role to)
{
	const struct message_row *row = row_of(type);

	return (unsigned)from < ROLES && (unsigned)to < ROLES && row->from & FROM(from) && row->to & FROM(to);
}

bool message_may_drop(enum message_type type)
{
	return row_of(type)->may_drop;
}

uint64_t message_build(void)
{
	static const struct hash_key zero;
	struct {
		char version[32];
		uint16_t sizes[MESSAGE_TYPES];
	} layout = { .version = SPIMEND_VERSION };

	for (size_t type = 0; type < MESSAGE_TYPES; type++)
		layout.sizes[type] = rows[type].size;
	return hash_bytes(&zero, &layout, sizeof(layout));
}

const char *message_check(const void *bytes, size_t len, size_t fds, enum role from, enum role to, uint64_t build,
			  struct message_header *ret)
{
	struct message_header header;
	const struct message_row *row;

	if (len < sizeof(header))
		return "shorter than its header";
	memcpy(&header, bytes, sizeof(header));
	if (header.build != build)
		return "of another build";
	if (header.type >= MESSAGE_TYPES || !rows[header.type].name)
		return "of no known type";
	row = &rows[header.type];
	if (!message_may(header.type, from, to))
		return "not for this sender or receiver";
	if (header.count == 0 || header.count > message_items_max(header.type))
		return "with a wrong number of items";
	if (header.length != (uint32_t)header.count * row->size || header.length != len - sizeof(header))
		return "of a wrong length";
	if (fds > row->fds || (fds > 0 && from != ROLE_PARENT))
		return "with descriptors that nobody asked for";
	*ret = header;
	return NULL;
}

bool message_take(const struct message_header *header, const void *bytes, size_t index, union message_item *ret)
{
	const struct message_row *row = row_of(header->type);
	union message_item item; /* its members differ widely in size: no more than this one is touched */

	if (index >= header->count)
		return false;
	memcpy(&item, (const char *)bytes + sizeof(*header) + index * row->size, row->size);
	if (row->valid && !row->valid(&item))
		return false;
	memcpy(ret, &item, row->size);
	return true;
}
