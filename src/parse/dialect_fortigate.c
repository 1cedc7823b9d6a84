/* SPDX-License-Identifier: MIT */
/*
 * FortiGate: key=value pairs. The text decides, not the logid: log generators misuse 0101037131 (syslog.md 5).
 * Every packet's record carries the sequence number, hex without 0x like the SPI.
 */
#include "base/calendar.h"
#include "parse/dialect_form.h"

#define PAIRS_MAX 96 /* FortiOS 7 prints about 40 */

enum field {
	FIELD_DATE, FIELD_TIME, FIELD_TZ, FIELD_EVENTTIME, FIELD_DEVNAME, FIELD_ACTION, FIELD_MSG, FIELD_ERROR,
	FIELD_REMIP, FIELD_LOCIP, FIELD_REMPORT, FIELD_LOCPORT, FIELD_OUTINTF, FIELD_STATUS, FIELD_SPI, FIELD_SEQ,
	FIELD_IN_SPI, FIELD_OUT_SPI, FIELD_LOGID, FIELD_SUBTYPE,
	FIELD_COUNT
};

static const char *const field_names[FIELD_COUNT] = {
	"date", "time", "tz", "eventtime", "devname", "action", "msg", "error_num",
	"remip", "locip", "remport", "locport", "outintf", "status", "spi", "seq",
	"in_spi", "out_spi", "logid", "subtype",
};

struct record {
	struct text value[FIELD_COUNT];
	bool has[FIELD_COUNT];
	bool open_quote; /* the text ended within a quoted value */
	enum field last;
	size_t used;
};

static bool key_char(char c)
{
	return char_is_alpha(c) || char_is_digit(c) || c == '_' || c == '-';
}

/* Does t start with key= ? */
static bool starts_key(struct text t, size_t *ret_len)
{
	size_t n = 0;

	while (n < t.len && n < 32 && key_char(t.at[n]))
		n++;
	*ret_len = n;
	return n > 0 && n < t.len && t.at[n] == '=';
}

static struct text take_quoted(struct text *t, char quote, bool *ret_open)
{
	size_t n = 0;
	struct text value;

	while (n < t->len && t->at[n] != quote)
		n += t->at[n] == '\\' && n + 1 < t->len ? 2 : 1;
	value = text_first(*t, n);
	*ret_open = n >= t->len;
	*t = text_skip(*t, n + 1);
	return value;
}

/* Unquoted values hold blanks where the sender took the quotes off: the value ends where the next key= starts. */
static struct text take_bare(struct text *t)
{
	struct text value = *t;
	size_t n = 0, key;

	while (n < t->len) {
		if (char_is_blank(t->at[n]) || t->at[n] == ',') {
			size_t next = n;

			while (next < t->len && (char_is_blank(t->at[next]) || t->at[next] == ','))
				next++;
			if (next == t->len || starts_key(text_skip(*t, next), &key))
				break;
		}
		n++;
	}
	value.len = n;
	*t = text_skip(*t, n);
	return text_trim(value);
}

static void read_pairs(struct text body, struct record *r)
{
	struct text t = body;

	for (int i = 0; i < PAIRS_MAX; i++) {
		struct text key, value;
		size_t len;
		bool open = false;

		while (t.len && (char_is_blank(t.at[0]) || t.at[0] == ',' || t.at[0] == ';'))
			t = text_skip(t, 1);
		if (!starts_key(t, &len)) {
			/* Something else in front, such as <189>: skip a word. Behind the record it is not ours. */
			if (r->used || t.len == 0)
				return;
			text_take_word(&t);
			continue;
		}
		key = text_first(t, len);
		/* A second record on the same line. */
		if ((r->has[FIELD_DATE] && text_equal(key, TEXT("date"))) || (r->has[FIELD_LOGID] && text_equal(key, TEXT("logid"))))
			return;
		t = text_skip(t, len + 1);
		if (text_take_char(&t, '"'))
			value = take_quoted(&t, '"', &open);
		else if (text_take_char(&t, '\''))
			value = take_quoted(&t, '\'', &open);
		else
			value = take_bare(&t);
		r->used = body.len - t.len;
		r->open_quote = open;
		r->last = FIELD_COUNT;
		for (enum field f = 0; f < FIELD_COUNT; f++) {
			if (r->has[f] || !text_equal(key, text_of(field_names[f])))
				continue;
			r->has[f] = true;
			r->value[f] = value;
			r->last = f;
		}
	}
}

/* date=2022-09-08 time=16:29:21 */
static bool read_civil(const struct record *r, struct civil *ret)
{
	struct text d = r->value[FIELD_DATE], t = r->value[FIELD_TIME];
	uint64_t year, month, day, hour, minute, second;
	struct civil c;
	struct instant at;

	if (!text_take_digits(&d, 4, &year, NULL) || !text_take_char(&d, '-') || !text_take_digits(&d, 2, &month, NULL) ||
		!text_take_char(&d, '-') || !text_take_digits(&d, 2, &day, NULL))
		return false;
	if (!text_take_digits(&t, 2, &hour, NULL) || !text_take_char(&t, ':') || !text_take_digits(&t, 2, &minute, NULL) ||
		!text_take_char(&t, ':') || !text_take_digits(&t, 2, &second, NULL))
		return false;
	c = (struct civil){ .year = (int)year, .month = (int)month, .day = (int)day, .hour = (int)hour,
		.minute = (int)minute, .second = (int)second };
	if (calendar_to_instant(&c, &at) != 0)
		return false;
	*ret = c;
	return true;
}

/* tz='-0700', tz="+0530", +05:30 */
static bool read_zone(struct text t, int *ret_minutes)
{
	uint64_t hours, minutes = 0;
	bool west = text_take_char(&t, '-');

	if (!west)
		text_take_char(&t, '+');
	if (!text_take_digits(&t, 2, &hours, NULL) || hours > 14)
		return false;
	text_take_char(&t, ':');
	if (t.len && (!text_take_digits(&t, 2, &minutes, NULL) || minutes > 59))
		return false;
	*ret_minutes = (west ? -1 : 1) * (int)(hours * 60 + minutes);
	return true;
}

/* eventtime: UNIX time in seconds (FortiOS 6.0) or nanoseconds (6.2 and later). */
static bool read_eventtime(struct text t, int64_t *ret_ns)
{
	uint64_t value;

	if (text_decimal(t, INT64_MAX, &value) != 0 || value == 0)
		return false;
	if (t.len <= 10)
		*ret_ns = (int64_t)value * SECOND_NS;
	else if (t.len == 13)
		*ret_ns = (int64_t)value * 1000000;
	else if (t.len == 16)
		*ret_ns = (int64_t)value * 1000;
	else if (t.len == 19)
		*ret_ns = (int64_t)value;
	else
		return false;
	return *ret_ns > 0;
}

static void read_time(const struct record *r, struct reading *ret)
{
	struct civil c;
	int64_t event_ns = 0;
	bool event = read_eventtime(r->value[FIELD_EVENTTIME], &event_ns);
	bool zone;
	struct instant local;
	int64_t off_s;

	if (!read_civil(r, &c)) {
		if (event)
			dialect_set_own_time(ret, event_ns);
		return;
	}
	zone = r->has[FIELD_TZ] && read_zone(r->value[FIELD_TZ], &c.offset_minutes);
	if (event) {
		struct civil utc = c;

		/* The date has no fraction and often no zone; eventtime tells both, when the two agree. */
		utc.offset_minutes = 0;
		if (calendar_to_instant(&utc, &local) == 0) {
			off_s = (local.ns - event_ns) / SECOND_NS;
			if (!zone && off_s > -14 * 3600 - 60 && off_s < 14 * 3600 + 60) {
				int quarters = (int)((off_s + (off_s < 0 ? -450 : 450)) / 900);
				int64_t rest = off_s - quarters * INT64_C(900);

				zone = rest >= -5 && rest <= 5;
				if (zone)
					c.offset_minutes = quarters * 15;
			}
			if (zone && event_ns / SECOND_NS == local.ns / SECOND_NS - c.offset_minutes * INT64_C(60))
				c.nanosecond = event_ns % SECOND_NS;
		}
	}
	ret->own_time = c;
	ret->has_own_time = true;
	ret->own_time_has_zone = zone;
}

static bool value_has(const struct record *r, enum field f, struct text needle)
{
	return text_find_nocase(r->value[f], needle) != TEXT_NOT_FOUND;
}

static bool value_is(const struct record *r, enum field f, struct text needle)
{
	return text_equal_nocase(r->value[f], needle);
}

static enum fact_kind kind_of(const struct record *r, enum fact_reason *ret_reason)
{
	if (value_has(r, FIELD_ERROR, TEXT("unknown SPI")) || value_has(r, FIELD_MSG, TEXT("packet with unknown SPI")))
		return FACT_STRAY;
	if (value_has(r, FIELD_ERROR, TEXT("HMAC validation failed")))
		return FACT_INTEGRITY;
	if (value_has(r, FIELD_ERROR, TEXT("replayed packet")))
		return FACT_REPLAY;
	if (value_is(r, FIELD_ACTION, TEXT("tunnel-up")))
		return FACT_TUNNEL_UP;
	if (value_is(r, FIELD_ACTION, TEXT("tunnel-down")) || value_is(r, FIELD_ACTION, TEXT("delete_phase1_sa")))
		return FACT_TUNNEL_DOWN;
	if (value_is(r, FIELD_ACTION, TEXT("install_sa")))
		return FACT_SA_BORN;
	if (value_is(r, FIELD_ACTION, TEXT("delete_ipsec_sa")) || value_is(r, FIELD_ACTION, TEXT("phase2-down"))) {
		*ret_reason = REASON_DELETED;
		return FACT_SA_DIED;
	}
	if (value_is(r, FIELD_ACTION, TEXT("dpd")) && value_has(r, FIELD_STATUS, TEXT("fail")))
		return FACT_DPD_DEAD;
	return FACT_NONE;
}

static bool read_hex_field(const struct record *r, enum field f, struct spimend_spi *ret)
{
	struct text t = r->value[f];

	return dialect_take_spi(&t, ret) && t.len == 0;
}

static enum dialect_result read_stray(struct text body, const struct record *r, struct reading *ret)
{
	struct text spi = r->value[FIELD_SPI];
	uint64_t sequence;

	ret->fact.protocol = SPIMEND_PROTOCOL_ESP;
	if (dialect_is_placeholder(spi))
		return dialect_fail(ret, DIALECT_BAD, dialect_reason_template, (size_t)(spi.at - body.at));
	/* The end of the text may have cut the value itself. */
	if (r->open_quote || (r->last == FIELD_SPI && spi.len == 0))
		return dialect_fail(ret, DIALECT_MORE, "cut in the middle of a quoted value or after spi=", r->used);
	if (read_hex_field(r, FIELD_SPI, &ret->fact.spi))
		ret->fact.has |= FACT_HAS_SPI;
	else if (!dialect_is_masked(spi))
		return dialect_fail(ret, DIALECT_BAD, "spi= is no hex number of 1 to 8 digits", (size_t)(spi.at - body.at));
	if (text_hex64(r->value[FIELD_SEQ], &sequence) == 0) {
		ret->fact.sequence = sequence;
		ret->fact.has |= FACT_HAS_SEQUENCE;
	}
	return dialect_read_to(ret, r->used);
}

enum dialect_result dialect_fortigate_read(struct text body, struct reading *ret)
{
	struct record r = { .last = FIELD_COUNT };
	enum fact_reason reason = REASON_UNKNOWN;
	enum fact_kind kind;
	struct text name;

	*ret = (struct reading){ 0 };
	if (!text_has(body, TEXT("logid=")) && !text_has(body, TEXT("error_num=")))
		return DIALECT_NOT_MINE;
	read_pairs(body, &r);
	kind = kind_of(&r, &reason);
	/* action= is everyone's word: only beside the subtype does it speak of IPsec. */
	if (kind == FACT_NONE || (kind != FACT_STRAY && !value_is(&r, FIELD_SUBTYPE, TEXT("vpn"))) || r.used == 0)
		return DIALECT_NOT_MINE;
	if (kind == FACT_TUNNEL_DOWN || kind == FACT_TUNNEL_UP)
		if (r.has[FIELD_LOGID] && value_has(&r, FIELD_LOGID, TEXT("010103994"))) /* SSL VPN says tunnel-up too */
			return DIALECT_NOT_MINE;
	ret->fact = fact_of(kind, DIALECT_FORTIGATE);
	ret->fact.reason = reason;
	ret->fact.src = dialect_address(r.value[FIELD_REMIP], &ret->fact.flags);
	ret->fact.dst = dialect_address(r.value[FIELD_LOCIP], &ret->fact.flags);
	if (value_is(&r, FIELD_REMPORT, TEXT("4500")) || value_is(&r, FIELD_LOCPORT, TEXT("4500"))) {
		ret->fact.encap_udp = true;
		ret->fact.flags |= FLAG_NAT_T;
	}
	name = r.value[FIELD_OUTINTF];
	if (!dialect_is_masked(name))
		text_copy(name, ret->fact.interface, sizeof(ret->fact.interface));
	ret->own_host = r.value[FIELD_DEVNAME];
	read_time(&r, ret);
	if (kind == FACT_STRAY)
		return read_stray(body, &r, ret);
	if (read_hex_field(&r, FIELD_IN_SPI, &ret->fact.spi))
		ret->fact.has |= FACT_HAS_SPI;
	if (read_hex_field(&r, FIELD_OUT_SPI, &ret->fact.spi_out))
		ret->fact.has |= FACT_HAS_SPI_OUT;
	if ((kind == FACT_INTEGRITY || kind == FACT_REPLAY) && read_hex_field(&r, FIELD_SPI, &ret->fact.spi))
		ret->fact.has |= FACT_HAS_SPI;
	return dialect_read_to(ret, r.used);
}
