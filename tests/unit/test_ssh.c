/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <errno.h>

#include <cmocka.h>
#include "repair/ssh.h"
#include "repair/ssh_ask.h"

static struct config_devices devices;
static char said[512];

static void add(const char *name, const char *address, uint16_t login)
{
	struct config_device *d = &devices.at[devices.count++];

	text_copy(text_of(name), d->name, sizeof(d->name));
	assert_int_equal(spimend_address_parse(address, strlen(address), &d->address), 0);
	d->port = 22;
	d->login = login;
}

static int setup(void **state)
{
	(void)state;
	memset(&devices, 0, sizeof(devices));
	strcpy(devices.known_hosts, "/etc/spimend/known_hosts");
	strcpy(devices.logins[0].user, "netops");
	strcpy(devices.logins[0].key_file, "/etc/spimend/id");
	devices.logins[1] = devices.logins[0];
	strcpy(devices.logins[1].jump, "bastion");
	devices.logins[1].legacy = true;
	devices.login_count = 2;
	add("bastion", "192.0.2.1", 1);
	add("hub", "2001:db8::7", 1);
	add("spoke", "10.1.1.1", 2);
	return 0;
}

/* The arguments with " | " between them, or why there are none. */
static const char *arguments(uint32_t device)
{
	struct buffer list = { 0 }, why = { 0 };

	if (ssh_arguments(&devices, device, "/var/lib/spimend/ssh", "/var/lib/spimend/ssh/ask-7", &list, &why) == 0) {
		static char shown[8192];
		size_t len = 0;

		for (size_t i = 0; i < list.len; i += strlen(list.bytes + i) + 1)
			len += (size_t)snprintf(shown + len, sizeof(shown) - len, "%s%s", i ? " | " : "", list.bytes + i);
		buffer_done(&list);
		buffer_done(&why);
		return shown;
	}
	text_copy(buffer_text(&why), said, sizeof(said));
	buffer_done(&list);
	buffer_done(&why);
	return said;
}

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part)) {
		fputs(part, stderr);
		fputs(" is not in: ", stderr);
		fputs(text, stderr);
		fail();
	}
}

static void test_nothing_of_the_user_or_the_system_is_read(void **state)
{
	const char *list = arguments(1);

	(void)state;
	assert_has(list, "/usr/bin/ssh | -F | none | ");
	assert_has(list, "-oStrictHostKeyChecking=yes");
	assert_has(list, "-oUserKnownHostsFile=/etc/spimend/known_hosts");
	assert_has(list, "-oGlobalKnownHostsFile=/dev/null");
	assert_has(list, "-oIdentityAgent=none");
	assert_has(list, "-oEscapeChar=none");
	assert_has(list, "-oPermitLocalCommand=no");
	assert_has(list, "-oUser=netops");
	assert_has(list, " | -tt | -- | 2001:db8::7");
	assert_null(strstr(list, "ssh-rsa")); /* old algorithms only where they are asked for */
}

static void test_a_host_in_between_shares_its_connection(void **state)
{
	const char *list = arguments(2);

	(void)state;
	assert_has(list, "HostKeyAlgorithms=+ssh-rsa");
	assert_has(list, "-oProxyCommand=/usr/bin/ssh '-F' 'none' ");
	assert_has(list, "'-oControlPath=/var/lib/spimend/ssh/%%C' '-W' '[%h]:%p' '--' '192.0.2.1' | -tt | -- | 10.1.1.1");
}

static void test_what_a_shell_or_ssh_would_read_into_is_refused(void **state)
{
	static const char *const paths[] = { "/etc/a b", "/etc/%h", "/etc/$HOME", "~/id", "id", "/etc/'x", "/etc/\"x", "/etc/x;y", "/etc/x\ny", "" };

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		setup(NULL);
		strcpy(devices.logins[0].key_file, paths[i]);
		assert_has(arguments(1), "cannot be handed to ssh");
		assert_has(arguments(2), "cannot be handed to ssh");
		setup(NULL);
		strcpy(devices.known_hosts, paths[i]);
		assert_has(arguments(1), "cannot be handed to ssh");
	}
	setup(NULL);
	strcpy(devices.logins[0].user, "-oProxyCommand=x");
	assert_has(arguments(1), "the user '-oProxyCommand=x' cannot be handed to ssh");
}

static void test_who_cannot_be_reached_is_said(void **state)
{
	(void)state;
	devices.at[1].login = 0;
	assert_has(arguments(1), "device hub has no 'ssh user'");
	devices.at[1].login = 1;
	devices.at[1].address.family = 0;
	assert_has(arguments(1), "device hub has no address");
	strcpy(devices.logins[1].jump, "nobody");
	assert_has(arguments(2), "nobody can log in to 'nobody'");
	strcpy(devices.logins[1].jump, "bastion");
	devices.at[0].login = 2;
	assert_has(arguments(2), "by way of another host");
}

static void test_a_password_is_asked_for_once_and_never_an_argument(void **state)
{
	const char *list;

	(void)state;
	devices.logins[0].key_file[0] = '\0';
	strcpy(devices.logins[0].password_file, "/etc/spimend/password");
	list = arguments(1);
	assert_has(list, "-oPreferredAuthentications=keyboard-interactive,password | -oNumberOfPasswordPrompts=1 | ");
	assert_has(list, "-oPubkeyAuthentication=no");
	assert_null(strstr(list, "BatchMode")); /* it would not ask */
	assert_null(strstr(list, "/etc/spimend/password"));
	list = arguments(2); /* through it, with a key */
	assert_has(list, "-oProxyCommand=/usr/bin/env 'SPIMEND_ASK=/var/lib/spimend/ssh/ask-7.jump' /usr/bin/ssh '-F' 'none' ");
	assert_has(list, " | -oBatchMode=yes | ");
	assert_null(strstr(list, "/etc/spimend/password"));
}

static void test_a_socket_s_path_has_only_so_much_room(void **state)
{
	char sockets[64];

	(void)state;
	memset(sockets, 'a', sizeof(sockets));
	sockets[0] = '/';
	sockets[49] = '\0'; /* sun_path has 108: 49, '/', 40 of %C, '.', 16 that ssh puts behind, NUL */
	assert_true(ssh_shares_jumps(sockets));
	sockets[49] = 'a';
	sockets[50] = '\0';
	assert_false(ssh_shares_jumps(sockets));
	devices.logins[0].key_file[0] = '/';
	assert_has(arguments(2), "'-oControlPath=/var/lib/spimend/ssh/%%C'");
}

/* As ssh runs it. Returns its exit status, -1 for a signal to the one who asks; what it said is in `said`. */
static int ask(const char *slip)
{
	int status, ends[2];
	ssize_t n;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (child == 0) { /* ssh */
		pid_t helper = fork();

		if (helper == 0) {
			dup2(ends[1], STDOUT_FILENO);
			dup2(ends[1], STDERR_FILENO);
			_exit(ssh_ask_answer(slip));
		}
		waitpid(helper, &status, 0);
		usleep(200000); /* a signal comes by then */
		_exit(WEXITSTATUS(status));
	}
	close(ends[1]);
	memset(said, 0, sizeof(said));
	n = read(ends[0], said, sizeof(said) - 1);
	assert_true(n >= 0);
	close(ends[0]);
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_a_password_is_told_once(void **state)
{
	char path[] = "/tmp/spimend-test-XXXXXX", slip[64];
	int fd = mkstemp(path);

	(void)state;
	assert_int_equal(write(fd, "hunter2\n", 8), 8);
	snprintf(slip, sizeof(slip), "%s.slip", path);
	assert_int_equal(ssh_ask_allow(slip, path), 0);
	assert_int_equal(ssh_ask_allow(slip, path), 0); /* one that is left over */
	assert_int_equal(ask(slip), 0);
	assert_string_equal(said, "hunter2\n");
	assert_int_equal(ask(slip), -1); /* ssh would send an empty one */
	assert_string_equal(said, "it asks a second time, and is told nothing\n");
	assert_true(ssh_ask_forbid(slip));
	assert_int_equal(ssh_ask_allow(slip, path), 0);
	assert_false(ssh_ask_forbid(slip)); /* nobody had asked; and nobody may any more */
	assert_int_equal(ask(slip), -1);
	assert_null(strstr(said, "hunter2"));
	assert_int_equal(ssh_ask_allow(slip, path), 0);
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(ask(slip), -1);
	assert_has(said, ": others may read it\n");
	assert_false(ssh_ask_forbid(slip)); /* it was not told, so no device can have refused it */
	close(fd);
	unlink(path);
}

static void test_a_secret_is_in_a_file_that_nobody_else_reads(void **state)
{
	char path[] = "/tmp/spimend-test-XXXXXX", got[16];
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "hunter2\r\nmore\n", 14), 14);
	assert_int_equal(ssh_read_secret(path, got, sizeof(got)), 0);
	assert_string_equal(got, "hunter2");
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(ssh_read_secret(path, got, sizeof(got)), -EPERM);
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(ssh_read_secret(path, got, sizeof(got)), -EINVAL);
	assert_int_equal(pwrite(fd, "0123456789abcdef", 16, 0), 16);
	assert_int_equal(ssh_read_secret(path, got, sizeof(got)), -EINVAL);
	assert_int_equal(pwrite(fd, "\x1b[A\n", 4, 0), 4);
	assert_int_equal(ssh_read_secret(path, got, sizeof(got)), -EINVAL);
	assert_int_equal(ssh_read_secret("/", got, sizeof(got)), -EINVAL);
	close(fd);
	unlink(path);
	assert_int_equal(ssh_read_secret(path, got, sizeof(got)), -ENOENT);
}

static ssize_t wait_and_read(int fd, char *to, size_t size)
{
	for (int i = 0; i < 500; i++) {
		ssize_t n = read(fd, to, size);

		if (n > 0)
			return n;
		usleep(10000);
	}
	return -1;
}

/* Any program serves to see what it is given: a terminal of its own on 0 and 1, and the other descriptor for complaints. */
static void test_it_runs_on_a_terminal_of_its_own(void **state)
{
	struct buffer list = { 0 };
	struct ssh_process process = { .pid_fd = -1, .terminal = -1, .complaints = -1 };
	static const char *const words[] = { "/bin/sh", "-c", "tty; stty size; echo wrong >&2; ls /proc/self/fd | wc -l; env; read x; echo got $x" };
	char text[4096] = "";
	size_t len = 0;

	(void)state;
	for (size_t i = 0; i < 3; i++)
		buffer_add(&list, (struct text){ words[i], strlen(words[i]) + 1 });
	assert_int_equal(ssh_start(&list, NULL, &process), 0);
	while (!strstr(text, "TERM=") && len < sizeof(text) - 1) {
		ssize_t n = wait_and_read(process.terminal, text + len, sizeof(text) - 1 - len);

		assert_true(n > 0);
		text[len += (size_t)n] = 0;
	}
	assert_has(text, "/dev/pts/");
	assert_has(text, "1000 512\n"); /* and raw: no CR in front */
	assert_has(text, "\n4\n"); /* 0, 1, 2, and the directory that is being read */
	assert_null(strstr(text, "HOME="));
	len = (size_t)wait_and_read(process.complaints, text, sizeof(text) - 1);
	text[len] = 0;
	assert_string_equal(text, "wrong\n");
	assert_int_equal(write(process.terminal, "hello\n", 6), 6);
	len = (size_t)wait_and_read(process.terminal, text, sizeof(text) - 1);
	text[len] = 0;
	assert_has(text, "got hello");
	ssh_end(&process);
	assert_int_equal(process.pid, 0);
	buffer_done(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_nothing_of_the_user_or_the_system_is_read, setup),
		cmocka_unit_test_setup(test_a_host_in_between_shares_its_connection, setup),
		cmocka_unit_test_setup(test_what_a_shell_or_ssh_would_read_into_is_refused, setup),
		cmocka_unit_test_setup(test_who_cannot_be_reached_is_said, setup),
		cmocka_unit_test_setup(test_a_password_is_asked_for_once_and_never_an_argument, setup),
		cmocka_unit_test(test_a_password_is_told_once),
		cmocka_unit_test(test_a_secret_is_in_a_file_that_nobody_else_reads),
		cmocka_unit_test(test_a_socket_s_path_has_only_so_much_room),
		cmocka_unit_test(test_it_runs_on_a_terminal_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
