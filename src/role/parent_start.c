/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/memory.h"
#include "eem/eem.h"
#include "parse/config.h"
#include "role/member.h"
#include "role/applets_check.h"
#include "role/parent_private.h"
#include "spimend/error.h"

#define LOCK_FILE "spimendd.lock"

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* The whole file, at most CONFIG_FILE_MAX. */
static int read_file(const char *path, struct buffer *ret, mode_t *ret_mode)
{
	char part[16384];
	cleanup(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat found;

	if (fd < 0 || fstat(fd, &found) < 0)
		return -errno;
	if (S_ISDIR(found.st_mode))
		return -EISDIR;
	*ret_mode = found.st_mode & 07777;
	for (;;) {
		ssize_t n = read(fd, part, sizeof(part));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return buffer_error(ret);
		if (ret->len + (size_t)n > CONFIG_FILE_MAX)
			return -EFBIG;
		buffer_add(ret, (struct text){ part, (size_t)n });
	}
}

/* The applets in it, as core will compile them. Lines that are none of the compiler's were judged before. */
static int check_applets(const char *path, struct text file, const struct config *config, struct buffer *out)
{
	struct eem_report report = { 0 };
	struct eem_policies *policies = NULL;
	int r = eem_compile(file, &policies, &report);

	eem_report_sort(&report);
	for (uint32_t i = 0; i < report.kept && r == 0; i++) {
		const struct eem_finding *one = &report.findings[i];

		if (one->level == EEM_NOTE || (one->level == EEM_WARNING && strcmp(one->name, "unknown-line") == 0))
			continue;
		buffer_printf(out, "%s:%u: %s%s\n", path, one->line, one->level == EEM_WARNING ? "warning: " : "", one->text);
	}
	if (r == 0 && applets_check(config, policies, path, 0, out))
		r = SPIMEND_E_SYNTAX;
	if (r == 0 && report.count[EEM_ERROR])
		r = SPIMEND_E_SYNTAX;
	eem_policies_release(policies);
	eem_report_done(&report);
	return r;
}

static void name_host(struct config *config)
{
	if (!config->hostname[0] && gethostname(config->hostname, sizeof(config->hostname) - 1) < 0)
		text_copy(TEXT("gateway"), config->hostname, sizeof(config->hostname));
}

/* DESIGN.md 7: a secret is in a file that its owner alone may read. */
static int judge_keys(const char *path, mode_t mode, const struct config_notify *n, struct buffer *out)
{
	int r = 0;

	for (uint32_t i = 0; i < n->user_count; i++) {
		const struct notify_user *user = &n->users[i];
		bool is_whole = user->auth[0] && (!user->encrypts || user->priv[0]);

		if (!user->is_inline || (is_whole && !(mode & 077)))
			continue;
		if (!is_whole)
			buffer_printf(out, "%s: 'snmp-server user %s' has " CONFIG_HIDDEN " in the place of a password: it is never shown, so it "
				      "has to be written here\n", path, user->name);
		else
			buffer_printf(out, "%s: 'snmp-server user %s' has passwords in it, and mode %04o lets others than its owner read or write "
				      "this file: 'chmod 600', or 'key-file PATH' in their place\n", path, user->name, (unsigned)mode);
		r = -EPERM;
	}
	return r;
}

static bool has_key(const struct config_notify *n)
{
	for (uint32_t i = 0; i < n->user_count; i++)
		if (n->users[i].auth[0] || n->users[i].priv[0])
			return true;
	return false;
}

/* From here on no text and no configuration has a password. What is left is read again, to be sure of it. */
static int hide_keys(const char *path, struct config *config, struct buffer *file, struct config_report *report,
		     struct notify_user keys[NOTIFY_USERS_MAX], struct buffer *out)
{
	struct config *again cleanup(memory_free_pointer) = memory_new(1, sizeof(*again));
	cleanup(buffer_done) struct buffer hidden = { 0 };
	int r;

	config_hide_text(buffer_text(file), &hidden);
	config_hide_keys(&config->notify, keys);
	if (file->bytes)
		explicit_bzero(file->bytes, file->len);
	if (!again || hidden.failed)
		return -ENOMEM;
	r = config_parse(buffer_text(&hidden), again, report);
	if (r < 0 || has_key(&again->notify)) {
		buffer_printf(out, "%s: a line 'snmp-server user' is written so that its passwords cannot be hidden\n", path);
		r = SPIMEND_E_SYNTAX;
	}
	explicit_bzero(&again->notify, sizeof(again->notify));
	buffer_done(file);
	*file = hidden;
	hidden = (struct buffer){ 0 };
	return r;
}

int parent_read_config(const char *path, struct config **ret, struct notify_user ret_keys[NOTIFY_USERS_MAX],
		       struct buffer *ret_text, struct buffer *out)
{
	cleanup(buffer_done) struct buffer file = { 0 };
	cleanup(memory_free_pointer) struct config_report *report = memory_new(1, sizeof(*report));
	cleanup(memory_free_pointer) struct config *config = memory_new(1, sizeof(*config));
	struct notify_user keys[NOTIFY_USERS_MAX];
	mode_t mode = 0;
	int r;

	if (!report || !config)
		return -ENOMEM;
	r = read_file(path, &file, &mode);
	if (r < 0) {
		buffer_printf(out, "%s: %s\n", path, spimend_strerror(r));
		return r;
	}
	r = config_parse(buffer_text(&file), config, report);
	config_report_print(report, text_of(path), out);
	if (r == 0)
		r = check_applets(path, buffer_text(&file), config, out);
	if (r == 0)
		r = judge_keys(path, mode, &config->notify, out);
	if (r == 0)
		r = hide_keys(path, config, &file, report, keys, out);
	if (r == 0)
		memcpy(ret_keys, keys, sizeof(keys));
	explicit_bzero(keys, sizeof(keys));
	if (r < 0)
		return r;
	name_host(config);
	*ret = config;
	config = NULL;
	buffer_done(ret_text);
	*ret_text = file;
	file = (struct buffer){ 0 };
	return 0;
}

static int find_account(const char *name, const char *keyword, uid_t *ret_uid, gid_t *ret_gid, struct buffer *out)
{
	const struct passwd *user = getpwnam(name);

	if (!user) {
		buffer_printf(out, "there is no user %s for the roles to run as: make one ('systemd-sysusers' after 'make install',"
			      " or 'useradd --system %s'), or name another with '%s'\n", name, name, keyword);
		return -ENOENT;
	}
	if (user->pw_uid == 0) {
		buffer_printf(out, "user %s is root: the roles must run as somebody without privilege\n", name);
		return -EPERM;
	}
	*ret_uid = user->pw_uid;
	*ret_gid = user->pw_gid;
	return 0;
}

static void note_operator(struct parent *parent, const struct passwd *user)
{
	struct role_name *to = &parent->operators[parent->operator_count];

	if (!user || parent->operator_count == ROLE_NAMES_MAX || strlen(user->pw_name) >= sizeof(to->name) ||
	    !device_is_name(text_of(user->pw_name)))
		return; /* then he is known by his number alone */
	to->uid = user->pw_uid;
	text_copy(text_of(user->pw_name), to->name, sizeof(to->name));
	parent->operator_count++;
}

/* For the record of whose word something was done on: the names of those who may give it. */
static void name_operators(struct parent *parent, const struct group *operators)
{
	memset(parent->operators, 0, sizeof(parent->operators));
	parent->operator_count = 0;
	note_operator(parent, getpwuid(0));
	for (char **name = operators ? operators->gr_mem : NULL; name && *name; name++)
		note_operator(parent, getpwnam(*name));
}

int parent_find_web_user(struct parent *parent, const struct config *config, struct buffer *out)
{
	uid_t uid;
	gid_t gid;
	int r;

	if (!web_is_wanted(&config->web))
		return 0;
	r = find_account(config->web.user, "web user", &uid, &gid, out);
	if (r < 0)
		return r;
	if (uid == parent->uid || uid == parent->dial_uid || (parent->has_hook_uid && uid == parent->hook_uid)) {
		buffer_printf(out, "user %s is that of other roles as well: the page is served by an account of its own ('web user')\n",
			      config->web.user);
		return -EPERM;
	}
	parent->web_uid = uid;
	parent->web_gid = gid;
	return 0;
}

static int find_hook_user(struct parent *parent, const struct config *config, struct buffer *out)
{
	int r = find_account(config->hooks.user, "hook user", &parent->hook_uid, &parent->hook_gid, out);

	if (r == 0 && (parent->hook_uid == parent->uid || parent->hook_uid == parent->dial_uid ||
		       (web_is_wanted(&config->web) && parent->hook_uid == parent->web_uid))) {
		buffer_printf(out, "'hook user %s' is who other roles run as: what 'hook exec' runs must not reach them\n",
			      config->hooks.user);
		r = -EPERM;
	}
	parent->has_hook_uid = r == 0;
	return r;
}

int parent_find_user(struct parent *parent, const struct config *config, struct buffer *out)
{
	const char *dial = config->dial_user[0] ? config->dial_user : config->user;
	const struct group *group = NULL, *operators;
	gid_t control_gid = 0;
	int r = find_account(config->user, "user", &parent->uid, &parent->gid, out);

	if (r == 0)
		r = find_account(dial, config->dial_user[0] ? "dial user" : "user", &parent->dial_uid, &parent->dial_gid, out);
	if (r == 0)
		r = parent_find_web_user(parent, config, out);
	if (r == 0 && config->hooks.program[0])
		r = find_hook_user(parent, config, out);
	if (r < 0)
		return r;
	if (config->control_group[0] && !(group = getgrnam(config->control_group))) {
		buffer_printf(out, "there is no group %s for the control socket\n", config->control_group);
		return -ENOENT;
	}
	control_gid = group ? group->gr_gid : 0; /* the next call overwrites it */
	operators = config->operators[0] ? getgrnam(config->operators) : NULL;
	if (config->operators[0] && !operators) {
		buffer_printf(out, "there is no group %s for the operators\n", config->operators);
		return -ENOENT;
	}
	parent->has_operators_gid = operators;
	parent->operators_gid = operators ? operators->gr_gid : 0;
	name_operators(parent, operators);
	parent->has_control_gid = group;
	parent->control_gid = control_gid;
	return 0;
}

/* --- The state directory ------------------------------------------------------------------------------------------------
 * Root's own, with the lock and act's journal; in it one that belongs to core. So whoever takes core over cannot take act's
 * memory of what was done away. */

static int open_directory(int at, const char *path, mode_t mode, struct buffer *out)
{
	bool made = mkdirat(at, path, mode) == 0;
	int fd;

	if (!made && errno != EEXIST) {
		buffer_printf(out, "%s: cannot be made: %s\n", path, strerror(errno));
		return -errno;
	}
	fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (at == AT_FDCWD ? 0 : O_NOFOLLOW));
	if (fd < 0) {
		int r = -errno;

		buffer_printf(out, "%s: %s\n", path, strerror(errno));
		return r;
	}
	if (made && fchmod(fd, mode) < 0) { /* our umask may keep the roles out */
		int r = -errno;

		close(fd);
		return r;
	}
	return fd;
}

static int take_lock(struct parent *parent, struct buffer *out)
{
	char text[32] = "";
	ssize_t n;

	parent->lock_fd = openat(parent->state_fd, LOCK_FILE, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	/* flock(2) asks for no right to write: whoever may read it could keep the next spimendd from starting. */
	if (parent->lock_fd < 0 || fchmod(parent->lock_fd, 0600) < 0) {
		buffer_printf(out, "%s/" LOCK_FILE ": %s\n", parent->config->state_directory, strerror(errno));
		return -errno;
	}
	if (flock(parent->lock_fd, LOCK_EX | LOCK_NB) < 0) {
		n = pread(parent->lock_fd, text, sizeof(text) - 1, 0);
		text[n > 0 ? strcspn(text, "\n") : 0] = 0;
		buffer_printf(out, "another spimendd (pid %s) runs with the state directory %s\n", text[0] ? text : "unknown",
			      parent->config->state_directory);
		return -EBUSY;
	}
	n = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	/* A full disk is no reason not to start: the lock counts, not what it says. */
	if (ftruncate(parent->lock_fd, 0) == 0)
		(void)!pwrite(parent->lock_fd, text, (size_t)n, 0);
	return 0;
}

/* Whoever may write the folder that `path` lies in may put something else in its place, or a link that root follows. */
static int check_folder_of(const char *path, struct buffer *out)
{
	char folder[CONFIG_PATH_MAX];
	struct stat found;
	char *slash;

	text_copy(text_of(path), folder, sizeof(folder));
	slash = strrchr(folder, '/');
	if (!slash)
		return 0;
	slash[slash == folder] = 0;
	if (stat(folder, &found) < 0)
		return 0; /* what is to be made in it says so */
	if (found.st_uid == 0 && (!(found.st_mode & S_IWOTH) || found.st_mode & S_ISVTX))
		return 0;
	buffer_printf(out, "%s: must belong to root and not be writable for all, or others could take the place of %s\n", folder, path);
	return -EPERM;
}

static int make_directory_of(struct parent *parent, const char *name, uid_t uid, gid_t gid, struct buffer *out)
{
	int fd = open_directory(parent->state_fd, name, 0700, out), r = 0;

	if (fd < 0)
		return fd;
	if (fchown(fd, uid, gid) < 0 || fchmod(fd, 0700) < 0) {
		r = -errno;
		buffer_printf(out, "%s/%s: %s\n", parent->config->state_directory, name, strerror(errno));
	}
	close(fd);
	return r;
}

bool parent_make_hook_place(struct parent *parent)
{
	cleanup(buffer_done) struct buffer out = { 0 };
	int r = make_directory_of(parent, MEMBER_HOOK_DIRECTORY, parent->hook_uid, parent->hook_gid, &out);

	if (r < 0)
		log_say(&parent->log, LOG_ERR, "%.*s", TEXT_ARG(text_trim(buffer_text(&out))));
	return r == 0;
}

static int make_state(struct parent *parent, struct buffer *out)
{
	struct stat found;
	int r = check_folder_of(parent->config->state_directory, out);

	if (r < 0)
		return r;
	parent->state_fd = open_directory(AT_FDCWD, parent->config->state_directory, 0755, out);
	if (parent->state_fd < 0)
		return parent->state_fd;
	if (fstat(parent->state_fd, &found) < 0)
		return -errno;
	if (found.st_uid != 0 || found.st_mode & S_IWOTH) {
		buffer_printf(out, "%s: must belong to root and not be writable for all\n", parent->config->state_directory);
		return -EPERM;
	}
	r = make_directory_of(parent, MEMBER_CORE_DIRECTORY, parent->uid, parent->gid, out);
	if (r == 0) /* core may make no folder itself */
		r = make_directory_of(parent, MEMBER_JOURNAL_DIRECTORY, parent->uid, parent->gid, out);
	if (r == 0)
		r = make_directory_of(parent, MEMBER_FLASH_DIRECTORY, parent->uid, parent->gid, out);
	if (r == 0)
		r = make_directory_of(parent, MEMBER_RECORDER_DIRECTORY, parent->uid, parent->gid, out);
	if (r == 0)
		r = make_directory_of(parent, MEMBER_EVIDENCE_DIRECTORY, parent->uid, parent->gid, out);
	if (r == 0)
		r = make_directory_of(parent, MEMBER_SSH_DIRECTORY, parent->dial_uid, parent->dial_gid, out);
	if (r == 0) /* root's: the role never reads the token itself */
		r = make_directory_of(parent, MEMBER_WEB_DIRECTORY, 0, 0, out);
	return r < 0 ? r : take_lock(parent, out);
}

/* --- The control socket ----------------------------------------------------------------------------------------------- */

/* Removes what a daemon that was killed left behind; -EADDRINUSE when somebody listens. */
static int clear_path(const struct sockaddr_un *address)
{
	struct stat found;
	int fd, r;

	if (lstat(address->sun_path, &found) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(found.st_mode))
		return -EEXIST;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	r = connect(fd, (const struct sockaddr *)address, sizeof(*address));
	if (r == 0 || errno == EAGAIN) {
		close(fd);
		return -EADDRINUSE;
	}
	close(fd);
	return unlink(address->sun_path) < 0 && errno != ENOENT ? -errno : 0;
}

static void make_folder_of(const char *path)
{
	char folder[CONFIG_PATH_MAX];
	char *slash;

	text_copy(text_of(path), folder, sizeof(folder));
	slash = strrchr(folder, '/');
	if (slash && slash != folder) {
		*slash = 0;
		if (mkdir(folder, 0755) == 0) /* bind() says it when it is not there */
			(void)!chmod(folder, 0755); /* whatever our umask */
	}
}

int parent_listen_unix(const char *path, uid_t uid, gid_t gid, mode_t mode, int *ret_fd, struct buffer *out)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	mode_t mask;
	int fd, r;

	text_copy(text_of(path), address.sun_path, sizeof(address.sun_path));
	make_folder_of(path);
	r = check_folder_of(path, out);
	if (r == 0)
		r = clear_path(&address);
	if (r < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mask = umask(0177); /* nobody's until it has its owner */
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || lchown(path, uid, gid) < 0 ||
	    chmod(path, mode) < 0 || listen(fd, 64) < 0)
		r = -errno;
	umask(mask);
	if (r == 0)
		*ret_fd = fd;
	else
		close_fd(&fd);
	return r;
}

static int make_control(struct parent *parent, struct buffer *out)
{
	const char *path = parent->config->control_socket;
	bool is_shared = parent->has_control_gid || parent->has_operators_gid;
	gid_t group = parent->has_control_gid ? parent->control_gid :
		      parent->has_operators_gid ? parent->operators_gid : parent->gid;
	size_t said = out->len;
	int r = parent_listen_unix(path, parent->uid, group, is_shared ? 0660 : 0600, &parent->control_fd, out);

	if (r < 0 && out->len == said)
		buffer_printf(out, "control socket %s: %s\n", path, spimend_strerror(r));
	return r;
}

int parent_take_place(struct parent *parent, struct buffer *out)
{
	int r = make_state(parent, out);

	return r < 0 ? r : make_control(parent, out);
}

void parent_leave_place(struct parent *parent)
{
	if (parent->control_fd >= 0)
		unlink(parent->config->control_socket);
	close_fd(&parent->control_fd);
	close_fd(&parent->lock_fd);
	close_fd(&parent->state_fd);
}
