/* SPDX-License-Identifier: MIT */
#include "model/config_hook.h"

#include <stdio.h>

#include "base/hash.h"

bool hook_web_address(const struct hook_web *web, const struct config_notify *notify, struct spimend_address *ret)
{
	if (spimend_address_parse(web->host, strlen(web->host), ret) == 0)
		return true;
	for (uint32_t i = 0; i < notify->name_count; i++) {
		if (!text_equal_nocase(text_of(web->host), text_of(notify->names[i].name)))
			continue;
		*ret = notify->names[i].address;
		return true;
	}
	return false;
}

const char *hook_web_print(const struct hook_web *web, char to[HOOK_URL_MAX])
{
	bool is_six = strchr(web->host, ':') != NULL;
	char port[8] = "";

	if (web->port != (web->tls ? 443 : 80))
		snprintf(port, sizeof(port), ":%u", web->port);
	snprintf(to, HOOK_URL_MAX, "http%s://%s%s%s%s%s", web->tls ? "s" : "", is_six ? "[" : "", web->host, is_six ? "]" : "", port,
		 web->path);
	return to;
}

const char *hook_web_show(const struct hook_web *web, char to[HOOK_URL_MAX])
{
	char *query;

	hook_web_print(web, to);
	query = strchr(to, '?');
	if (query)
		snprintf(query, HOOK_URL_MAX - (size_t)(query - to), "?...");
	return to;
}

uint64_t hook_web_mark(const struct hook_web *web)
{
	static const struct hash_key key = { 5, 6 };
	uint64_t mark = hash_bytes(&key, web, sizeof(*web));

	return mark ? mark : 1;
}
