/* SPDX-License-Identifier: MIT */
/* The action file: each operation is carried out elsewhere, in spimend's own directory. */
#include <inttypes.h>

#include "eem/engine_private.h"

/* A handle, a file's name or a mode: what comes from outside must be of a type, as in commands. */
static bool name_of(struct eem *eem, struct run *run, const struct action *a, unsigned slot, struct moment now,
		    struct expansion *ret, enum step *ret_step)
{
	if (!run_expand(eem, run, a, slot, now, ret, ret_step))
		return false;
	if (ret->has_untyped) {
		run->on_error = ERROR_EXIT;
		eem->figures.stopped_values++;
		*ret_step = run_fail(eem, run, now, "stopped: $%.*s comes from outside and must not stand in a file's name",
				     TEXT_ARG(ret->untyped));
		expansion_done(ret);
		return false;
	}
	for (size_t i = 0; i < ret->text.len; i++) {
		if ((unsigned char)ret->text.bytes[i] >= 0x20 && ret->text.bytes[i] != 0x7f)
			continue;
		*ret_step = run_fail(eem, run, now, "a control character in a file's name");
		expansion_done(ret);
		return false;
	}
	return true;
}

enum step run_file_action(struct eem *eem, struct run *run, const struct action *a, struct moment now)
{
	bool has_path = a->sub == EEM_FILE_OPEN, has_text = a->sub == EEM_FILE_PUTS || a->sub == EEM_FILE_WRITE;
	struct expansion handle, second = { .taint = TAINT_NONE }, count = { .taint = TAINT_NONE };
	enum step step = STEP_BLOCKED;
	struct output *o = NULL;
	uint64_t number = 0;

	if (!name_of(eem, run, a, 0, now, &handle, &step))
		return step;
	if (has_path && !name_of(eem, run, a, 1, now, &second, &step))
		goto out;
	if (has_text && !run_expand(eem, run, a, 1, now, &second, &step))
		goto out;
	if (a->has >> 2 & 1) {
		if (!run_expand(eem, run, a, 2, now, &count, &step))
			goto out;
		if (text_decimal(text_trim(buffer_text(&count.text)), eem->settings.result_bytes_max, &number) < 0) {
			step = run_fail(eem, run, now, "'%.*s' is no number up to %" PRIu32,
					TEXT_ARG(text_first(buffer_text(&count.text), 40)), eem->settings.result_bytes_max);
			goto out;
		}
	}
	o = output_new(eem, EEM_FILE, run);
	if (!o) {
		step = run_fail(eem, run, now, "no memory");
		goto out;
	}
	o->out.file.verb = (enum eem_file_verb)a->sub;
	if (a->sub == EEM_FILE_DELETE)
		o->out.file.path = output_text(eem, o, buffer_text(&handle.text));
	else
		o->out.file.handle = output_text(eem, o, buffer_text(&handle.text));
	if (has_path) {
		o->out.file.path = output_text(eem, o, buffer_text(&second.text));
		o->out.file.mode = output_text(eem, o, a->name[0]);
	}
	if (has_text)
		o->out.file.text = output_text(eem, o, buffer_text(&second.text));
	o->out.file.count = (uint32_t)number;
	o->out.file.newline = a->sub == EEM_FILE_PUTS && !a->nonewline;
	run->has_session = true;
	run->request = o->out.request = eem->next_id++;
	run->state = RUN_WAITING;
	output_send(eem, o);
out:
	expansion_done(&handle);
	expansion_done(&second);
	expansion_done(&count);
	return step;
}
