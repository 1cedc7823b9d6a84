/* SPDX-License-Identifier: MIT */
/*
 * The running configuration, as it is changed line by line: checked here, handed to the parent, and taken from it with all
 * other roles as a reload. What is typed may restrain the gateway and never free it beyond its file: config_is_within().
 */
#include <errno.h>
#include <string.h>

#include "base/memory.h"
#include "exec/exec.h"
#include "parse/config.h"
#include "role/core_role.h"
#include "spimend/error.h"

#define SEND_AFTER_NS (20 * INT64_C(1000000))

/* To the parent, in parts. */
int mind_send_config(struct mind *mind)
{
	struct text rest = buffer_text(&mind->exec.text);
	struct role_text part;
	uint32_t at = 0;

	if (!mind->exec.send_due)
		return 0;
	mind->exec.send_due = false;
	loop_timer_at(mind->exec.send_timer, LOOP_NEVER);
	mind->exec.serial++;
	do {
		memset(&part, 0, sizeof(part));
		part.serial = mind->exec.serial;
		part.total = (uint32_t)mind->exec.text.len;
		part.at = at;
		part.len = (uint32_t)(rest.len < sizeof(part.bytes) ? rest.len : sizeof(part.bytes));
		if (part.len)
			memcpy(part.bytes, rest.at, part.len);
		if (channel_send(mind->member->parent, MESSAGE_CONFIG_TEXT, &part) < 0)
			return -EIO;
		rest = text_skip(rest, part.len);
		at += part.len;
	} while (rest.len);
	return 0;
}

static void on_send(void *context, int64_t now)
{
	struct mind *mind = context;

	(void)now;
	if (mind_send_config(mind) < 0)
		log_say(&mind->member->log, LOG_ERR, "the parent does not hear: what was typed will not last");
}

/* Pasted lines come a thousand a second: the other roles need not hear of each. */
static int send_soon(struct mind *mind)
{
	int r = 0;

	if (!mind->exec.send_timer)
		r = loop_add_timer(mind->member->loop, on_send, mind, &mind->exec.send_timer);
	if (r == 0 && !mind->exec.send_due)
		loop_timer_at(mind->exec.send_timer, mind_now(mind).mono_ns + SEND_AFTER_NS);
	mind->exec.send_due = true;
	return r;
}

static void say_problems(const struct config_report *report, struct buffer *why)
{
	for (uint32_t i = 0; i < report->kept; i++)
		if (!report->problems[i].is_warning)
			buffer_printf(why, "%s\n", report->problems[i].text);
}

/* For the log: of an applet its head, of what stands in a device's block both lines. */
static void show_lines(const struct exec_change *change, struct buffer *shown)
{
	struct text rest = change->lines, line = TEXT_NONE;

	text_take_line(&rest, &line);
	config_print_safe(line, shown);
	if (change->block != EXEC_BLOCK_DEVICE || !text_take_line(&rest, &line))
		return;
	buffer_add_string(shown, ": ");
	config_print_safe(line, shown);
}

/* core never has one: what it is told of the file's users is without. */
static bool has_passwords(const struct config *config)
{
	for (uint32_t i = 0; i < config->notify.user_count; i++)
		if (config->notify.users[i].auth[0] || config->notify.users[i].priv[0])
			return true;
	return false;
}

int mind_configure(void *context, const struct exec_who *who, const struct exec_change *change, struct buffer *out,
		   struct buffer *why)
{
	struct mind *mind = context;
	struct config *config cleanup(memory_free_pointer) = memory_new(1, sizeof(*config));
	cleanup(memory_free_pointer) struct config_report *report = memory_new(1, sizeof(*report));
	cleanup(buffer_done) struct buffer text = { 0 }, shown = { 0 };
	struct mind_applets applets = { .policies = NULL };
	enum config_block block = change->block == EXEC_BLOCK_SPIMEND ? CONFIG_SPIMEND : CONFIG_TOP;
	const char *what;
	bool eem = false;

	if (!config || !report) {
		buffer_add_string(why, "no memory");
		return -ENOMEM;
	}
	if (config_change(mind->exec.running, change->lines, block, config, &eem, report) < 0) {
		say_problems(report, why);
		return -EINVAL;
	}
	if (has_passwords(config)) {
		buffer_add_string(why, "passwords are not typed here: write the line 'snmp-server user' into the startup file, which its owner "
				  "alone may read, and reload");
		return -EPERM;
	}
	if (!config_is_within(config, &mind->member->ceiling, &what)) {
		buffer_printf(why, "'%s' cannot be changed that far while spimend runs: what is typed never goes beyond the startup "
				   "file. Write it there and reload", what);
		return -EPERM;
	}
	if (eem && mind_change_applets(mind, change->lines, &applets, out, why) < 0) {
		mind_applets_done(&applets);
		return -EINVAL;
	}
	config_print(config, &text);
	buffer_add(&text, buffer_text(eem ? &applets.text : &mind->exec.applets.text));
	if (text.failed || text.len > CONFIG_FILE_MAX) {
		mind_applets_done(&applets);
		buffer_printf(why, "the configuration would be larger than %u bytes", CONFIG_FILE_MAX);
		return -EFBIG;
	}
	/* As the parent will: lines that are fine one by one may not be so together. */
	if (config_parse(buffer_text(&text), config, report) < 0) {
		say_problems(report, why);
		mind_applets_done(&applets);
		return -EINVAL;
	}
	buffer_done(&mind->exec.text);
	mind->exec.text = text;
	text = (struct buffer){ 0 };
	if (eem) {
		mind_applets_done(&mind->exec.applets);
		mind->exec.applets = applets;
		(void)mind_eem_configure(mind); /* it says so */
	}
	memcpy(mind->exec.running, config, sizeof(*config));
	if (mind_tracks_configure(mind) < 0)
		log_say(&mind->member->log, LOG_ERR, "no memory for track objects: they stay as they are");
	show_lines(change, &shown);
	log_say(&mind->member->log, LOG_NOTICE, "%s configures: %.*s", who->name, TEXT_ARG(buffer_text(&shown)));
	return send_soon(mind);
}

/* From the parent: what is taken now. One that is older than what was typed since is not the last word. */
int mind_take_config(struct mind *mind)
{
	struct member *member = mind->member;

	if (!mind->exec.running)
		mind->exec.running = memory_new(1, sizeof(*mind->exec.running));
	if (!mind->exec.running)
		return -ENOMEM;
	if (member->config_serial && (member->config_serial != mind->exec.serial || mind->exec.send_due))
		return 0;
	mind->exec.send_due = false; /* out of the file: what was typed is gone */
	memcpy(mind->exec.running, member->config, sizeof(*member->config));
	if (member->config_serial == 0) { /* out of the file, or at the start of this core */
		buffer_clear(&mind->exec.text);
		config_print(member->config, &mind->exec.text);
		if (mind_load_applets(mind, buffer_text(&member->text)) < 0)
			log_say(&member->log, LOG_ERR, "no memory for the applets: there are none");
		buffer_add(&mind->exec.text, buffer_text(&mind->exec.applets.text));
	}
	if (!mind->exec.logbook && member->config->notify.buffer_size)
		mind->exec.logbook = logbook_new(member->config->notify.buffer_size);
	else if (mind->exec.logbook && member->config->notify.buffer_size &&
		 logbook_count(mind->exec.logbook).room != member->config->notify.buffer_size)
		(void)logbook_resize(mind->exec.logbook, member->config->notify.buffer_size);
	if (!member->config->notify.buffer_size) {
		logbook_free(mind->exec.logbook);
		mind->exec.logbook = NULL;
	}
	return mind_tracks_configure(mind);
}

void mind_log(struct mind *mind, int severity, struct text line)
{
	if (mind->exec.logbook && severity <= (int)mind->member->config->notify.buffer_level)
		logbook_add(mind->exec.logbook, mind_now(mind).wall, severity, false, line);
}
