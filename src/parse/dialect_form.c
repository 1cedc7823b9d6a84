/* SPDX-License-Identifier: MIT */
#include "parse/dialect_form.h"

#include "base/calendar.h"

const char dialect_reason_template[] = "a template, not a message";

struct walk {
	struct text at;
	const char *form;
	struct fact fact;
	const char *reason; /* of FORM_WRONG and FORM_CUT */
	bool committed;
};

static bool char_is_word(char c)
{
	return char_is_alpha(c) || char_is_digit(c);
}

/* How many bytes of the word at the start of t: up to a blank or a mark that ends a value. */
static struct text word_of(struct text t, const char *stops)
{
	return text_take_until(&t, stops);
}

bool dialect_take_spi(struct text *t, struct spimend_spi *ret)
{
	struct text rest = *t;
	uint32_t value = 0;
	size_t digits = 0;

	if (!text_take(&rest, TEXT("0x")))
		text_take(&rest, TEXT("0X"));
	while (rest.len && char_hex(rest.at[0]) >= 0 && digits <= 8) {
		value = value << 4 | (uint32_t)char_hex(rest.at[0]);
		rest = text_skip(rest, 1);
		digits++;
	}
	if (digits == 0 || digits > 8 || (rest.len && char_is_word(rest.at[0])))
		return false;
	*t = rest;
	*ret = (struct spimend_spi){ value };
	return true;
}

bool dialect_is_placeholder(struct text word)
{
	static const char *const names[] = { "spi", "hex", "spi_hex", "number", "seq_num", "spi_value" };

	if (!text_take(&word, TEXT("0x")))
		text_take(&word, TEXT("0X"));
	if (word.len == 0)
		return false;
	if (word.at[0] == '<' || word.at[0] == '[' || word.at[0] == '_' || word.at[0] == '%' || word.at[0] == '$')
		return true;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (text_equal_nocase(word, text_of(names[i])))
			return true;
	return false;
}

bool dialect_is_masked(struct text word)
{
	if (text_equal_nocase(word, TEXT("N/A")) || text_equal_nocase(word, TEXT("none")))
		return true;
	if (!text_take(&word, TEXT("0x")))
		text_take(&word, TEXT("0X"));
	for (size_t i = 0; i < word.len; i++)
		if (!strchr("xX*.?-#", word.at[i]) || word.at[i] == '\0')
			return false;
	return true;
}

/* `key` ends at t's start: takes what may stand between a key and its value. */
static bool take_equals(struct text *t)
{
	struct text rest = *t;

	if (!text_take_char(&rest, '"'))
		text_take_char(&rest, '\'');
	text_take_blanks(&rest);
	if (!text_take_char(&rest, '=') && !text_take_char(&rest, ':'))
		return false;
	text_take_blanks(&rest);
	*t = rest;
	return true;
}

bool dialect_find_value(struct text t, struct text key, struct text *ret_value)
{
	for (size_t from = 0; from < t.len;) {
		size_t hit = text_find_nocase(text_skip(t, from), key);
		struct text value;

		if (hit == TEXT_NOT_FOUND)
			return false;
		hit += from;
		from = hit + 1;
		if (hit > 0 && (char_is_word(t.at[hit - 1]) || t.at[hit - 1] == '_' || t.at[hit - 1] == '-'))
			continue;
		value = text_skip(t, hit + key.len);
		if (!take_equals(&value))
			continue;
		if (text_take_char(&value, '"'))
			*ret_value = word_of(value, "\"\r\n");
		else if (text_take_char(&value, '\''))
			*ret_value = word_of(value, "'\r\n");
		else
			*ret_value = word_of(value, value.len && value.at[0] == '[' ? " \t\r\n,;|)}\"" : " \t\r\n,;|)}]\"");
		return true;
	}
	return false;
}

bool dialect_set_own_time(struct reading *ret, int64_t unix_ns)
{
	if (unix_ns < 0)
		return false;
	ret->own_time = calendar_from_instant((struct instant){ unix_ns });
	ret->has_own_time = true;
	ret->own_time_has_zone = true;
	return true;
}

enum dialect_result dialect_read_to(struct reading *ret, size_t used)
{
	ret->used = used;
	if (ret->fact.kind == FACT_STRAY)
		fact_flag_spi(&ret->fact);
	return DIALECT_READ;
}

enum dialect_result dialect_fail(struct reading *ret, enum dialect_result result, const char *reason, size_t offset)
{
	ret->failure = (struct parse_failure){ .reason = reason, .offset = offset };
	return result;
}

struct text dialect_first_line(struct text t)
{
	struct text line = t;

	text_take_line(&t, &line);
	return line;
}

/* Does the form still ask for anything that must be there? */
static bool form_wants_more(const char *form)
{
	int optional = 0;

	for (; *form; form++) {
		if (*form == '{')
			optional++;
		else if (*form == '}')
			optional -= optional > 0;
		else if (!optional && *form != '~' && *form != '*' && *form != '|')
			return true;
	}
	return false;
}

static enum form_result cut(struct walk *w, const char *reason)
{
	w->reason = reason;
	return w->committed ? FORM_CUT : FORM_OTHER;
}

static enum form_result wrong(struct walk *w, const char *reason)
{
	w->reason = reason;
	return w->committed ? FORM_WRONG : FORM_OTHER;
}

static enum form_result read_spi(struct walk *w, char mark)
{
	struct text rest = w->at;
	struct spimend_spi spi;
	uint64_t decimal;
	struct text word = word_of(w->at, " \t\r\n,;()");
	bool found = dialect_take_spi(&rest, &spi);

	if (w->at.len == 0)
		return cut(w, "cut before the SPI");
	if (mark == 'n' && text_decimal(word, UINT32_MAX, &decimal) == 0)
		spi.value = (uint32_t)decimal;
	if (!found) {
		if (dialect_is_placeholder(word))
			return wrong(w, dialect_reason_template);
		if (word.len == w->at.len && form_wants_more(w->form))
			return cut(w, "cut within the SPI");
		if (!dialect_is_masked(word))
			return wrong(w, word.len > 8 ? "the SPI is no hex number of 1 to 8 digits" : "the SPI is no hex number");
		w->at = text_skip(w->at, word.len);
		return FORM_READ;
	}
	/* The rest of the digits may be on the next line. */
	if (rest.len == 0 && form_wants_more(w->form))
		return cut(w, "cut within or after the SPI");
	w->at = rest;
	if (mark == 'o') {
		w->fact.spi_out = spi;
		w->fact.has |= FACT_HAS_SPI_OUT;
	} else {
		w->fact.spi = spi;
		w->fact.has |= FACT_HAS_SPI;
	}
	return FORM_READ;
}

static enum form_result read_sequence(struct walk *w)
{
	struct text word = word_of(w->at, " \t\r\n,;()]");
	uint64_t value;
	bool found;

	if (word.len == w->at.len && form_wants_more(w->form))
		return cut(w, "cut within the sequence number");
	if (text_starts_nocase(word, TEXT("0x")))
		found = text_hex64(word, &value) == 0;
	else
		found = text_decimal(word, UINT64_MAX, &value) == 0;
	if (found) {
		w->fact.sequence = value;
		w->fact.has |= FACT_HAS_SEQUENCE;
	} else if (dialect_is_placeholder(word) && !(w->fact.has & FACT_HAS_SPI)) {
		return wrong(w, dialect_reason_template);
	}
	w->at = text_skip(w->at, word.len);
	return FORM_READ;
}

static enum form_result read_address(struct walk *w, struct spimend_address *ret)
{
	struct text t = w->at, word;
	size_t n;

	if (t.len == 0)
		return cut(w, "cut before an address");
	if (t.at[0] == '<' || t.at[0] == '[') { /* a placeholder may hold blanks; [2001:db8::1]:500 may not */
		n = text_find_char(t, t.at[0] == '<' ? '>' : ']');
		if (n == TEXT_NOT_FOUND)
			return cut(w, "cut within an address");
		n += 1 + word_of(text_skip(t, n + 1), " \t\r\n,;()[").len;
	} else {
		n = word_of(t, " \t\r\n,;()[").len;
	}
	word = text_first(t, n);
	if (n == t.len && form_wants_more(w->form))
		return cut(w, "cut within or after an address");
	while (word.len && (word.at[word.len - 1] == '.' || word.at[word.len - 1] == ':'))
		word.len--;
	/* 10.1.1.1[id]...10.1.1.2[id] needs no care: '[' stops. 10.1.1.1...10.1.1.2 does. */
	if (text_find(word, TEXT("...")) != TEXT_NOT_FOUND && !dialect_is_masked(word))
		word.len = text_find(word, TEXT("..."));
	w->at = text_skip(t, word.len ? word.len : n);
	*ret = dialect_address(word, &w->fact.flags);
	/* People hide addresses in brackets too: it is a template only where no SPI was printed either. */
	if (ret->family == 0 && !(w->fact.has & (FACT_HAS_SPI | FACT_HAS_SPI_OUT)) &&
		(dialect_is_placeholder(word) || text_find_char(word, '_') != TEXT_NOT_FOUND))
		return wrong(w, dialect_reason_template);
	return FORM_READ;
}

static enum form_result read_word(struct walk *w, bool protocol)
{
	struct text word = word_of(w->at, " \t\r\n,;()");

	if (word.len == w->at.len && form_wants_more(w->form))
		return cut(w, "cut within a word");
	if (protocol && text_equal_nocase(word, TEXT("ESP")))
		w->fact.protocol = SPIMEND_PROTOCOL_ESP;
	else if (protocol && text_equal_nocase(word, TEXT("AH")))
		w->fact.protocol = SPIMEND_PROTOCOL_AH;
	w->at = text_skip(w->at, word.len);
	return FORM_READ;
}

static enum form_result read_field(struct walk *w)
{
	char mark = *w->form++;

	switch (mark) {
	case 's':
	case 'o':
	case 'n':
		return read_spi(w, mark);
	case 'q':
		return read_sequence(w);
	case 'a':
		return read_address(w, &w->fact.src);
	case 'b':
		return read_address(w, &w->fact.dst);
	case 'p':
		return read_word(w, true);
	default:
		return read_word(w, false);
	}
}

/* Do the letters of the form match here, up to its next value, group or star? */
static bool letters_match(const char *form, struct text t)
{
	for (; *form && !strchr("%{}*|", *form); form++) {
		if (*form == ' ' || *form == '~') {
			if (!text_take_blanks(&t) && *form == ' ')
				return false;
		} else if (!text_take_char(&t, *form)) {
			return false;
		}
	}
	return true;
}

/* Moves t to the first place where the letters match; to its end when there is none. */
static bool skip_to_match(const char *form, struct text *t)
{
	bool plain = *form && !strchr(" ~%{}*|", *form);

	while (!letters_match(form, *t)) {
		size_t next = 1;

		if (t->len == 0)
			return false;
		if (plain)
			next += text_find_char(text_skip(*t, 1), *form); /* not found wraps to 0 */
		*t = text_skip(*t, next ? next : t->len);
	}
	return true;
}

static const char *group_end(const char *form)
{
	int depth = 1;

	for (; *form; form++) {
		depth += *form == '{';
		depth -= *form == '}';
		if (depth == 0)
			return form;
	}
	return form;
}

/* What does not stand for itself in a form. */
static const bool form_marks[256] = {
	['\0'] = true, ['|'] = true, ['~'] = true, [' '] = true, ['%'] = true, ['*'] = true, ['{'] = true, ['}'] = true,
};

static enum form_result walk_form(struct walk *w)
{
	while (*w->form && *w->form != '}') {
		enum form_result result = FORM_READ;
		struct walk before;
		size_t same = 0;
		char c;

		while (same < w->at.len && w->at.at[same] == w->form[same] && !form_marks[(unsigned char)w->form[same]])
			same++;
		w->form += same;
		w->at = text_skip(w->at, same);
		c = *w->form;
		if (c == '\0' || c == '}')
			break;
		w->form++;
		switch (c) {
		case '|':
			w->committed = true;
			break;
		case '~':
			text_take_blanks(&w->at);
			break;
		case ' ':
			if (!text_take_blanks(&w->at))
				return w->at.len ? wrong(w, "other words than this message has") : cut(w, "cut in the middle");
			break;
		case '%':
			result = read_field(w);
			break;
		case '*':
			if (!skip_to_match(w->form, &w->at))
				return cut(w, "cut in the middle");
			break;
		case '{': {
			const char *end = group_end(w->form);

			before = *w;
			result = walk_form(w); /* as deep as the forms nest, which are ours */
			if (result == FORM_CUT && before.at.len)
				return result;
			if (result != FORM_READ) {
				*w = before;
				w->reason = NULL;
				result = FORM_READ;
			}
			w->form = *end ? end + 1 : end;
			break;
		}
		default:
			if (w->at.len == 0)
				return cut(w, "cut in the middle");
			if (w->at.at[0] != c)
				return wrong(w, "other words than this message has");
			w->at = text_skip(w->at, 1);
			break;
		}
		if (result != FORM_READ)
			return result;
	}
	return FORM_READ;
}

enum form_result dialect_form_read(const char *form, struct text whole, struct text t, struct fact *fact,
	size_t *ret_used, struct parse_failure *failure)
{
	struct walk w = { .at = t, .form = form, .fact = *fact };
	enum form_result result;

	result = walk_form(&w);
	if (result == FORM_READ || result == FORM_CUT)
		*fact = w.fact;
	if (result == FORM_READ)
		*ret_used = whole.len - w.at.len;
	else if (result != FORM_OTHER)
		*failure = (struct parse_failure){ .reason = w.reason, .offset = whole.len - w.at.len };
	return result;
}
