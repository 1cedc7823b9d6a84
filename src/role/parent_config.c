/* SPDX-License-Identifier: MIT */
/* The configuration while the daemon runs: the file read again, and what core sends of what was typed. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "parse/config.h"
#include "record/write_all.h"
#include "role/parent_private.h"
#include "spimend/error.h"

/* --- Reload ----------------------------------------------------------------------------------------------------------- */

static void say_lines(struct parent *parent, int severity, const struct buffer *text)
{
	struct text rest = buffer_text(text), line;

	while (text_take_line(&rest, &line))
		log_say(&parent->log, severity, "%.*s", TEXT_ARG(line));
}

/* But for the interfaces: parent_change_interfaces(). */
static bool same_sensor(const struct config *a, const struct config *b)
{
	return a->encap_port_count == b->encap_port_count && a->sense_audit == b->sense_audit && a->sense_xfrm == b->sense_xfrm &&
	       a->ledger_max == b->ledger_max && parent_same_syslog(a, b) &&
	       memcmp(a->encap_ports, b->encap_ports, a->encap_port_count * sizeof(a->encap_ports[0])) == 0;
}

static bool same_links(const struct config *a, const struct config *b)
{
	if (a->daemon_count != b->daemon_count || a->sense_xfrm != b->sense_xfrm)
		return false;
	/* Told to the plugin in the greeting. */
	if ((a->crash_detection && a->mode == MODE_REPAIR) != (b->crash_detection && b->mode == MODE_REPAIR))
		return false;
	for (uint32_t i = 0; i < a->daemon_count; i++)
		if (strcmp(a->daemons[i], b->daemons[i]) != 0 || strcmp(a->plugins[i], b->plugins[i]) != 0)
			return false;
	return true;
}

/* What was settled when root's work was done stays: it is said, and holds from the next start. */
static void keep_place(struct parent *parent, struct config *config)
{
	struct {
		const char *what;
		char *now;
		const char *was;
		size_t size;
	} fixed[] = {
		{ "user", config->user, parent->config->user, sizeof(config->user) },
		{ "'dial user'", config->dial_user, parent->config->dial_user, sizeof(config->dial_user) },
		{ "'hook user'", config->hooks.user, parent->config->hooks.user, sizeof(config->hooks.user) },
		{ "state-directory", config->state_directory, parent->config->state_directory,
		  sizeof(config->state_directory) },
		{ "the control socket", config->control_socket, parent->config->control_socket,
		  sizeof(config->control_socket) },
		{ "the control group", config->control_group, parent->config->control_group, sizeof(config->control_group) },
	};

	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
		if (strcmp(fixed[i].now, fixed[i].was) == 0)
			continue;
		log_say(&parent->log, LOG_WARNING, "%s changed: that takes a restart, until then it stays %s", fixed[i].what,
			fixed[i].was[0] ? fixed[i].was : "(none)");
		memcpy(fixed[i].now, fixed[i].was, fixed[i].size);
	}
}

/* Without an account to serve it as, the page stays as it is. */
static void keep_web(struct parent *parent, struct config *config)
{
	cleanup(buffer_done) struct buffer why = { 0 };

	if (parent_find_web_user(parent, config, &why) == 0)
		return;
	say_lines(parent, LOG_ERR, &why);
	config->web = parent->config->web;
}

static void send_config(struct parent *parent, enum role role, uint64_t serial)
{
	struct role_config said = { .serial = serial };
	int fd;

	if (!parent->children[role].channel)
		return;
	fd = parent_config_fd(parent, role, &said.config_size);
	if (fd < 0 || channel_send_fds(parent->children[role].channel, MESSAGE_CONFIG, &said, &fd, 1) < 0)
		parent_renew_child(parent, role); /* then it takes it with its start */
	if (fd >= 0)
		close(fd);
}

/* Its sessions live as long as it does: it starts anew only where it must. */
static void spread_web(struct parent *parent, const struct config *old)
{
	if (memcmp(&parent->config->web, &old->web, sizeof(old->web)) != 0) {
		parent_close_web(parent, old);
		parent_renew_child(parent, ROLE_WEB);
		return;
	}
	send_config(parent, ROLE_WEB, parent->serial);
	parent_give_web(parent); /* the token may be another one */
}

/* `config`, which is taken over, runs from now on. */
static void spread(struct parent *parent, struct config *config)
{
	struct config *old = parent->config;
	bool sensor = !same_sensor(config, old), daemons = !same_links(config, old);

	parent->config = config;
	/* act first: what core orders by a new mode, act must know already. */
	if (daemons)
		parent_renew_child(parent, ROLE_ACT);
	else
		send_config(parent, ROLE_ACT, parent->serial);
	send_config(parent, ROLE_CORE, parent->serial);
	send_config(parent, ROLE_DIAL, parent->serial);
	/* Where it may read is settled when it starts. */
	if (memcmp(&config->devices, &old->devices, sizeof(old->devices)) != 0)
		parent_renew_child(parent, ROLE_SSH);
	if (memcmp(&config->hooks, &old->hooks, sizeof(old->hooks)) != 0)
		parent_renew_child(parent, ROLE_HOOK);
	/* A sense that starts anew has counted nothing: only where it must be. */
	if (sensor || !parent_change_interfaces(parent, old)) {
		parent_close_sensor(parent);
		if (!parent_same_syslog(config, old))
			parent_close_syslog(parent, false);
		parent_renew_child(parent, ROLE_SENSE);
	} else {
		send_config(parent, ROLE_SENSE, parent->serial);
		parent_change_traps(parent, old);
		parent_renew_certificates(parent);
	}
	parent_give_dial(parent); /* a certificate may be a new one in the same place */
	if (memcmp(&config->recorder, &old->recorder, sizeof(old->recorder)) != 0) {
		parent_give_evidence(parent, ROLE_SENSE);
		parent_give_evidence(parent, ROLE_DIAL);
	}
	spread_web(parent, old);
	memory_free(old);
	parent_say_status(parent);
}

/* `text` and `startup` are the same bytes then, but each its own. */
static int note_texts(struct parent *parent)
{
	buffer_clear(&parent->text);
	buffer_add(&parent->text, buffer_text(&parent->startup));
	parent->serial = 0;
	return buffer_error(&parent->text);
}

int parent_note_file(struct parent *parent)
{
	if (!parent->ceiling)
		parent->ceiling = memory_new(1, sizeof(*parent->ceiling));
	if (!parent->ceiling)
		return -ENOMEM;
	memcpy(parent->ceiling, parent->config, sizeof(*parent->ceiling));
	return note_texts(parent);
}

void parent_reload(struct parent *parent)
{
	cleanup(buffer_done) struct buffer out = { 0 };
	struct config *config = NULL;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	notify_say(&parent->notify, "RELOADING=1\nMONOTONIC_USEC=%lld",
		   (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
	if (parent_read_config(parent->path, &config, parent->keys, &parent->startup, &out) < 0) {
		say_lines(parent, LOG_ERR, &out);
		log_say(&parent->log, LOG_ERR, "%s is not taken: the configuration stays as it was", parent->path);
		notify_say(&parent->notify, "READY=1");
		return;
	}
	say_lines(parent, LOG_WARNING, &out);
	keep_place(parent, config);
	keep_web(parent, config);
	memcpy(parent->ceiling, config, sizeof(*config));
	if (note_texts(parent) < 0)
		log_say(&parent->log, LOG_ERR, "no memory for the text of %s", parent->path);
	spread(parent, config);
	log_say(&parent->log, LOG_NOTICE, "%s was read again: mode %s", parent->path, mode_name(config->mode));
	notify_say(&parent->notify, "READY=1");
}

/* --- What was typed --------------------------------------------------------------------------------------------------- */

/* core checked it before; whoever has taken core over did not. */
static int take_whole(struct parent *parent, const char **ret_why)
{
	struct config *config = memory_new(1, sizeof(*config));
	cleanup(memory_free_pointer) struct config_report *report = memory_new(1, sizeof(*report));
	const char *what;

	*ret_why = "no memory";
	if (!config || !report || config_parse(buffer_text(&parent->incoming), config, report) < 0) {
		if (report && report->kept)
			*ret_why = "it does not parse";
		memory_free(config);
		return -EINVAL;
	}
	if (!config->hostname[0])
		memcpy(config->hostname, parent->config->hostname, sizeof(config->hostname));
	if (!config_is_within(config, parent->ceiling, &what)) {
		*ret_why = what;
		memory_free(config);
		return -EPERM;
	}
	buffer_done(&parent->text);
	parent->text = parent->incoming;
	parent->incoming = (struct buffer){ 0 };
	parent->serial = parent->incoming_serial;
	spread(parent, config);
	return 0;
}

void parent_take_text(struct parent *parent, const struct role_text *part)
{
	const char *why;

	if (part->at == 0) {
		buffer_clear(&parent->incoming);
		parent->incoming_serial = part->serial;
	}
	if (part->total > CONFIG_FILE_MAX || part->serial != parent->incoming_serial || part->at != parent->incoming.len) {
		parent_condemn(parent, ROLE_CORE, "sends a configuration in disorder");
		return;
	}
	buffer_add(&parent->incoming, (struct text){ part->bytes, part->len });
	if (parent->incoming.len < part->total)
		return;
	if (take_whole(parent, &why) < 0) {
		log_say(&parent->log, LOG_ERR, "core wants a configuration that goes beyond the file, or is none (%s): refused", why);
		buffer_clear(&parent->incoming);
		send_config(parent, ROLE_CORE, 0); /* it takes back what it believed */
	}
}

/* --- The startup file ------------------------------------------------------------------------------------------------- */

/* All of it or nothing: a new file beside the old one, then in its place. The old one stays as FILE.previous. */
static int write_startup(const struct parent *parent, struct text text, bool has_keys)
{
	char fresh[4096], previous[4096];
	struct stat was;
	int fd, r;

	if (snprintf(fresh, sizeof(fresh), "%s.new", parent->path) >= (int)sizeof(fresh) ||
	    snprintf(previous, sizeof(previous), "%s.previous", parent->path) >= (int)sizeof(previous))
		return -ENAMETOOLONG;
	if (stat(parent->path, &was) < 0)
		return -errno;
	if (has_keys && was.st_mode & 077) /* it was not when it was read */
		return -EPERM;
	unlink(fresh);
	fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = fchmod(fd, was.st_mode & 0777) < 0 || fchown(fd, was.st_uid, was.st_gid) < 0 ? -errno : 0;
	if (r == 0)
		r = record_write_all(fd, text);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	close(fd);
	if (r == 0) {
		unlink(previous);
		if (link(parent->path, previous) < 0 || rename(fresh, parent->path) < 0)
			r = -errno;
	}
	if (r < 0)
		unlink(fresh);
	return r;
}

/* What runs has no passwords in it: they are put back for the file. */
static int save_with_keys(const struct parent *parent)
{
	cleanup(buffer_done) struct buffer whole = { 0 };
	bool any;
	int r = config_unhide_text(buffer_text(&parent->text), parent->keys, &whole, &any) ? buffer_error(&whole) : -ENOKEY;

	if (r == 0)
		r = write_startup(parent, buffer_text(&whole), any);
	if (whole.bytes)
		explicit_bzero(whole.bytes, whole.len);
	return r;
}

void parent_save(struct parent *parent, const struct role_ping *save)
{
	struct role_saved saved = { .number = save->number };

	if (parent->serial) /* else what runs is the file */
		saved.error = save_with_keys(parent);
	if (saved.error < 0)
		log_say(&parent->log, LOG_ERR, "%s cannot be written: %s", parent->path, spimend_strerror(saved.error));
	else if (parent->serial)
		log_say(&parent->log, LOG_NOTICE, "%s was written; what it was stays as %s.previous", parent->path, parent->path);
	if (saved.error == 0) {
		buffer_clear(&parent->startup);
		buffer_add(&parent->startup, buffer_text(&parent->text));
	}
	channel_send(parent->children[ROLE_CORE].channel, MESSAGE_SAVED, &saved);
}
