/* SPDX-License-Identifier: MIT */
#include "role/confine.h"

#include <errno.h>
#include <limits.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/memory.h"

#if defined(__SANITIZE_ADDRESS__)
#define IS_SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define IS_SANITIZED true
#endif
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED false
#endif

/* --- Before it is executed ------------------------------------------------------------------------------------------- */

static int drop_bounding(void)
{
	for (int capability = 0; capability < 64; capability++) {
		if (prctl(PR_CAPBSET_READ, capability, 0, 0, 0) < 0)
			return capability > 0 ? 0 : -errno; /* beyond what this kernel knows */
		if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0)
			return -errno;
	}
	return 0;
}

#define CAPABILITY(number) (UINT32_C(1) << (number)) /* of the first 32 */

static int set_capabilities(uint32_t permitted, uint32_t inheritable)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { 0 } };

	data[0].permitted = data[0].effective = permitted;
	data[0].inheritable = inheritable;
	return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

int confine_identity(uid_t uid, gid_t gid, bool net_admin, int death_signal)
{
	uint32_t kept = net_admin ? CAPABILITY(CAP_NET_ADMIN) : 0;
	int r;

	if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0)
		return -errno;
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 || setresuid(uid, uid, uid) < 0)
		return -errno;
	/* Nothing is inheritable that the bounding set has not, and emptying that one takes CAP_SETPCAP: in this order. */
	r = set_capabilities(kept | CAPABILITY(CAP_SETPCAP), kept);
	if (r == 0 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		r = -errno;
	if (r == 0 && net_admin && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_ADMIN, 0, 0) < 0)
		r = -errno;
	if (r == 0)
		r = drop_bounding();
	if (r == 0)
		r = set_capabilities(kept, kept);
	if (r < 0)
		return r;
	if (prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	/* A change of identity clears it: prctl(2). */
	return prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0) < 0 ? -errno : 0;
}

/* --- Landlock, by number: C libraries have no names for it ----------------------------------------------------------- */

#define LANDLOCK_CREATE 444
#define LANDLOCK_ADD 445
#define LANDLOCK_RESTRICT 446
#define LANDLOCK_VERSION 1u
#define LANDLOCK_BENEATH 1

/* Access rights of linux/landlock.h. */
#define FS_EXECUTE (UINT64_C(1) << 0)
#define FS_WRITE_FILE (UINT64_C(1) << 1)
#define FS_READ_FILE (UINT64_C(1) << 2)
#define FS_READ_DIR (UINT64_C(1) << 3)
#define FS_REMOVE_FILE (UINT64_C(1) << 5)
#define FS_MAKE_REG (UINT64_C(1) << 8)
#define FS_MAKE_SOCK (UINT64_C(1) << 9)
#define FS_FIRST_ABI ((UINT64_C(1) << 13) - 1)
#define FS_REFER (UINT64_C(1) << 13)     /* ABI 2 */
#define FS_TRUNCATE (UINT64_C(1) << 14)  /* ABI 3 */
#define FS_IOCTL_DEV (UINT64_C(1) << 15) /* ABI 5 */
#define NET_BIND UINT64_C(1)             /* ABI 4 */
#define NET_CONNECT UINT64_C(2)
#define SCOPE_ALL UINT64_C(3)            /* ABI 6: abstract sockets, signals */

struct landlock_ruleset {
	uint64_t fs, net, scoped;
};
struct landlock_beneath {
	uint64_t access;
	int32_t fd;
} __attribute__((packed));

/* `connects`: but for TCP connections to others. */
static struct landlock_ruleset everything(int abi, bool connects, size_t *ret_size)
{
	struct landlock_ruleset all = { .fs = FS_FIRST_ABI };

	if (abi >= 2)
		all.fs |= FS_REFER;
	if (abi >= 3)
		all.fs |= FS_TRUNCATE;
	if (abi >= 4)
		all.net = connects ? NET_BIND : NET_BIND | NET_CONNECT;
	if (abi >= 5)
		all.fs |= FS_IOCTL_DEV;
	if (abi >= 6)
		all.scoped = SCOPE_ALL;
	*ret_size = abi >= 6 ? 24 : abi >= 4 ? 16 : 8; /* older kernels refuse a size they do not know */
	return all;
}

static uint64_t rights_of(enum confine_access access)
{
	static const uint64_t rights[] = {
		[CONFINE_OWN] = FS_READ_FILE | FS_WRITE_FILE | FS_READ_DIR | FS_REMOVE_FILE | FS_MAKE_REG | FS_MAKE_SOCK | FS_TRUNCATE,
		[CONFINE_READ] = FS_READ_FILE | FS_READ_DIR, [CONFINE_RUN] = FS_READ_FILE | FS_READ_DIR | FS_EXECUTE,
		[CONFINE_DEVICE] = FS_READ_FILE | FS_WRITE_FILE | FS_READ_DIR | FS_IOCTL_DEV,
	};

	return rights[access];
}

static int add_rule(int set, uint64_t all, enum confine_access access, const char *path)
{
	struct landlock_beneath rule = { .access = all & rights_of(access), .fd = open(path, O_PATH | O_CLOEXEC) };
	struct stat found;
	int r = 0;

	if (rule.fd < 0)
		return errno == EACCES || errno == ENOENT ? 0 : -errno; /* there is none: who needs it says what is wrong */
	if (fstat(rule.fd, &found) == 0 && !S_ISDIR(found.st_mode))
		rule.access &= ~(FS_READ_DIR | FS_REMOVE_FILE | FS_MAKE_REG | FS_MAKE_SOCK);
	if (syscall(LANDLOCK_ADD, set, LANDLOCK_BENEATH, &rule, 0) < 0)
		r = -errno;
	close(rule.fd);
	return r;
}

/* The ABI number, 0 where the kernel has none, or negative errno. */
static int restrict_files(const struct confine_places *places, bool connects)
{
	int abi = (int)syscall(LANDLOCK_CREATE, NULL, 0, LANDLOCK_VERSION), set, r = 0;
	struct landlock_ruleset all;
	size_t size;

	if (abi <= 0)
		return 0;
	all = everything(abi, connects, &size);
	set = (int)syscall(LANDLOCK_CREATE, &all, size, 0);
	if (set < 0)
		return -errno;
	for (size_t i = 0; i < places->count && r == 0; i++)
		r = add_rule(set, all.fs, places->at[i].access, places->at[i].path);
	if (r == 0 && syscall(LANDLOCK_RESTRICT, set, 0) < 0)
		r = -errno;
	close(set);
	return r < 0 ? r : abi;
}

/* --- In the role ----------------------------------------------------------------------------------------------------- */

static int set_limit(int which, rlim_t value)
{
	struct rlimit limit, now;

	if (getrlimit(which, &now) < 0)
		return -errno;
	value = value < now.rlim_max ? value : now.rlim_max; /* a role may not raise what it was started with */
	limit = (struct rlimit){ value, value };
	return setrlimit(which, &limit) < 0 ? -errno : 0;
}

static int set_limits(enum role role)
{
	static const rlim_t data[ROLES] = {
		[ROLE_SENSE] = 512u << 20, [ROLE_CORE] = UINT64_C(4) << 30, [ROLE_ACT] = 1u << 30,
		[ROLE_DIAL] = 256u << 20, [ROLE_SSH] = 1u << 30, [ROLE_WEB] = 256u << 20, [ROLE_HOOK] = 1u << 30,
	};
	int r = set_limit(RLIMIT_CORE, 0);

	if (r == 0) /* the fleet's connections; three of each session */
		r = set_limit(RLIMIT_NOFILE, role == ROLE_SENSE ? 2048 : role == ROLE_SSH ? 3 * DEVICE_SESSIONS_MAX + 64 : 512);
	if (r == 0) /* no process can be made; of ssh two for a session, and the other roles may be of the same user */
		r = set_limit(RLIMIT_NPROC, role == ROLE_SSH ? 3 * DEVICE_SESSIONS_MAX : role == ROLE_HOOK ? HOOK_PROCESSES_MAX : 0);
	if (r == 0 && !IS_SANITIZED)
		r = set_limit(RLIMIT_DATA, data[role]);
	return r;
}

void confine_add_place(struct confine_places *places, enum confine_access access, const char *format, ...)
{
	char text[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	for (size_t i = 0; i < places->count; i++)
		if (places->at[i].access == access && strcmp(places->at[i].path, text) == 0)
			return;
	if (places->count == CONFINE_PLACES_MAX) {
		places->error = -E2BIG;
		return;
	}
	places->at[places->count].access = access;
	places->at[places->count].path = memory_new(1, strlen(text) + 1);
	if (!places->at[places->count].path) {
		places->error = -ENOMEM;
		return;
	}
	strcpy(places->at[places->count++].path, text);
}

static void add_folder_of(struct confine_places *places, enum confine_access access, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash && slash > path)
		confine_add_place(places, access, "%.*s", (int)(slash - path), path);
}

void confine_add_ssh(struct confine_places *places, const struct config_devices *devices)
{
	static const char *const run[] = { "/usr", "/bin", "/lib", "/lib64" };
	static const char *const device[] = { "/dev/null", "/dev/ptmx", "/dev/pts", "/dev/tty" };
	static const char *const read[] = { "/etc", "/dev/urandom", "/proc/sys/crypto" };
	char program[PATH_MAX] = "";

	for (size_t i = 0; i < sizeof(run) / sizeof(run[0]); i++)
		confine_add_place(places, CONFINE_RUN, "%s", run[i]);
	for (size_t i = 0; i < sizeof(device) / sizeof(device[0]); i++)
		confine_add_place(places, CONFINE_DEVICE, "%s", device[i]);
	for (size_t i = 0; i < sizeof(read) / sizeof(read[0]); i++)
		confine_add_place(places, CONFINE_READ, "%s", read[i]);
	/* repair/ssh_ask.h. The folder, because an upgrade puts another file there, and an ssh that cannot run it tries an empty
	 * password. The rest of `program` is 0. */
	if (readlink("/proc/self/exe", program, sizeof(program) - 1) > 0)
		add_folder_of(places, CONFINE_RUN, program);
	add_folder_of(places, CONFINE_READ, devices->known_hosts);
	for (uint32_t i = 0; i < devices->login_count; i++) {
		add_folder_of(places, CONFINE_READ, devices->logins[i].key_file);
		add_folder_of(places, CONFINE_READ, devices->logins[i].password_file);
		add_folder_of(places, CONFINE_READ, devices->logins[i].enable_file);
	}
}

void confine_add_hook(struct confine_places *places, const struct config_hooks *hooks)
{
	static const char *const run[] = { "/usr", "/bin", "/sbin", "/lib", "/lib64" };
	const char *slash = strrchr(hooks->program, '/');

	for (size_t i = 0; i < sizeof(run) / sizeof(run[0]); i++)
		confine_add_place(places, CONFINE_RUN, "%s", run[i]);
	if (slash && slash > hooks->program)
		confine_add_place(places, CONFINE_RUN, "%.*s", (int)(slash - hooks->program), hooks->program);
	confine_add_place(places, CONFINE_DEVICE, "/dev/null");
	confine_add_place(places, CONFINE_READ, "/dev/urandom");
	confine_add_place(places, CONFINE_READ, "/etc"); /* as its user may */
}

void confine_places_done(struct confine_places *places)
{
	for (size_t i = 0; i < places->count; i++)
		memory_free(places->at[i].path);
	places->count = 0;
}

int confine_program(const struct confine_places *places)
{
	int r = places->error ? places->error : set_limit(RLIMIT_CORE, 0);

	if (r == 0)
		r = set_limit(RLIMIT_NOFILE, 4096); /* files of a journal */
	if (r == 0)
		r = set_limit(RLIMIT_NPROC, 0);
	if (r == 0 && !IS_SANITIZED)
		r = set_limit(RLIMIT_DATA, 512u << 20);
	if (r == 0)
		r = restrict_files(places, false);
	if (r >= 0)
		r = confine_program_calls();
	return r < 0 ? r : 0;
}

int confine_role(enum role role, const struct confine_places *places, struct confine_report *ret)
{
	struct confine_report report = { .is_sanitized = IS_SANITIZED, .is_denied = role == ROLE_SSH || role == ROLE_HOOK };
	int r = places->error ? places->error : set_limits(role);

	if (r < 0)
		return r;
	if (IS_SANITIZED) { /* its leak check traces the process and reads /proc */
		*ret = report;
		return 0;
	}
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -errno;
	report.landlock = restrict_files(places, role == ROLE_DIAL || role == ROLE_SSH || role == ROLE_HOOK);
	if (report.landlock < 0)
		return report.landlock;
	report.calls = confine_calls(role);
	if (report.calls < 0)
		return report.calls;
	*ret = report;
	return 0;
}
