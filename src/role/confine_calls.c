/* SPDX-License-Identifier: MIT */
#include "role/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What every role does: it reads and writes what it was given, waits, and allocates. */
static const int common_calls[] = {
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(recvmsg), SCMP_SYS(recvfrom),
	SCMP_SYS(close), SCMP_SYS(fstat), SCMP_SYS(lseek),
	SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(timerfd_create),
	SCMP_SYS(timerfd_settime), SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(getrandom),
	SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(futex), SCMP_SYS(sched_yield),
	SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
	SCMP_SYS(restart_syscall), SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(poll), SCMP_SYS(ppoll),
	SCMP_SYS(sysinfo), /* glibc's qsort() asks how much memory there is, when there is more than a little to sort */
};
/* Connections of its own, see add_sockets(). */
static const int dial_calls[] = {
	SCMP_SYS(connect), SCMP_SYS(getsockopt), SCMP_SYS(setsockopt), SCMP_SYS(getsockname), SCMP_SYS(getpeername),
	SCMP_SYS(shutdown),
};
/* Counts of the packet sockets; BPF maps, see add_bpf(); connections that come in on sockets that listen. */
static const int sense_calls[] = {
	SCMP_SYS(getsockopt), SCMP_SYS(pread64), SCMP_SYS(recvmmsg), SCMP_SYS(accept4),
};
/* Connections that come in; the library of HTTP makes its own epoll and wakes itself. */
static const int web_calls[] = {
	SCMP_SYS(accept4), SCMP_SYS(getsockopt), SCMP_SYS(setsockopt), SCMP_SYS(shutdown), SCMP_SYS(eventfd2),
};
/* SQLite in the state directory, which landlock bounds; clients of the control socket. */
static const int core_calls[] = {
	SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(newfstatat), SCMP_SYS(access),
	SCMP_SYS(faccessat), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(getcwd), SCMP_SYS(geteuid), SCMP_SYS(getuid),
	SCMP_SYS(pread64), SCMP_SYS(pwrite64), SCMP_SYS(fsync), SCMP_SYS(fdatasync), SCMP_SYS(ftruncate),
	SCMP_SYS(sync_file_range), SCMP_SYS(fstatfs), SCMP_SYS(fallocate), SCMP_SYS(unlink), SCMP_SYS(unlinkat),
	SCMP_SYS(rename), SCMP_SYS(renameat), SCMP_SYS(renameat2),
	SCMP_SYS(link), SCMP_SYS(linkat), SCMP_SYS(fchmod), SCMP_SYS(utimensat), SCMP_SYS(utimes), SCMP_SYS(utime),
	SCMP_SYS(nanosleep), SCMP_SYS(clock_nanosleep), SCMP_SYS(flock), SCMP_SYS(getdents64),
	SCMP_SYS(accept4), SCMP_SYS(getsockopt), SCMP_SYS(shutdown),
};
/* The journal's descriptor; netlink and VICI sockets that are open and connected. */
static const int act_calls[] = {
	SCMP_SYS(pread64), SCMP_SYS(pwrite64), SCMP_SYS(fdatasync), SCMP_SYS(fsync), SCMP_SYS(ftruncate), SCMP_SYS(fallocate),
	SCMP_SYS(getsockopt), SCMP_SYS(getsockname), SCMP_SYS(shutdown),
};
static const uint64_t bpf_commands[] = {
	BPF_MAP_LOOKUP_ELEM, BPF_MAP_UPDATE_ELEM, BPF_MAP_DELETE_ELEM, BPF_MAP_GET_NEXT_KEY, BPF_MAP_LOOKUP_BATCH,
	BPF_MAP_LOOKUP_AND_DELETE_ELEM, BPF_MAP_UPDATE_BATCH, BPF_MAP_DELETE_BATCH, BPF_OBJ_GET_INFO_BY_FD,
};

/* Not F_SETOWN and F_SETSIG, which send any signal to any process of the same user: the other roles. */
static const uint64_t fcntl_commands[] = { F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_SETFL };
static const uint64_t core_fcntl_commands[] = { F_GETLK, F_SETLK, F_SETLKW, F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int add_calls(scmp_filter_ctx filter, const int *calls, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);

		if (r < 0)
			return r;
	}
	return 0;
}

/* Memory may be had, but none that is run. */
static int add_memory(scmp_filter_ctx filter)
{
	int r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));

	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
				     SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	return r;
}

/* fstat() is newfstatat(fd, "", AT_EMPTY_PATH) in newer C libraries; by name only where a role has files. */
static int add_fstat(scmp_filter_ctx filter)
{
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(newfstatat), 1, SCMP_A3(SCMP_CMP_EQ, AT_EMPTY_PATH, 0));
}

/* A call of which argument `argument` chooses what it does. */
static int add_commands(scmp_filter_ctx filter, int call, unsigned argument, const uint64_t *commands, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 1, SCMP_CMP(argument, SCMP_CMP_EQ, commands[i], 0));

		if (r < 0)
			return r;
	}
	return 0;
}

/* To where a socket is connected. sense holds packet sockets: on an Ethernet they send nothing without an address
 * (packet(7)), and sendmsg() could hide one. */
static int add_sending(scmp_filter_ctx filter, enum role role)
{
	int r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(sendto), 1, SCMP_A4(SCMP_CMP_EQ, 0, 0));

	/* But the answer to an inform, over IPv4: packet sockets want a longer address, struct sockaddr_ll. */
	if (r == 0 && role == ROLE_SENSE)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(sendto), 1, SCMP_A5(SCMP_CMP_EQ, sizeof(struct sockaddr_in), 0));
	if (r == 0 && role != ROLE_SENSE)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(sendmsg), 0);
	return r;
}

/* Of IPv4 and IPv6, and nothing beside them: no netlink, no packets, no unix socket of another process. */
static int add_sockets(scmp_filter_ctx filter)
{
	static const uint64_t families[] = { AF_INET, AF_INET6 }, kinds[] = { SOCK_DGRAM, SOCK_STREAM };
	int r = 0;

	for (size_t i = 0; i < COUNT(families); i++)
		for (size_t j = 0; j < COUNT(kinds) && r == 0; j++)
			r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2, SCMP_A0(SCMP_CMP_EQ, families[i], 0),
					     SCMP_A1(SCMP_CMP_MASKED_EQ, 0xf, kinds[j]));
	return r;
}

/* What no role may do to another one, although they are of one user. */
static int add_bounded(scmp_filter_ctx filter, enum role role)
{
	int r = add_commands(filter, SCMP_SYS(fcntl), 1, fcntl_commands, COUNT(fcntl_commands));

	if (r == 0 && role == ROLE_CORE)
		r = add_commands(filter, SCMP_SYS(fcntl), 1, core_fcntl_commands, COUNT(core_fcntl_commands));
	if (r == 0) /* abort(): signals to itself alone */
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, SCMP_A0(SCMP_CMP_EQ, (uint64_t)getpid(), 0));
	return r == 0 ? add_sending(filter, role) : r;
}

/* Tells the parent which call it was, then ends. Only what a signal handler may call. */
static void on_violation(int number, siginfo_t *info, void *context)
{
	struct {
		struct message_header header;
		struct role_violation violation;
	} said;

	(void)number;
	(void)context;
	memset(&said, 0, sizeof(said));
	said.header = (struct message_header){ .build = message_build(), .type = MESSAGE_VIOLATION, .count = 1,
					       .length = sizeof(said.violation) };
	said.violation.call = info->si_syscall;
	said.violation.arch = info->si_arch;
	(void)!send(CONFINE_CHANNEL_FD, &said, sizeof(said.header) + sizeof(said.violation), MSG_DONTWAIT | MSG_NOSIGNAL);
	/* Not _exit(): around a call that does not return the address sanitizer makes calls of its own. */
	syscall(SYS_exit_group, CONFINE_VIOLATION_EXIT);
}

/* What ssh(1) never needs: other processes, the machine, namespaces, programs in the kernel. */
static const int denied_calls[] = {
	SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev), SCMP_SYS(pidfd_getfd), SCMP_SYS(kcmp),
	SCMP_SYS(mount), SCMP_SYS(umount2), SCMP_SYS(pivot_root), SCMP_SYS(chroot), SCMP_SYS(open_tree), SCMP_SYS(move_mount),
	SCMP_SYS(fsopen), SCMP_SYS(fsconfig), SCMP_SYS(fsmount), SCMP_SYS(fspick), SCMP_SYS(mount_setattr),
	SCMP_SYS(unshare), SCMP_SYS(setns),
	SCMP_SYS(bpf), SCMP_SYS(perf_event_open), SCMP_SYS(userfaultfd), SCMP_SYS(io_uring_setup), SCMP_SYS(io_uring_enter),
	SCMP_SYS(io_uring_register), SCMP_SYS(add_key), SCMP_SYS(request_key), SCMP_SYS(keyctl), SCMP_SYS(init_module),
	SCMP_SYS(finit_module), SCMP_SYS(delete_module), SCMP_SYS(kexec_load), SCMP_SYS(kexec_file_load), SCMP_SYS(reboot),
	SCMP_SYS(swapon), SCMP_SYS(swapoff), SCMP_SYS(settimeofday), SCMP_SYS(clock_settime), SCMP_SYS(adjtimex),
	SCMP_SYS(clock_adjtime), SCMP_SYS(acct), SCMP_SYS(quotactl), SCMP_SYS(mknod), SCMP_SYS(mknodat), SCMP_SYS(fanotify_init),
	SCMP_SYS(name_to_handle_at), SCMP_SYS(open_by_handle_at), SCMP_SYS(iopl), SCMP_SYS(ioperm), SCMP_SYS(modify_ldt),
	SCMP_SYS(personality), SCMP_SYS(vhangup), SCMP_SYS(syslog),
};

/* Sockets of other families than unix, IPv4 and IPv6; of those none that is raw. */
static int deny_sockets(scmp_filter_ctx filter)
{
	int r = 0;

	for (uint64_t family = 0; family <= AF_INET6 && r == 0; family++)
		if (family != AF_UNIX && family != AF_INET && family != AF_INET6)
			r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_EQ, family, 0));
	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_GT, AF_INET6, 0));
	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), 1, SCMP_A1(SCMP_CMP_MASKED_EQ, 0xf, SOCK_RAW));
	return r;
}

/* Threads and processes, but none in a namespace of its own. clone3() hides its flags in memory: C libraries fall back. */
static int deny_namespaces(scmp_filter_ctx filter)
{
	static const uint64_t flags[] = { CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID,
					  CLONE_NEWNET };
	int r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);

	for (size_t i = 0; i < COUNT(flags) && r == 0; i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1, SCMP_A0(SCMP_CMP_MASKED_EQ, flags[i], flags[i]));
	return r;
}

/* See role/confine.h. A call that is refused fails; ssh goes on without, or says so. */
static int deny_calls(bool has_sockets)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int r = filter ? 0 : -ENOMEM;

	for (size_t i = 0; i < COUNT(denied_calls) && r == 0; i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), denied_calls[i], 0);
	if (r == 0)
		r = has_sockets ? deny_sockets(filter) : seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), 0);
	if (r == 0)
		r = deny_namespaces(filter);
	if (r == 0)
		r = seccomp_load(filter);
	seccomp_release(filter);
	return r < 0 ? r : (int)COUNT(denied_calls) + 1;
}

int confine_program_calls(void)
{
	return deny_calls(false);
}

int confine_calls(enum role role)
{
	struct sigaction action = { .sa_sigaction = on_violation, .sa_flags = SA_SIGINFO };
	scmp_filter_ctx filter;
	size_t count = COUNT(common_calls) + 6;
	int r;

	if (role == ROLE_SSH || role == ROLE_HOOK)
		return deny_calls(true);
	filter = seccomp_init(SCMP_ACT_TRAP);
	if (!filter)
		return -ENOMEM;
	r = add_calls(filter, common_calls, COUNT(common_calls));
	if (r == 0)
		r = add_memory(filter);
	if (r == 0)
		r = add_bounded(filter, role);
	if (r == 0 && role != ROLE_CORE)
		r = add_fstat(filter);
	if (r == 0 && role == ROLE_SENSE) {
		r = add_calls(filter, sense_calls, COUNT(sense_calls));
		count += COUNT(sense_calls) + 1;
		if (r == 0)
			r = add_commands(filter, SCMP_SYS(bpf), 0, bpf_commands, COUNT(bpf_commands));
	} else if (r == 0 && role == ROLE_CORE) {
		r = add_calls(filter, core_calls, COUNT(core_calls));
		count += COUNT(core_calls);
	} else if (r == 0 && role == ROLE_ACT) {
		r = add_calls(filter, act_calls, COUNT(act_calls));
		count += COUNT(act_calls);
	} else if (r == 0 && role == ROLE_WEB) {
		r = add_calls(filter, web_calls, COUNT(web_calls));
		count += COUNT(web_calls);
	} else if (r == 0 && role == ROLE_DIAL) {
		r = add_calls(filter, dial_calls, COUNT(dial_calls));
		if (r == 0)
			r = add_sockets(filter);
		count += COUNT(dial_calls) + 1;
	}
	/* Once the filter stands the handler cannot be replaced: rt_sigaction is not in it. */
	if (r == 0 && sigaction(SIGSYS, &action, NULL) < 0)
		r = -errno;
	if (r == 0)
		r = seccomp_load(filter);
	seccomp_release(filter);
	return r < 0 ? r : (int)count;
}

char *confine_call_name(uint32_t arch, int32_t call)
{
	return seccomp_syscall_resolve_num_arch(arch, call);
}
