/* SPDX-License-Identifier: MIT */
/* libFuzzer: lines of the command line, against the gateway of tests/exec/port.c. The first byte says who types; what runs,
 * helps and completes must do so within bounds, a mode must be one, and a prompt printable. */
#include <stdlib.h>

#include "../exec/port.c" /* the port and its gateway: the fuzzers are one source each */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void type(struct world *world, struct exec_session *session, struct text line)
{
	struct buffer out = { 0 };
	enum exec_result result;
	const char *prompt;

	exec_help(session, line, &out);
	buffer_clear(&out);
	exec_complete(session, line, &out);
	buffer_clear(&out);
	result = exec_run(session, line, &out);
	must(out.len <= EXEC_OUTPUT_MAX + 4096 && (unsigned)exec_session_mode(session) < EXEC_MODES);
	if (result == EXEC_LATER)
		exec_finish(session, 0, NULL, &out);
	for (prompt = exec_prompt(session); *prompt; prompt++)
		must(*prompt > 0x20 && *prompt < 0x7f);
	for (size_t i = 0; i < world->file_count; i++)
		must(world->files[i].name[0] && !strchr(world->files[i].name, '/') && world->files[i].name[0] != '.');
	buffer_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world world; /* a core is big: it is made once */
	struct exec_who who = { .name = "fuzzer" };
	struct exec_session *session;
	struct text rest, line;
	int lines = 0;

	if (size == 0)
		return 0;
	who.may_enable = data[0] & 1;
	who.may_write_startup = data[0] & 2;
	who.shows_prompt = data[0] & 4;
	if (world.core)
		world_reset(&world);
	else
		world_init(&world);
	session = exec_session_new(&world.port, &who);
	if (session && data[0] & 8) {
		struct buffer out = { 0 };

		exec_run(session, TEXT("enable"), &out);
		if (data[0] & 16)
			exec_run(session, TEXT("configure terminal"), &out);
		buffer_done(&out);
	}
	rest = (struct text){ (const char *)data + 1, size - 1 };
	while (session && lines++ < 32 && text_take_line(&rest, &line))
		type(&world, session, line);
	exec_session_free(session);
	return 0;
}
