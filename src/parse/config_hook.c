/* SPDX-License-Identifier: MIT */
/* `hook webhook`, `hook exec`: words to members of struct config_hooks and back. */
#include "parse/config_private.h"

/* --- hook webhook --------------------------------------------------------------------------------------------------- */

static bool bad_url(struct text url, struct buffer *why)
{
	return config_say_expected(why, "URL", url, "https://HOST[:PORT][/PATH] is expected, or http://");
}

static bool is_plain(struct text t, const char *more)
{
	for (size_t i = 0; i < t.len; i++)
		if (!char_is_alpha(t.at[i]) && !char_is_digit(t.at[i]) && !strchr(more, t.at[i]))
			return false;
	return true;
}

static bool read_url(struct text url, struct hook_web *web, struct buffer *why)
{
	struct text rest = url, host;
	struct spimend_address address;
	uint64_t port;

	web->tls = text_take_nocase(&rest, TEXT("https://"));
	if (!web->tls && !text_take_nocase(&rest, TEXT("http://")))
		return bad_url(url, why);
	if (text_take_char(&rest, '[')) {
		host = text_take_until(&rest, "]/");
		if (!text_take_char(&rest, ']') || spimend_address_parse(host.at, host.len, &address) < 0 || address.family != 6)
			return bad_url(url, why);
	} else {
		host = text_take_until(&rest, ":/");
	}
	web->port = web->tls ? 443 : 80;
	if (text_take_char(&rest, ':')) {
		if (text_decimal(text_take_until(&rest, "/"), 65535, &port) < 0 || port == 0)
			return bad_url(url, why);
		web->port = (uint16_t)port;
	}
	if (!host.len || host.len >= sizeof(web->host) || !is_plain(host, ".-_:") || (rest.len && rest.at[0] != '/'))
		return bad_url(url, why);
	text_copy(host, web->host, sizeof(web->host));
	/* RFC 3986: what may stand in a path and a query, and nothing that a terminal or a header would read. */
	if (rest.len >= sizeof(web->path) || !is_plain(rest, "/._~!$&'()*+,;=:@%?-"))
		return bad_url(url, why);
	text_copy(rest.len ? rest : TEXT("/"), web->path, sizeof(web->path));
	return true;
}

static uint32_t find_web(const struct config_hooks *hooks, const struct hook_web *web)
{
	uint32_t i = 0;

	while (i < hooks->web_count && (hooks->webs[i].tls != web->tls || hooks->webs[i].port != web->port ||
					strcmp(hooks->webs[i].host, web->host) != 0 || strcmp(hooks->webs[i].path, web->path) != 0))
		i++;
	return i;
}

static bool set_web(const struct text *words, struct config_hooks *hooks, struct buffer *why, bool *again)
{
	struct hook_web web;
	uint32_t i;

	memset(&web, 0, sizeof(web));
	if (!read_url(words[0], &web, why))
		return false;
	if (!text_equal_nocase(words[1], TEXT("secret-file")))
		return config_say_expected(why, "word", words[1], "'secret-file PATH' is expected: what is sent is signed");
	if (!config_is_path(words[2]) || words[2].len >= sizeof(web.secret_file))
		return config_say_expected(why, "path", words[2], "the absolute path of a file that only its owner reads is expected");
	text_copy(words[2], web.secret_file, sizeof(web.secret_file));
	i = find_web(hooks, &web);
	if (i == HOOK_WEBS_MAX) {
		buffer_printf(why, "at most %u webhooks", HOOK_WEBS_MAX);
		return false;
	}
	*again = i < hooks->web_count && memcmp(&hooks->webs[i], &web, sizeof(web)) != 0;
	hooks->webs[i] = web;
	hooks->web_count += i == hooks->web_count;
	return true;
}

static bool unset_web(struct text url, struct config_hooks *hooks, struct buffer *why)
{
	struct hook_web web;
	uint32_t i;

	memset(&web, 0, sizeof(web));
	if (!read_url(url, &web, why))
		return false;
	i = find_web(hooks, &web);
	if (i == hooks->web_count)
		return config_say_expected(why, "nothing to take back:", url, "no line before names it");
	hooks->web_count--;
	memmove(&hooks->webs[i], &hooks->webs[i + 1], (hooks->web_count - i) * sizeof(hooks->webs[0]));
	memset(&hooks->webs[hooks->web_count], 0, sizeof(hooks->webs[0]));
	return true;
}

/* --- hook exec ------------------------------------------------------------------------------------------------------ */

static bool set_program(const struct text *words, size_t count, struct config_hooks *hooks, struct buffer *why)
{
	char arguments[HOOK_ARGUMENTS_MAX] = "";
	size_t at = 0;

	if (!config_is_path(words[0]) || words[0].len >= sizeof(hooks->program))
		return config_say_expected(why, "path", words[0], "the absolute path of a program is expected");
	for (size_t i = 1; i < count; i++) {
		for (size_t k = 0; k < words[i].len; k++)
			if (words[i].at[k] <= 0x20 || words[i].at[k] > 0x7e)
				return config_say_expected(why, "argument", words[i], "printable ASCII is expected");
		if (at + words[i].len + 2 > sizeof(arguments)) {
			buffer_add_string(why, "the arguments are too long");
			return false;
		}
		memcpy(arguments + at + (at > 0), words[i].at, words[i].len);
		if (at > 0)
			arguments[at++] = ' ';
		at += words[i].len;
	}
	memset(hooks->program, 0, sizeof(hooks->program));
	text_copy(words[0], hooks->program, sizeof(hooks->program));
	memcpy(hooks->arguments, arguments, sizeof(arguments));
	return true;
}

/* --- Rows ----------------------------------------------------------------------------------------------------------- */

bool config_hook_set(const struct config_row *row, const struct text *words, size_t count, struct config_hooks *hooks,
		     struct buffer *why, bool *again)
{
	return row->type == VALUE_WEBHOOK ? set_web(words, hooks, why, again) : set_program(words, count, hooks, why);
}

bool config_hook_unset(const struct config_row *row, const struct text *words, size_t count, struct config_hooks *hooks,
		       struct buffer *why)
{
	if (row->type == VALUE_WEBHOOK)
		return count > 0 ? unset_web(words[0], hooks, why) : config_say_expected(why, "URL", TEXT(""), "which one is expected");
	memset(hooks->program, 0, sizeof(hooks->program));
	memset(hooks->arguments, 0, sizeof(hooks->arguments));
	return true;
}

void config_hook_print(const struct config_row *row, const struct config_hooks *hooks, struct buffer *out)
{
	char url[HOOK_URL_MAX];

	if (row->type == VALUE_HOOK_EXEC && hooks->program[0])
		buffer_printf(out, " %s %s%s%s\n", row->keywords, hooks->program, hooks->arguments[0] ? " " : "", hooks->arguments);
	for (uint32_t i = 0; row->type == VALUE_WEBHOOK && i < hooks->web_count; i++)
		buffer_printf(out, " %s %s secret-file %s\n", row->keywords, hook_web_print(&hooks->webs[i], url),
			      hooks->webs[i].secret_file);
}
