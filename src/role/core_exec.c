/* SPDX-License-Identifier: MIT */
/* The command line's port: what a typed command sees of the gateway, and what it may change. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "exec/exec.h"
#include "parse/config.h"
#include "role/core_role.h"
#include "spimend/error.h"

/* --- What it sees ----------------------------------------------------------------------------------------------------- */

static void view(void *context, struct exec_view *ret)
{
	struct mind *mind = context;

	mind->exec.figures = core_figures(mind->core, mind_now(mind));
	(void)mind_read_links(mind);
	mind_read_neighbours(mind);
	*ret = (struct exec_view){
		.core = mind->core, .config = mind->exec.running, .figures = &mind->exec.figures, .now = mind_now(mind),
		.started = mind->member->start.up, .up_ns = mind_now(mind).mono_ns - mind->member->start.up_ns,
		.cleared = mind->exec.cleared, .links = mind->exec.links_error == 0 ? &mind->exec.links : NULL,
		.links_error = mind->exec.links_error,
		.neighbours = mind->exec.links_error == 0 ? &mind->exec.neighbours : NULL,
		.logbook = mind->exec.logbook, .debug = &mind->exec.debug,
		.eem = mind->eem.engine, .tracks = mind->tracks.at, .track_count = mind->tracks.count,
	};
}

/* A configuration as JSON is its lines: what reads it knows IOS already. */
static void lines_json(const char *schema, struct text text, struct buffer *out)
{
	struct text line;
	struct json j;

	json_init(&j, out);
	json_object(&j, NULL);
	json_string(&j, "schema", schema);
	json_array(&j, "lines");
	while (text_take_line(&text, &line))
		json_text(&j, NULL, line);
	json_array_end(&j);
	json_object_end(&j);
	buffer_add_char(out, '\n');
}

static void show_config(const char *schema, const char *head, struct text text, bool json, struct buffer *out)
{
	if (json) {
		lines_json(schema, text, out);
		return;
	}
	buffer_printf(out, "%s\n!\n%.*s", head, TEXT_ARG(text));
	if (text.len && text.at[text.len - 1] != '\n')
		buffer_add_char(out, '\n');
	buffer_add_string(out, "end\n");
}

static int page(void *context, enum exec_page which, const char *id, bool json, struct buffer *out)
{
	struct mind *mind = context;
	struct control_request request = { .command = CONTROL_EXPLAIN, .json = json };
	int r = 0;

	switch (which) {
	case EXEC_PAGE_STATUS:
		request.command = CONTROL_STATUS;
		break;
	case EXEC_PAGE_INCIDENTS:
	case EXEC_PAGE_STATS:
		request.command = which == EXEC_PAGE_STATS ? CONTROL_STATS : CONTROL_INCIDENTS;
		snprintf(request.filter, sizeof(request.filter), "%s", id);
		break;
	case EXEC_PAGE_INCIDENT:
		snprintf(request.id, sizeof(request.id), "%s", id);
		break;
	case EXEC_PAGE_RUNNING:
		show_config("spimend.running-config/1", "Current configuration:", buffer_text(&mind->exec.text), json, out);
		return 0;
	case EXEC_PAGE_STARTUP:
		show_config("spimend.startup-config/1", "Startup configuration:", buffer_text(&mind->member->startup), json, out);
		return 0;
	}
	r = mind_answer(mind, &request, out);
	return r < 0 ? r : 0;
}

/* --- What it changes -------------------------------------------------------------------------------------------------- */

static int clear_peer(void *context, const struct exec_who *who, const struct spimend_address *peer, struct buffer *out,
		      struct buffer *why)
{
	struct mind *mind = context;
	struct core_clear done;
	char address[SPIMEND_ADDRESS_TEXT_MAX];

	(void)who; /* accounted for already */
	spimend_address_print(peer, address);
	if (!core_clear_peer(mind->core, peer, mind_now(mind), &done)) {
		buffer_add_string(why, done.why);
		return -EPERM;
	}
	mind_settle(mind);
	for (uint32_t i = 0; i < done.count; i++)
		buffer_printf(out, "order %llu: %s %s%s%s\n", (unsigned long long)done.orders[i].order,
			      order_verb_name(done.orders[i].verb), done.orders[i].ike, done.orders[i].child[0] ? "/" : "",
			      done.orders[i].child);
	if (done.left_out)
		buffer_printf(out, "%u more SAs with %s: a clear renews at most %d, type it again later\n", done.left_out, address,
			      CORE_CLEAR_MAX);
	return 0;
}

static void clear_counters(void *context)
{
	struct mind *mind = context;
	struct exec_cleared *cleared = NULL;

	if (exec_cleared_new(mind->core, &cleared) < 0)
		return;
	exec_cleared_free(mind->exec.cleared);
	mind->exec.cleared = cleared;
}

static void clear_log(void *context)
{
	struct mind *mind = context;

	if (mind->exec.logbook)
		logbook_clear(mind->exec.logbook);
}

static void set_debug(void *context, const struct debug_state *state)
{
	struct mind *mind = context;

	mind->exec.debug = *state;
	mind_set_debug(mind, state);
}

static void account(void *context, const struct exec_who *who, struct text line)
{
	struct mind *mind = context;

	log_say(&mind->member->log, LOG_NOTICE, "%s: %.*s", who->name, TEXT_ARG(line));
}

const struct exec_port *mind_exec_port(struct mind *mind)
{
	mind->exec.port = (struct exec_port){
		.context = mind, .view = view, .page = page, .clear_peer = clear_peer, .clear_counters = clear_counters,
		.clear_log = clear_log, .set_debug = set_debug, .write_file = mind_write_file, .list_files = mind_list_files,
		.read_file = mind_read_file, .delete_file = mind_delete_file, .configure = mind_configure,
		.write_startup = mind_write_startup, .run_applet = mind_run_applet, .typed = mind_typed,
		.on_device = mind_on_device, .journal = mind_read_journal,
		.say_word = mind_word_typed, .account = account,
	};
	return &mind->exec.port;
}

/* --- Sessions of the control socket ----------------------------------------------------------------------------------- */

void mind_note_state(struct exec_session *session, bool over, struct control_state *ret)
{
	snprintf(ret->prompt, sizeof(ret->prompt), "%s", exec_prompt(session));
	ret->page = exec_session_length(session);
	ret->over = over;
}

static int run(void *context, const struct control_request *request, void **session, struct control_state *ret,
	       struct buffer *out)
{
	struct mind *mind = context;
	enum exec_result result = EXEC_FINE;

	if (!*session) {
		struct exec_who who = { .source = EXEC_FROM_PERSON, .uid = request->uid, .may_enable = request->is_operator,
					.may_write_startup = request->uid == 0, .shows_prompt = request->prompt,
					.terminal = ++mind->eem.terminals };

		snprintf(who.name, sizeof(who.name), "uid %u", request->uid);
		*session = exec_session_new(mind_exec_port(mind), &who);
		if (!*session) {
			buffer_add_string(out, "% no memory\n");
			ret->over = true;
			return 1;
		}
	}
	switch (request->verb) {
	case CONTROL_RUN:
		mind_record_command(mind, exec_session_who(*session)->name, text_of(request->line));
		if (!mind_take_line(mind, *session, text_of(request->line), out, &result))
			result = exec_run(*session, text_of(request->line), out);
		mind_record_output(mind, buffer_text(out));
		break;
	case CONTROL_HELP:
		exec_help(*session, text_of(request->line), out);
		break;
	default:
		exec_complete(*session, text_of(request->line), out);
		break;
	}
	mind_note_state(*session, result == EXEC_GONE, ret);
	return result == EXEC_LATER ? CONTROL_LATER : result == EXEC_REFUSED;
}

void mind_forget_session(struct mind *mind, const struct exec_session *session)
{
	if (mind->exec.writer == session)
		mind->exec.writer = NULL;
	mind_forget_asked(mind, session);
}

static void gone(void *context, void *session)
{
	mind_forget_session(context, session);
	mind_drop_hold(context, session);
	exec_session_free(session);
}

void mind_serve_exec(struct mind *mind)
{
	static const struct control_exec exec = { run, gone };

	control_serve_exec(mind->control, &exec);
}

void mind_exec_done(struct mind *mind)
{
	struct mind_exec *exec = &mind->exec;

	mind_take_route(mind, -1);
	memory_free(exec->links.at);
	memory_free(exec->neighbours.at);
	exec_cleared_free(exec->cleared);
	logbook_free(exec->logbook);
	memory_free(exec->running);
	buffer_done(&exec->text);
	mind_applets_done(&exec->applets);
}

/* --- Writing the startup configuration -------------------------------------------------------------------------------- */

int mind_write_startup(void *context, struct exec_session *session, struct buffer *why)
{
	struct mind *mind = context;
	struct role_ping save;

	if (mind->exec.writer) {
		buffer_add_string(why, "somebody else is writing it");
		return -EBUSY;
	}
	save = (struct role_ping){ .number = mind->exec.serial };
	if (mind_send_config(mind) < 0 || channel_send(mind->member->parent, MESSAGE_SAVE, &save) < 0) {
		buffer_add_string(why, "the parent does not hear");
		return -EIO;
	}
	mind->exec.writer = session;
	return 0;
}

void mind_take_saved(struct mind *mind, const struct role_saved *saved)
{
	cleanup(buffer_done) struct buffer out = { 0 };
	struct exec_session *session = mind->exec.writer;
	struct control_state state;
	char why[160];

	if (saved->error == 0) {
		buffer_clear(&mind->member->startup);
		buffer_add(&mind->member->startup, buffer_text(&mind->exec.text));
	}
	if (!session)
		return;
	mind->exec.writer = NULL;
	snprintf(why, sizeof(why), "the startup configuration cannot be written: %s", spimend_strerror(saved->error));
	exec_finish(session, saved->error, why, &out);
	mind_note_state(session, false, &state);
	control_finish(mind->control, session, saved->error < 0, &state, buffer_text(&out), mind_now(mind).mono_ns);
}
