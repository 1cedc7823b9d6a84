/* SPDX-License-Identifier: MIT */
#include "model/device_order.h"

#include <string.h>

#include "base/memory.h"

/* Which platform has a command, in its words: %A the peer, %P esp or ah, %X the SPI, %C the colour. NULL: it has none. */
static const struct verb {
	const char *name;
	bool changes, clears_sa, names_peer, names_spi, names_color;
	const char *words[PLATFORMS];
} verbs[DEVICE_VERBS] = {
#define ROUTERS(ios) [PLATFORM_IOS] = (ios), [PLATFORM_IOS_XE] = (ios), [PLATFORM_SDWAN] = (ios)
#define SDWAN(words) { [PLATFORM_SDWAN] = (words) }
	[DEVICE_SHOW] = { .name = "show" },
	[DEVICE_SHOW_IPSEC_SA] = { "show-ipsec-sa", .names_peer = true,
				   .words = { ROUTERS("show crypto ipsec sa peer %A detail"),
					      [PLATFORM_ASA] = "show crypto ipsec sa peer %A detail" } },
	[DEVICE_SHOW_IKEV2_SA] = { "show-ikev2-sa", .words = { ROUTERS("show crypto ikev2 sa"), [PLATFORM_ASA] = "show crypto ikev2 sa" } },
	[DEVICE_SHOW_ISAKMP_SA] = { "show-isakmp-sa",
				    .words = { ROUTERS("show crypto isakmp sa"), [PLATFORM_ASA] = "show crypto ikev1 sa" } },
	[DEVICE_SHOW_BFD] = { "show-bfd", .words = SDWAN("show sdwan bfd sessions") },
	[DEVICE_SHOW_CONTROL] = { "show-control", .words = SDWAN("show sdwan control connections") },
	[DEVICE_SHOW_OMP_PEERS] = { "show-omp-peers", .words = SDWAN("show sdwan omp peers") },
	[DEVICE_SHOW_LOCAL_SA] = { "show-local-sa", .words = SDWAN("show sdwan ipsec local-sa") },
	[DEVICE_SHOW_OUTBOUND] = { "show-outbound", .words = SDWAN("show sdwan ipsec outbound-connections") },
	[DEVICE_SHOW_DROPS] = { "show-drops",
				.words = { [PLATFORM_IOS_XE] = "show platform hardware qfp active feature ipsec datapath drops",
					   [PLATFORM_SDWAN] = "show platform hardware qfp active feature ipsec datapath drops",
					   [PLATFORM_ASA] = "show asp drop" } },
	[DEVICE_SHOW_TRACE] = { "show-trace", .words = { ROUTERS("show monitor event-trace crypto ipsec event all") } },
	[DEVICE_SHOW_SPI_LOOKUP] = { "show-spi-lookup", .words = { ROUTERS("show crypto ipsec spi-lookup detail") } },
	[DEVICE_SHOW_SITE] = { "show-site", .words = SDWAN("show sdwan control local-properties") },
	[DEVICE_SHOW_ADDRESSES] = { "show-addresses",
				    .words = { ROUTERS("show ip interface brief"), [PLATFORM_ASA] = "show interface ip brief" } },
	[DEVICE_CLEAR_SA_ENTRY] = { "clear-sa-entry", true, true, true, true, .words = { ROUTERS("clear crypto sa entry %A %P %X"),
					[PLATFORM_ASA] = "clear crypto ipsec sa entry %A %P %X" } },
	[DEVICE_CLEAR_SA_PEER] = { "clear-sa-peer", true, true, true, .words = { ROUTERS("clear crypto sa peer %A"),
					[PLATFORM_ASA] = "clear crypto ipsec sa peer %A" } },
	[DEVICE_CLEAR_SESSION] = { "clear-session", true, true, true, .words = { ROUTERS("clear crypto session remote %A") } },
	[DEVICE_IPSEC_REKEY] = { "ipsec-rekey", true, .words = SDWAN("request platform software sdwan security ipsec-rekey") },
	[DEVICE_PORT_HOP] = { "port-hop", true, .names_color = true,
			      .words = SDWAN("request platform software sdwan port_hop color %C") },
	[DEVICE_CLEAR_OMP] = { "clear-omp", true, .words = SDWAN("clear sdwan omp all") },
	[DEVICE_CLEAR_CONTROL] = { "clear-control", true, .words = SDWAN("clear sdwan control connections") },
#undef SDWAN
#undef ROUTERS
};

const char *device_verb_name(enum device_verb verb)
{
	return (unsigned)verb < DEVICE_VERBS ? verbs[verb].name : "?";
}

bool device_verb_changes(enum device_verb verb)
{
	return (unsigned)verb >= DEVICE_VERBS || verbs[verb].changes;
}

bool device_verb_clears_sa(enum device_verb verb)
{
	return (unsigned)verb < DEVICE_VERBS && verbs[verb].clears_sa;
}

bool device_verb_is_sdwan_step(enum device_verb verb, enum sdwan_step *ret)
{
	static const enum device_verb steps[SDWAN_STEPS] = {
		[SDWAN_IPSEC_REKEY] = DEVICE_IPSEC_REKEY, [SDWAN_PORT_HOP] = DEVICE_PORT_HOP,
		[SDWAN_CLEAR_OMP] = DEVICE_CLEAR_OMP, [SDWAN_CLEAR_CONTROL] = DEVICE_CLEAR_CONTROL,
	};

	for (int step = 0; step < SDWAN_STEPS; step++) {
		if (steps[step] != verb)
			continue;
		*ret = (enum sdwan_step)step;
		return true;
	}
	return false;
}

static const char *const colors[DEVICE_COLORS] = {
	"?", "default", "mpls", "metro-ethernet", "biz-internet", "public-internet", "lte", "3g", "red", "green", "blue", "gold",
	"silver", "bronze", "custom1", "custom2", "custom3", "private1", "private2", "private3", "private4", "private5", "private6",
};

const char *device_color_name(enum device_color color)
{
	return colors[(unsigned)color < DEVICE_COLORS ? color : COLOR_NONE];
}

enum device_color device_color_of(struct text name)
{
	for (enum device_color color = COLOR_DEFAULT; color < DEVICE_COLORS; color++)
		if (text_equal(name, text_of(colors[color])))
			return color;
	return COLOR_NONE;
}

const char *device_outcome_name(enum device_outcome outcome)
{
	static const char *const names[DEVICE_OUTCOMES] = {
		"done", "the device did not take the command", "the device is not in the configuration as it was any more",
		"too many orders wait", "nobody can log in", "it does not give privileged mode", "it did not answer in time",
		"the connection ended", "what it prints is not understood",
	};

	return (unsigned)outcome < DEVICE_OUTCOMES ? names[outcome] : "?";
}

static bool is_show(struct text word)
{
	return word.len >= 2 && text_starts_nocase(TEXT("show"), word);
}

bool device_show_fits(struct text line)
{
	struct text rest = line, word = text_take_word(&rest);

	if (line.len >= DEVICE_COMMAND_MAX || !is_show(word) || text_trim(rest).len == 0)
		return false;
	for (size_t i = 0; i < line.len; i++) {
		char c = line.at[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') && !memchr(" .,:/-_()", c, 10))
			return false;
	}
	while ((word = text_take_word(&rest)).len)
		if (word.len >= 2 && (text_starts_nocase(TEXT("clear"), word) || text_starts_nocase(TEXT("reset"), word)))
			return false;
	return true;
}

static void add_argument(const struct device_order *order, char which, struct buffer *out)
{
	char address[SPIMEND_ADDRESS_TEXT_MAX];

	if (which == 'A')
		buffer_add_string(out, spimend_address_print(&order->peer, address));
	else if (which == 'P')
		buffer_add_string(out, spimend_protocol_name((enum spimend_protocol)order->protocol));
	else if (which == 'X')
		buffer_printf(out, "0x%X", order->spi.value);
	else
		buffer_add_string(out, device_color_name(order->color));
}

bool device_command(const struct device_order *order, enum platform platform, struct buffer *out)
{
	const char *words;

	if (order->verb == DEVICE_SHOW) { /* a person knows the device's own words */
		buffer_add_string(out, order->text);
		return true;
	}
	if ((unsigned)order->verb >= DEVICE_VERBS || (unsigned)platform >= PLATFORMS || !verbs[order->verb].words[platform])
		return false;
	for (words = verbs[order->verb].words[platform]; *words; words++) {
		if (*words == '%')
			add_argument(order, *++words, out);
		else
			buffer_add_char(out, *words);
	}
	return true;
}

/* --- What an item must be --------------------------------------------------------------------------------------- */

/* Ends within its room, and is printable ASCII. */
static bool is_text(const char *text, size_t size)
{
	const char *end = memchr(text, 0, size);

	for (const char *c = text; end && c < end; c++)
		if (*c < 0x20 || *c > 0x7e)
			return false;
	return end;
}

/* An address of one host: what a command may name. */
static bool is_host(const struct spimend_address *address)
{
	static const uint8_t none[16];

	if (address->family == 4)
		return address->bytes[0] && address->bytes[0] < 224 && memcmp(address->bytes + 4, none, 12) == 0;
	return address->family == 6 && address->bytes[0] != 0xff && memcmp(address->bytes, none, 16) != 0;
}

/* Each argument is there where its verb names it, and nowhere else. */
static bool has_arguments(const struct device_order *order)
{
	const struct verb *verb = &verbs[order->verb];
	bool has_spi = (order->protocol == SPIMEND_PROTOCOL_ESP || order->protocol == SPIMEND_PROTOCOL_AH) && order->spi.value;

	return (verb->names_peer ? is_host(&order->peer) : order->peer.family == 0) &&
	       (verb->names_spi ? has_spi : !order->protocol && !order->spi.value) &&
	       (verb->names_color ? order->color > COLOR_NONE && order->color < DEVICE_COLORS : order->color == COLOR_NONE) &&
	       (order->verb == DEVICE_SHOW ? device_show_fits(text_of(order->text)) : !order->text[0]);
}

bool device_valid_order(const struct device_order *order)
{
	return order->request && order->device < DEVICES_MAX && (unsigned)order->verb < DEVICE_VERBS && order->within_ns > 0 &&
	       order->within_ns <= DEVICE_WITHIN_MOST && is_text(order->text, sizeof(order->text)) && has_arguments(order);
}

bool device_valid_result(const struct device_result *result)
{
	return result->request && (unsigned)result->outcome < DEVICE_OUTCOMES && is_bool(&result->typed) &&
	       is_text(result->why, sizeof(result->why));
}

bool device_valid_open(const struct device_open *open)
{
	return (unsigned)open->platform < PLATFORMS && open->device < DEVICES_MAX;
}

bool device_valid_typed(const struct device_typed *typed)
{
	return is_text(typed->command, sizeof(typed->command)) &&
	       (typed->key ? (typed->key == ' ' || typed->key == '\r') && !typed->command[0] : true);
}

bool device_valid_part(const struct device_part *part)
{
	return part->len > 0 && part->len <= DEVICE_PART_MAX && is_bool(&part->of_ssh);
}

bool device_valid_closed(const struct device_closed *closed)
{
	return is_text(closed->why, sizeof(closed->why));
}

bool device_valid_seen(const struct device_seen *seen)
{
	return (unsigned)seen->sight < DEVICE_SIGHTS && is_bool(&seen->privileged) &&
	       is_bool(&seen->refused) && is_text(seen->why, sizeof(seen->why));
}

bool device_valid_printed(const struct device_printed *output)
{
	return output->request && output->len <= DEVICE_PART_MAX && is_bool(&output->last) && is_bool(&output->known) &&
	       is_bool(&output->paged) &&
	       is_bool(&output->cut);
}
