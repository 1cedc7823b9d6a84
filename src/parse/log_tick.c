/* SPDX-License-Identifier: MIT */
/*
 * When was who heard: of ordinary lines, the other 99 %, that is all we want to know. Most lines of a file start like the
 * one before, so the last line's prefix is kept and compared; what differs is read by hand-made short cuts for the commonest
 * stamp; all other forms go through framing_read().
 */
#include "parse/log_private.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

static inline unsigned digit2(const char *p)
{
	return (unsigned)(p[0] == ' ' ? 0 : p[0] - '0') * 10 + (unsigned)(p[1] - '0');
}

static inline bool are_digits2(const char *p)
{
	return (unsigned char)(p[0] - '0') < 10 && (unsigned char)(p[1] - '0') < 10;
}

static bool is_clock(const char *p)
{
	return are_digits2(p) && p[2] == ':' && are_digits2(p + 3) && p[5] == ':' && are_digits2(p + 6) && p[0] <= '2' &&
	       p[3] <= '5' && p[6] <= '5';
}

static int64_t clock_ns(const char *p)
{
	return (int64_t)(digit2(p) * 3600 + digit2(p + 3) * 60 + digit2(p + 6)) * SECOND_NS;
}

static inline int month_word(const char *p)
{
	return (unsigned char)p[0] << 16 | (unsigned char)p[1] << 8 | (unsigned char)p[2];
}

static int64_t year_start(int year, int64_t otherwise)
{
	struct civil first = { .year = year, .month = 1, .day = 1 };
	struct instant ret;

	return calendar_to_instant(&first, &ret) == 0 ? ret.ns : otherwise;
}

void log_tick_init(struct log *log)
{
	log->years_from.ns = year_start(log->rules.stamps.year - 1, INT64_MIN);
	log->years_to.ns = year_start(log->rules.stamps.year + 2, INT64_MAX);
}

/* --year says which year a log starts in; after New Year its stamps are of the next one. */
static const struct instant *year_near(const struct log *log)
{
	if (!log->rules.stamps.year || !log->overheard)
		return NULL;
	if (log->latest.ns < log->years_from.ns || log->latest.ns >= log->years_to.ns)
		return NULL; /* some stamp was damaged */
	return &log->latest;
}

/* "Nov  2 04:00:48": midnight is worked out once a day. */
static bool quick_month(struct log *log, struct text t, struct instant *ret)
{
	struct tick_memo *memo = &log->memo;
	unsigned day;

	if (t.len < 16 || t.at[3] != ' ' || t.at[6] != ' ' || !is_clock(t.at + 7) || t.at[15] != ' ')
		return false;
	day = digit2(t.at + 4);
	if (!memo->has_midnight || memo->day != (int)day || memo->month != month_word(t.at)) {
		struct stamp stamp;
		struct text rest = text_first(t, 15);

		if (!stamp_take(&rest, &stamp) || rest.len)
			return false;
		if (stamp_resolve(&stamp, &log->rules.stamps, year_near(log), ret) < 0)
			return false;
		memo->midnight_ns = ret->ns - clock_ns(t.at + 7);
		memo->month = month_word(t.at);
		memo->day = (int)day;
		memo->has_midnight = true;
		return true;
	}
	ret->ns = memo->midnight_ns + clock_ns(t.at + 7);
	return true;
}

/* How many of the next 16 bytes come before the first of a kind: branchless where the processor helps, since the lengths
 * of host names and numbers cannot be predicted. `t` has at least 16 bytes. */
#if defined(__SSE2__)

static inline unsigned first_bit(unsigned mask)
{
	return mask ? (unsigned)__builtin_ctz(mask) : 16;
}

static inline __m128i load16(const char *at)
{
	return _mm_loadu_si128((const __m128i *)at);
}

static inline __m128i is_char(__m128i bytes, char c)
{
	return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c));
}

/* The first n < 16 bytes as two words, the rest zero. */
static inline void take_words(const char *at, unsigned n, uint64_t ret[2])
{
	static const uint8_t ones[32] = { 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255 };
	__m128i kept = _mm_and_si128(load16(at), _mm_loadu_si128((const __m128i *)(ones + 16 - n)));

	ret[0] = (uint64_t)_mm_cvtsi128_si64(kept);
	ret[1] = (uint64_t)_mm_cvtsi128_si64(_mm_unpackhi_epi64(kept, kept));
}

static inline unsigned before_host_end(const char *at)
{
	__m128i b = load16(at);
	__m128i hit = _mm_or_si128(_mm_or_si128(is_char(b, ' '), is_char(b, ':')), _mm_or_si128(is_char(b, '%'), is_char(b, '[')));

	return first_bit((unsigned)_mm_movemask_epi8(hit));
}

static inline unsigned before_non_digit(const char *at)
{
	__m128i above = _mm_subs_epu8(_mm_sub_epi8(load16(at), _mm_set1_epi8('0')), _mm_set1_epi8(9));

	return first_bit((unsigned)~_mm_movemask_epi8(_mm_cmpeq_epi8(above, _mm_setzero_si128())) & 0xffff);
}

static inline unsigned before_tag_end(const char *at)
{
	__m128i b = load16(at);
	__m128i hit = _mm_or_si128(is_char(b, ' '), _mm_or_si128(is_char(b, '['), is_char(b, '=')));

	return first_bit((unsigned)_mm_movemask_epi8(hit));
}

#else

static inline unsigned before_any(const char *at, const char *stops)
{
	unsigned n = 0;

	while (n < 16 && (at[n] == '\0' || !strchr(stops, at[n])))
		n++;
	return n;
}

static inline void take_words(const char *at, unsigned n, uint64_t ret[2])
{
	ret[0] = ret[1] = 0;
	memcpy(ret, at, n);
}

static inline unsigned before_host_end(const char *at)
{
	return before_any(at, " :%[");
}

static inline unsigned before_non_digit(const char *at)
{
	unsigned n = 0;

	while (n < 16 && char_is_digit(at[n]))
		n++;
	return n;
}

static inline unsigned before_tag_end(const char *at)
{
	return before_any(at, " [=");
}

#endif

/* Do these letters look like "Nov  2 0": a device's own stamp? */
static inline bool starts_stamp(const char *at)
{
	return at[3] == ' ' && at[6] == ' ' && char_is_alpha(at[0]) && char_is_digit(at[5]);
}

/* The next word is the host where the stamp was followed by a blank. False where an inner host may follow, as in
 * "relay 77: rt7: *Nov ...", and where the name is too long for a quick look: all that is for framing_read(). */
static inline bool quick_host(struct text t, struct text *ret_host, uint64_t ret_words[2])
{
	unsigned name, digits, tag;
	const char *at = t.at;
	char padded[64];

	if (t.len < sizeof(padded)) { /* no look goes further than that */
		memset(padded, 0, sizeof(padded));
		memcpy(padded, t.at, t.len);
		at = padded;
	}
	name = before_host_end(at);
	if (name == 0 || name == 16 || at[name] != ' ' || name >= t.len)
		return false;
	*ret_host = text_first(t, name);
	take_words(at, name, ret_words);
	at += name + 1;
	digits = before_non_digit(at);
	if (digits) { /* a sequence number */
		if (digits == 16 || at[digits] != ':')
			return false;
		at += digits + 2;
	}
	if (at[0] == '%' || at[0] == '*' || at[0] == '.' || at[0] == ':' || starts_stamp(at))
		return true;
	tag = before_tag_end(at);
	if (tag == 0 || tag == 16)
		return false;
	if (at[tag] != ' ')
		return true; /* process[pid]; key=value */
	/* "kernel: ..." is a tag, "rt7: *Nov ..." an inner host: there the framing goes on. */
	at += tag;
	return at[-1] == ':' && at[1] != '*' && at[1] != '.' && at[1] != '%' && !char_is_digit(at[1]) && !starts_stamp(at + 1);
}

/* hosts_get() through a small table of recent names. */
static inline struct host *quick_get(struct log *log, struct text name, const uint64_t key[2])
{
	struct tick_memo *memo = &log->memo;
	struct host *host;
	size_t place;

	place = (key[0] * UINT64_C(0x9e3779b97f4a7c15) + key[1] * UINT64_C(0xc2b2ae3d27d4eb4f)) >> 54;
	_Static_assert(TICK_HOSTS == 1024, "the shift above gives ten bits");
	if (memo->room == log->hosts->room && memo->hosts[place].known && memo->hosts[place].name[0] == key[0] &&
	    memo->hosts[place].name[1] == key[1])
		return &log->hosts->slots[memo->hosts[place].slot];
	host = hosts_get(log->hosts, name);
	if (!host)
		return NULL;
	if (memo->room != log->hosts->room) { /* the table grew: all places moved */
		memset(memo->hosts, 0, sizeof(memo->hosts));
		memo->room = log->hosts->room;
	}
	memo->hosts[place].name[0] = key[0];
	memo->hosts[place].name[1] = key[1];
	memo->hosts[place].slot = (size_t)(host - log->hosts->slots);
	memo->hosts[place].known = true;
	return host;
}

static struct host *tick_slowly(struct log *log, struct text line)
{
	struct framing framing;
	struct instant at;
	struct host *host;

	framing_read(text_first(line, 256), false, &framing);
	if (!framing.has_outer || stamp_resolve(&framing.outer, &log->rules.stamps, year_near(log), &at) < 0)
		return NULL;
	host = log_host(log, framing.host);
	if (!host)
		return NULL;
	host->last_was_stray = false;
	log_hear(log, host, at, line);
	return host;
}

struct host *log_tick(struct log *log, struct text line)
{
	struct tick_memo *memo = &log->memo;
	uint64_t words[2], name_words[2];
	struct text name;
	struct host *host;

	if (line.len <= TICK_PREFIX)
		return NULL;
	memcpy(words, line.at, TICK_PREFIX);
	if (!memo->has_prefix || words[0] != memo->prefix[0] || words[1] != memo->prefix[1]) {
		memo->has_prefix = quick_month(log, line, &memo->at);
		if (!memo->has_prefix)
			return tick_slowly(log, line);
		memcpy(memo->prefix, words, TICK_PREFIX);
	}
	if (!quick_host(text_skip(line, TICK_PREFIX), &name, name_words))
		return tick_slowly(log, line);
	host = quick_get(log, name, name_words);
	if (!host)
		return NULL;
	host->last_was_stray = false;
	log->latest.ns = log->overheard && log->latest.ns > memo->at.ns ? log->latest.ns : memo->at.ns;
	log->overheard = true;
	if (__builtin_expect(host_hear(host, memo->at, log->tolerance, log), 0))
		log_trouble(log, TROUBLE_CLOCK_BACK, host_name(host), "the stamp lies before that of the host's previous line",
			    0, line);
	return host;
}

/* ---- the framing of messages ---- */

/* "Nov  2 04:00:48.123: " after an optional mark, and nothing else. */
static bool quick_device_stamp(struct log *log, struct text t, struct heading *h)
{
	int64_t fraction = 0, scale = SECOND_NS / 10;

	if (text_take_char(&t, '*'))
		h->device_unset = true;
	else
		text_take_char(&t, '.');
	if (t.len < 17 || t.at[3] != ' ' || t.at[6] != ' ' || !is_clock(t.at + 7))
		return false;
	/* quick_month() wants a blank where the fraction or the colon stands: compare the day with the one it knows. */
	if (!log->memo.has_midnight || log->memo.day != (int)digit2(t.at + 4) ||
	    log->memo.month != month_word(t.at))
		return false;
	h->device.ns = log->memo.midnight_ns + clock_ns(t.at + 7);
	t = text_skip(t, 15);
	if (text_take_char(&t, '.')) {
		for (; t.len && char_is_digit(t.at[0]); t = text_skip(t, 1)) {
			fraction += (t.at[0] - '0') * scale;
			scale /= 10;
		}
	}
	h->device.ns += fraction;
	h->has_device = true;
	return text_equal(t, TEXT(": "));
}

/*
 * quick_month() takes the year from an earlier line of the same day. With --year that is right as long as the latest line
 * lies within half a year: stamp_resolve() finds the same one then.
 */
static bool is_sure_of_year(const struct log *log, struct instant at)
{
	const struct instant *near;

	if (!log->rules.stamps.year)
		return true;
	near = year_near(log);
	return near && at.ns - near->ns <= DAY_NS * 180 && near->ns - at.ns <= DAY_NS * 180;
}

/* A name that nothing but a blank ends, and that is no zone ("04:00:48 EST rt17 ..."). */
static bool quick_writer(struct text *t, struct text *ret_host)
{
	struct text rest = *t, zone;
	size_t n = 0, letters = 0;
	int ignored;

	while (n < t->len && (char_is_alpha(t->at[n]) || char_is_digit(t->at[n]) || t->at[n] == '-' || t->at[n] == '_' ||
			      t->at[n] == '.'))
		n++;
	if (n == 0 || n > HOST_NAME_KEPT || !char_is_alpha(t->at[0]) || n == t->len || t->at[n] != ' ')
		return false;
	zone = text_first(rest, n);
	while (letters < n && char_is_alpha(zone.at[letters]))
		letters++;
	if (letters <= STAMP_ZONE_LETTERS_MAX && (letters == n || zone.at[letters] == '-') && stamp_take_zone(&zone, &ignored))
		return false;
	*ret_host = text_first(rest, n);
	*t = text_skip(rest, n + 1);
	return true;
}

/* "charon[912]" or the kernel's audit record: what precedes is the host, and the message starts here. */
static bool starts_tag(struct text t)
{
	size_t n = 0;

	if (text_starts(t, TEXT("kernel: audit: ")))
		return true;
	while (n < t.len && (char_is_alpha(t.at[n]) || t.at[n] == '-' || t.at[n] == '_'))
		n++;
	if (n == 0 || n == t.len || t.at[n] != '[')
		return false;
	t = text_skip(t, n + 1);
	return text_take_digits(&t, 10, NULL, NULL) && text_take_char(&t, ']');
}

/*
 * Behind a relay's stamp and a host: "4711: Nov  2 04:00:48.123: ", the device's number and stamp (both stamps of the same
 * day and without a zone), ": " of an ASA, or a tag. All else is for framing_read().
 */
bool log_quick_heading(struct log *log, struct text text, bool closed, struct heading *h)
{
	struct text rest = text_skip(text, TICK_PREFIX);

	*h = (struct heading){ 0 };
	if (!quick_month(log, text, &h->heard) || !is_sure_of_year(log, h->heard) || !quick_writer(&rest, &h->host))
		return false;
	h->has_heard = true;
	if (!closed) {
		h->used = text.len - rest.len;
		return starts_tag(rest);
	}
	h->used = text.len;
	if (text_equal(rest, TEXT(": ")))
		return true;
	return text_take_digits(&rest, 12, NULL, NULL) && text_take(&rest, TEXT(": ")) && quick_device_stamp(log, rest, h);
}

void log_framed_heading(struct log *log, struct text text, bool closed, struct heading *ret)
{
	const struct stamp_rules *rules = &log->rules.stamps;
	struct heading h;
	struct framing f;

	framing_read(text, closed, &f);
	h = (struct heading){
		.host = f.host,
		.heard_unset = f.has_outer && f.outer.clock_unset,
		.device_unset = f.has_inner && f.inner.clock_unset,
		.used = f.used,
	};
	h.has_heard = f.has_outer && stamp_resolve(&f.outer, rules, year_near(log), &h.heard) == 0;
	h.has_device = f.has_inner && stamp_resolve(&f.inner, rules, h.has_heard ? &h.heard : NULL, &h.device) == 0;
	h.impossible = (f.has_outer && !h.has_heard && !f.outer.is_uptime) ||
		       (f.has_inner && !h.has_device && !f.inner.is_uptime);
	*ret = h;
}

void log_heading(struct log *log, struct text text, bool closed, struct heading *ret)
{
	if (!log_quick_heading(log, text, closed, ret))
		log_framed_heading(log, text, closed, ret);
}
