/* SPDX-License-Identifier: MIT */
#include "role/applets_check.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "role/objects.h"

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

static uint32_t say(const char *path, uint32_t line, struct text why, struct buffer *out)
{
	if (path)
		buffer_printf(out, "%s:%" PRIu32 ": %.*s\n", path, line, TEXT_ARG(why));
	else
		buffer_printf(out, "line %" PRIu32 ": %.*s\n", line, TEXT_ARG(why));
	return 1;
}

/* What of an event there cannot be here. */
static void judge_event(const struct eem_event_facts *event, struct buffer *why)
{
	if (strcmp(event->detector, "snmp") == 0 && !object_is_known(event->oid, event->next))
		buffer_printf(why, "event snmp: this gateway has no object %.*s%s; what it has stands in spimend.conf(5)",
			      TEXT_ARG(event->oid), event->next ? ", and none right behind it" : "");
}

/* Neighbours are heard on the interfaces that are sensed. */
static void judge_neighbor(const struct config *config, const struct eem_policies *policies, uint32_t policy, uint32_t event,
			   struct text source, struct buffer *why)
{
	for (uint32_t i = 0; i < config->interface_count; i++)
		if (eem_event_is_on(policies, policy, event, text_of(config->interfaces[i].name)))
			return;
	buffer_printf(why, "event %.*s: no interface of a 'sense interface' line is meant by that, so it would never happen",
		      TEXT_ARG(text_first(source, 120)));
}

static uint32_t check_events(const struct config *config, const struct eem_policies *policies, uint32_t policy,
			     const char *path, uint32_t known, struct buffer *out)
{
	struct eem_event_facts event;
	uint32_t count = 0;

	for (uint32_t k = 0; eem_event_facts(policies, policy, k, &event); k++) {
		cleanup(buffer_done) struct buffer why = { 0 };

		if (event.line > known)
			judge_event(&event, &why);
		if (event.line > known && strcmp(event.detector, "neighbor-discovery") == 0)
			judge_neighbor(config, policies, policy, k, event.source, &why);
		count += why.len ? say(path, event.line - known, buffer_text(&why), out) : 0;
	}
	return count;
}

/* `spimend device NAME` */
static uint32_t check_devices(const struct config *config, const struct eem_policies *policies, uint32_t policy,
			      const char *path, uint32_t known, struct buffer *out)
{
	cleanup(buffer_done) struct buffer why = { 0 };
	struct eem_policy_facts facts;
	struct text device;

	if (!eem_policy_facts(policies, policy, &facts) || facts.line <= known)
		return 0;
	for (uint32_t i = 0; eem_policy_device(policies, policy, i, &device) && !why.len; i++) {
		int32_t at = device_find(&config->devices, device);

		if (device.len && (at < 0 || !device_login(&config->devices, &config->devices.at[at])))
			buffer_printf(&why, "applet %s stands on device '%.*s': %s", facts.name, TEXT_ARG(text_first(device, 64)),
				      at < 0 ? "no line 'device' of the configuration names that one"
					     : "nobody can log in to that one, it has no 'ssh user'");
	}
	return why.len ? say(path, facts.line - known, buffer_text(&why), out) : 0;
}

static uint32_t check_actions(const struct config *config, const struct eem_policies *policies, uint32_t policy,
			      const char *path, uint32_t known, struct buffer *out)
{
	uint32_t count = 0;

	for (uint32_t k = 0; k < eem_action_count(policies, policy); k++) {
		cleanup(buffer_done) struct buffer why = { 0 };
		uint32_t line = eem_action_line(policies, policy, k);
		struct mail_target target;

		if (line > known && mail_target_of(config, policies, policy, k, &target, &why) == -EINVAL)
			count += say(path, line - known, buffer_text(&why), out);
	}
	return count;
}

uint32_t applets_check(const struct config *config, const struct eem_policies *policies, const char *path, uint32_t known,
		       struct buffer *out)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < eem_policy_count(policies); i++) {
		count += check_devices(config, policies, i, path, known, out);
		count += check_events(config, policies, i, path, known, out);
		count += check_actions(config, policies, i, path, known, out);
	}
	return count;
}
