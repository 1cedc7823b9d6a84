/* SPDX-License-Identifier: MIT */
/*
 * measure CORE COMMAND...: runs COMMAND pinned to CORE and writes "SECONDS CPU_SECONDS PEAK_KIB STATUS" to descriptor 3.
 * CPU_SECONDS are its own and the kernel's for it: what else runs on the machine disturbs them less.
 *
 * A program of its own because the kernel's peak memory of a process begins with what its parent had when it forked:
 * started from a Python of 30 MiB, even true(1) "needs" 30 MiB.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

int main(int argc, char **argv)
{
	struct timespec from, to;
	struct rusage usage;
	cpu_set_t cores;
	int status;
	pid_t child;

	if (argc < 3) {
		fprintf(stderr, "usage: measure CORE COMMAND... 3>RESULT\n");
		return 2;
	}
	CPU_ZERO(&cores);
	CPU_SET((unsigned)atoi(argv[1]) % CPU_SETSIZE, &cores);
	clock_gettime(CLOCK_MONOTONIC, &from);
	child = fork();
	if (child == 0) {
		close(3);
		if (sched_setaffinity(0, sizeof(cores), &cores) < 0) {
			fprintf(stderr, "measure: core %s: %s\n", argv[1], strerror(errno));
			_exit(127);
		}
		execvp(argv[2], argv + 2);
		fprintf(stderr, "measure: %s: %s\n", argv[2], strerror(errno));
		_exit(127);
	}
	if (child < 0 || wait4(child, &status, 0, &usage) < 0) {
		fprintf(stderr, "measure: %s\n", strerror(errno));
		return 2;
	}
	clock_gettime(CLOCK_MONOTONIC, &to);
	dprintf(3, "%.6f %.6f %ld %d\n", (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9,
		seconds(usage.ru_utime) + seconds(usage.ru_stime), usage.ru_maxrss,
		WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return 0;
}
