/* SPDX-License-Identifier: MIT */
/* Variables of a run, what their values may be used for, and texts with variables put in. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/memory.h"
#include "eem/engine_private.h"
#include "spimend/error.h"

/* --- Types ------------------------------------------------------------------------------------------------------- */

const char *eem_type_name(enum eem_type type)
{
	static const char *const names[EEM_TYPES] = { "none", "address", "spi", "interface", "number" };

	return type < EEM_TYPES ? names[type] : "?";
}

static bool is_number(struct text t)
{
	text_take_char(&t, '-');
	if (t.len == 0 || t.len > 20)
		return false;
	for (size_t i = 0; i < t.len; i++)
		if (!char_is_digit(t.at[i]))
			return false;
	return true;
}

static bool is_spi(struct text t)
{
	bool marked = text_take(&t, TEXT("0x")) || text_take(&t, TEXT("0X"));

	if (t.len == 0 || t.len > 8 || (!marked && t.len != 8))
		return false;
	for (size_t i = 0; i < t.len; i++)
		if (char_hex(t.at[i]) < 0)
			return false;
	return true;
}

/* Letters (Tunnel, Port-channel, eth, enp0s), a digit behind them, and what numbers ports: Gi1/0/1.100, Se0/1:23. */
static bool is_interface(struct text t)
{
	size_t n = 0;

	if (t.len == 0 || t.len > 40 || !char_is_alpha(t.at[0]))
		return false;
	while (n < t.len && (char_is_alpha(t.at[n]) || t.at[n] == '-'))
		n++;
	if (n == t.len || !char_is_digit(t.at[n]) || t.at[n - 1] == '-')
		return false;
	for (; n < t.len; n++) {
		char c = t.at[n];
		bool joins = c == '/' || c == '.' || c == ':';

		if (joins && (n + 1 == t.len || !char_is_digit(t.at[n + 1])))
			return false;
		if (!joins && !char_is_digit(c) && !char_is_alpha(c))
			return false;
	}
	return true;
}

enum eem_type eem_type_of(struct text text)
{
	struct spimend_address address;

	if (is_number(text))
		return EEM_TYPE_NUMBER;
	if (text.len && spimend_address_parse(text.at, text.len, &address) == 0)
		return EEM_TYPE_ADDRESS;
	if (is_spi(text))
		return EEM_TYPE_SPI;
	return is_interface(text) ? EEM_TYPE_INTERFACE : EEM_TYPE_NONE;
}

/* --- Variables --------------------------------------------------------------------------------------------------- */

static struct text variable_name(const struct variable *v)
{
	return (struct text){ v->bytes, v->name_len };
}

struct text variable_value(const struct variable *v)
{
	return (struct text){ v->bytes + v->name_len, v->len };
}

static struct variable *find(const struct run *run, struct text name)
{
	for (uint32_t i = 0; i < run->variable_count; i++)
		if (text_equal(variable_name(&run->variables[i]), name))
			return &run->variables[i];
	return NULL;
}

const struct variable *run_find(const struct run *run, struct text name)
{
	return find(run, name);
}

static int add_room(struct run *run)
{
	uint32_t room = run->variable_room ? run->variable_room * 2 : 16;
	struct variable *grown;

	if (run->variable_count < run->variable_room)
		return 0;
	if (run->variable_count >= VARIABLES_MAX)
		return SPIMEND_E_LIMIT;
	grown = memory_resize(run->variables, room, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	run->variables = grown;
	run->variable_room = room;
	return 0;
}

int run_set(struct eem *eem, struct run *run, struct text name, struct text value, enum taint taint)
{
	struct variable *v = find(run, name);
	size_t before = v ? v->name_len + v->len : 0, after = name.len + value.len;
	char *bytes;
	int result;

	if (run->bytes - before + after > eem->settings.run_bytes_max)
		return SPIMEND_E_LIMIT;
	result = v ? 0 : add_room(run);
	if (result < 0)
		return result;
	bytes = memory_new(after, 1);
	if (!bytes)
		return -ENOMEM;
	memcpy(bytes, name.at, name.len);
	if (value.len)
		memcpy(bytes + name.len, value.at, value.len);
	if (!v) {
		v = &run->variables[run->variable_count++];
		*v = (struct variable){ 0 };
	}
	memory_free(v->bytes); /* only now: the value may have been a part of it */
	*v = (struct variable){ bytes, (uint32_t)name.len, (uint32_t)value.len, taint };
	run->bytes += after - before;
	return 0;
}

int run_set_number(struct eem *eem, struct run *run, const char *name, int64_t value)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%" PRId64, value);

	return run_set(eem, run, text_of(name), (struct text){ digits, (size_t)len }, TAINT_NONE);
}

void run_forget(struct run *run)
{
	for (uint32_t i = 0; i < run->variable_count; i++)
		memory_free(run->variables[i].bytes);
	memory_free(run->variables);
	run->variables = NULL;
	run->variable_count = run->variable_room = 0;
	run->bytes = 0;
}

/* --- Texts with variables ---------------------------------------------------------------------------------------- */

/* What comes from outside must not be a command's first word, nor a part of it. */
static bool behind_first_word(struct text before)
{
	bool word = false;

	for (size_t i = 0; i < before.len; i++) {
		bool blank = char_is_blank(before.at[i]);

		if (word && blank)
			return true;
		word |= !blank;
	}
	return false;
}

static void add_outside(struct expansion *e, struct text name, struct text value, enum taint taint)
{
	enum eem_type type = taint == TAINT_CAPTURE ? eem_type_of(value) : EEM_TYPE_NONE;

	if (type == EEM_TYPE_NONE || e->span_count == EEM_SPANS_MAX) {
		if (!e->has_untyped)
			e->untyped = name;
		e->has_untyped = true;
		e->taint = TAINT_OUTSIDE;
		return;
	}
	if (!behind_first_word(buffer_text(&e->text)) && e->taint == TAINT_NONE)
		e->taint = TAINT_OUTSIDE; /* unless it is all there is: see expand() */
	e->spans[e->span_count++] = (struct eem_span){ (uint32_t)e->text.len, (uint32_t)value.len, type };
}

void expand(const struct run *run, const struct eem_template *template, struct expansion *ret)
{
	struct expansion e = { 0 };

	for (uint32_t i = 0; i < template->count; i++) {
		const struct part *part = &template->parts[i];
		const struct variable *v = part->is_variable ? run_find(run, part->text) : NULL;
		const struct environment *fixed =
			part->is_variable && !v ? policy_environment(run->set, part->text) : NULL;

		if (!part->is_variable) {
			buffer_add(&e.text, part->text);
		} else if (v) {
			if (v->taint != TAINT_NONE)
				add_outside(&e, part->text, variable_value(v), v->taint);
			if (template->count == 1)
				e.taint = v->taint;
			buffer_add(&e.text, variable_value(v));
		} else if (fixed) {
			buffer_add(&e.text, fixed->value);
		} else {
			e.unset = part->text;
			break;
		}
	}
	*ret = e;
}

void expansion_done(struct expansion *e)
{
	buffer_done(&e->text);
}
