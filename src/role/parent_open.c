/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/memory.h"
#include "parse/config.h"
#include "repair/plugin.h"
#include "repair/xfrm.h"
#include "role/member.h"
#include "role/parent_private.h"
#include "sense/audit.h"
#include "sense/gre_devices.h"
#include "sense/neighbors.h"
#include "sense/traps.h"
#include "sense/xfrm_stat.h"
#include "spimend/error.h"

#define JOURNAL_FILE "act.journal"
#define LINKS_WAIT (50 * INT64_C(1000000)) /* changes come in swarms */

/* --- Handing over ------------------------------------------------------------------------------------------------- */

void parent_hand(struct parent *parent, enum role role, struct role_resource resource, const int *fds, size_t fd_count)
{
	int r = channel_send_fds(parent->children[role].channel, MESSAGE_RESOURCE, &resource, fds, fd_count);

	if (r == -ENOBUFS)
		parent_condemn(parent, role, "does not read what it is given");
	else if (r < 0 && r != -ENOTCONN)
		log_say(&parent->log, LOG_ERR, "%s cannot be given to %s: %s", resource_name(resource.kind), role_name(role),
			spimend_strerror(r));
}

/* One descriptor, which is closed here. */
static void give_fd(struct parent *parent, enum role role, struct role_resource resource, int fd)
{
	parent_hand(parent, role, resource, &fd, 1);
	close(fd);
}

static void give_error(struct parent *parent, enum role role, struct role_resource resource, int error)
{
	resource.error = error;
	parent_hand(parent, role, resource, NULL, 0);
}

/* A user's keys are in a file of root's own: no other role, and no text of the configuration, ever has them. One whose file
 * cannot be had is nobody. */
static int read_keys(struct notify_user *user, struct buffer *why)
{
	char text[1024];
	int fd = open(user->key_file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), r = -EACCES;
	struct stat found;
	ssize_t n;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &found) == 0 && S_ISREG(found.st_mode) && !(found.st_mode & 077)) {
		n = read(fd, text, sizeof(text));
		r = n < 0 ? -errno : config_read_keys((struct text){ text, (size_t)n }, user, why);
	} else {
		buffer_add_string(why, "others than its owner may read it, or it is no file");
	}
	explicit_bzero(text, sizeof(text));
	close(fd);
	return r;
}

static void load_keys(struct parent *parent, struct config_notify *notify)
{
	for (uint32_t i = 0; i < notify->user_count; i++) {
		struct notify_user *user = &notify->users[i];
		const struct notify_user *keys = user->is_inline ? config_hidden_keys(parent->keys, text_of(user->name)) : NULL;
		cleanup(buffer_done) struct buffer why = { 0 };
		int r = keys ? 0 : user->is_inline ? -ENOKEY : read_keys(user, &why);

		if (keys)
			*user = *keys;
		if (r == 0)
			continue;
		log_say(&parent->log, LOG_ERR, "SNMP user %s: %s: %s%s%.*s", user->name, user->is_inline ? "its line" : user->key_file, spimend_strerror(r),
			why.len ? ": " : "", TEXT_ARG(buffer_text(&why)));
		memset(user, 0, sizeof(*user));
	}
}

int parent_config_fd(struct parent *parent, enum role role, uint32_t *ret_size)
{
	cleanup(memory_free_pointer) struct member_bundle *bundle = memory_new(1, sizeof(*bundle));
	int fd = memfd_create("spimendd-config", MFD_CLOEXEC | MFD_ALLOW_SEALING), r = 0;

	if (fd < 0 || !bundle) {
		r = fd < 0 ? -errno : -ENOMEM;
		if (fd >= 0)
			close(fd);
		return r;
	}
	memcpy(&bundle->config, parent->config, sizeof(bundle->config));
	if (role == ROLE_SENSE || role == ROLE_DIAL)
		load_keys(parent, &bundle->config.notify);
	memcpy(&bundle->ceiling, parent->ceiling, sizeof(bundle->ceiling));
	bundle->text_len = (uint32_t)parent->text.len;
	bundle->startup_len = (uint32_t)parent->startup.len;
	*ret_size = (uint32_t)(sizeof(*bundle) + parent->text.len + parent->startup.len);
	errno = 0;
	if (write(fd, bundle, sizeof(*bundle)) != (ssize_t)sizeof(*bundle) ||
	    write(fd, parent->text.bytes, parent->text.len) != (ssize_t)parent->text.len ||
	    write(fd, parent->startup.bytes, parent->startup.len) != (ssize_t)parent->startup.len ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0) {
		r = errno ? -errno : -EIO;
		close(fd);
		return r;
	}
	return fd;
}

/* --- core: what can be heard, for those who ask ----------------------------------------------------------------------- */

/* No descriptor goes along: core learns that it is there, or why it is not. */
static void tell_core(struct parent *parent, enum resource kind, const char *name, int error)
{
	struct role_resource resource = { .kind = kind, .error = error };

	text_copy(text_of(name), resource.name, sizeof(resource.name));
	if (error <= 0 && parent->children[ROLE_CORE].channel)
		parent_hand(parent, ROLE_CORE, resource, NULL, 0);
}

static void note_resource(struct parent *parent, enum resource kind, int error)
{
	if (parent->lacks[kind] == error)
		return;
	parent->lacks[kind] = error;
	tell_core(parent, kind, "", error);
}

static void note_hearing(struct parent *parent, uint32_t index, int error)
{
	struct hearing *hearing = &parent->hearings[index];

	if (hearing->state == error)
		return;
	hearing->state = error;
	tell_core(parent, RESOURCE_SOCKET, parent->config->interfaces[index].name, error);
}

static void tell_core_all(struct parent *parent)
{
	for (int kind = 0; kind < RESOURCES; kind++)
		tell_core(parent, kind, "", parent->lacks[kind]);
	for (uint32_t i = 0; i < parent->config->interface_count; i++)
		tell_core(parent, RESOURCE_SOCKET, parent->config->interfaces[i].name, parent->hearings[i].state);
}

struct telling {
	struct channel *core; /* borrows */
	int error;
};

static void tell_gre_device(void *context, const struct gre_device *device)
{
	struct telling *telling = context;

	if (telling->error == 0)
		telling->error = channel_send(telling->core, MESSAGE_GRE_DEVICE, device);
}

/* A list that does not come to its end leaves core with the one of before. */
static void tell_gre_devices(struct parent *parent)
{
	struct telling telling = { parent->children[ROLE_CORE].channel, 0 };
	const struct role_ping nothing = { 0 };
	int r;

	if (!telling.core)
		return;
	telling.error = channel_send(telling.core, MESSAGE_GRE_BEGIN, &nothing);
	r = gre_devices_read(tell_gre_device, &telling);
	if (r < 0 || telling.error)
		log_say(&parent->log, LOG_WARNING, "core does not learn which GRE devices there are: %s",
			spimend_strerror(r < 0 ? r : telling.error));
	else
		channel_send(telling.core, MESSAGE_GRE_END, &nothing);
}

/* --- sense: the packet sensor ------------------------------------------------------------------------------------------ */

static bool needs_xdp(const struct config *config)
{
	for (uint32_t i = 0; i < config->interface_count; i++)
		if (config->interfaces[i].capture != CAPTURE_PACKET)
			return true;
	return false;
}

/* The kernel half lives here as long as the configuration stays the same: a sense that was killed finds its maps again. */
static bool load_sensor(struct parent *parent)
{
	const struct config *config = parent->config;
	struct packets_settings settings = {
		.watch_max = config->ledger_max, .peer_rate = PACKETS_PEER_RATE_DEFAULT,
		.stranger_rate = PACKETS_STRANGER_RATE_DEFAULT, .xdp = needs_xdp(config),
	};
	int r;

	if (parent->kernel)
		return true;
	if (config->interface_count == 0)
		return false;
	for (uint32_t i = 0; i < config->encap_port_count && i < PACKETS_PORTS_MAX; i++)
		settings.ports[settings.port_count++] = config->encap_ports[i];
	r = packets_kernel_new(&settings, &parent->kernel);
	note_resource(parent, RESOURCE_MAPS, r < 0 ? r : 0);
	if (r < 0) {
		log_say(&parent->log, LOG_ERR, "the packet sensor cannot be loaded: %s", spimend_strerror(r));
		return false;
	}
	r = packets_kernel_read_addresses(parent->kernel);
	if (r < 0)
		log_say(&parent->log, LOG_WARNING, "this machine's addresses cannot be read: %s", spimend_strerror(r));
	return true;
}

static void close_hearing(struct hearing *hearing)
{
	if (hearing->link_fd >= 0)
		close(hearing->link_fd);
	*hearing = (struct hearing){ .link_fd = -1, .said_error = hearing->said_error, .tried = hearing->tried,
				     .state = hearing->state, .neighbors = hearing->neighbors,
				     .neighbors_given = hearing->neighbors_given, .neighbors_index = hearing->neighbors_index };
}

void parent_close_sensor(struct parent *parent)
{
	for (size_t i = 0; i < CONFIG_INTERFACES_MAX; i++) {
		close_hearing(&parent->hearings[i]);
		parent->hearings[i].said_error = 0;
		parent->hearings[i].tried = 0;
		parent->hearings[i].state = STATE_UNKNOWN; /* another interface may stand here */
		parent->hearings[i].neighbors = parent->hearings[i].neighbors_given = 0; /* core says it again */
	}
	packets_kernel_free(parent->kernel);
	parent->kernel = NULL;
}

static bool is_up(const char *interface)
{
	struct ifreq request = { 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool up;

	if (fd < 0)
		return false;
	text_copy(text_of(interface), request.ifr_name, sizeof(request.ifr_name));
	up = ioctl(fd, SIOCGIFFLAGS, &request) == 0 && request.ifr_flags & IFF_UP;
	close(fd);
	return up;
}

static void links_at(struct parent *parent, int64_t at)
{
	if (at >= parent->links_at)
		return;
	parent->links_at = at;
	loop_timer_at(parent->links_timer, at);
}

static int open_xdp(struct parent *parent, const struct config_interface *interface, struct hearing *hearing,
		    struct role_resource *resource)
{
	bool native = interface->capture == CAPTURE_XDP_NATIVE;
	unsigned ifindex;
	int r = 0;

	if (hearing->link_fd < 0) { /* a link outlives the role that reads its reports */
		r = packets_attach_xdp(parent->kernel, interface->name, native, &hearing->link_fd, &ifindex);
		if (r == 0)
			hearing->ifindex = ifindex;
	}
	resource->kind = RESOURCE_XDP;
	resource->number = hearing->ifindex;
	return r;
}

static void open_interface(struct parent *parent, const struct config_interface *interface, struct hearing *hearing)
{
	struct role_resource resource = { .kind = RESOURCE_SOCKET };
	int fd = -1, r = -EOPNOTSUPP;

	hearing->tried = loop_now(parent->loop);
	text_copy(text_of(interface->name), resource.name, sizeof(resource.name));
	if (interface->capture != CAPTURE_PACKET) {
		r = open_xdp(parent, interface, hearing, &resource);
		if (r < 0)
			log_say(&parent->log, LOG_WARNING, "%s cannot be attached to %s (%s): a packet socket is used instead",
				capture_name(interface->capture), interface->name, spimend_strerror(r));
	}
	if (r < 0) {
		resource.kind = RESOURCE_SOCKET;
		r = packets_open_socket(parent->kernel, interface->name, &fd);
		if (r == 0)
			hearing->ifindex = if_nametoindex(interface->name);
	}
	if (r < 0) {
		links_at(parent, hearing->tried + PARENT_TRY_AGAIN);
		if (r != hearing->said_error)
			log_say(&parent->log, LOG_ERR, "interface %s cannot be heard: %s", interface->name,
				spimend_strerror(r));
		hearing->said_error = r;
		note_hearing(parent, (uint32_t)(hearing - parent->hearings), r);
		return;
	}
	hearing->said_error = 0;
	hearing->given = true;
	note_hearing(parent, (uint32_t)(hearing - parent->hearings), 0);
	if (fd >= 0)
		give_fd(parent, ROLE_SENSE, resource, fd);
	else
		parent_hand(parent, ROLE_SENSE, resource, NULL, 0);
	parent_give_heads(parent, interface->name);
}

void parent_check_interfaces(struct parent *parent)
{
	int64_t now = loop_now(parent->loop);

	parent_check_neighbors(parent);
	if (!parent->kernel || !parent->children[ROLE_SENSE].channel)
		return;
	for (uint32_t i = 0; i < parent->config->interface_count; i++) {
		const struct config_interface *interface = &parent->config->interfaces[i];
		struct hearing *hearing = &parent->hearings[i];
		unsigned ifindex = if_nametoindex(interface->name);

		if ((hearing->given || hearing->link_fd >= 0) && hearing->ifindex != ifindex) { /* gone, or another one of that name */
			struct role_resource gone = { .kind = RESOURCE_SOCKET };

			text_copy(text_of(interface->name), gone.name, sizeof(gone.name));
			log_say(&parent->log, LOG_WARNING, "interface %s went away", interface->name);
			close_hearing(hearing);
			hearing->tried = 0;
			give_error(parent, ROLE_SENSE, gone, -ENODEV);
		}
		if (hearing->given && is_up(interface->name)) {
			note_hearing(parent, i, 0);
			continue;
		}
		if (!ifindex || hearing->given || !is_up(interface->name)) {
			note_hearing(parent, i, ifindex ? -ENETDOWN : -ENODEV);
			if (hearing->given) /* it hears again by itself when it is up */
				continue;
			if (!hearing->said_error)
				log_say(&parent->log, LOG_WARNING, "interface %s is %s: it is heard as soon as it is up",
					interface->name, ifindex ? "down" : "not there");
			hearing->said_error = -ENODEV;
			continue; /* rtnetlink tells when that changes */
		}
		if (!hearing->tried || now - hearing->tried >= PARENT_TRY_AGAIN)
			open_interface(parent, interface, hearing);
		else
			links_at(parent, hearing->tried + PARENT_TRY_AGAIN);
	}
}

void parent_on_links_timer(void *context, int64_t now)
{
	struct parent *parent = context;
	int r;

	(void)now;
	parent->links_at = LOOP_NEVER;
	if (parent->links_due && parent->kernel) {
		r = packets_kernel_read_addresses(parent->kernel);
		if (r < 0)
			log_say(&parent->log, LOG_WARNING, "this machine's addresses cannot be read: %s", spimend_strerror(r));
	}
	if (parent->links_due)
		tell_gre_devices(parent);
	parent->links_due = false;
	parent_check_interfaces(parent);
}

static bool same_interface(const struct config_interface *a, const struct config_interface *b)
{
	return strcmp(a->name, b->name) == 0 && a->capture == b->capture;
}

static void drop_interface(struct parent *parent, const struct config_interface *interface, struct hearing *hearing)
{
	struct role_resource gone = { .kind = RESOURCE_SOCKET };

	text_copy(text_of(interface->name), gone.name, sizeof(gone.name));
	if (hearing->given)
		give_error(parent, ROLE_SENSE, gone, -ENODEV);
	gone.kind = RESOURCE_NEIGHBORS;
	for (gone.index = 0; gone.index < 2; gone.index++)
		if (hearing->neighbors_given >> gone.index & 1)
			give_error(parent, ROLE_SENSE, gone, -ENOENT);
	hearing->neighbors = hearing->neighbors_given = 0;
	close_hearing(hearing);
}

bool parent_change_interfaces(struct parent *parent, const struct config *old)
{
	const struct config *config = parent->config;
	struct hearing hearings[CONFIG_INTERFACES_MAX];

	if (needs_xdp(config) != needs_xdp(old) || (parent->kernel == NULL) != (config->interface_count == 0))
		return false;
	for (uint32_t i = 0; i < CONFIG_INTERFACES_MAX; i++)
		hearings[i] = (struct hearing){ .link_fd = -1, .state = STATE_UNKNOWN };
	for (uint32_t was = 0; was < old->interface_count; was++) {
		uint32_t is = 0;

		while (is < config->interface_count && !same_interface(&config->interfaces[is], &old->interfaces[was]))
			is++;
		if (is < config->interface_count)
			hearings[is] = parent->hearings[was];
		else
			drop_interface(parent, &old->interfaces[was], &parent->hearings[was]);
	}
	memcpy(parent->hearings, hearings, sizeof(hearings));
	parent_check_interfaces(parent);
	return true;
}

static void sense_lost(struct parent *parent, const char *name)
{
	for (uint32_t i = 0; i < parent->config->interface_count; i++)
		if (strcmp(parent->config->interfaces[i].name, name) == 0 && parent->hearings[i].link_fd < 0) {
			parent->hearings[i].given = false;
			parent_check_interfaces(parent);
		}
}

/* --- sense: neighbours ---------------------------------------------------------------------------------------------- */

/* One protocol on one interface: bit `index` of NEIGHBOR_HEAR_*. */
static void check_neighbor(struct parent *parent, const char *interface, struct hearing *hearing, uint32_t index)
{
	struct role_resource resource = { .kind = RESOURCE_NEIGHBORS, .index = index };
	uint32_t bit = 1u << index;
	int fd, r;

	text_copy(text_of(interface), resource.name, sizeof(resource.name));
	if (hearing->neighbors_given & bit && !(hearing->neighbors & bit))
		give_error(parent, ROLE_SENSE, resource, -ENOENT);
	hearing->neighbors_given &= hearing->neighbors | ~bit;
	if (hearing->neighbors_given & bit || !(hearing->neighbors & bit))
		return;
	r = neighbors_open(interface, index == 1, &fd);
	if (r < 0) {
		if (r != -ENODEV) /* one that is not there yet was said, and rtnetlink tells when it is */
			log_say(&parent->log, LOG_ERR, "neighbours on interface %s cannot be heard: %s", interface, spimend_strerror(r));
		return;
	}
	hearing->neighbors_given |= bit;
	give_fd(parent, ROLE_SENSE, resource, fd);
}

void parent_check_neighbors(struct parent *parent)
{
	for (uint32_t i = 0; parent->children[ROLE_SENSE].channel && i < parent->config->interface_count; i++) {
		struct hearing *hearing = &parent->hearings[i];
		unsigned ifindex = hearing->neighbors ? if_nametoindex(parent->config->interfaces[i].name) : 0;

		if (hearing->neighbors && hearing->neighbors_index != ifindex)
			hearing->neighbors_given = 0; /* gone, or another one of that name: sense closes what it has when it gets another */
		hearing->neighbors_index = ifindex;
		for (uint32_t index = 0; index < 2; index++)
			check_neighbor(parent, parent->config->interfaces[i].name, hearing, index);
	}
}

void parent_hear_neighbors(struct parent *parent, const struct neighbor_hearing *hear)
{
	for (uint32_t i = 0; i < parent->config->interface_count; i++)
		if (strcmp(parent->config->interfaces[i].name, hear->interface) == 0)
			parent->hearings[i].neighbors = hear->protocols;
	parent_check_neighbors(parent);
}

static void give_traps(struct parent *parent)
{
	struct role_resource resource = { .kind = RESOURCE_TRAPS };
	const struct config_notify *n = &parent->config->notify;
	int fd, r = n->manager ? traps_open(n->trap_port, &fd) : -ENOENT;

	if (r < 0 && r != -ENOENT && r != parent->lacks[RESOURCE_TRAPS])
		log_say(&parent->log, LOG_ERR, "traps cannot be heard on UDP port %u: %s; trying again", n->trap_port,
			spimend_strerror(r));
	note_resource(parent, RESOURCE_TRAPS, r);
	if (r < 0)
		give_error(parent, ROLE_SENSE, resource, r);
	else
		give_fd(parent, ROLE_SENSE, resource, fd);
}

void parent_change_traps(struct parent *parent, const struct config *old)
{
	if (parent->config->notify.manager != old->notify.manager || parent->config->notify.trap_port != old->notify.trap_port)
		give_traps(parent);
}

void parent_give_sense(struct parent *parent)
{
	struct role_resource resource = { .kind = RESOURCE_MAPS };
	int maps[PACKETS_MAPS], fd, r;

	for (uint32_t i = 0; i < CONFIG_INTERFACES_MAX; i++)
		parent->hearings[i].neighbors_given = 0;
	parent_check_neighbors(parent);
	if (load_sensor(parent)) {
		packets_kernel_maps(parent->kernel, maps);
		parent_hand(parent, ROLE_SENSE, resource, maps, PACKETS_MAPS);
		/* The sockets went with the role that had them; XDP's links live on here. */
		for (uint32_t i = 0; i < parent->config->interface_count; i++) {
			parent->hearings[i].given = false;
			parent->hearings[i].tried = 0;
		}
		parent_check_interfaces(parent);
	}
	if (parent->config->sense_audit) {
		resource.kind = RESOURCE_AUDIT;
		r = audit_open(&fd);
		note_resource(parent, RESOURCE_AUDIT, r < 0 ? r : 0);
		if (r == 0)
			give_fd(parent, ROLE_SENSE, resource, fd);
		else
			log_say(&parent->log, LOG_WARNING, "no audit records: %s", spimend_strerror(r));
	}
	give_traps(parent);
	parent_give_syslog(parent);
	if (parent->config->sense_xfrm) {
		resource.kind = RESOURCE_COUNTERS;
		fd = open(XFRM_STAT_PATH, O_RDONLY | O_CLOEXEC);
		r = fd < 0 ? -errno : 0;
		note_resource(parent, RESOURCE_COUNTERS, r);
		if (fd >= 0)
			give_fd(parent, ROLE_SENSE, resource, fd);
		else
			log_say(&parent->log, LOG_NOTICE, XFRM_STAT_PATH ": %s; without the kernel's counters", spimend_strerror(r));
	}
}

/* --- core and act ----------------------------------------------------------------------------------------------------- */

/* Whoever holds it can list interfaces; to change one takes the capability as well, which core has not. */
static void give_route(struct parent *parent)
{
	struct role_resource resource = { .kind = RESOURCE_ROUTE };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	if (fd >= 0)
		give_fd(parent, ROLE_CORE, resource, fd);
	else
		give_error(parent, ROLE_CORE, resource, -errno);
}

/* core sees no file but its own. */
static void give_stat(struct parent *parent)
{
	struct role_resource resource = { .kind = RESOURCE_STAT };
	int fd = open("/proc/stat", O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		give_fd(parent, ROLE_CORE, resource, fd);
	else
		give_error(parent, ROLE_CORE, resource, -errno);
}

void parent_give_core(struct parent *parent)
{
	struct role_resource resource = { .kind = RESOURCE_CONTROL };

	tell_core_all(parent);
	parent_tell_syslog(parent);
	parent_tell_web(parent);
	tell_gre_devices(parent);
	give_route(parent);
	give_stat(parent);
	parent_hand(parent, ROLE_CORE, resource, &parent->control_fd, 1);
}

/* act's own: root's file in root's directory. It must be a plain file with one name, or somebody plays with links. */
static int open_journal(struct parent *parent)
{
	int fd = openat(parent->state_fd, JOURNAL_FILE, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct stat found;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &found) < 0 || !S_ISREG(found.st_mode) || found.st_nlink != 1 || found.st_uid != 0) {
		close(fd);
		return -EPERM;
	}
	return fd;
}

static void give_kernel(struct parent *parent)
{
	struct role_resource resource = { .kind = RESOURCE_KERNEL };
	int fds[XFRM_MIRROR_FDS], r = xfrm_mirror_open(fds);

	if (r < 0 && r != parent->said_kernel)
		log_say(&parent->log, LOG_NOTICE, "XFRM netlink: %s; without the kernel's SAs ('no sense xfrm' says so too)",
			spimend_strerror(r));
	parent->said_kernel = r;
	note_resource(parent, RESOURCE_KERNEL, r < 0 ? r : 0);
	if (r < 0) {
		give_error(parent, ROLE_ACT, resource, r);
		return;
	}
	parent_hand(parent, ROLE_ACT, resource, fds, XFRM_MIRROR_FDS);
	for (int i = 0; i < XFRM_MIRROR_FDS; i++)
		close(fds[i]);
}

static void give_journal(struct parent *parent)
{
	struct role_resource resource = { .kind = RESOURCE_JOURNAL };
	int fd = open_journal(parent);

	if (fd < 0 && fd != parent->said_journal)
		log_say(&parent->log, LOG_ERR, "%s/" JOURNAL_FILE ": %s", parent->config->state_directory,
			spimend_strerror(fd));
	parent->said_journal = fd < 0 ? fd : 0;
	if (fd >= 0)
		give_fd(parent, ROLE_ACT, resource, fd);
	else
		give_error(parent, ROLE_ACT, resource, fd);
}

void parent_give_act(struct parent *parent)
{
	give_journal(parent);
	if (parent->config->sense_xfrm)
		give_kernel(parent);
}

static int connect_daemon(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), r;

	if (fd < 0)
		return -errno;
	text_copy(text_of(path), address.sun_path, sizeof(address.sun_path));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	return fd;
}

static void give_daemon(struct parent *parent, uint32_t index)
{
	struct role_resource resource = { .kind = RESOURCE_DAEMON, .index = index };
	int fds[2];

	if (index >= parent->config->daemon_count)
		return;
	fds[0] = connect_daemon(parent->config->daemons[index]);
	if (fds[0] < 0) {
		give_error(parent, ROLE_ACT, resource, fds[0]);
		return;
	}
	fds[1] = connect_daemon(parent->config->daemons[index]);
	if (fds[1] < 0)
		give_error(parent, ROLE_ACT, resource, fds[1]);
	else
		parent_hand(parent, ROLE_ACT, resource, fds, 2);
	if (fds[1] >= 0)
		close(fds[1]);
	close(fds[0]);
}

/* Greeted here, which settles what the connection is good for: act's for orders, sense's for reports alone. */
static void give_plugin(struct parent *parent, enum role role, uint32_t index)
{
	struct role_resource resource = { .kind = RESOURCE_PLUGIN, .index = index };
	bool detects = parent->config->crash_detection && parent->config->mode == MODE_REPAIR; /* it sends, and drops IKE SAs */
	uint8_t flags = role == ROLE_SENSE ? PLUGIN_WANT_REPORTS | PLUGIN_REPORTS_ONLY
					   : detects ? PLUGIN_CRASH_ON : PLUGIN_CRASH_OFF;
	int fd, r;

	if (index >= parent->config->daemon_count || !parent->config->plugins[index][0]) {
		give_error(parent, role, resource, -ENOENT);
		return;
	}
	r = ike_plugin_connect(parent->config->plugins[index], flags, &fd);
	if (r < 0)
		give_error(parent, role, resource, r);
	else
		give_fd(parent, role, resource, fd);
}

void parent_give_wanted(struct parent *parent, struct child *child, const struct role_want *want)
{
	struct role_resource resource = { .kind = RESOURCE_LOG };
	int fd;

	if (want->kind == RESOURCE_LOG && parent->sink != SINK_STDERR) {
		if (log_open(parent->sink, &fd) == 0)
			give_fd(parent, child->role, resource, fd);
		else
			give_error(parent, child->role, resource, -ENOENT);
	} else if (want->kind == RESOURCE_DAEMON && child->role == ROLE_ACT) {
		give_daemon(parent, want->index);
	} else if (want->kind == RESOURCE_PLUGIN && (child->role == ROLE_ACT || child->role == ROLE_SENSE)) {
		give_plugin(parent, child->role, want->index);
	} else if (want->kind == RESOURCE_KERNEL && child->role == ROLE_ACT) {
		give_kernel(parent);
	} else if (want->kind == RESOURCE_JOURNAL && child->role == ROLE_ACT) {
		give_journal(parent);
	} else if (want->kind == RESOURCE_TRAPS && child->role == ROLE_SENSE) {
		give_traps(parent);
	} else if (want->kind == RESOURCE_SYSLOG && child->role == ROLE_SENSE) {
		parent_give_listener(parent, want->index);
	} else if (want->kind == RESOURCE_WEB && child->role == ROLE_WEB) {
		parent_give_web_listener(parent, want->index);
	} else if (want->kind == RESOURCE_SOCKET && child->role == ROLE_SENSE) {
		sense_lost(parent, want->name);
	}
}

/* --- rtnetlink: that something changed, not what ---------------------------------------------------------------------- */

static void on_links(void *context, uint32_t events)
{
	struct parent *parent = context;
	char part[8192];

	(void)events;
	for (int i = 0; i < 64; i++) {
		ssize_t n = recv(parent->links_fd, part, sizeof(part), MSG_DONTWAIT);

		if (n < 0 && errno != ENOBUFS) /* overrun: then something changed, too */
			break;
		parent->links_due = true;
	}
	if (parent->links_due)
		links_at(parent, loop_now(parent->loop) + LINKS_WAIT);
}

int parent_watch_links(struct parent *parent)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK,
				       .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR };

	parent->links_fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	if (parent->links_fd < 0 || bind(parent->links_fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return loop_add(parent->loop, parent->links_fd, EPOLLIN, on_links, parent, NULL);
}
