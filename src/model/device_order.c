/* SPDX-License-Identifier: MIT */
#include "model/device_order.h"

#include <string.h>

const char *device_verb_name(enum device_verb verb)
{
	static const char *const names[DEVICE_VERBS] = { "show" };

	return (unsigned)verb < DEVICE_VERBS ? names[verb] : "?";
}

const char *device_outcome_name(enum device_outcome outcome)
{
	static const char *const names[DEVICE_OUTCOMES] = {
		"done", "the device did not take the command", "the device is not in the configuration as it was any more",
		"too many orders wait", "nobody can log in", "it does not give privileged mode", "it did not answer in time",
		"the connection ended", "what it prints is not understood",
	};

	return (unsigned)outcome < DEVICE_OUTCOMES ? names[outcome] : "?";
}

static bool is_show(struct text word)
{
	return word.len >= 2 && text_starts_nocase(TEXT("show"), word);
}

bool device_show_fits(struct text line)
{
	struct text rest = line, word = text_take_word(&rest);

	if (line.len >= DEVICE_COMMAND_MAX || !is_show(word) || text_trim(rest).len == 0)
		return false;
	for (size_t i = 0; i < line.len; i++) {
		char c = line.at[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') && !memchr(" .,:/-_()", c, 10))
			return false;
	}
	while ((word = text_take_word(&rest)).len)
		if (word.len >= 2 && (text_starts_nocase(TEXT("clear"), word) || text_starts_nocase(TEXT("reset"), word)))
			return false;
	return true;
}

bool device_command(const struct device_order *order, enum platform platform, struct buffer *out)
{
	(void)platform; /* a person knows the device's own words */
	if (order->verb != DEVICE_SHOW)
		return false;
	buffer_add_string(out, order->text);
	return true;
}

/* --- What an item must be --------------------------------------------------------------------------------------------- */

static bool is_bool(const bool *b)
{
	uint8_t byte;

	memcpy(&byte, b, 1);
	return byte <= 1;
}

/* Ends within its room, and is printable ASCII. */
static bool is_text(const char *text, size_t size)
{
	const char *end = memchr(text, 0, size);

	for (const char *c = text; end && c < end; c++)
		if (*c < 0x20 || *c > 0x7e)
			return false;
	return end;
}

bool device_valid_order(const struct device_order *order)
{
	return order->request && order->device < DEVICES_MAX && (unsigned)order->verb < DEVICE_VERBS && order->within_ns > 0 &&
	       order->within_ns <= DEVICE_WITHIN_MOST && is_text(order->text, sizeof(order->text)) &&
	       (order->verb != DEVICE_SHOW || device_show_fits(text_of(order->text)));
}

bool device_valid_result(const struct device_result *result)
{
	return result->request && (unsigned)result->outcome < DEVICE_OUTCOMES && is_bool(&result->typed) &&
	       is_text(result->why, sizeof(result->why));
}

bool device_valid_open(const struct device_open *open)
{
	return (unsigned)open->platform < PLATFORMS;
}

bool device_valid_typed(const struct device_typed *typed)
{
	return is_text(typed->command, sizeof(typed->command));
}

bool device_valid_part(const struct device_part *part)
{
	return part->len > 0 && part->len <= DEVICE_PART_MAX;
}

bool device_valid_seen(const struct device_seen *seen)
{
	return (unsigned)seen->sight < DEVICE_SIGHTS && is_bool(&seen->privileged) &&
	       is_bool(&seen->refused) && is_text(seen->why, sizeof(seen->why));
}

bool device_valid_output(const struct device_output *output)
{
	return output->request && output->len <= DEVICE_PART_MAX && is_bool(&output->last) && is_bool(&output->paged) &&
	       is_bool(&output->cut);
}
