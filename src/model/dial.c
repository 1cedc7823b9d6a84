/* SPDX-License-Identifier: MIT */
#include "model/dial.h"

#include <string.h>

#include "model/config_notify.h"

static bool is_bool(const bool *b)
{
	uint8_t byte;

	memcpy(&byte, b, 1);
	return byte <= 1;
}

/* What is sent to others is text of one line, whatever it was made of. */
static bool is_string(const char *at, size_t size)
{
	const char *end = memchr(at, 0, size);

	for (const char *c = at; end && c < end; c++)
		if (*c < 0x20 || *c > 0x7e)
			return false;
	return end;
}

bool dial_valid_line(const struct dial_line *line)
{
	return line->host < NOTIFY_LOG_HOSTS_MAX && line->severity <= 7 && is_string(line->text, sizeof(line->text));
}

bool dial_valid_trap(const struct dial_trap *trap)
{
	return trap->host < NOTIFY_HOSTS_MAX && is_bool(&trap->is_server) && is_bool(&trap->has_int1) && is_bool(&trap->has_int2) &&
	       is_bool(&trap->has_text) && is_string(trap->name, sizeof(trap->name)) && is_string(trap->text, sizeof(trap->text));
}

bool dial_valid_state(const struct dial_state *state)
{
	return (unsigned)state->kind < DIAL_KINDS && is_bool(&state->up) &&
	       state->host < (state->kind == DIAL_SYSLOG ? NOTIFY_LOG_HOSTS_MAX : NOTIFY_HOSTS_MAX) &&
	       is_string(state->why, sizeof(state->why));
}

bool dial_valid_mail(const struct dial_mail *mail)
{
	const char *end = memchr(mail->body, 0, sizeof(mail->body));

	for (const char *c = mail->body; end && c < end; c++)
		if ((*c < 0x20 && *c != '\n') || *c > 0x7e)
			return false;
	return mail->request && end && is_string(mail->from, sizeof(mail->from)) && is_string(mail->to, sizeof(mail->to)) &&
	       is_string(mail->cc, sizeof(mail->cc)) && is_string(mail->subject, sizeof(mail->subject));
}

bool dial_valid_mailed(const struct dial_mailed *mailed)
{
	return mailed->request && is_bool(&mailed->sent) && is_string(mailed->why, sizeof(mailed->why));
}
