/* SPDX-License-Identifier: MIT */
/* What a command's function asks about its own line. */
#include <stdarg.h>
#include <stdio.h>

#include "exec/private.h"

bool exec_has(const struct exec_call *call, const char *keyword)
{
	for (size_t i = 0; i < call->match->word_count; i++)
		if (text_equal(call->match->keywords[i], text_of(keyword)))
			return true;
	return false;
}

struct text exec_argument(const struct exec_call *call, const char *name)
{
	for (size_t i = 0; i < call->match->argument_count; i++) {
		const struct exec_argument *one = &call->match->arguments[i];

		if (!text_equal((struct text){ one->name, one->name_len }, text_of(name)))
			continue;
		if (text_equal(text_of(name), TEXT("LINE"))) /* and all behind it */
			return text_trim(text_between(one->value.at, call->line.at + call->line.len));
		return one->value;
	}
	return TEXT_NONE;
}

bool exec_address(const struct exec_call *call, struct spimend_address *ret)
{
	struct text word = exec_argument(call, "ADDRESS");

	return word.len && spimend_address_parse(word.at, word.len, ret) == 0;
}

uint64_t exec_number(const struct exec_call *call, const char *name, uint64_t otherwise)
{
	uint64_t value;

	return text_decimal(exec_argument(call, name), UINT64_MAX, &value) == 0 ? value : otherwise;
}

void exec_refuse(struct exec_call *call, const char *format, ...)
{
	char said[EXEC_WHY_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(said, sizeof(said), format, arguments);
	va_end(arguments);
	buffer_printf(call->out, "%% %s\n", said);
	call->result = EXEC_REFUSED;
}

void exec_json_begin(struct exec_call *call, struct json *j, const char *schema)
{
	json_init(j, call->out);
	json_object(j, NULL);
	json_string(j, "schema", schema);
}

void exec_json_end(struct exec_call *call, struct json *j)
{
	json_object_end(j);
	buffer_add_char(call->out, '\n');
}
