/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A plugin for charon that breaks things on command, for the lab alone: spimend itself never talks to it. It uses charon's
 * headers, hence its licence, and stays apart from everything else.
 *
 * Commands, one datagram each on the unix socket plugins.spimend-lab.socket; the answer, "ok" or why not, goes back to the
 * sender's address:
 *
 *   forget SRC DST SPI   the data plane loses that SA, charon still lists it
 *   lose IKEID SPI       charon's CHILD_SA with that inbound SPI is gone, data plane included; the peer is not told
 */
#include <library.h>
#include <daemon.h>
#include <plugins/plugin.h>
#include <processing/jobs/callback_job.h>
#include <sa/ike_sa.h>
#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Debian builds charon so; without it members of ike_sa_t and daemon_t lie elsewhere, and we would read wrong ones. */
#ifndef ME
#error "configure strongSwan with --enable-mediation"
#endif

typedef struct {
	plugin_t plugin;
	char *path;
	int fd;
} faults_t;

/* owns itself: freed when its job ends */
typedef struct {
	char verb[8], src[64], dst[64];
	uint32_t ike_id, spi;
	int fd;
	struct sockaddr_un asker;
	socklen_t asker_len;
} command_t;

static const char *forget(command_t *c)
{
	host_t *src = host_create_from_string(c->src, 0), *dst = host_create_from_string(c->dst, 0);
	kernel_ipsec_sa_id_t id = { .src = src, .dst = dst, .spi = htonl(c->spi), .proto = IPPROTO_ESP };
	kernel_ipsec_del_sa_t data = {};
	const char *answer = "ok";

	if (!src || !dst)
		answer = "not an address";
	else if (charon->kernel->del_sa(charon->kernel, &id, &data) != SUCCESS)
		answer = "the data plane has no such SA";
	DESTROY_IF(src);
	DESTROY_IF(dst);
	return answer;
}

static const char *lose(command_t *c)
{
	ike_sa_t *ike_sa = charon->ike_sa_manager->checkout_by_id(charon->ike_sa_manager, c->ike_id);
	status_t status;

	if (!ike_sa)
		return "no such IKE_SA";
	status = ike_sa->destroy_child_sa(ike_sa, PROTO_ESP, htonl(c->spi));
	charon->ike_sa_manager->checkin(charon->ike_sa_manager, ike_sa);
	return status == SUCCESS ? "ok" : "no such CHILD_SA";
}

static void answer_asker(command_t *c, const char *text)
{
	sendto(c->fd, text, strlen(text), MSG_DONTWAIT, (struct sockaddr *)&c->asker, c->asker_len);
}

/* a job of its own: an IKE_SA is waited for */
static job_requeue_t run_command(command_t *c)
{
	const char *answer = streq(c->verb, "forget") ? forget(c) : lose(c);

	DBG1(DBG_CFG, "lab: %s %.8x: %s", c->verb, c->spi, answer);
	answer_asker(c, answer);
	return JOB_REQUEUE_NONE;
}

static bool parse_command(command_t *c, const char *text)
{
	if (sscanf(text, "%7s", c->verb) != 1)
		return FALSE;
	if (streq(c->verb, "forget"))
		return sscanf(text, "%*s %63s %63s %x", c->src, c->dst, &c->spi) == 3;
	return streq(c->verb, "lose") && sscanf(text, "%*s %u %x", &c->ike_id, &c->spi) == 2;
}

static bool on_datagram(faults_t *this, int fd, watcher_event_t event)
{
	char text[256];
	ssize_t len;
	command_t *c;

	INIT(c, .fd = fd, .asker_len = sizeof(c->asker));
	len = recvfrom(fd, text, sizeof(text) - 1, MSG_DONTWAIT, (struct sockaddr *)&c->asker, &c->asker_len);
	if (len > 0) {
		text[len] = 0;
		if (parse_command(c, text)) {
			lib->processor->queue_job(lib->processor,
						  (job_t *)callback_job_create((void *)run_command, c, free, NULL));
			return TRUE;
		}
		answer_asker(c, "not a command");
	}
	free(c);
	return TRUE;
}

static bool open_socket(faults_t *this)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	this->path = lib->settings->get_str(lib->settings, "%s.plugins.spimend-lab.socket", "", lib->ns);
	if (!*this->path || strlen(this->path) >= sizeof(addr.sun_path)) {
		DBG1(DBG_CFG, "lab: spimend-lab.socket is not set, or too long for a unix socket");
		return FALSE;
	}
	strcpy(addr.sun_path, this->path);
	unlink(this->path);
	this->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (this->fd < 0 || bind(this->fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		DBG1(DBG_CFG, "lab: socket %s: %s", this->path, strerror(errno));
		if (this->fd >= 0)
			close(this->fd);
		return FALSE;
	}
	lib->watcher->add(lib->watcher, this->fd, WATCHER_READ, (watcher_cb_t)on_datagram, this);
	return TRUE;
}

static bool start_stop(faults_t *this, plugin_feature_t *feature, bool start, void *data)
{
	if (start)
		return open_socket(this);
	lib->watcher->remove(lib->watcher, this->fd);
	close(this->fd);
	unlink(this->path);
	return TRUE;
}

METHOD(plugin_t, get_name, char *, faults_t *this)
{
	return "spimend-lab";
}

METHOD(plugin_t, get_features, int, faults_t *this, plugin_feature_t *features[])
{
	static plugin_feature_t f[] = {
		PLUGIN_CALLBACK((plugin_feature_callback_t)start_stop, NULL),
			PLUGIN_PROVIDE(CUSTOM, "spimend-lab"),
	};
	*features = f;
	return countof(f);
}

METHOD(plugin_t, destroy, void, faults_t *this)
{
	free(this);
}

plugin_t *spimend_lab_plugin_create(void);
plugin_t *spimend_lab_plugin_create(void)
{
	faults_t *this;

	INIT(this, .plugin = { .get_name = _get_name, .get_features = _get_features, .destroy = _destroy }, .fd = -1);
	return &this->plugin;
}
