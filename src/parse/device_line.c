/* SPDX-License-Identifier: MIT */
#include "parse/device_line.h"

#include <string.h>

#include "parse/mnemonic.h"

#define BLANKS_MAX 2      /* behind a prompt */
#define CUT_SHORT_LEAST 8 /* of a name: IOS has 20 to 30 columns for a prompt with its mode */
#define STAMP_MAX 72      /* bytes of what stands before the '%' of a log line */

static struct text trim_end(struct text t)
{
	while (t.len && char_is_blank(t.at[t.len - 1]))
		t.len--;
	return t;
}

/* --- Prompts ------------------------------------------------------------------------------------------------------ */

/* Printable and without blanks and parentheses: IOS takes nearly anything as a host name. */
static bool is_name(struct text t)
{
	if (t.len == 0 || t.len >= DEVICE_TEXT_NAME_MAX || (!char_is_alpha(t.at[0]) && !char_is_digit(t.at[0])))
		return false;
	for (size_t i = 0; i < t.len; i++)
		if (t.at[i] <= 0x20 || t.at[i] >= 0x7f || t.at[i] == '(' || t.at[i] == ')')
			return false;
	return true;
}

static bool read_mode(struct text mode, char last, struct device_prompt *ret)
{
	if (mode.len > 40)
		return false;
	for (size_t i = 0; i < mode.len; i++)
		if (mode.at[i] < 0x20 || mode.at[i] >= 0x7f)
			return false;
	ret->has_mode = true;
	ret->level = last == '#' && (text_starts(mode, TEXT("config")) || text_starts(mode, TEXT("cfg"))) ? DEVICE_LEVEL_CONFIGURE
													  : DEVICE_LEVEL_OTHER;
	return true;
}

bool device_prompt_read(struct text line, struct device_prompt *ret)
{
	struct text body = trim_end(line);
	size_t open;
	char last;

	if (body.len < 2 || line.len - body.len > BLANKS_MAX)
		return false;
	last = body.at[body.len - 1];
	if (last != '#' && last != '>')
		return false;
	*ret = (struct device_prompt){ .level = last == '#' ? DEVICE_LEVEL_PRIVILEGED : DEVICE_LEVEL_USER, .end = body.len };
	body.len--;
	open = text_find_char(body, '(');
	if (open != TEXT_NOT_FOUND) { /* its end may be cut off with the rest of a long one */
		struct text mode = text_skip(body, open + 1);

		if (mode.len && mode.at[mode.len - 1] == ')')
			mode.len--;
		if (!read_mode(mode, last, ret))
			return false;
		body.len = open;
	}
	ret->name = body;
	return is_name(body);
}

/* What a failover of an ASA changes in a prompt. */
static bool is_failover_word(struct text word)
{
	static const char *const words[] = { "pri", "sec", "act", "stby", "actNoFailover", "stbyNoFailover", "noFailover" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (text_equal(word, text_of(words[i])))
			return true;
	return false;
}

static bool is_moved(struct text now, struct text was)
{
	if (!text_equal(text_take_until(&now, "/"), text_take_until(&was, "/")))
		return false;
	while (now.len && was.len) { /* each at a slash */
		struct text one, other;

		text_take_char(&now, '/');
		text_take_char(&was, '/');
		one = text_take_until(&now, "/");
		other = text_take_until(&was, "/");
		if (!text_equal(one, other) && !(is_failover_word(one) && is_failover_word(other)))
			return false;
	}
	return now.len == 0 && was.len == 0;
}

bool device_prompt_is_of(const struct device_prompt *prompt, struct text name, bool *ret_moved)
{
	*ret_moved = false;
	if (text_equal(prompt->name, name))
		return true;
	if (prompt->has_mode && prompt->name.len >= CUT_SHORT_LEAST && text_starts(name, prompt->name))
		return true;
	*ret_moved = is_moved(prompt->name, name);
	return *ret_moved;
}

bool device_prompt_begins(struct text line, struct text name, struct device_prompt *ret)
{
	struct text head = text_first(line, DEVICE_TEXT_NAME_MAX + 48);
	size_t least = name.len < CUT_SHORT_LEAST ? name.len : CUT_SHORT_LEAST;
	bool moved;

	if (name.len == 0 || !text_starts(line, text_first(name, least)))
		return false;
	for (size_t i = least; i < head.len; i++)
		if ((head.at[i] == '#' || head.at[i] == '>') && device_prompt_read(text_first(head, i + 1), ret) &&
		    device_prompt_is_of(ret, name, &moved))
			return true;
	return false;
}

/* --- Questions ---------------------------------------------------------------------------------------------------- */

bool device_line_is_page(struct text line)
{
	struct text rest = text_trim(line);

	return text_starts_nocase(rest, TEXT("--More--")) || text_starts_nocase(rest, TEXT("<--- More --->")) ||
	       text_starts_nocase(rest, TEXT("-- More --"));
}

bool device_line_asks(struct text line, enum device_event_kind *ret_kind)
{
	static const struct {
		const char *end;
		enum device_event_kind kind;
	} ends[] = {
		{ "password:", DEVICE_EVENT_PASSWORD }, { "passcode:", DEVICE_EVENT_PASSWORD }, { "username:", DEVICE_EVENT_USERNAME },
		{ "login:", DEVICE_EVENT_USERNAME },    { "[confirm]", DEVICE_EVENT_CONFIRM },  { "[yes/no]", DEVICE_EVENT_YES_NO },
		{ "(yes/no)", DEVICE_EVENT_YES_NO },    { "[y/n]", DEVICE_EVENT_YES_NO },       { "(y/n)", DEVICE_EVENT_YES_NO },
		{ "[yes]", DEVICE_EVENT_YES_NO },       { "[no]", DEVICE_EVENT_YES_NO },        { "[yes,no]", DEVICE_EVENT_YES_NO },
		{ "[n]", DEVICE_EVENT_YES_NO },         { "[y]", DEVICE_EVENT_YES_NO },
	};
	struct text rest = text_trim(line), bare = rest; /* without what stands behind the brackets */
	bool colon = rest.len && rest.at[rest.len - 1] == ':';

	if (colon && (text_starts_nocase(rest, TEXT("password for ")) || text_starts_nocase(rest, TEXT("enter password for ")))) {
		*ret_kind = DEVICE_EVENT_PASSWORD;
		return true;
	}
	while (bare.len && (bare.at[bare.len - 1] == ':' || bare.at[bare.len - 1] == '?' || char_is_blank(bare.at[bare.len - 1])))
		bare.len--;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct text end = text_of(ends[i].end), t = end.at[end.len - 1] == ':' ? rest : bare;

		if (t.len < end.len || !text_equal_nocase(text_skip(t, t.len - end.len), end))
			continue;
		*ret_kind = ends[i].kind;
		return true;
	}
	return false;
}

/* --- Answers ------------------------------------------------------------------------------------------------------ */

enum device_error device_line_error(struct text line)
{
	static const struct {
		const char *begin;
		enum device_error error;
	} begins[] = {
		{ "Invalid input detected", DEVICE_ERROR_INVALID },
		{ "Unknown command", DEVICE_ERROR_INVALID },
		{ "Unrecognized command", DEVICE_ERROR_INVALID },
		{ "Bad IP address or host name", DEVICE_ERROR_INVALID }, /* a word that is no command was looked up */
		{ "Incomplete command", DEVICE_ERROR_INCOMPLETE },
		{ "Ambiguous command", DEVICE_ERROR_AMBIGUOUS },
		{ "Authorization failed", DEVICE_ERROR_UNAUTHORIZED },
		{ "Command authorization failed", DEVICE_ERROR_UNAUTHORIZED },
		{ "This command is not authorized", DEVICE_ERROR_UNAUTHORIZED },
		{ "Bad secrets", DEVICE_ERROR_BAD_SECRET },
		{ "Bad passwords", DEVICE_ERROR_BAD_SECRET },
		{ "Access denied", DEVICE_ERROR_BAD_SECRET },
		{ "Authentication failed", DEVICE_ERROR_BAD_SECRET },
		{ "Error in authentication", DEVICE_ERROR_BAD_SECRET },
		{ "No password set", DEVICE_ERROR_BAD_SECRET },
		{ "Login invalid", DEVICE_ERROR_BAD_SECRET },
	};
	struct text rest = text_trim(line);
	bool is_error = text_take_nocase(&rest, TEXT("ERROR:")), is_marked, is_apart;

	text_take_blanks(&rest);
	is_marked = text_take_char(&rest, '%');
	is_apart = text_take_blanks(&rest);
	if (text_starts(rest, TEXT("syntax error:"))) /* of a vEdge */
		return DEVICE_ERROR_INVALID;
	if (text_starts(rest, TEXT("Invalid password"))) /* of an ASA, with nothing in front */
		return DEVICE_ERROR_BAD_SECRET;
	if (!is_error && !is_marked && !text_starts(rest, TEXT("Command authorization failed")))
		return text_equal(rest, TEXT("Access denied.")) ? DEVICE_ERROR_BAD_SECRET : DEVICE_ERROR_NONE;
	for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++)
		if (text_starts_nocase(rest, text_of(begins[i].begin)))
			return begins[i].error;
	if (is_error || text_starts_nocase(rest, TEXT("error")))
		return DEVICE_ERROR_OTHER;
	return is_apart ? DEVICE_ERROR_REMARK : DEVICE_ERROR_NONE;
}

const char *device_error_name(enum device_error error)
{
	static const char *const names[] = {
		[DEVICE_ERROR_NONE] = "nothing is wrong",
		[DEVICE_ERROR_REMARK] = "the device remarks something",
		[DEVICE_ERROR_OTHER] = "the device says that there is an error",
		[DEVICE_ERROR_INVALID] = "the device does not know the command",
		[DEVICE_ERROR_INCOMPLETE] = "the device wants more words of the command",
		[DEVICE_ERROR_AMBIGUOUS] = "the device finds the command ambiguous",
		[DEVICE_ERROR_UNAUTHORIZED] = "the user may not give the command",
		[DEVICE_ERROR_BAD_SECRET] = "the device does not take the password of 'enable'",
	};

	return (size_t)error < sizeof(names) / sizeof(names[0]) ? names[error] : "?";
}

/* --- The device's own lines --------------------------------------------------------------------------------------- */

/* "*Mar  1 00:01:02.003: ", "000123: Nov 29 2026 13:40:55: ", "<189>Nov 29 2026 13:40:55 asa : " */
static bool is_stamp(struct text t)
{
	bool has_digit = false;

	if (t.len == 0)
		return true;
	if (t.len > STAMP_MAX || text_trim(t).len == 0 || t.at[0] == ' ')
		return false;
	for (size_t i = 0; i < t.len; i++) {
		has_digit = has_digit || char_is_digit(t.at[i]);
		if (!char_is_alpha(t.at[i]) && !char_is_digit(t.at[i]) && !strchr(" .,:*+-<>/_", t.at[i]))
			return false;
	}
	t = text_trim(t);
	return has_digit && t.at[t.len - 1] == ':';
}

bool device_line_is_log(struct text line)
{
	size_t at = text_find_char(text_first(line, STAMP_MAX + 1), '%');
	struct mnemonic m;

	return at != TEXT_NOT_FOUND && is_stamp(text_first(line, at)) && mnemonic_find(line, at, &m) && m.at == at;
}

bool device_line_goes_on(struct text line)
{
	return text_starts(line, TEXT("-Traceback")) || text_starts(line, TEXT("-Process"));
}

bool device_line_is_header(struct text line)
{
	return text_starts(line, TEXT("Load for five secs: ")) || text_starts(line, TEXT("Time source is ")) ||
	       text_starts(line, TEXT("No time source, "));
}
