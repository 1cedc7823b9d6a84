/* SPDX-License-Identifier: MIT */
/* The system-call filters, each in a child of its own; they stand under sanitizers as well here, until the child ends. */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "role/confine.h"

#define FINE 7

typedef void deed_fn(int fd);

/* The exit status of a child that does it under that role's filter; *ret_said is what it told its parent, if anything. */
static int status_of(enum role role, deed_fn *deed, struct role_violation *ret_said)
{
	struct message_header header;
	union message_item item;
	char said[256];
	int ends[2], status;
	ssize_t len;
	pid_t pid;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
	pid = fork();
	if (pid == 0) {
		int fd = memfd_create("deed", 0);

		if (dup2(ends[1], CONFINE_CHANNEL_FD) < 0 || (fd = dup2(fd, 9)) < 0)
			_exit(1);
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		if (confine_calls(role) <= 0)
			_exit(2);
		deed(fd);
		syscall(SYS_exit_group, FINE); /* see on_violation() */
	}
	assert_true(pid > 0);
	close(ends[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	memset(ret_said, 0, sizeof(*ret_said));
	len = recv(ends[0], said, sizeof(said), MSG_DONTWAIT);
	if (len > 0) {
		assert_null(message_check(said, (size_t)len, 0, role, ROLE_PARENT, message_build(), &header));
		assert_int_equal(header.type, MESSAGE_VIOLATION);
		assert_true(message_take(&header, said, 0, &item));
		*ret_said = item.violation;
	}
	close(ends[0]);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void must_end(enum role role, deed_fn *deed, const char *call)
{
	struct role_violation said;
	char *name;

	assert_int_equal(status_of(role, deed, &said), CONFINE_VIOLATION_EXIT);
	name = confine_call_name(said.arch, said.call);
	assert_non_null(name);
	assert_string_equal(name, call);
	free(name);
}

static void must_do(enum role role, deed_fn *deed)
{
	struct role_violation said;

	assert_int_equal(status_of(role, deed, &said), FINE);
}

static void open_file(int fd)
{
	(void)fd;
	(void)!syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY, 0);
}

static void open_socket(int fd)
{
	(void)fd;
	(void)!socket(AF_INET, SOCK_DGRAM, 0);
}

static void connect_somewhere(int fd)
{
	static const struct sockaddr nowhere;

	(void)!connect(fd, &nowhere, sizeof(nowhere));
}

static void make_process(int fd)
{
	(void)fd;
	(void)!syscall(SYS_clone, 0, NULL, NULL, NULL, 0);
}

static void execute(int fd)
{
	(void)fd;
	(void)!syscall(SYS_execve, "/bin/true", NULL, NULL);
}

static void trace(int fd)
{
	(void)fd;
	(void)!syscall(SYS_ptrace, 0, 0, 0, 0);
}

static void make_code(int fd)
{
	(void)fd;
	(void)!syscall(SYS_mmap, NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void stat_path(int fd)
{
	char room[256];

	(void)fd;
	(void)!syscall(SYS_newfstatat, AT_FDCWD, "/etc/passwd", room, 0);
}

static void handle_violations_itself(int fd)
{
	(void)fd;
	(void)!syscall(SYS_rt_sigaction, SIGSYS, NULL, NULL, 8);
}

static void load_program(int fd)
{
	union bpf_attr attr;

	(void)fd;
	memset(&attr, 0, sizeof(attr));
	(void)!syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
}

static void use_map(int fd)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (unsigned)fd;
	(void)!syscall(SYS_bpf, BPF_MAP_LOOKUP_ELEM, &attr, sizeof(attr)); /* fails: no map. It may be asked */
}

static void signal_another(int fd)
{
	(void)fd;
	(void)!syscall(SYS_tgkill, 1, 1, 0);
}

static void signal_another_by_file(int fd)
{
	(void)!fcntl(fd, F_SETOWN, 1);
}

static void choose_that_signal(int fd)
{
	(void)!fcntl(fd, F_SETSIG, SIGKILL);
}

static void send_somewhere(int fd)
{
	static const struct sockaddr_in6 nowhere; /* as long as what a packet socket takes, and longer */

	(void)!sendto(fd, "x", 1, MSG_DONTWAIT, &nowhere, sizeof(nowhere));
}

static void send_over_ipv4(int fd)
{
	static const struct sockaddr_in nowhere;

	(void)!sendto(fd, "x", 1, MSG_DONTWAIT, &nowhere, sizeof(nowhere));
}

static void send_hidden(int fd)
{
	struct msghdr message = { .msg_name = NULL };

	(void)!sendmsg(fd, &message, MSG_DONTWAIT);
}

static void lock_file(int fd)
{
	struct flock all = { .l_type = F_WRLCK };

	if (fcntl(fd, F_SETLK, &all) < 0)
		syscall(SYS_exit_group, 3);
}

static void signal_itself(int fd)
{
	(void)fd;
	if (syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), 0) < 0)
		syscall(SYS_exit_group, 3);
}

static void send_to_who_is_connected(int fd)
{
	(void)fd;
	if (send(CONFINE_CHANNEL_FD, "", 0, MSG_DONTWAIT) < 0 || fcntl(CONFINE_CHANNEL_FD, F_GETFL) < 0)
		syscall(SYS_exit_group, 3);
}

static void plain_work(int fd)
{
	char byte = 'x';

	if (write(fd, &byte, 1) != 1 || lseek(fd, 0, SEEK_SET) != 0 || read(fd, &byte, 1) != 1)
		syscall(SYS_exit_group, 3);
}

static void write_at(int fd)
{
	if (pwrite(fd, "x", 1, 0) != 1 || fdatasync(fd) != 0)
		syscall(SYS_exit_group, 3);
}

static void no_role_makes_processes_code_or_sockets(void **state)
{
	(void)state;
	for (enum role role = ROLE_SENSE; role < ROLES; role++) {
		if (role == ROLE_SSH || role == ROLE_HOOK) /* they run programs */
			continue;
		if (role != ROLE_DIAL) {
			must_end(role, open_socket, "socket");
			must_end(role, connect_somewhere, "connect");
		}
		must_end(role, make_process, "clone");
		must_end(role, execute, "execve");
		must_end(role, trace, "ptrace");
		must_end(role, make_code, "mmap");
		must_end(role, handle_violations_itself, "rt_sigaction");
		must_end(role, load_program, "bpf");
		must_do(role, plain_work);
	}
}

static void open_other_socket(int fd)
{
	(void)fd;
	(void)!socket(AF_UNIX, SOCK_STREAM, 0);
}

static void open_raw_socket(int fd)
{
	(void)fd;
	(void)!socket(AF_INET, SOCK_RAW, 0);
}

static void listen_somewhere(int fd)
{
	static const struct sockaddr nowhere;

	(void)!bind(fd, &nowhere, sizeof(nowhere));
}

static void dial_connects_and_never_listens(void **state)
{
	(void)state;
	must_do(ROLE_DIAL, open_socket);
	must_do(ROLE_DIAL, connect_somewhere);
	must_end(ROLE_DIAL, open_other_socket, "socket");
	must_end(ROLE_DIAL, open_raw_socket, "socket");
	must_end(ROLE_DIAL, listen_somewhere, "bind");
}

static void web_takes_connections_and_makes_none(void **state)
{
	(void)state;
	must_end(ROLE_WEB, listen_somewhere, "bind");
	must_end(ROLE_WEB, open_other_socket, "socket");
	must_end(ROLE_WEB, open_file, "openat");
	must_do(ROLE_WEB, plain_work);
}

static void refused_to_ssh(int fd)
{
	static const int families[] = { AF_PACKET, AF_NETLINK, AF_VSOCK, AF_ALG };

	(void)fd;
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		if (socket(families[i], SOCK_DGRAM, 0) >= 0 || errno != EAFNOSUPPORT)
			syscall(SYS_exit_group, 3);
	if (socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) >= 0 || errno != EPERM)
		syscall(SYS_exit_group, 4);
	if (syscall(SYS_ptrace, 0, 0, 0, 0) >= 0 || errno != EPERM || unshare(CLONE_NEWUSER) >= 0 || errno != EPERM)
		syscall(SYS_exit_group, 5);
	if (syscall(SYS_bpf, 0, NULL, 0) >= 0 || errno != EPERM || syscall(SYS_clone3, NULL, 0) >= 0 || errno != ENOSYS)
		syscall(SYS_exit_group, 6);
	if (syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, 0) >= 0 || errno != EPERM)
		syscall(SYS_exit_group, 7);
}

static void run_a_program(int fd)
{
	char *arguments[] = { (char[]){ "true" }, NULL };
	int status;
	pid_t pid;

	(void)fd;
	if (posix_spawn(&pid, "/bin/true", NULL, NULL, arguments, NULL) != 0 || waitpid(pid, &status, 0) != pid || status != 0)
		syscall(SYS_exit_group, 3);
}

static void ssh_runs_programs_and_little_else(void **state)
{
	(void)state;
	must_do(ROLE_SSH, refused_to_ssh);
	must_do(ROLE_SSH, run_a_program);
	must_do(ROLE_SSH, open_socket);
	must_do(ROLE_SSH, plain_work);
}

static void no_role_reaches_for_another_one(void **state)
{
	(void)state;
	for (enum role role = ROLE_SENSE; role < ROLES; role++) {
		if (role == ROLE_SSH || role == ROLE_HOOK) /* they run programs */
			continue;
		must_end(role, signal_another_by_file, "fcntl");
		must_end(role, choose_that_signal, "fcntl");
		must_do(role, signal_itself);
		must_do(role, send_to_who_is_connected);
		must_end(role, send_somewhere, "sendto");
		if (role == ROLE_SENSE) /* the answer to an inform */
			must_do(role, send_over_ipv4);
		else
			must_end(role, send_over_ipv4, "sendto");
		must_end(role, signal_another, "tgkill");
	}
	must_end(ROLE_SENSE, send_hidden, "sendmsg"); /* it has packet sockets */
	must_do(ROLE_CORE, lock_file); /* SQLite */
	must_end(ROLE_ACT, lock_file, "fcntl");
}

static void files_are_for_core_alone(void **state)
{
	(void)state;
	must_end(ROLE_SENSE, open_file, "openat");
	must_end(ROLE_ACT, open_file, "openat");
	must_end(ROLE_DIAL, open_file, "openat");
	must_end(ROLE_SENSE, stat_path, "newfstatat");
	must_end(ROLE_ACT, stat_path, "newfstatat");
	must_do(ROLE_CORE, open_file); /* where, landlock says */
}

static void maps_are_for_sense_alone(void **state)
{
	(void)state;
	must_do(ROLE_SENSE, use_map);
	must_end(ROLE_CORE, use_map, "bpf");
	must_end(ROLE_ACT, use_map, "bpf");
}

static void sense_writes_no_file(void **state)
{
	(void)state;
	must_end(ROLE_SENSE, write_at, "pwrite64");
	must_do(ROLE_ACT, write_at); /* its journal */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_role_makes_processes_code_or_sockets),
		cmocka_unit_test(dial_connects_and_never_listens), cmocka_unit_test(web_takes_connections_and_makes_none),
		cmocka_unit_test(ssh_runs_programs_and_little_else),
		cmocka_unit_test(no_role_reaches_for_another_one),
		cmocka_unit_test(files_are_for_core_alone),
		cmocka_unit_test(maps_are_for_sense_alone),
		cmocka_unit_test(sense_writes_no_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
