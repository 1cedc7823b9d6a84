/* SPDX-License-Identifier: MIT */
#include "role/applets_check.h"

#include <errno.h>
#include <inttypes.h>

#include "base/memory.h"

static bool find_server(const struct config *config, struct text server, struct spimend_address *ret)
{
	if (spimend_address_parse(server.at, server.len, ret) == 0)
		return true;
	for (uint32_t i = 0; i < config->notify.name_count; i++) {
		if (!text_equal_nocase(text_of(config->notify.names[i].name), server))
			continue;
		*ret = config->notify.names[i].address;
		return true;
	}
	return false;
}

int mail_target_of(const struct config *config, const struct eem_policies *policies, uint32_t policy, uint32_t action,
		   struct mail_target *ret, struct buffer *why)
{
	cleanup(buffer_done) struct buffer server = { 0 };
	struct eem_mail_action mail;
	struct text name;

	if (!eem_mail_action(policies, policy, action, &mail, &server))
		return -ENOENT;
	name = text_trim(buffer_text(&server));
	if (mail.unset.len) {
		buffer_printf(why, "mail: the server is written out, or stands in an 'event manager environment' variable: $%.*s is none",
			      TEXT_ARG(mail.unset));
		return -EINVAL;
	}
	if (text_find_char(name, '@') != TEXT_NOT_FOUND) {
		buffer_add_string(why, "mail: a user and a password at the server are not known here");
		return -EINVAL;
	}
	if (!find_server(config, name, &ret->address)) {
		buffer_printf(why, "mail: '%.*s' is no address, and no 'ip host' line has it: names are not looked up",
			      TEXT_ARG(text_first(name, 64)));
		return -EINVAL;
	}
	ret->port = mail.port;
	ret->mark = mail.mark;
	return 0;
}

uint32_t applets_check(const struct config *config, const struct eem_policies *policies, const char *path, uint32_t known,
		       struct buffer *out)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < eem_policy_count(policies); i++) {
		for (uint32_t k = 0; k < eem_action_count(policies, i); k++) {
			cleanup(buffer_done) struct buffer why = { 0 };
			struct mail_target target;
			uint32_t line = eem_action_line(policies, i, k);

			if (line <= known || mail_target_of(config, policies, i, k, &target, &why) != -EINVAL)
				continue;
			buffer_printf(out, "%s%s%s%" PRIu32 ": %.*s\n", path ? path : "", path ? ":" : "", path ? "" : "line ", line - known,
				      TEXT_ARG(buffer_text(&why)));
			count++;
		}
	}
	return count;
}
