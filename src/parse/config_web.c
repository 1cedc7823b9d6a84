/* SPDX-License-Identifier: MIT */
/* `web listen`, `web name`: words to members of struct config_web and back. */
#include <string.h>

#include "parse/config_private.h"

static bool read_listener(const struct text *words, size_t count, struct web_listener *l, struct buffer *why)
{
	uint32_t port;

	memset(l, 0, sizeof(*l));
	if (text_equal_nocase(words[0], TEXT("unix"))) {
		if (count != 2 || !config_is_path(words[1]))
			return config_say_expected(why, "socket", count > 1 ? words[1] : TEXT_NONE, "an absolute path of at most 107 bytes is expected");
		text_copy(words[1], l->path, sizeof(l->path));
		return true;
	}
	if (!config_read_address(words[0], &l->address, why))
		return false;
	if (!web_address_is_loopback(&l->address))
		return config_say_expected(why, "address", words[0],
					   "only 127.0.0.0/8 and ::1 are served, for nothing is encrypted; others come by ssh -L or a proxy with TLS");
	if (!config_read_count(count > 1 ? words[1] : TEXT_NONE, 1, 65535, &port, why))
		return false;
	l->port = (uint16_t)port;
	return true;
}

static uint32_t find_listener(const struct config_web *web, const struct web_listener *l)
{
	uint32_t i = 0;

	while (i < web->listener_count && memcmp(&web->listeners[i], l, sizeof(*l)) != 0)
		i++;
	return i;
}

static bool set_listener(const struct text *words, size_t count, struct config_web *web, struct buffer *why)
{
	struct web_listener l;
	uint32_t i;

	if (!read_listener(words, count, &l, why))
		return false;
	i = find_listener(web, &l);
	if (i == WEB_LISTENERS_MAX) {
		buffer_printf(why, "at most %u places to listen", WEB_LISTENERS_MAX);
		return false;
	}
	web->listeners[i] = l;
	web->listener_count += i == web->listener_count;
	return true;
}

static bool read_name(struct text word, char to[WEB_NAME_MAX], struct buffer *why)
{
	bool fine = word.len > 0 && word.len < WEB_NAME_MAX && word.at[0] != '.' && word.at[0] != '-';

	for (size_t i = 0; fine && i < word.len; i++)
		fine = char_is_alpha(word.at[i]) || char_is_digit(word.at[i]) || word.at[i] == '.' || word.at[i] == '-';
	if (!fine)
		return config_say_expected(why, "name", word, "a host name is expected, without a port");
	memset(to, 0, WEB_NAME_MAX);
	for (size_t i = 0; i < word.len; i++)
		to[i] = char_lower(word.at[i]);
	return true;
}

static bool change_name(struct text word, struct config_web *web, bool wanted, struct buffer *why)
{
	char name[WEB_NAME_MAX];
	uint32_t i = 0;

	if (!read_name(word, name, why))
		return false;
	while (i < web->name_count && strcmp(web->names[i], name) != 0)
		i++;
	if (!wanted && i == web->name_count)
		return config_say_expected(why, "nothing to take back:", word, "no line before names it");
	if (wanted && i == WEB_NAMES_MAX) {
		buffer_printf(why, "at most %u names", WEB_NAMES_MAX);
		return false;
	}
	if (wanted) {
		memcpy(web->names[i], name, sizeof(name));
		web->name_count += i == web->name_count;
		return true;
	}
	web->name_count--;
	memmove(web->names[i], web->names[i + 1], (web->name_count - i) * sizeof(web->names[0]));
	memset(web->names[web->name_count], 0, sizeof(web->names[0]));
	return true;
}

bool config_web_set(const struct config_row *row, const struct text *words, size_t count, struct config_web *web,
		    struct buffer *why)
{
	return row->type == VALUE_WEB_LISTEN ? set_listener(words, count, web, why) : change_name(words[0], web, true, why);
}

bool config_web_unset(const struct config_row *row, const struct text *words, size_t count, struct config_web *web,
		      struct buffer *why)
{
	struct web_listener l;
	uint32_t i;

	if (row->type == VALUE_WEB_NAME)
		return change_name(words[0], web, false, why);
	if (!read_listener(words, count, &l, why))
		return false;
	i = find_listener(web, &l);
	if (i == web->listener_count)
		return config_say_expected(why, "nothing to take back:", words[0], "no line before names it");
	web->listener_count--;
	memmove(&web->listeners[i], &web->listeners[i + 1], (web->listener_count - i) * sizeof(web->listeners[0]));
	memset(&web->listeners[web->listener_count], 0, sizeof(web->listeners[0]));
	return true;
}

void config_web_print(const struct config_row *row, const struct config_web *web, struct buffer *out)
{
	char address[SPIMEND_ADDRESS_TEXT_MAX];

	for (uint32_t i = 0; row->type == VALUE_WEB_LISTEN && i < web->listener_count; i++) {
		const struct web_listener *l = &web->listeners[i];

		if (l->path[0])
			buffer_printf(out, " %s unix %s\n", row->keywords, l->path);
		else
			buffer_printf(out, " %s %s %u\n", row->keywords, spimend_address_print(&l->address, address), l->port);
	}
	for (uint32_t i = 0; row->type == VALUE_WEB_NAME && i < web->name_count; i++)
		buffer_printf(out, " %s %s\n", row->keywords, web->names[i]);
}
