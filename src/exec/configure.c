/* SPDX-License-Identifier: MIT */
/*
 * Lines typed in a configuration mode. Each counts at once, but for an applet's: it is registered as a whole when its mode
 * is left, as on IOS. What a block or an applet does not know and the configuration does ends the block.
 */
#include "base/memory.h"
#include "exec/private.h"
#include "parse/config.h"

/* For '?' in an applet; the compiler of src/eem reads the lines. */
static const struct match_row applet_rows[] = {
	{ "description LINE", NULL, "what it is for", NULL },
	{ "event [tag NAME] syslog pattern LINE", NULL, "a message of the log", NULL },
	{ "event [tag NAME] snmp-notification oid OID oid-val VALUE op eq|ne|gt|ge|lt|le [LINE]", NULL, "a trap", NULL },
	{ "event [tag NAME] snmp oid OID LINE", NULL, "an object that is polled", NULL },
	{ "event [tag NAME] timer watchdog|countdown|cron|absolute LINE", NULL, "the time", NULL },
	{ "event [tag NAME] none [LINE]", NULL, "'event manager run'", NULL },
	{ "event [tag NAME] cli pattern LINE", NULL, "a command that is typed", NULL },
	{ "event [tag NAME] track NUMBER [state up|down|any]", NULL, "a track object", NULL },
	{ "event [tag NAME] counter LINE", NULL, "a counter of applets", NULL },
	{ "trigger [LINE]", NULL, "how several events go together", NULL },
	{ "correlate event LINE", NULL, "which events", NULL },
	{ "attribute tag NAME [LINE]", NULL, "how often", NULL },
	{ "action LABEL cli command LINE", NULL, "run a command", NULL },
	{ "action LABEL syslog LINE", NULL, "write to the log", NULL },
	{ "action LABEL snmp-trap [LINE]", NULL, "send a trap", NULL },
	{ "action LABEL wait SECONDS", NULL, "wait", NULL },
	{ "action LABEL set|append NAME LINE", NULL, "a variable", NULL },
	{ "action LABEL regexp LINE", NULL, "match and capture", NULL },
	{ "action LABEL if|elseif|while|foreach LINE", NULL, "a condition or a loop", NULL },
	{ "action LABEL else|end|break|continue", NULL, "of a condition or a loop", NULL },
	{ "action LABEL puts|gets|mail|info|string|track|file|counter|policy|context LINE", NULL, "see spimend.conf(5)", NULL },
	{ "action LABEL add|subtract|multiply|divide|increment|decrement LINE", NULL, "arithmetic", NULL },
	{ "action LABEL exit [LINE]", NULL, "end the run", NULL },
	{ "action LABEL comment LINE", NULL, "nothing", NULL },
	{ "exit", NULL, "register the applet", NULL },
	{ "end", NULL, "register the applet, back to privileged mode", NULL },
};

static const struct match_row common_rows[] = {
	{ "do LINE", NULL, "a command of privileged mode", NULL },
	{ "no LINE", NULL, "take a line back", NULL },
	{ "exit", NULL, "one mode up", NULL },
	{ "end", NULL, "back to privileged mode", NULL },
};

static bool config_rows_at(enum config_block block, size_t index, struct match_row *ret)
{
	struct config_syntax syntax;

	if (index < EXEC_COUNT(common_rows)) {
		*ret = common_rows[index];
		return true;
	}
	if (!config_syntax_at(index - EXEC_COUNT(common_rows), &syntax))
		return false;
	*ret = (struct match_row){ syntax.block == block ? syntax.keywords : NULL, syntax.arguments, syntax.help, NULL };
	return true;
}

static bool global_rows(const void *context, size_t index, struct match_row *ret)
{
	(void)context;
	return config_rows_at(CONFIG_TOP, index, ret);
}

static enum config_block block_of(enum exec_mode mode)
{
	return mode == EXEC_MODE_SPIMEND ? CONFIG_SPIMEND : mode == EXEC_MODE_DEVICE ? CONFIG_DEVICE : CONFIG_TOP;
}

bool exec_configure_rows(const void *context, size_t index, struct match_row *ret)
{
	const struct exec_session *session = context;

	if (session->mode != EXEC_MODE_APPLET)
		return config_rows_at(block_of(session->mode), index, ret);
	if (index >= EXEC_COUNT(applet_rows))
		return false;
	*ret = applet_rows[index];
	return true;
}

/* --- Commit ----------------------------------------------------------------------------------------------------------- */

static enum exec_result commit(struct exec_session *session, enum exec_block block, struct text lines, struct buffer *out)
{
	const struct exec_change change = { block, lines };
	cleanup(buffer_done) struct buffer why = { 0 };
	struct text rest, line;

	if (session->port->configure(session->port->context, &session->who, &change, out, &why) == 0)
		return EXEC_FINE;
	rest = buffer_text(&why);
	while (text_take_line(&rest, &line))
		buffer_printf(out, "%% %.*s\n", TEXT_ARG(line));
	return EXEC_REFUSED;
}

/* One line in the block that the mode stands for. */
static enum exec_result commit_line(struct exec_session *session, struct text line, struct buffer *out)
{
	cleanup(buffer_done) struct buffer lines = { 0 };

	if (session->mode != EXEC_MODE_DEVICE)
		return commit(session, session->mode == EXEC_MODE_SPIMEND ? EXEC_BLOCK_SPIMEND : EXEC_BLOCK_NONE, line, out);
	buffer_printf(&lines, "device %s\n ", session->device);
	buffer_add(&lines, line);
	if (!lines.failed)
		return commit(session, EXEC_BLOCK_DEVICE, buffer_text(&lines), out);
	buffer_add_string(out, "% no memory\n");
	return EXEC_REFUSED;
}

/* "device NAME": its block, when there is such a device, or may be. */
static enum exec_result open_device(struct exec_session *session, struct text line, struct buffer *out)
{
	enum exec_result result = commit(session, EXEC_BLOCK_NONE, line, out);
	struct text rest = line;

	text_take_word(&rest);
	if (result != EXEC_FINE)
		return result;
	text_copy(text_take_word(&rest), session->device, sizeof(session->device));
	session->mode = EXEC_MODE_DEVICE;
	return EXEC_FINE;
}

enum exec_result exec_configure_leave(struct exec_session *session, enum exec_mode to, struct buffer *out)
{
	enum exec_result result = EXEC_FINE;

	if (session->mode == EXEC_MODE_APPLET) {
		if (session->is_applet_cut || session->applet.failed) {
			buffer_printf(out, "%% the applet is longer than %u bytes: it is not registered\n", APPLET_TEXT_MAX);
			result = EXEC_REFUSED;
		} else {
			result = commit(session, EXEC_BLOCK_APPLET, buffer_text(&session->applet), out);
		}
		buffer_done(&session->applet);
		session->is_applet_cut = false;
	}
	session->mode = to;
	return result;
}

static void add_to_applet(struct exec_session *session, struct text line)
{
	if (session->applet.len + line.len + 1 > APPLET_TEXT_MAX) {
		session->is_applet_cut = true;
		return;
	}
	buffer_add(&session->applet, line);
	buffer_add_char(&session->applet, '\n');
}

/* --- One line --------------------------------------------------------------------------------------------------------- */

static bool is_word(struct text line, const char *word)
{
	return text_equal_nocase(text_trim(line), text_of(word));
}

/* "conf t" again, at the head of pasted text. */
static bool is_configure(struct text line)
{
	struct text first = text_take_word(&line), second = text_take_word(&line);

	return first.len >= 4 && text_starts_nocase(TEXT("configure"), first) && second.len &&
	       text_starts_nocase(TEXT("terminal"), second) && text_trim(line).len == 0;
}

static bool is_no(struct text line, struct text *ret_rest)
{
	*ret_rest = line;
	return text_equal_nocase(text_take_word(ret_rest), TEXT("no"));
}

/* A command of the configuration outside of all blocks. */
static bool is_global(struct text line, struct exec_match *match)
{
	struct text rest;

	if (is_no(line, &rest)) /* what is taken back needs not all its words: its keywords tell */
		line = rest;
	exec_match(global_rows, NULL, line, match);
	return match->result == MATCH_FOUND || (match->result == MATCH_INCOMPLETE && match->word_count > 1);
}

static enum exec_result run_global(struct exec_session *session, struct text line, const struct exec_match *match,
				   struct buffer *out)
{
	struct text rest;

	session->mode = EXEC_MODE_CONFIG;
	if (match->result == MATCH_FOUND && !is_no(line, &rest)) {
		if (strcmp(match->row.syntax, "spimend") == 0) {
			session->mode = EXEC_MODE_SPIMEND;
			return EXEC_FINE;
		}
		if (strcmp(match->row.syntax, "device") == 0)
			return open_device(session, line, out);
		if (strcmp(match->row.syntax, "event manager applet") == 0) {
			session->mode = EXEC_MODE_APPLET;
			add_to_applet(session, line);
			return EXEC_FINE;
		}
	}
	return commit(session, EXEC_BLOCK_NONE, line, out);
}

static enum exec_result run_applet(struct exec_session *session, struct text line, struct exec_match *match,
				   struct buffer *out)
{
	enum exec_result left, result;

	if (!is_global(line, match)) {
		add_to_applet(session, line);
		return EXEC_FINE;
	}
	left = exec_configure_leave(session, EXEC_MODE_CONFIG, out);
	result = run_global(session, line, match, out);
	return left == EXEC_FINE ? result : left;
}

static enum exec_result run_line(struct exec_session *session, struct text line, struct exec_match *match,
				 struct buffer *out)
{
	bool in_block = session->mode == EXEC_MODE_SPIMEND || session->mode == EXEC_MODE_DEVICE;
	struct text rest;

	if (is_no(line, &rest)) { /* what may be left out behind a `no` the configuration itself knows */
		if (in_block && is_global(line, match))
			session->mode = EXEC_MODE_CONFIG;
		return commit_line(session, line, out);
	}
	exec_match(exec_configure_rows, session, line, match);
	if (in_block && match->result == MATCH_FOUND)
		return commit_line(session, line, out);
	if (in_block && match->result == MATCH_INVALID) {
		struct exec_match *outside cleanup(memory_free_pointer) = memory_new(1, sizeof(*outside));

		if (outside && is_global(line, outside))
			return run_global(session, line, outside, out);
	}
	if (match->result == MATCH_FOUND)
		return run_global(session, line, match, out);
	exec_say_mismatch(session, match->result, line, match->at, out);
	return EXEC_REFUSED;
}

enum exec_result exec_configure(struct exec_session *session, struct text line, struct buffer *out)
{
	struct exec_match *match cleanup(memory_free_pointer) = memory_new(1, sizeof(*match));

	if (!match) {
		buffer_add_string(out, "% no memory\n");
		return EXEC_REFUSED;
	}
	if (is_word(line, "end"))
		return exec_configure_leave(session, EXEC_MODE_ENABLE, out);
	if (is_word(line, "exit"))
		return exec_configure_leave(session, session->mode == EXEC_MODE_CONFIG ? EXEC_MODE_ENABLE : EXEC_MODE_CONFIG, out);
	if (is_configure(line))
		return session->mode == EXEC_MODE_APPLET ? exec_configure_leave(session, EXEC_MODE_CONFIG, out) : EXEC_FINE;
	if (session->mode == EXEC_MODE_APPLET)
		return run_applet(session, line, match, out);
	return run_line(session, line, match, out);
}
