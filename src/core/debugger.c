/* SPDX-License-Identifier: MIT */
#include "core/debugger.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/calendar.h"
#include "base/memory.h"
#include "base/text.h"

#define PRICE_NS (SECOND_NS / DEBUGGER_LINES_A_SECOND)
#define CREDIT_MOST_NS (2 * SECOND_NS)
#define KNOWN_MAX 64 /* IKE SAs whose peer or version a line told, or that are gone from the mirror while lines come still */
#define ORDERS_MAX 32
#define STRAYS_MAX 32 /* flows of strays whose lines are gathered */
#define STRAYS_EVERY SECOND_NS
#define STRAY_PRICE_NS (SECOND_NS / DEBUGGER_STRAYS_A_SECOND)

struct known_ike {
	uint16_t daemon;
	uint32_t id;
	bool used;
	uint8_t version;             /* 0: unknown */
	struct spimend_address peer; /* unknown too */
};

struct known_order { /* so that its result is shown with its peer */
	uint64_t id;
	struct spimend_address peer;
};

/* A sensor tells of a flow fifty times a second: what comes within a second of its last line is one line, or the strays of a
 * black hole would push all else out of the logging buffer. */
struct known_stray {
	bool used;
	struct sighting sum; /* since the last line; packets: 0, none */
	int64_t said_at;
};

struct debugger {
	debugger_line_fn *line;
	void *context; /* borrows */
	struct debug_state state;
	struct known_ike known[KNOWN_MAX];
	uint32_t next_known;
	struct known_order orders[ORDERS_MAX];
	uint32_t next_order;
	struct known_stray strays[STRAYS_MAX];
	uint32_t next_stray;
	int64_t credit, stray_credit, at;
	uint64_t held_now; /* since it was said last, which is once a second at most */
	int64_t held_said_at;
	struct debugger_counts counts;
};

/* --- Life --------------------------------------------------------------------------------------------------------- */

int debugger_new(debugger_line_fn *line, void *context, struct debugger **ret)
{
	struct debugger *d = memory_new(1, sizeof(*d));

	if (!d)
		return -ENOMEM;
	d->line = line;
	d->context = context;
	d->credit = d->stray_credit = CREDIT_MOST_NS;
	*ret = d;
	return 0;
}

void debugger_free(struct debugger *d)
{
	memory_free(d);
}

void debugger_set(struct debugger *d, const struct debug_state *state)
{
	d->state = *state;
	memset(d->strays, 0, sizeof(d->strays));
}

bool debugger_wants_lines(const struct debugger *d)
{
	return debug_is_any(&d->state);
}

struct debugger_counts debugger_count(const struct debugger *d)
{
	return d->counts;
}

/* --- Out ---------------------------------------------------------------------------------------------------------- */

static void earn(struct debugger *d, int64_t now)
{
	int64_t gone = d->at ? now - d->at : 0;

	d->at = now ? now : 1;
	d->credit = d->credit + gone < CREDIT_MOST_NS ? d->credit + gone : CREDIT_MOST_NS;
	d->stray_credit = d->stray_credit + gone < CREDIT_MOST_NS ? d->stray_credit + gone : CREDIT_MOST_NS;
}

static void say_held(struct debugger *d, int64_t now)
{
	char text[160];

	snprintf(text, sizeof(text), "CRYPTO_DEBUG: %" PRIu64 " lines were held back by the limit of %d a second, %d of them of strays",
		 d->held_now, DEBUGGER_LINES_A_SECOND, DEBUGGER_STRAYS_A_SECOND);
	d->held_now = 0;
	d->held_said_at = now;
	d->credit -= PRICE_NS;
	d->counts.lines++;
	d->line(d->context, text);
}

static void say(struct debugger *d, int64_t now, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void say(struct debugger *d, int64_t now, const char *format, ...)
{
	char text[DEBUGGER_LINE_MAX];
	va_list arguments;

	earn(d, now);
	if (d->held_now && d->credit >= 2 * PRICE_NS && now - d->held_said_at >= SECOND_NS)
		say_held(d, now);
	if (d->credit < PRICE_NS) {
		d->held_now++;
		d->counts.held++;
		return;
	}
	d->credit -= PRICE_NS;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	for (char *c = text; *c; c++)
		*c = *c < 0x20 || *c > 0x7e ? '.' : *c;
	d->counts.lines++;
	d->line(d->context, text);
}

/* --- Of which peer ------------------------------------------------------------------------------------------------ */

static struct known_ike *known_of(struct debugger *d, uint16_t daemon, uint32_t id)
{
	for (uint32_t i = 0; i < KNOWN_MAX; i++)
		if (d->known[i].used && d->known[i].daemon == daemon && d->known[i].id == id)
			return &d->known[i];
	return NULL;
}

/* What is NULL or 0 stays as it was. */
static void remember(struct debugger *d, uint16_t daemon, uint32_t id, const struct spimend_address *peer, uint8_t version)
{
	struct known_ike *place = known_of(d, daemon, id);

	if (!place) {
		place = &d->known[d->next_known];
		d->next_known = (d->next_known + 1) % KNOWN_MAX;
		*place = (struct known_ike){ .daemon = daemon, .id = id, .used = true };
	}
	if (peer)
		place->peer = *peer;
	if (version)
		place->version = version;
}

static bool is_of_address(char c)
{
	return char_hex(c) >= 0 || c == '.' || c == ':';
}

/* The address of a condition, standing alone in the text: 10.1.1.3 is not in 10.1.1.30. A dot or colon at its end may be
 * the sentence's. */
static bool names_address(struct text text, const char *address)
{
	struct text needle = text_of(address);

	for (struct text rest = text; rest.len;) {
		size_t at = text_find(rest, needle), end;

		if (at == TEXT_NOT_FOUND)
			return false;
		end = at + needle.len;
		if ((at == 0 || !is_of_address(rest.at[at - 1])) &&
		    (end == rest.len || !is_of_address(rest.at[end]) ||
		     (char_hex(rest.at[end]) < 0 && (end + 1 == rest.len || !is_of_address(rest.at[end + 1])))))
			return true;
		rest = text_skip(rest, at + 1);
	}
	return false;
}

static bool peer_in_text(const struct debugger *d, const char *text, struct spimend_address *ret)
{
	char address[SPIMEND_ADDRESS_TEXT_MAX];

	for (uint32_t i = 0; i < d->state.peer_count; i++) {
		if (!names_address(text_of(text), spimend_address_print(&d->state.peers[i], address)))
			continue;
		*ret = d->state.peers[i];
		return true;
	}
	return false;
}

static struct spimend_address peer_of(struct debugger *d, const struct daemon_line *line, const struct ike_sa *ike)
{
	struct spimend_address peer = { 0 };
	const struct known_ike *known;

	if (ike && spimend_address_known(&ike->remote))
		return ike->remote;
	known = line->has_ike ? known_of(d, line->daemon, line->ike_id) : NULL;
	if (known && spimend_address_known(&known->peer))
		return known->peer;
	if (peer_in_text(d, line->text, &peer) && line->has_ike)
		remember(d, line->daemon, line->ike_id, &peer, 0);
	return peer;
}

/* --- The IKE daemon's words --------------------------------------------------------------------------------------- */

enum facility { FACILITY_IKE, FACILITY_IPSEC, FACILITY_ENGINE };

/* charon's groups, as they are known to IOS's debugs. */
static enum facility facility_of(const char *group)
{
	static const struct {
		const char *group;
		enum facility facility;
	} rows[] = {
		{ "CHD", FACILITY_IPSEC }, { "ESP", FACILITY_IPSEC }, { "KNL", FACILITY_IPSEC },
		{ "LIB", FACILITY_ENGINE }, { "ASN", FACILITY_ENGINE },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i].group, group) == 0)
			return rows[i].facility;
	return FACILITY_IKE;
}

/* charon names the exchange of each message: "parsed QUICK_MODE request", "generating INFORMATIONAL_V1 request". */
static uint8_t version_in_text(struct text text)
{
	static const struct {
		const char *exchange;
		uint8_t version;
	} rows[] = {
		{ " ID_PROT ", 1 }, { " AGGRESSIVE ", 1 }, { " QUICK_MODE ", 1 }, { " INFORMATIONAL_V1 ", 1 }, { " TRANSACTION ", 1 },
		{ " IKE_SA_INIT ", 2 }, { " IKE_AUTH ", 2 }, { " CREATE_CHILD_SA ", 2 }, { " INFORMATIONAL ", 2 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (text_find(text, text_of(rows[i].exchange)) != TEXT_NOT_FOUND)
			return rows[i].version;
	return 0;
}

static uint8_t version_of(struct debugger *d, const struct daemon_line *line, const struct ike_sa *ike)
{
	const struct known_ike *known = line->has_ike ? known_of(d, line->daemon, line->ike_id) : NULL;
	uint8_t version = ike ? ike->version : known ? known->version : 0;

	if (version)
		return version;
	version = version_in_text(text_of(line->text));
	if (version && line->has_ike)
		remember(d, line->daemon, line->ike_id, NULL, version);
	return version;
}

static void say_ike(struct debugger *d, const struct daemon_line *line, const struct ike_sa *ike,
		    const struct spimend_address *peer, int64_t now)
{
	bool one = debug_wants(&d->state, DEBUG_ISAKMP, peer), two = debug_wants(&d->state, DEBUG_IKEV2, peer);
	const char *end = line->is_cut ? "..." : "";
	uint8_t version = version_of(d, line, ike);

	/* While nobody can tell the version, it is shown to whoever looks. */
	if (version == 1)
		two = false;
	else if (version == 2)
		one = false;
	else if (two)
		one = false;
	if (one)
		say(d, now, "ISAKMP:(%" PRIu32 "): %s%s", line->has_ike ? line->ike_id : 0, line->text, end);
	if (two)
		say(d, now, "IKEv2:(SESSION ID = %" PRIu32 "): %s%s", line->has_ike ? line->ike_id : 0, line->text, end);
}

void debugger_daemon_line(struct debugger *d, const struct daemon_line *line, const struct ike_sa *ike, int64_t now)
{
	struct spimend_address peer;
	bool is_kernel = strcmp(line->group, "KNL") == 0;

	if (!debug_is_any(&d->state))
		return;
	peer = peer_of(d, line, ike);
	switch (facility_of(line->group)) {
	case FACILITY_IPSEC:
		if (debug_wants(&d->state, DEBUG_IPSEC, &peer))
			say(d, now, "IPSEC(%s): %s%s", is_kernel ? "kernel" : "child", line->text, line->is_cut ? "..." : "");
		else if (is_kernel && debug_wants(&d->state, DEBUG_ENGINE, &peer)) /* what installs SAs is the engine's work as well */
			say(d, now, "CRYPTO_ENGINE: %s%s", line->text, line->is_cut ? "..." : "");
		break;
	case FACILITY_ENGINE:
		if (debug_wants(&d->state, DEBUG_ENGINE, &peer))
			say(d, now, "CRYPTO_ENGINE: %s%s", line->text, line->is_cut ? "..." : "");
		break;
	default:
		say_ike(d, line, ike, &peer, now);
	}
}

/* --- What happens to SAs ------------------------------------------------------------------------------------------ */

/* The engine's own work: which SAs encrypt from now on, and which no more. */
static void say_engine(struct debugger *d, const char *what, const struct child_sa *sa, int64_t now)
{
	const struct sa_algorithms *a = &sa->algorithms;
	char bits[16] = "";

	if (a->key_bits)
		snprintf(bits, sizeof(bits), "-%u", a->key_bits);
	say(d, now, "CRYPTO_ENGINE: SA %s, inbound spi= 0x%08" PRIX32 ", outbound spi= 0x%08" PRIX32 "%s%s%s%s%s", what, sa->spi_in,
	    sa->spi_out, a->encryption[0] ? ", " : "", a->encryption, bits, a->integrity[0] ? " with " : "", a->integrity);
}

static void say_engine_event(struct debugger *d, const struct child_event *event, int64_t now)
{
	if (!debug_wants(&d->state, DEBUG_ENGINE, &event->child.remote))
		return;
	if (event->change == CHILD_UP)
		say_engine(d, "installed", &event->child, now);
	else if (event->change == CHILD_DOWN)
		say_engine(d, "removed", &event->child, now);
	else if (event->has_successor)
		say_engine(d, "installed by a rekey", &event->successor, now);
}

void debugger_child_event(struct debugger *d, const struct child_event *event, int64_t now)
{
	static const char *const changes[CHILD_CHANGES] = { "create_sa): sa created", "delete_sa): sa deleted", "rekey_sa): sa rekeyed" };
	const struct child_sa *sa = &event->child;
	char local[SPIMEND_ADDRESS_TEXT_MAX], remote[SPIMEND_ADDRESS_TEXT_MAX], successor[64] = "";

	if ((unsigned)event->change >= CHILD_CHANGES)
		return;
	say_engine_event(d, event, now);
	if (!debug_wants(&d->state, DEBUG_IPSEC, &sa->remote))
		return;
	if (event->has_successor)
		snprintf(successor, sizeof(successor), ", new inbound 0x%08" PRIX32 ", outbound 0x%08" PRIX32, event->successor.spi_in,
			 event->successor.spi_out);
	say(d, now, "IPSEC(%s, local= %s, remote= %s, inbound spi= 0x%08" PRIX32 ", outbound spi= 0x%08" PRIX32 "%s",
	    changes[event->change], spimend_address_print(&sa->local, local), spimend_address_print(&sa->remote, remote),
	    sa->spi_in, sa->spi_out, successor);
}

void debugger_ike_event(struct debugger *d, const struct ike_event *event, int64_t now)
{
	static const char *const changes[IKE_CHANGES] = { "is up", "is down", "was rekeyed", "has another address" };
	const struct ike_sa *ike = &event->ike;
	char remote[SPIMEND_ADDRESS_TEXT_MAX];

	if ((unsigned)event->change >= IKE_CHANGES)
		return;
	remember(d, ike->daemon, ike->id, &ike->remote, ike->version);
	spimend_address_print(&ike->remote, remote);
	if (ike->version == 1 && debug_wants(&d->state, DEBUG_ISAKMP, &ike->remote))
		say(d, now, "ISAKMP:(%" PRIu32 "): SA with %s %s", ike->id, remote, changes[event->change]);
	else if (ike->version != 1 && debug_wants(&d->state, DEBUG_IKEV2, &ike->remote))
		say(d, now, "IKEv2:(SESSION ID = %" PRIu32 "): SA with %s %s", ike->id, remote, changes[event->change]);
}

static bool is_same_flow(const struct sighting *a, const struct sighting *b)
{
	return a->spi == b->spi && a->protocol == b->protocol && a->witness == b->witness &&
	       spimend_address_equal(&a->src, &b->src) && spimend_address_equal(&a->dst, &b->dst) &&
	       strcmp(a->interface, b->interface) == 0;
}

static void say_stray(struct debugger *d, struct known_stray *stray, int64_t now)
{
	const struct sighting *s = &stray->sum;
	char src[SPIMEND_ADDRESS_TEXT_MAX], dst[SPIMEND_ADDRESS_TEXT_MAX];

	earn(d, now);
	if (d->stray_credit < STRAY_PRICE_NS) {
		d->held_now++;
		d->counts.held++;
		stray->sum.packets = 0;
		return;
	}
	d->stray_credit -= STRAY_PRICE_NS;
	say(d, now, "IPSEC(decaps): %" PRIu64 " packet%s with %s spi 0x%08" PRIX32 " from %s to %s, sequence %" PRIu32 " to %" PRIu32
	    "%s%.15s", s->packets, s->packets == 1 ? "" : "s", s->in_ledger ? "a former" : "an unknown", s->spi,
	    spimend_address_print(&s->src, src), spimend_address_print(&s->dst, dst), s->sequence_first, s->sequence_last,
	    s->interface[0] ? ", " : "", s->interface);
	stray->sum.packets = 0;
	stray->said_at = now;
}

/* One that is new here; what it takes the place of has its say. */
static struct known_stray *new_stray(struct debugger *d, int64_t now)
{
	struct known_stray *stray = &d->strays[d->next_stray];

	d->next_stray = (d->next_stray + 1) % STRAYS_MAX;
	if (stray->used && stray->sum.packets)
		say_stray(d, stray, now);
	stray->used = true;
	stray->said_at = now - STRAYS_EVERY;
	stray->sum.packets = 0;
	return stray;
}

void debugger_sighting(struct debugger *d, const struct sighting *s, int64_t now)
{
	struct known_stray *stray = NULL;

	if (!debug_wants(&d->state, DEBUG_IPSEC, &s->src))
		return;
	for (uint32_t i = 0; i < STRAYS_MAX && !stray; i++)
		if (d->strays[i].used && is_same_flow(&d->strays[i].sum, s))
			stray = &d->strays[i];
	if (!stray)
		stray = new_stray(d, now);
	if (stray->sum.packets) {
		stray->sum.packets += s->packets;
		stray->sum.sequence_last = s->sequence_last;
	} else {
		stray->sum = *s;
	}
	if (now - stray->said_at >= STRAYS_EVERY)
		say_stray(d, stray, now);
}

void debugger_tick(struct debugger *d, int64_t now)
{
	for (uint32_t i = 0; i < STRAYS_MAX; i++)
		if (d->strays[i].used && d->strays[i].sum.packets && now - d->strays[i].said_at >= STRAYS_EVERY)
			say_stray(d, &d->strays[i], now);
	earn(d, now);
	if (d->held_now && d->credit >= PRICE_NS && now - d->held_said_at >= SECOND_NS)
		say_held(d, now);
}

/* --- What is done about it ---------------------------------------------------------------------------------------- */

void debugger_order(struct debugger *d, const struct order *order, int64_t now)
{
	char peer[SPIMEND_ADDRESS_TEXT_MAX];

	d->orders[d->next_order] = (struct known_order){ order->id, order->peer };
	d->next_order = (d->next_order + 1) % ORDERS_MAX;
	if (debug_wants(&d->state, DEBUG_IPSEC, &order->peer))
		say(d, now, "IPSEC(recovery): order %" PRIu64 ": %s towards %s", order->id, order_verb_name(order->verb),
		    spimend_address_print(&order->peer, peer));
}

void debugger_result(struct debugger *d, const struct order_result *result, int64_t now)
{
	for (uint32_t i = 0; i < ORDERS_MAX; i++) {
		if (d->orders[i].id != result->id || !result->id)
			continue;
		if (debug_wants(&d->state, DEBUG_IPSEC, &d->orders[i].peer))
			say(d, now, "IPSEC(recovery): order %" PRIu64 ": %s after %" PRId64 " ms%s%s", result->id,
			    order_outcome_name(result->outcome), result->took_ns / 1000000, result->text[0] ? ": " : "", result->text);
		return;
	}
}
