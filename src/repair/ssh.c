/* SPDX-License-Identifier: MIT */
#include "repair/ssh.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "base/memory.h"
#include "repair/child.h"
#include "repair/ssh_ask.h"
#include "spimend/error.h"

#define ARGUMENTS_MAX 96
#define AUTHENTICATION 3 /* options that say with what */

/* --- How it is called ---------------------------------------------------------------------------------------------- */

static const char *const always[] = {
	"-F", "none", "-a", "-x", "-oStrictHostKeyChecking=yes", "-oGlobalKnownHostsFile=/dev/null",
	"-oUpdateHostKeys=no", "-oCheckHostIP=no", "-oVerifyHostKeyDNS=no", "-oIdentitiesOnly=yes", "-oIdentityAgent=none",
	"-oPermitLocalCommand=no", "-oEscapeChar=none",
	"-oCanonicalizeHostname=no", "-oLogLevel=ERROR", "-oTunnel=no", "-oForwardAgent=no", "-oForwardX11=no",
	"-oServerAliveCountMax=3", "-oKnownHostsCommand=none", "-oSendEnv=-*",
};
static const char *const with_key[AUTHENTICATION] = {
	"-oBatchMode=yes", "-oPreferredAuthentications=publickey", "-oNumberOfPasswordPrompts=0",
};
/* One try: devices lock people out. */
static const char *const with_password[AUTHENTICATION] = {
	"-oPubkeyAuthentication=no", "-oPreferredAuthentications=keyboard-interactive,password", "-oNumberOfPasswordPrompts=1",
};
/* What old images have and OpenSSH leaves out of its lists. */
static const char *const legacy[] = {
	"-oKexAlgorithms=+diffie-hellman-group14-sha1,diffie-hellman-group-exchange-sha1,diffie-hellman-group1-sha1",
	"-oHostKeyAlgorithms=+ssh-rsa", "-oPubkeyAcceptedAlgorithms=+ssh-rsa", "-oCiphers=+aes256-cbc,aes192-cbc,aes128-cbc,3des-cbc",
	"-oMACs=+hmac-sha1,hmac-sha1-96",
};

/* What ssh would expand ('%', '~', '$'), split, or a shell would read into. */
static bool is_plain_path(const char *path)
{
	if (path[0] != '/')
		return false;
	for (const char *c = path; *c; c++)
		if (!char_is_alpha(*c) && !char_is_digit(*c) && !strchr("/._-+@", *c))
			return false;
	return true;
}

static void add(struct buffer *out, const char *argument)
{
	buffer_add(out, (struct text){ argument, strlen(argument) + 1 });
}

static void add_option(struct buffer *out, const char *name, const char *value)
{
	buffer_printf(out, "-o%s=%s", name, value);
	buffer_add_char(out, '\0');
}

static int refuse(struct buffer *why, const char *what, const char *value)
{
	buffer_printf(why, "%s '%s' cannot be handed to ssh", what, value);
	return -EINVAL;
}

/* Of one host on the way: all but where it goes. */
static int add_login(const struct config_devices *devices, const struct config_device *device, struct buffer *out,
		     struct buffer *why)
{
	const struct config_login *login = device_login(devices, device);
	const char *secret = !login ? "" : login->key_file[0] ? login->key_file : login->password_file;
	char number[32];

	if (!login || device->address.family == 0) {
		buffer_printf(why, "device %s has no %s", device->name, login ? "address" : "'ssh user'");
		return -EINVAL;
	}
	if (!is_plain_path(secret))
		return refuse(why, "the path", secret);
	if (!is_plain_path(devices->known_hosts))
		return refuse(why, "the path", devices->known_hosts);
	if (!device_is_name(text_of(login->user)))
		return refuse(why, "the user", login->user);
	for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
		add(out, always[i]);
	for (size_t i = 0; i < AUTHENTICATION; i++)
		add(out, login->key_file[0] ? with_key[i] : with_password[i]);
	for (size_t i = 0; login->legacy && i < sizeof(legacy) / sizeof(legacy[0]); i++)
		add(out, legacy[i]);
	add_option(out, "UserKnownHostsFile", devices->known_hosts);
	if (login->key_file[0])
		add_option(out, "IdentityFile", login->key_file);
	snprintf(number, sizeof(number), "%d", SSH_CONNECT_S);
	add_option(out, "ConnectTimeout", number);
	snprintf(number, sizeof(number), "%d", SSH_ALIVE_S);
	add_option(out, "ServerAliveInterval", number);
	snprintf(number, sizeof(number), "%u", device->port ? device->port : 22);
	add_option(out, "Port", number);
	add_option(out, "User", login->user);
	return 0;
}

bool ssh_shares_jumps(const char *sockets)
{
	/* '/', 40 hex digits of %C; while it is made, '.' and 16 more. One that is too long ends the ssh that would listen. */
	return strlen(sockets) + 1 + 40 + 1 + 16 < sizeof(((struct sockaddr_un *)NULL)->sun_path);
}

/* ssh hands it to a shell: everything in it was checked to be no more than it looks like. Through one host only: the next
 * would be a command in a command in a command, with quotes within quotes that nobody should have to trust. */
static int add_jump(const struct config_devices *devices, const struct config_login *login, const char *sockets,
		    const char *slip, struct buffer *out, struct buffer *why)
{
	cleanup(buffer_done) struct buffer inner = { 0 };
	char address[SPIMEND_ADDRESS_TEXT_MAX];
	int32_t at = device_find(devices, text_of(login->jump));
	const struct config_device *jump = at < 0 ? NULL : &devices->at[at];
	const struct config_login *its = jump ? device_login(devices, jump) : NULL;
	int r;

	if (!its || its->jump[0]) {
		buffer_printf(why, its ? "'%s' would be gone through by way of another host: one at most" :
					 "nobody can log in to '%s' to go through it", login->jump);
		return -EINVAL;
	}
	if (!is_plain_path(sockets) || !is_plain_path(slip))
		return refuse(why, "the path", sockets);
	r = add_login(devices, jump, &inner, why);
	if (r < 0)
		return r;
	/* Many devices behind one host share one connection to it. The outer ssh takes one of each two '%' away. */
	if (ssh_shares_jumps(sockets)) {
		add_option(&inner, "ControlMaster", "auto");
		add_option(&inner, "ControlPersist", "30");
		buffer_printf(&inner, "-oControlPath=%s/%%%%C", sockets);
		buffer_add_char(&inner, '\0');
	}
	spimend_address_print(&jump->address, address);
	add(&inner, "-W");
	add(&inner, "[%h]:%p");
	add(&inner, "--");
	add(&inner, address);
	buffer_add_string(out, "-oProxyCommand="); /* ssh itself puts "exec" in front */
	if (its->password_file[0])
		buffer_printf(out, "/usr/bin/env '" SSH_ASK_VARIABLE "=%s" SSH_JUMP_SLIP "' ", slip);
	buffer_add_string(out, SSH_PATH);
	for (size_t i = 0; i < inner.len; i += strlen(inner.bytes + i) + 1)
		buffer_printf(out, " '%s'", inner.bytes + i);
	buffer_add_char(out, '\0');
	return buffer_error(&inner);
}

int ssh_arguments(const struct config_devices *devices, uint32_t device, const char *sockets, const char *slip,
		  struct buffer *ret, struct buffer *why)
{
	const struct config_device *d = &devices->at[device];
	const struct config_login *login = device_login(devices, d);
	char address[SPIMEND_ADDRESS_TEXT_MAX];
	int r;

	add(ret, SSH_PATH);
	r = add_login(devices, d, ret, why);
	if (r == 0 && login->jump[0])
		r = add_jump(devices, login, sockets, slip, ret, why);
	if (r < 0)
		return r;
	spimend_address_print(&d->address, address);
	add(ret, "-tt");
	add(ret, "--");
	add(ret, address);
	return buffer_error(ret);
}

/* --- The process --------------------------------------------------------------------------------------------------- */

/* The master's descriptor, and the slave's name. ssh makes it raw; until then nothing of ours may be echoed or changed. */
static int open_terminal(char *name, size_t size)
{
	const struct winsize window = { .ws_row = 1000, .ws_col = SSH_COLUMNS };
	int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK), r = 0;
	struct termios raw;

	if (fd < 0)
		return -errno;
	if (grantpt(fd) < 0 || unlockpt(fd) < 0 || ptsname_r(fd, name, size) != 0 || tcgetattr(fd, &raw) < 0)
		r = -errno;
	if (r == 0) {
		cfmakeraw(&raw);
		if (tcsetattr(fd, TCSANOW, &raw) < 0 || ioctl(fd, TIOCSWINSZ, &window) < 0)
			r = -errno;
	}
	if (r == 0)
		return fd;
	close(fd);
	return r;
}

/* A session of its own, with the slave as its terminal: when the master is closed, it and what it started hang up. */
static int spawn(char *const *arguments, char *const *environment, const char *terminal, int complaints,
		 struct ssh_process *process)
{
	posix_spawn_file_actions_t actions;
	int r = posix_spawn_file_actions_init(&actions);

	if (r)
		return -r;
	r = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, terminal, O_RDWR, 0);
	r = r ? r : posix_spawn_file_actions_adddup2(&actions, STDIN_FILENO, STDOUT_FILENO);
	r = r ? r : posix_spawn_file_actions_adddup2(&actions, complaints, STDERR_FILENO);
	if (r) {
		posix_spawn_file_actions_destroy(&actions);
		return -r;
	}
	return child_start(arguments, environment, &actions, &process->pid, &process->pid_fd);
}

int ssh_start(const struct buffer *arguments, const struct ssh_ask *ask, struct ssh_process *ret)
{
	char program[PATH_MAX + 16], slip[PATH_MAX + 16];
	char *environment[] = { (char[]){ "PATH=/usr/bin:/bin" }, (char[]){ "LC_ALL=C" }, (char[]){ "TERM=vt100" },
				ask ? (char[]){ "SSH_ASKPASS_REQUIRE=force" } : NULL, program, slip, NULL };

	struct ssh_process made = { .pid_fd = -1, .terminal = -1, .complaints = -1 };
	char *list[ARGUMENTS_MAX + 1], name[64];
	size_t count = 0;
	int ends[2], r;

	for (size_t i = 0; i < arguments->len && count < ARGUMENTS_MAX; i += strlen(arguments->bytes + i) + 1)
		list[count++] = arguments->bytes + i;
	list[count] = NULL;
	if (count == 0 || count == ARGUMENTS_MAX)
		return -E2BIG;
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	made.complaints = ends[0];
	made.terminal = open_terminal(name, sizeof(name));
	snprintf(program, sizeof(program), "SSH_ASKPASS=%s", ask ? ask->program : "");
	snprintf(slip, sizeof(slip), SSH_ASK_VARIABLE "=%s", ask ? ask->slip : "");
	r = made.terminal < 0 ? made.terminal : spawn(list, environment, name, ends[1], &made);
	close(ends[1]);
	if (r == 0)
		*ret = made;
	else
		ssh_end(&made);
	return r;
}

void ssh_end(struct ssh_process *process)
{
	child_close(&process->terminal);
	child_close(&process->complaints);
	(void)child_end(&process->pid, &process->pid_fd, false);
}

/* --- Secrets ------------------------------------------------------------------------------------------------------- */

int ssh_read_secret(const char *path, char *ret, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), r = 0;
	struct stat found;
	ssize_t n = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &found) < 0)
		r = -errno;
	else if (!S_ISREG(found.st_mode))
		r = -EINVAL;
	else if (found.st_mode & (S_IRWXG | S_IRWXO))
		r = -EPERM;
	if (r == 0)
		n = read(fd, ret, size);
	if (n < 0)
		r = -errno;
	close(fd);
	for (ssize_t i = 0; r == 0 && i <= n; i++) {
		if (i == n && n == (ssize_t)size) {
			r = -EINVAL;
		} else if (i == n || ret[i] == '\n' || ret[i] == '\r') {
			ret[i] = 0;
			r = i == 0 ? -EINVAL : 0;
			break;
		} else if ((unsigned char)ret[i] < 0x20 || ret[i] == 0x7f) {
			r = -EINVAL;
		}
	}
	if (r < 0)
		explicit_bzero(ret, size);
	return r;
}

const char *ssh_secret_trouble(int error)
{
	return error == -EPERM ? "others may read it" : error == -EINVAL ? "its first line is no password" : spimend_strerror(error);
}
