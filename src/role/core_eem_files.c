/* SPDX-License-Identifier: MIT */
/*
 * `action file`: the files of disk0: and flash:, as the command line has them (core_files.c), by handles that a run opens
 * and that are gone with it. What is read is read whole when it is opened; what is written is there at once.
 */
#include <errno.h>
#include <string.h>

#include "base/memory.h"
#include "exec/pipe.h"
#include "role/core_role.h"
#include "spimend/error.h"

struct mind_file {
	char handle[32];
	char name[EXEC_FILE_NAME_MAX];
	bool writes;        /* else it is read */
	struct buffer text; /* owns: what is read */
	size_t at;
};

void mind_close_files(struct mind_run *run)
{
	for (uint32_t i = 0; i < MIND_FILES_MAX; i++) {
		if (run->files[i])
			buffer_done(&run->files[i]->text);
		memory_free(run->files[i]);
		run->files[i] = NULL;
	}
}

static struct mind_file **place_of(struct mind_run *run, struct text handle)
{
	for (uint32_t i = 0; i < MIND_FILES_MAX; i++)
		if (run->files[i] && text_equal(text_of(run->files[i]->handle), handle))
			return &run->files[i];
	return NULL;
}

static int open_file(struct mind *mind, struct mind_run *run, const struct eem_output *output, struct buffer *why)
{
	struct mind_file **place = NULL, *file;
	bool is_read = text_equal(output->file.mode, TEXT("r"));
	int r;

	for (uint32_t i = 0; i < MIND_FILES_MAX && !place; i++)
		place = run->files[i] ? NULL : &run->files[i];
	if (place_of(run, output->file.handle) || !place || output->file.handle.len == 0 ||
	    output->file.handle.len >= sizeof(file->handle)) {
		buffer_printf(why, "a run has at most %d files open, each with a handle of its own of up to %zu bytes", MIND_FILES_MAX,
			      sizeof(file->handle) - 1);
		return -EMFILE;
	}
	file = memory_new(1, sizeof(*file));
	if (!file)
		return -ENOMEM;
	*place = file;
	text_copy(output->file.handle, file->handle, sizeof(file->handle));
	file->writes = !is_read;
	r = exec_file_name(output->file.path, file->name, why);
	if (r == 0 && is_read)
		r = mind_read_file(mind, file->name, &file->text, why);
	else if (r == 0)
		r = mind_write_file(mind, file->name, text_equal(output->file.mode, TEXT("a")), TEXT_NONE, why);
	if (r == 0 && file->text.len > MIND_FILE_BYTES_MAX) {
		buffer_printf(why, "%s: an applet reads files of up to %u KiB", file->name, MIND_FILE_BYTES_MAX >> 10);
		r = -EFBIG;
	}
	if (r < 0) {
		buffer_done(&file->text);
		memory_free(file);
		*place = NULL;
	}
	return r;
}

/* A line without its line feed, or so many bytes, or all that is left. Nothing at the end. */
static struct text take_text(struct mind_file *file, bool is_line, uint32_t count)
{
	struct text rest = text_skip(buffer_text(&file->text), file->at), taken = count ? text_first(rest, count) : rest;
	size_t end = is_line ? text_find_char(rest, '\n') : TEXT_NOT_FOUND;

	if (is_line)
		taken = text_first(rest, end);
	file->at += taken.len + (end != TEXT_NOT_FOUND);
	return taken;
}

static int write_text(struct mind *mind, struct mind_file *file, const struct eem_output *output, struct buffer *why)
{
	cleanup(buffer_done) struct buffer text = { 0 };
	uint32_t count = output->file.count;

	buffer_add(&text, count ? text_first(output->file.text, count) : output->file.text);
	if (output->file.newline)
		buffer_add_char(&text, '\n');
	return text.failed ? -ENOMEM : mind_write_file(mind, file->name, true, buffer_text(&text), why);
}

static int use_file(struct mind *mind, struct mind_run *run, const struct eem_output *output, struct text *ret,
		    struct buffer *why)
{
	struct mind_file **place = place_of(run, output->file.handle);
	enum eem_file_verb verb = output->file.verb;
	bool writes = verb == EEM_FILE_PUTS || verb == EEM_FILE_WRITE;

	if (!place) {
		buffer_printf(why, "no file is open as '%.*s'", TEXT_ARG(text_first(output->file.handle, 32)));
		return -EBADF;
	}
	if (verb == EEM_FILE_CLOSE) {
		buffer_done(&(*place)->text);
		memory_free(*place);
		*place = NULL;
		return 0;
	}
	if (writes != (*place)->writes) {
		buffer_printf(why, "%s is open for %s", (*place)->name, writes ? "reading" : "writing");
		return -EBADF;
	}
	if (writes)
		return write_text(mind, *place, output, why);
	*ret = take_text(*place, verb == EEM_FILE_GETS, output->file.count);
	return 0;
}

void mind_use_file(struct mind *mind, struct mind_run *run, const struct eem_output *output)
{
	cleanup(buffer_done) struct buffer why = { 0 };
	char name[EXEC_FILE_NAME_MAX];
	struct text text = TEXT_NONE;
	int r;

	if (output->file.verb == EEM_FILE_OPEN)
		r = open_file(mind, run, output, &why);
	else if (output->file.verb != EEM_FILE_DELETE)
		r = use_file(mind, run, output, &text, &why);
	else if ((r = exec_file_name(output->file.path, name, &why)) == 0)
		r = mind_delete_file(mind, name, &why);
	if (r < 0)
		text = why.len ? buffer_text(&why) : text_of(spimend_strerror(r));
	eem_result(mind->eem.engine, output->request, r < 0 ? EEM_FAILED : EEM_DONE, text, mind_now(mind));
}
