/* SPDX-License-Identifier: MIT */
/*
 * LD_PRELOAD for linux.uml. Debian 12's user-mode kernel saves and restores 2,696 bytes of a task's extended processor
 * state; on a processor with AMX the state is longer, the host refuses a shorter one (EFAULT), and the guest panics at its
 * start. Here what the guest gives is laid over the task's present state, so that the length is right. tests/uml/run.py
 * builds and uses it.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define STATE_MAX 65536
#define HEADER_AT 512     /* XSTATE_BV, the bitmap of the parts in use: Intel SDM 1, 13.4.2 */
#define SHORT_PARTS 0x2ff /* x87 to PKRU: what fits into the short state */

static long set_state(pid_t pid, const struct iovec *given)
{
	static uint8_t state[STATE_MAX] __attribute__((aligned(64)));
	struct iovec whole = { state, sizeof(state) };
	uint64_t parts;

	if (syscall(SYS_ptrace, PTRACE_GETREGSET, pid, NT_X86_XSTATE, &whole) < 0)
		return -1;
	if (given->iov_len >= whole.iov_len || given->iov_len < HEADER_AT + sizeof(parts))
		return syscall(SYS_ptrace, PTRACE_SETREGSET, pid, NT_X86_XSTATE, given);
	memcpy(state, given->iov_base, given->iov_len);
	memcpy(&parts, state + HEADER_AT, sizeof(parts));
	parts &= SHORT_PARTS;
	memcpy(state + HEADER_AT, &parts, sizeof(parts));
	return syscall(SYS_ptrace, PTRACE_SETREGSET, pid, NT_X86_XSTATE, &whole);
}

long ptrace(enum __ptrace_request request, ...)
{
	va_list list;
	pid_t pid;
	void *address, *data;
	long word;

	va_start(list, request);
	pid = va_arg(list, pid_t);
	address = va_arg(list, void *);
	data = va_arg(list, void *);
	va_end(list);
	if (request == PTRACE_SETREGSET && (uintptr_t)address == NT_X86_XSTATE)
		return set_state(pid, data);
	if (request != PTRACE_PEEKTEXT && request != PTRACE_PEEKDATA && request != PTRACE_PEEKUSER)
		return syscall(SYS_ptrace, request, pid, address, data);
	/* The system call stores the word, the C function returns it. */
	if (syscall(SYS_ptrace, request, pid, address, &word) < 0)
		return -1;
	errno = 0;
	return word;
}
