/* SPDX-License-Identifier: MIT */
#include "parse/evidence_wire.h"

#include <string.h>

#include "base/json.h"
#include "parse/flat_json.h"
#include "spimend/error.h"

#define VERSION 1
#define WIRE_NS 1000

static void begin(struct json *j, struct buffer *out)
{
	json_init(j, out);
	json_object(j, NULL);
	json_unsigned(j, "spimend", VERSION);
}

static void finish(struct json *j, struct buffer *out)
{
	json_object_end(j);
	buffer_add_char(out, '\n');
}

void evidence_put_ask(const struct evidence_ask *ask, int64_t t1, struct buffer *out)
{
	char a[SPIMEND_ADDRESS_TEXT_MAX], b[SPIMEND_ADDRESS_TEXT_MAX];
	struct json j;

	begin(&j, out);
	json_string(&j, "id", ask->id);
	json_string(&j, "a", spimend_address_print(&ask->ends[0], a));
	json_string(&j, "b", spimend_address_print(&ask->ends[1], b));
	json_signed(&j, "t1", t1 / WIRE_NS);
	finish(&j, out);
}

void evidence_put_stamps(int64_t t1, int64_t t2, int64_t t3, struct buffer *out)
{
	struct json j;

	begin(&j, out);
	json_signed(&j, "t1", t1 / WIRE_NS);
	json_signed(&j, "t2", t2 / WIRE_NS);
	json_signed(&j, "t3", t3 / WIRE_NS);
	finish(&j, out);
}

void evidence_put_length(size_t length, struct buffer *out)
{
	struct json j;

	begin(&j, out);
	json_unsigned(&j, "length", length);
	finish(&j, out);
}

void evidence_put_error(const char *why, struct buffer *out)
{
	struct json j;

	begin(&j, out);
	json_string(&j, "error", why);
	finish(&j, out);
}

static int read_line(struct text line, struct flat_json *ret)
{
	const struct flat_json_member *version;

	if (flat_json_read(line, ret) < 0)
		return SPIMEND_E_SYNTAX;
	version = flat_json_find(ret, "spimend");
	return version && version->type == FLAT_NUMBER && version->number == VERSION ? 0 : SPIMEND_E_SYNTAX;
}

static bool take_number(const struct flat_json *object, const char *name, int64_t *ret)
{
	const struct flat_json_member *m = flat_json_find(object, name);

	if (!m || m->type != FLAT_NUMBER || m->number < 0)
		return false;
	*ret = m->number;
	return true;
}

static bool take_stamp(const struct flat_json *object, const char *name, int64_t *ret)
{
	int64_t us;

	if (!take_number(object, name, &us) || us > INT64_MAX / WIRE_NS)
		return false;
	*ret = us * WIRE_NS;
	return true;
}

static bool take_address(const struct flat_json *object, const char *name, struct spimend_address *ret)
{
	const struct flat_json_member *m = flat_json_find(object, name);

	return m && m->type == FLAT_STRING && spimend_address_parse(m->text, strlen(m->text), ret) == 0;
}

int evidence_read_ask(struct text line, struct evidence_ask *ret, int64_t *ret_t1)
{
	const struct flat_json_member *id;
	struct evidence_ask ask = *ret;
	struct flat_json object;
	int64_t t1;

	if (read_line(line, &object) < 0 || !take_stamp(&object, "t1", &t1) || !take_address(&object, "a", &ask.ends[0]) ||
	    !take_address(&object, "b", &ask.ends[1]))
		return SPIMEND_E_SYNTAX;
	id = flat_json_find(&object, "id");
	if (!id || id->type != FLAT_STRING || !id->text[0] || strlen(id->text) >= sizeof(ask.id))
		return SPIMEND_E_SYNTAX;
	for (const char *c = id->text; *c; c++)
		if (!char_is_digit(*c) && !(*c >= 'a' && *c <= 'z'))
			return SPIMEND_E_SYNTAX;
	memset(ask.id, 0, sizeof(ask.id));
	text_copy(text_of(id->text), ask.id, sizeof(ask.id));
	*ret = ask;
	*ret_t1 = t1;
	return 0;
}

int evidence_read_stamps(struct text line, int64_t t1, int64_t *ret_t2, int64_t *ret_t3)
{
	struct flat_json object;
	int64_t echo, t2, t3;

	if (read_line(line, &object) < 0 || !take_stamp(&object, "t1", &echo) || echo / WIRE_NS != t1 / WIRE_NS ||
	    !take_stamp(&object, "t2", &t2) || !take_stamp(&object, "t3", &t3))
		return SPIMEND_E_SYNTAX;
	*ret_t2 = t2;
	*ret_t3 = t3;
	return 0;
}

int evidence_read_answer(struct text line, size_t *ret_length, char why[EVIDENCE_WHY_MAX])
{
	const struct flat_json_member *error;
	struct flat_json object;
	int64_t length;

	if (read_line(line, &object) < 0)
		return SPIMEND_E_SYNTAX;
	error = flat_json_find(&object, "error");
	if (error && error->type == FLAT_STRING) {
		memset(why, 0, EVIDENCE_WHY_MAX);
		text_copy(text_of(error->text), why, EVIDENCE_WHY_MAX);
		for (char *c = why; *c; c++)
			*c = *c < 0x20 || *c > 0x7e ? '.' : *c;
		return 1;
	}
	if (!take_number(&object, "length", &length) || length > (int64_t)EVIDENCE_ANSWER_MAX)
		return SPIMEND_E_SYNTAX;
	*ret_length = (size_t)length;
	return 0;
}
