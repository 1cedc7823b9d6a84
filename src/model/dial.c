/* SPDX-License-Identifier: MIT */
#include "model/dial.h"

#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "model/config_hook.h"

bool dial_valid_line(const struct dial_line *line)
{
	return line->host < NOTIFY_LOG_HOSTS_MAX && line->severity <= 7 && text_is_string(line->text, sizeof(line->text));
}

bool dial_valid_trap(const struct dial_trap *trap)
{
	return trap->host < NOTIFY_HOSTS_MAX && is_bool(&trap->is_server) && is_bool(&trap->has_int1) && is_bool(&trap->has_int2) &&
	       is_bool(&trap->has_text) && text_is_string(trap->name, sizeof(trap->name)) &&
	       text_is_string(trap->text, sizeof(trap->text));
}

bool dial_valid_state(const struct dial_state *state)
{
	static const uint32_t most[DIAL_KINDS] = { NOTIFY_LOG_HOSTS_MAX, NOTIFY_HOSTS_MAX, HOOK_WEBS_MAX, 1 };

	return (unsigned)state->kind < DIAL_KINDS && is_bool(&state->up) && state->host < most[state->kind] &&
	       text_is_string(state->why, sizeof(state->why));
}

bool dial_valid_mail(const struct dial_mail *mail)
{
	const char *end = memchr(mail->body, 0, sizeof(mail->body));

	for (const char *c = mail->body; end && c < end; c++)
		if ((*c < 0x20 && *c != '\n') || *c > 0x7e)
			return false;
	return mail->request && end && text_is_string(mail->from, sizeof(mail->from)) &&
	       text_is_string(mail->to, sizeof(mail->to)) &&
	       text_is_string(mail->cc, sizeof(mail->cc)) && text_is_string(mail->subject, sizeof(mail->subject));
}

bool dial_valid_mailed(const struct dial_mailed *mailed)
{
	return mailed->request && is_bool(&mailed->sent) && text_is_string(mailed->why, sizeof(mailed->why));
}

bool dial_valid_hook(const struct dial_hook *hook)
{
	if (!text_is_string(hook->id, sizeof(hook->id)) || !text_is_string(hook->state, sizeof(hook->state)) || hook->length == 0 ||
	    hook->length > sizeof(hook->body))
		return false;
	for (uint32_t i = 0; i < hook->length; i++) /* JSON has no control characters but for the line's end */
		if ((unsigned char)hook->body[i] < 0x20 && (hook->body[i] != '\n' || i + 1 != hook->length))
			return false;
	return true;
}
