/* SPDX-License-Identifier: MIT */
/*
 * IOS, IOS XE and PIX: RECVD_PKT_INV_SPI in every form seen (syslog.md 1), and its neighbours (syslog.md 4).
 */
#include "parse/dialect_form.h"
#include "parse/mnemonic.h"
#include "spimend/error.h"

static enum dialect_result bad(struct reading *ret, struct text all, struct text at, const char *reason)
{
	ret->failure = (struct parse_failure){ reason, at.at ? (size_t)(at.at - all.at) : all.len };
	return DIALECT_BAD;
}

static enum dialect_result more(struct reading *ret, struct text all, const char *reason)
{
	ret->failure = (struct parse_failure){ reason, all.len };
	return DIALECT_MORE;
}

static enum dialect_result done(struct reading *ret, struct text all, struct text rest)
{
	ret->used = all.len - rest.len;
	return DIALECT_READ;
}

static bool is_placeholder(struct text value)
{
	return value.len && (value.at[0] == '[' || value.at[0] == '<' || value.at[0] == '_') && value.len > 1;
}

/* x, X, *, and what is left of digits when a person blacks them out. */
static bool is_masked_hex(struct text value)
{
	text_take_nocase(&value, TEXT("0x"));
	for (size_t i = 0; i < value.len; i++)
		if (!strchr("xX*#.?", value.at[i]) || value.at[i] == '\0')
			return false;
	return true;
}

/* Without what people, JSON and rsyslog's "[ ... ]" put behind a value. */
static struct text without_litter(struct text value)
{
	while (value.len && memchr(".;:\"')]}>*", value.at[value.len - 1], 10))
		value.len--;
	return value;
}

/* A value at the very end of the text may go on in the next line. */
static bool may_go_on(struct text value, struct text rest)
{
	return rest.len == 0 && value.len > 0;
}

/* Takes 0xH(D): the hex is the truth, a decimal that differs is a flag (both lines of source note 002 differ). */
static const char *take_spi(struct text *t, struct fact *f)
{
	struct text rest = *t;
	struct text value = without_litter(text_take_until(&rest, " ,(\t\r\n"));
	bool bare = !text_starts_nocase(value, TEXT("0x"));
	uint64_t decimal;
	uint32_t hex;
	int result;

	if (value.len == 0 || is_masked_hex(value)) {
		if (text_take_char(&rest, '('))
			text_take_until(&rest, ",)"), text_take_char(&rest, ')');
		*t = rest;
		return NULL;
	}
	if (is_placeholder(value))
		return "a template, not a message";
	result = text_hex32(value, &hex);
	if (result == SPIMEND_E_RANGE && bare && !(rest.len && rest.at[0] == '(') &&
	    text_decimal(value, UINT32_MAX, &decimal) == 0) {
		hex = (uint32_t)decimal; /* nine digits and more, no 0x: decimal alone */
		result = 0;
	}
	if (result == SPIMEND_E_RANGE)
		return "the SPI has more than 32 bits";
	if (result < 0)
		return "the SPI is no hex number";
	f->spi.value = hex;
	f->has |= FACT_HAS_SPI;
	if (text_take_char(&rest, '(')) {
		struct text digits = text_take_until(&rest, "), \t\r\n");
		bool negative = text_take_char(&digits, '-'); /* PIX printed it signed */

		if (digits.len && !is_masked_hex(digits) &&
		    !(text_decimal(digits, UINT32_MAX, &decimal) == 0 && (uint32_t)(negative ? -decimal : decimal) == hex))
			f->flags |= FLAG_DECIMAL_DIFFERS;
		text_take_char(&rest, ')');
	}
	*t = rest;
	return NULL;
}

/* The words between the name and the fields. 1 taken, 0 cut here, -1 something else. */
static int take_preamble(struct text *t)
{
	static const char *const words[] = { "IPSEC", "packet", "has", "invalid", "spi", "for" };
	struct text word = text_take_word(t);

	/* A hard wrap may have cut any of them: the start of a word at the end of the text is cut, not wrong. */
	if (word.len == 0 || (t->len == 0 && text_starts_nocase(TEXT("decaps:"), word)))
		return 0;
	if (text_starts_nocase(word, TEXT("decaps"))) {
		word = text_take_word(t);
		if (word.len == 0)
			return 0;
	}
	if (t->len == 0 && text_starts_nocase(TEXT("rec"), word))
		return 0;
	if (!text_starts_nocase(word, TEXT("rec")) || word.len > 10) /* rec'd, rec`d, a typographic quote, received */
		return -1;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		word = text_take_word(t);
		if (word.len == 0)
			return 0;
		if (!text_equal_nocase(word, text_of(words[i])))
			return t->len == 0 && text_starts_nocase(text_of(words[i]), word) ? 0 : -1;
	}
	return 1;
}

enum field { FIELD_DST, FIELD_PROTOCOL, FIELD_SPI, FIELD_SRC, FIELD_INTERFACE, FIELDS, FIELD_NONE };

static const char *const field_names[FIELDS] = { "destaddr", "prot", "spi", "srcaddr", "input interface" };

/* Nothing, or the first letters of a field's name, as a cut line ends. */
static bool is_field_start(struct text t)
{
	t = text_trim(t);
	for (int field = 0; field < FIELDS; field++)
		if (text_starts_nocase(text_of(field_names[field]), t))
			return true;
	return false;
}

static enum field take_field_name(struct text *t)
{
	struct text rest = *t;

	for (int field = 0; field < FIELDS; field++) {
		if (!text_take_nocase(&rest, text_of(field_names[field])))
			continue;
		text_take_blanks(&rest);
		if (!text_take_char(&rest, '='))
			break;
		text_take_blanks(&rest);
		*t = rest;
		return (enum field)field;
	}
	return FIELD_NONE;
}

static const char *take_protocol(struct text *t, struct fact *f)
{
	struct text rest = *t;
	struct text value = text_take_until(&rest, " ,(\t\r\n");
	uint64_t number;

	if (is_placeholder(value))
		return "a template, not a message";
	if (text_decimal(value, 255, &number) == 0 && (number == 50 || number == 51))
		f->protocol = (enum spimend_protocol)number;
	else if (text_equal_nocase(value, TEXT("esp")))
		f->protocol = SPIMEND_PROTOCOL_ESP;
	else if (text_equal_nocase(value, TEXT("ah")))
		f->protocol = SPIMEND_PROTOCOL_AH;
	else if (value.len && char_is_digit(value.at[0]) && !may_go_on(value, rest))
		return "prot is neither 50 (ESP) nor 51 (AH)";
	*t = rest;
	return NULL;
}

static struct spimend_address read_address(struct text value, uint32_t *flags)
{
	uint32_t ignored = 0;
	struct spimend_address address = dialect_address(value, &ignored);

	return spimend_address_known(&address) ? address : dialect_address(without_litter(value), flags);
}

static bool is_address_start(struct text t)
{
	for (size_t i = 0; i < t.len; i++)
		if (char_hex(t.at[i]) < 0 && t.at[i] != '.' && t.at[i] != ':')
			return false;
	return true;
}

/* Takes an address. Behind it may stand litter, or another message that lost its line break: "10.1.1.1*Sep  2 ...". */
static const char *take_address(struct text *t, struct spimend_address *ret, uint32_t *flags, bool *ret_cut)
{
	struct text rest = *t;
	struct text value = text_take_until(&rest, " ,\t\r\n");
	size_t plain = 0;
	uint32_t ignored = 0;

	while (plain < value.len && (char_is_digit(value.at[plain]) || value.at[plain] == '.'))
		plain++;
	*ret = read_address(value, &ignored);
	if (!spimend_address_known(ret) && plain < value.len &&
	    (char_is_alpha(value.at[plain]) || value.at[plain] == '*' || value.at[plain] == '<')) {
		*ret = dialect_address(text_first(value, plain), &ignored);
		if (spimend_address_known(ret))
			rest = text_skip(*t, plain);
	}
	if (!spimend_address_known(ret)) {
		if (is_placeholder(value) || text_equal(value, TEXT("dest_address")) || text_equal(value, TEXT("src_address")))
			return "a template, not a message";
		/* The next line's first word, where the value was taken out: "srcaddr= IPSEC(create_sa): ..." */
		if (text_find_char(value, '(') != TEXT_NOT_FOUND || (text_ends(value, TEXT(":")) && !is_address_start(value)))
			rest = *t;
		/* Digits that stop short at the end of the text: the rest stands in the next line. */
		*ret_cut = may_go_on(value, rest) && is_address_start(value);
		*flags |= FLAG_ADDRESS_MASKED;
	}
	*t = rest;
	return NULL;
}

static bool take_plain_address(struct text *t, struct spimend_address *ret)
{
	size_t n = 0;

	while (n < t->len && (char_is_digit(t->at[n]) || t->at[n] == '.'))
		n++;
	if (spimend_address_parse(t->at, n, ret) < 0)
		return false;
	*t = text_skip(*t, n);
	return true;
}

/* 0xH(D), both the same number. */
static bool take_plain_spi(struct text *t, struct fact *f)
{
	uint64_t decimal;

	if (!text_starts(*t, TEXT("0x")) || !dialect_take_spi(t, &f->spi) || !text_take_char(t, '('))
		return false;
	if (!text_take_digits(t, 10, &decimal, NULL) || decimal != f->spi.value || !text_take_char(t, ')'))
		return false;
	f->has |= FACT_HAS_SPI;
	return true;
}

/* The whole message to the letter as IOS prints it for ESP, and nothing behind it: a short cut for nearly all of them. What
 * deviates is for the long way. */
static bool read_plain_invalid_spi(struct text t, struct fact *f)
{
	struct text interface = TEXT_NONE;

	*f = fact_of(FACT_STRAY, DIALECT_IOS);
	if (!text_take(&t, TEXT(" decaps: rec'd IPSEC packet has invalid spi for destaddr=")) ||
	    !take_plain_address(&t, &f->dst) || !text_take(&t, TEXT(", prot=50, spi=")) || !take_plain_spi(&t, f) ||
	    !text_take(&t, TEXT(", srcaddr=")) || !take_plain_address(&t, &f->src))
		return false;
	if (text_take(&t, TEXT(", input interface="))) {
		interface = text_take_until(&t, " ,\t\r\n");
		if (interface.len == 0)
			return false;
	}
	f->protocol = SPIMEND_PROTOCOL_ESP;
	text_copy(without_litter(interface), f->interface, sizeof(f->interface));
	fact_flag_spi(f);
	return t.len == 0;
}

static enum dialect_result read_invalid_spi(struct text all, struct text t, bool is_pix, struct reading *ret)
{
	static const char *const missing[FIELDS] = {
		"cut in the middle: destaddr= is missing", "cut in the middle: prot= is missing",
		"cut in the middle: spi= is missing", "cut in the middle: srcaddr= is missing", NULL,
	};
	struct fact *f = &ret->fact;
	bool seen[FIELDS] = { false }, address_cut = false;
	struct text end = TEXT_NONE;
	int preamble;

	if (read_plain_invalid_spi(t, f))
		return done(ret, all, TEXT_NONE);
	*f = fact_of(FACT_STRAY, DIALECT_IOS);
	preamble = take_preamble(&t);
	if (preamble == 0)
		return more(ret, all, "cut in the middle: \"has invalid spi for\" and the fields are missing");
	if (preamble < 0)
		return bad(ret, all, t, "the name without its message: \"decaps: rec'd IPSEC packet has invalid spi for\" expected");
	for (;;) {
		const char *problem = NULL;
		struct text before, value;
		enum field field;

		while (text_take_blanks(&t) || text_take_char(&t, ','))
			;
		before = t;
		field = take_field_name(&t);
		if (field == FIELD_NONE || seen[field])
			break;
		seen[field] = true;
		if (t.len == 0) {
			/* All is there but the last value: cut here, or somebody took it out. */
			ret->complete = seen[FIELD_DST] && seen[FIELD_SPI] && seen[FIELD_SRC];
			if (field == FIELD_SRC)
				f->flags |= FLAG_ADDRESS_MASKED;
			fact_flag_spi(f);
			return more(ret, all, missing[field] ? missing[field] : "cut in the middle: the interface is missing");
		}
		switch (field) {
		case FIELD_SPI:
			problem = take_spi(&t, f);
			if (!(f->has & FACT_HAS_SPI)) /* without its comma, "spi=" alone would look cut */
				text_take_char(&t, ',');
			break;
		case FIELD_PROTOCOL:
			problem = take_protocol(&t, f);
			break;
		case FIELD_INTERFACE:
			value = text_take_until(&t, " ,\t\r\n");
			text_copy(without_litter(value), f->interface, sizeof(f->interface));
			break;
		default:
			problem = take_address(&t, field == FIELD_DST ? &f->dst : &f->src, &f->flags, &address_cut);
			break;
		}
		if (problem)
			return bad(ret, all, before, problem);
		end = t;
	}
	for (int field = FIELD_DST; field <= FIELD_SRC; field++) {
		if (seen[field])
			continue;
		if (field == FIELD_SRC && is_pix) { /* early ones did not name the source */
			f->flags |= FLAG_ADDRESS_MASKED;
			ret->complete = true;
			fact_flag_spi(f);
			if (end.len == 0 || (t.len && !text_starts(TEXT("srcaddr="), t)))
				return done(ret, all, end);
		}
		if (is_field_start(t))
			return more(ret, all, missing[field]);
		return bad(ret, all, t, missing[field]);
	}
	if (seen[FIELD_SRC] && address_cut && t.len == 0) {
		ret->complete = true;
		fact_flag_spi(f);
		return more(ret, all, "cut within srcaddr=");
	}
	/* A comma after the last address promises ", input interface=". */
	if (!seen[FIELD_INTERFACE] && t.len == 0 && end.len && end.at[0] == ',') {
		ret->complete = true;
		fact_flag_spi(f);
		return more(ret, all, "cut after srcaddr=: the interface is missing");
	}
	/* "input" alone at the end of a line is the first half of "input interface=". */
	if (!seen[FIELD_INTERFACE] && end.len && end.at[0] == ',' && text_starts(TEXT("input interface="), t)) {
		ret->complete = true;
		fact_flag_spi(f);
		return more(ret, all, "cut after srcaddr=: the interface is missing");
	}
	fact_flag_spi(f);
	return done(ret, all, end);
}

/* Finds `key` in t and returns the text after it, blanks skipped; len 0 when it is not there. */
static struct text after_key(struct text t, const char *key)
{
	size_t at = text_find(t, text_of(key));
	struct text rest;

	if (at == TEXT_NOT_FOUND)
		return TEXT_NONE;
	rest = text_skip(t, at + strlen(key));
	text_take_blanks(&rest);
	return rest;
}

static struct spimend_address address_after(struct text t, const char *key, struct fact *f)
{
	struct text rest = after_key(t, key);
	uint32_t ignored = 0;

	if (rest.len == 0)
		return (struct spimend_address){ 0 };
	return read_address(text_take_until(&rest, " ,)\t\r\n"), f ? &f->flags : &ignored);
}

static void spi_after(struct text t, const char *key, struct fact *f)
{
	struct text rest = after_key(t, key);
	uint32_t value;

	if (rest.len && text_hex32(without_litter(text_take_until(&rest, " ,()\t\r\n")), &value) == 0) {
		f->spi.value = value;
		f->has |= FACT_HAS_SPI;
		fact_flag_spi(f);
	}
}

static void sequence_after(struct text t, const char *key, bool hex, struct fact *f)
{
	struct text rest = after_key(t, key), word;
	uint64_t value;
	uint32_t value32;

	if (rest.len == 0)
		return;
	word = without_litter(text_take_until(&rest, " ,)\t\r\n"));
	if (hex ? text_hex32(word, &value32) == 0 : text_decimal(word, UINT64_MAX / 16, &value) == 0) {
		f->sequence = hex ? value32 : value;
		f->has |= FACT_HAS_SEQUENCE;
	}
}

/* %CRYPTO-4-RECVD_PKT_MAC_ERR, %CRYPTO-4-PKT_REPLAY_ERR, %IPSEC-3-HMAC_ERROR, %IPSEC-3-REPLAY_ERROR: the SA was found. */
static enum dialect_result read_sa_found(struct text all, struct text t, enum fact_kind kind, struct reading *ret)
{
	struct fact *f = &ret->fact;

	*f = fact_of(kind, DIALECT_IOS);
	f->protocol = SPIMEND_PROTOCOL_UNKNOWN;
	f->src = address_after(t, "src_addr", f);
	if (!spimend_address_known(&f->src))
		f->src = address_after(t, "src_addr=", f);
	if (!spimend_address_known(&f->src))
		f->src = address_after(t, "remote=", f);
	f->dst = address_after(t, "dest_addr", f);
	if (!spimend_address_known(&f->dst))
		f->dst = address_after(t, "dest_addr=", f);
	if (!spimend_address_known(&f->dst))
		f->dst = address_after(t, "local=", f);
	f->flags &= ~(uint32_t)FLAG_ADDRESS_MASKED;
	spi_after(t, "SPI ", f);
	spi_after(t, "spi=", f);
	sequence_after(t, "seqno=", true, f);
	sequence_after(t, "sequence number=", false, f);
	return done(ret, all, text_skip(all, all.len));
}

static enum dialect_result read_plain(struct text all, enum fact_kind kind, struct reading *ret)
{
	ret->fact = fact_of(kind, DIALECT_IOS);
	return done(ret, all, text_skip(all, all.len));
}

static enum dialect_result read_session(struct text all, struct text t, struct reading *ret)
{
	bool up = text_has(t, TEXT(" is UP")), down = text_has(t, TEXT(" is DOWN"));

	if (up == down)
		return DIALECT_NOT_MINE;
	ret->fact = fact_of(up ? FACT_TUNNEL_UP : FACT_TUNNEL_DOWN, DIALECT_IOS);
	ret->fact.src = address_after(t, "Peer ", NULL);
	return done(ret, all, text_skip(all, all.len));
}

/* Next Hop Client : (Tunnel: T NBMA: N ) for (Tunnel: T NBMA: N) is DOWN: the first is the peer, the second the writer. */
static enum dialect_result read_nhrp(struct text all, struct text t, struct reading *ret)
{
	struct text second = after_key(t, " for (");

	if (!text_has(t, TEXT("is DOWN")))
		return DIALECT_NOT_MINE;
	ret->fact = fact_of(FACT_NHRP_DOWN, DIALECT_IOS);
	ret->fact.src = address_after(t, "NBMA:", NULL);
	ret->fact.dst = address_after(second, "NBMA:", NULL);
	text_take_blanks(&t);
	text_copy(text_take_until(&t, ": "), ret->fact.interface, sizeof(ret->fact.interface));
	return done(ret, all, text_skip(all, all.len));
}

static enum dialect_result read_line_protocol(struct text all, struct text t, struct reading *ret)
{
	struct text name = after_key(t, "Interface ");
	bool up = text_has(t, TEXT("state to up")), down = text_has(t, TEXT("state to down"));

	if (!text_starts(name, TEXT("Tunnel")) || up == down)
		return DIALECT_NOT_MINE;
	ret->fact = fact_of(up ? FACT_LINE_UP : FACT_LINE_DOWN, DIALECT_IOS);
	text_copy(text_take_until(&name, ", "), ret->fact.interface, sizeof(ret->fact.interface));
	return done(ret, all, text_skip(all, all.len));
}

/* SD-WAN's notification: ... bfd-state-change ... src-ip:A dst-ip:B ... new-state:down */
static enum dialect_result read_bfd(struct text all, struct text t, struct reading *ret)
{
	if (!text_has(t, TEXT("new-state:down")) && !text_has(t, TEXT("is going Down")))
		return DIALECT_NOT_MINE;
	ret->fact = fact_of(FACT_BFD_DOWN, DIALECT_IOS);
	ret->fact.dst = address_after(t, "src-ip:", NULL);
	ret->fact.src = address_after(t, "dst-ip:", NULL);
	return done(ret, all, text_skip(all, all.len));
}

static enum dialect_result read_crypto(struct text all, const struct mnemonic *m, struct text t, struct reading *ret)
{
	if (mnemonic_name_is(m, TEXT("RECVD_PKT_MAC_ERR")) || mnemonic_name_is(m, TEXT("HMAC_ERROR")))
		return read_sa_found(all, t, FACT_INTEGRITY, ret);
	if (mnemonic_name_is(m, TEXT("PKT_REPLAY_ERR")) || mnemonic_name_is(m, TEXT("REPLAY_ERROR"))) {
		/* IOS breaks this line after "failed" (syslog.md 4). */
		if (text_ends(text_trim(t), TEXT("replay check failed"))) {
			read_sa_found(all, t, FACT_REPLAY, ret);
			ret->complete = true;
			return more(ret, all, "cut after \"replay check failed\"");
		}
		return read_sa_found(all, t, FACT_REPLAY, ret);
	}
	if (mnemonic_name_is(m, TEXT("IKMP_NO_SA"))) {
		read_plain(all, FACT_NO_IKE_SA, ret);
		ret->fact.src = address_after(t, "IKE message from ", &ret->fact);
		return DIALECT_READ;
	}
	if (mnemonic_name_is(m, TEXT("ISAKMP_ON_OFF")) && text_has(t, TEXT("ISAKMP is ON")))
		return read_plain(all, FACT_IKE_STARTED, ret);
	if (mnemonic_name_is(m, TEXT("RECVD_PKT_NOT_IPSEC")) || text_starts(m->name, TEXT("RECVD_PKT_INV_IDENTITY"))) {
		bool selector = text_starts(m->name, TEXT("RECVD_PKT_INV_ID"));
		struct text vrf = after_key(t, "dest_addr=");

		if (text_has(t, TEXT("<local ip>")) || text_has(t, TEXT("[IP_address]")) || text_has(t, TEXT("[chars]")))
			return bad(ret, all, t, "a template, not a message");
		read_plain(all, selector ? FACT_SELECTOR : FACT_NOT_IPSEC, ret);
		text_take_until(&vrf, "/,");
		if (text_take_char(&vrf, '/'))
			ret->fact.dst = read_address(text_take_until(&vrf, ", "), &ret->fact.flags);
		else
			ret->fact.dst = address_after(t, "dest_addr=", &ret->fact);
		ret->fact.src = address_after(t, "src_addr=", &ret->fact);
		return DIALECT_READ;
	}
	if (text_ends(m->name, TEXT("SESSION_STATUS")))
		return read_session(all, t, ret);
	return DIALECT_NOT_MINE;
}

enum dialect_result dialect_cisco_read(struct text body, struct reading *ret)
{
	struct mnemonic m;

	if (!mnemonic_find(body, 0, &m) || m.at != 0)
		return DIALECT_NOT_MINE;
	return dialect_cisco_read_named(body, m, ret);
}

enum dialect_result dialect_cisco_read_named(struct text body, struct mnemonic m, struct reading *ret)
{
	struct text t = text_skip(body, m.end);

	if (mnemonic_name_is(&m, TEXT("RECVD_PKT_INV_SPI")) ||
	    (text_equal(m.facility, TEXT("PIX")) && text_equal(m.name, TEXT("402101"))))
		return read_invalid_spi(body, t, text_equal(m.facility, TEXT("PIX")), ret);
	if (text_equal(m.facility, TEXT("CRYPTO")) || text_equal(m.facility, TEXT("IPSEC")))
		return read_crypto(body, &m, t, ret);
	if (text_equal(m.facility, TEXT("DMVPN")) && text_has(m.name, TEXT("DOWN")))
		return read_nhrp(body, t, ret);
	if (text_equal(m.facility, TEXT("LINEPROTO")))
		return read_line_protocol(body, t, ret);
	if (text_equal(m.facility, TEXT("SYS"))) {
		if (text_equal(m.name, TEXT("RESTART")) || text_equal(m.name, TEXT("RELOAD")))
			return read_plain(body, FACT_RESTART, ret);
		if (text_equal(m.name, TEXT("CONFIG_I")))
			return read_plain(body, FACT_CONFIGURED, ret);
	}
	if (text_equal(m.facility, TEXT("HA_EM")))
		return read_plain(body, FACT_APPLET, ret);
	if (text_equal(m.facility, TEXT("IKEV2")) && text_starts(m.name, TEXT("SA_")))
		return read_plain(body, text_ends(m.name, TEXT("UP")) ? FACT_TUNNEL_UP : FACT_TUNNEL_DOWN, ret);
	if (text_starts(m.facility, TEXT("HW_VPN")))
		return read_plain(body, FACT_HARDWARE, ret);
	if (text_has(m.name, TEXT("BFD_SESS_DOWN")) || text_has(t, TEXT("bfd-state-change")))
		return read_bfd(body, t, ret);
	return DIALECT_NOT_MINE;
}

/* ... ignoring request to send delete notify (no ISAKMP sa) src R dst S for SPI 0xH */
static enum dialect_result read_no_delete(struct text body, struct text t, struct reading *ret)
{
	struct fact *f = &ret->fact;

	*f = fact_of(FACT_NO_DELETE, DIALECT_IOS);
	f->dst = address_after(t, " src ", f);
	f->src = address_after(t, " dst ", f);
	spi_after(t, "for SPI ", f);
	return done(ret, body, text_skip(body, body.len));
}

/* IPSEC(create_sa): sa created, (sa) sa_dest= A, sa_proto= 50, sa_spi= 0xH(D), ... */
static enum dialect_result read_sa_debug(struct text body, bool created, struct reading *ret)
{
	struct fact *f = &ret->fact;
	struct text protocol = after_key(body, "sa_proto=");

	*f = fact_of(created ? FACT_SA_BORN : FACT_SA_DIED, DIALECT_IOS);
	f->dst = address_after(body, "sa_dest=", f);
	take_protocol(&protocol, f);
	spi_after(body, "sa_spi=", f);
	return f->has & FACT_HAS_SPI ? done(ret, body, text_skip(body, body.len)) : DIALECT_NOT_MINE;
}

/* A prompt with a typed clear: "hub#clear crypto sa peer 192.0.2.1". Advice in prose has no prompt. */
static enum dialect_result read_typed_clear(struct text body, struct reading *ret)
{
	struct text rest = body;
	struct text prompt = text_take_until(&rest, "# \t");

	if (prompt.len == 0 || prompt.len > 64 || !text_take_char(&rest, '#'))
		return DIALECT_NOT_MINE;
	text_take_blanks(&rest);
	if (text_take(&rest, TEXT("do ")))
		text_take_blanks(&rest);
	if (!text_take(&rest, TEXT("clear crypto ")))
		return DIALECT_NOT_MINE;
	/* Counters and statistics are no SAs; a question mark asks for help. */
	if (text_has(rest, TEXT("counters")) || text_has(rest, TEXT("statistics")) || text_find_char(rest, '?') != TEXT_NOT_FOUND)
		return DIALECT_NOT_MINE;
	ret->fact = fact_of(FACT_CLEARED, DIALECT_IOS);
	ret->fact.src = address_after(rest, "peer ", &ret->fact);
	if (!spimend_address_known(&ret->fact.src))
		ret->fact.src = address_after(rest, "remote ", &ret->fact);
	ret->own_host = prompt;
	return done(ret, body, text_skip(body, body.len));
}

enum dialect_result dialect_cisco_debug_read(struct text body, struct reading *ret)
{
	size_t at = text_find(body, TEXT("ignoring request to send delete notify"));

	if (at != TEXT_NOT_FOUND)
		return read_no_delete(body, text_skip(body, at), ret);
	if (text_has(body, TEXT("create_sa)")))
		return read_sa_debug(body, true, ret);
	if (text_has(body, TEXT("delete_sa)")))
		return read_sa_debug(body, false, ret);
	if (text_has(body, TEXT("anti-replay drop on sa="))) {
		ret->fact = fact_of(FACT_REPLAY, DIALECT_IOS);
		ret->fact.src = address_after(body, "src ", &ret->fact);
		ret->fact.dst = address_after(body, "dst ", &ret->fact);
		spi_after(body, "/(", &ret->fact);
		sequence_after(body, "seq_no=", false, &ret->fact);
		return done(ret, body, text_skip(body, body.len));
	}
	return read_typed_clear(body, ret);
}
