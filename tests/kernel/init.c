/* SPDX-License-Identifier: MIT */
/*
 * First process of the guest of tests/kernel/machine.py, the only program of its initial RAM disk, linked statically. Loads
 * the modules that /modules/order names, puts the host's / (9p, read-only) under an overlay in memory, makes that the root,
 * and becomes tests/uml/start.sh there. What the kernel does not know of its command line is in the environment.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#define HOST "trans=virtio,version=9p2000.L,msize=512000,cache=loose"
#define OVERLAY "lowerdir=/host,upperdir=/memory/upper,workdir=/memory/work"

static void demand(int result, const char *what)
{
	if (result >= 0)
		return;
	printf("init: %s: %s\n", what, strerror(errno));
	exit(1); /* the kernel panics, and with panic=-1 the machine ends */
}

static void load_modules(void)
{
	FILE *order = fopen("/modules/order", "r");
	char name[256], path[300];

	demand(order ? 0 : -1, "/modules/order");
	while (fscanf(order, "%255s", name) == 1) {
		int fd;

		snprintf(path, sizeof(path), "/modules/%s", name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		demand(fd, path);
		if (syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST)
			demand(-1, path);
		close(fd);
	}
	fclose(order);
}

static void make(const char *folder)
{
	demand(mkdir(folder, 0755) < 0 && errno != EEXIST ? -1 : 0, folder);
}

static void mount_at(const char *type, const char *source, const char *folder, unsigned long flags, const char *options)
{
	make(folder);
	demand(mount(source, folder, type, flags, options), folder);
}

/* The guest's modules lie in the folder that the machine unpacked, where no modprobe looks. */
static void link_modules(void)
{
	const char *modules = getenv("MODULES");
	struct utsname name;
	char at[300];

	demand(modules && uname(&name) == 0 ? 0 : -1, "MODULES");
	snprintf(at, sizeof(at), "/root/usr/lib/modules/%s", name.release);
	make("/root/usr/lib/modules");
	demand(symlink(modules, at) < 0 && errno != EEXIST ? -1 : 0, at);
}

int main(void)
{
	const char *start = getenv("START");

	mount_at("proc", "proc", "/proc", 0, NULL);
	mount_at("devtmpfs", "dev", "/dev", 0, NULL);
	load_modules();
	mount_at("9p", "host", "/host", MS_RDONLY, HOST);
	mount_at("tmpfs", "memory", "/memory", 0, NULL);
	make("/memory/upper");
	make("/memory/work");
	mount_at("overlay", "root", "/root", 0, OVERLAY);
	link_modules();
	demand(umount("/proc"), "/proc");
	demand(umount2("/dev", MNT_DETACH), "/dev"); /* our own output is on it */
	/* Not in a child: the kernel's modprobe, for the ciphers, runs in the root of process 1. */
	demand(chdir("/root"), "/root");
	demand(mount(".", "/", NULL, MS_MOVE, NULL), "the new root");
	demand(chroot("."), "the new root");
	demand(chdir("/"), "the new root");
	demand(start ? execl("/bin/sh", "sh", start, NULL) : -1, "START");
	return 1;
}
