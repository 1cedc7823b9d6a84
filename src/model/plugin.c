/* SPDX-License-Identifier: MIT */
#include <stddef.h>
#include <string.h>

#include "model/plugin.h"

#define FIELD(name) (UINT32_C(1) << PLUGIN_HAS_##name)
#define ENDS (FIELD(LOCAL) | FIELD(REMOTE))
#define PORTS (FIELD(LOCAL_PORT) | FIELD(REMOTE_PORT))
#define COOKIES (FIELD(IKE_SPI_I) | FIELD(IKE_SPI_R))
#define RESULT (FIELD(IKE_ID) | FIELD(CHILD_ID) | FIELD(PEER_SPI) | FIELD(TOOK_US) | FIELD(FLAGS) | FIELD(TEXT))
#define CHILD (FIELD(IKE_ID) | FIELD(CHILD_ID) | FIELD(PROTOCOL) | FIELD(SPI) | FIELD(PEER_SPI))
#define OVER_IKE (FIELD(IKE_ID) | FIELD(PROTOCOL) | FIELD(SPI) | FIELD(WAIT_MS))

static const struct {
	enum plugin_kind kind;
	const char *name;
	uint32_t needs, may;
} kinds[] = {
	{ PLUGIN_HELLO, "hello", FIELD(FLAGS), 0 },
	{ PLUGIN_DELETE, "delete", OVER_IKE, 0 },
	{ PLUGIN_DROP_CHILD, "drop-child", FIELD(IKE_ID) | FIELD(CHILD_ID) | FIELD(SPI), 0 },
	{ PLUGIN_LIVENESS, "liveness", FIELD(IKE_ID) | FIELD(WAIT_MS), 0 },
	{ PLUGIN_INVALID_SPI, "invalid-spi", OVER_IKE, 0 },
	{ PLUGIN_NOTIFY_OUTSIDE, "notify-outside", FIELD(PROTOCOL) | FIELD(SPI) | ENDS, FIELD(REMOTE_PORT) },
	{ PLUGIN_WELCOME, "welcome", FIELD(TEXT), FIELD(FLAGS) },
	{ PLUGIN_RESULT, "result", FIELD(OUTCOME), RESULT },
	{ PLUGIN_LATE, "late", FIELD(OUTCOME), RESULT },
	{ PLUGIN_DELETE_RECEIVED, "delete-received",
	  FIELD(IKE_ID) | FIELD(PROTOCOL) | FIELD(SPI) | FIELD(FLAGS) | ENDS, FIELD(CHILD_ID) | FIELD(PEER_SPI) },
	{ PLUGIN_IKE_DELETE_RECEIVED, "ike-delete-received", FIELD(IKE_ID) | FIELD(FLAGS) | ENDS, 0 },
	{ PLUGIN_INVALID_SPI_INSIDE, "invalid-spi-inside",
	  FIELD(IKE_ID) | FIELD(SPI) | FIELD(SPI_SIZE) | FIELD(FLAGS) | ENDS, FIELD(PROTOCOL) | FIELD(CHILD_ID) },
	{ PLUGIN_INVALID_SPI_OUTSIDE, "invalid-spi-outside",
	  FIELD(SPI) | FIELD(SPI_SIZE) | ENDS | PORTS | COOKIES, FIELD(PROTOCOL) },
	{ PLUGIN_INVALID_IKE_SPI, "invalid-ike-spi", ENDS | PORTS | COOKIES, 0 },
	{ PLUGIN_UNKNOWN_IKE_SA, "unknown-ike-sa", ENDS | PORTS | COOKIES | FIELD(EXCHANGE), 0 },
	{ PLUGIN_CHILD_REKEYED, "child-rekeyed", CHILD | FIELD(NEW_CHILD_ID) | FIELD(NEW_SPI) | FIELD(NEW_PEER_SPI), 0 },
	{ PLUGIN_IKE_REKEYED, "ike-rekeyed", FIELD(IKE_ID) | FIELD(NEW_IKE_ID), 0 },
	{ PLUGIN_CHILD_DIED, "child-died", CHILD | FIELD(REASON), 0 },
	{ PLUGIN_IKE_DIED, "ike-died", FIELD(IKE_ID) | FIELD(REASON) | ENDS, 0 },
	{ PLUGIN_LOST, "lost", FIELD(COUNT), 0 },
	{ PLUGIN_CRASH_DETECTED, "crash-detected", FIELD(IKE_ID) | FIELD(FLAGS) | ENDS, 0 },
	{ PLUGIN_TOKEN_REFUSED, "token-refused", FIELD(FLAGS) | ENDS | PORTS | COOKIES, 0 },
	{ PLUGIN_TOKEN_SENT, "token-sent", ENDS | PORTS | COOKIES, 0 },
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

const char *plugin_kind_name(enum plugin_kind kind)
{
	for (size_t i = 0; i < KINDS; i++)
		if (kinds[i].kind == kind)
			return kinds[i].name;
	return "unknown";
}

const char *plugin_outcome_name(enum plugin_outcome outcome)
{
	static const char *const names[PLUGIN_OUTCOMES] = {
		[PLUGIN_PEER_OWNED] = "peer-owned", [PLUGIN_PEER_HAD_NONE] = "peer-had-none", [PLUGIN_DONE] = "done",
		[PLUGIN_SENT] = "sent", [PLUGIN_NO_REPLY] = "no-reply", [PLUGIN_WINDOW_TAKEN] = "window-taken",
		[PLUGIN_IKE_GONE] = "ike-gone", [PLUGIN_OURS] = "ours", [PLUGIN_NOT_FOUND] = "not-found",
		[PLUGIN_BUSY] = "busy", [PLUGIN_UNSUPPORTED] = "unsupported", [PLUGIN_LIMIT] = "limit",
		[PLUGIN_INVALID] = "invalid", [PLUGIN_DISCONNECTED] = "disconnected",
	};

	return (unsigned)outcome < PLUGIN_OUTCOMES ? names[outcome] : "unknown";
}

const char *plugin_reason_name(enum plugin_reason reason)
{
	static const char *const names[PLUGIN_REASONS] = {
		[PLUGIN_WHY_UNKNOWN] = "unknown", [PLUGIN_WHY_PEER_DELETE] = "peer-delete",
		[PLUGIN_WHY_OUR_DELETE] = "our-delete", [PLUGIN_WHY_EXPIRED] = "expired", [PLUGIN_WHY_REKEYED] = "rekeyed",
		[PLUGIN_WHY_PEER_DEAD] = "peer-dead", [PLUGIN_WHY_INITIAL_CONTACT] = "initial-contact",
		[PLUGIN_WHY_IKE_DIED] = "ike-died", [PLUGIN_WHY_DROPPED] = "dropped",
		[PLUGIN_WHY_INSTALL] = "install-failed", [PLUGIN_WHY_PEER_CRASHED] = "peer-crashed",
	};

	return (unsigned)reason < PLUGIN_REASONS ? names[reason] : "unknown";
}

bool plugin_is_order(enum plugin_kind kind)
{
	return kind >= PLUGIN_DELETE && kind <= PLUGIN_NOTIFY_OUTSIDE;
}

bool plugin_is_report(enum plugin_kind kind)
{
	return kind >= PLUGIN_DELETE_RECEIVED && kind <= PLUGIN_TOKEN_SENT;
}

static bool is_text(const char text[PLUGIN_TEXT_MAX])
{
	size_t len = strnlen(text, PLUGIN_TEXT_MAX);

	if (len == 0 || len == PLUGIN_TEXT_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (text[i] < ' ' || text[i] > '~')
			return false;
	return true;
}

static bool is_address(const struct spimend_address *address)
{
	return address->family == 4 || address->family == 6;
}

/* At most one of the three: who can give no order can switch nothing. */
static bool hello_valid(uint8_t flags)
{
	uint8_t power = flags & (PLUGIN_REPORTS_ONLY | PLUGIN_CRASH_ON | PLUGIN_CRASH_OFF);

	return flags < 16 && (power & (power - 1)) == 0;
}

static bool fields_valid(const struct plugin_message *m)
{
	if (m->kind == PLUGIN_NOTIFY_OUTSIDE && (m->local.family != m->remote.family || m->spi == 0 ||
						(plugin_has(m, PLUGIN_HAS_REMOTE_PORT) && m->remote_port == 0)))
		return false;
	if (plugin_has(m, PLUGIN_HAS_PROTOCOL) && m->protocol != 50 && m->protocol != 51)
		return false;
	if (plugin_has(m, PLUGIN_HAS_WAIT_MS) && (m->wait_ms == 0 || m->wait_ms > PLUGIN_WAIT_MS_MAX))
		return false;
	if (plugin_has(m, PLUGIN_HAS_OUTCOME) && m->outcome >= PLUGIN_DISCONNECTED)
		return false;
	if (plugin_has(m, PLUGIN_HAS_REASON) && m->reason >= PLUGIN_REASONS)
		return false;
	if (plugin_has(m, PLUGIN_HAS_SPI_SIZE) && m->spi_size != 0 && m->spi_size != 4 && m->spi_size != 8 && m->spi_size != 16)
		return false;
	if (plugin_has(m, PLUGIN_HAS_FLAGS) && (m->kind == PLUGIN_HELLO ? !hello_valid(m->flags) : m->flags > 7))
		return false;
	if (plugin_has(m, PLUGIN_HAS_LOCAL) && !is_address(&m->local))
		return false;
	if (plugin_has(m, PLUGIN_HAS_REMOTE) && !is_address(&m->remote))
		return false;
	return !plugin_has(m, PLUGIN_HAS_TEXT) || is_text(m->text);
}

bool plugin_valid(const struct plugin_message *m)
{
	for (size_t i = 0; i < KINDS; i++) {
		if (kinds[i].kind != m->kind)
			continue;
		if ((m->present & kinds[i].needs) != kinds[i].needs || (m->present & ~(kinds[i].needs | kinds[i].may)))
			return false;
		if (plugin_is_report(m->kind) ? m->serial != 0 : m->serial == 0 && m->kind != PLUGIN_RESULT)
			return false;
		return fields_valid(m);
	}
	return false;
}
