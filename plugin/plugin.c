/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "spimend.h"

#include <processing/jobs/callback_job.h>
#include <pwd.h>
#include <time.h>

#define SOCKET_DEFAULT "/run/spimend-charon.sock"

uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

struct spimend_address address_of(host_t *host)
{
	struct spimend_address address = { 0 };
	chunk_t bytes = host ? host->get_address(host) : chunk_empty;

	if (bytes.len == 4 || bytes.len == 16) {
		address.family = bytes.len == 4 ? 4 : 6;
		memcpy(address.bytes, bytes.ptr, bytes.len);
	}
	return address;
}

uint8_t ip_protocol_of(protocol_id_t protocol)
{
	return protocol == PROTO_ESP ? IPPROTO_ESP : protocol == PROTO_AH ? IPPROTO_AH : 0;
}

/* A number, or a name that is looked up once. */
static bool user_from(const char *text, uid_t *ret)
{
	struct passwd entry, *found = NULL;
	char buffer[4096], *end;
	unsigned long number = strtoul(text, &end, 10);

	if (*text >= '0' && *text <= '9' && !*end && number < UINT32_MAX) {
		*ret = (uid_t)number;
		return TRUE;
	}
	if (getpwnam_r(text, &entry, buffer, sizeof(buffer), &found) || !found)
		return FALSE;
	*ret = found->pw_uid;
	return TRUE;
}

/* The first job: charon's managers do not exist while plugins load, so that only now we know that we may go on. */
static job_requeue_t begin(spimend_t *this)
{
	const char *why = layout_of_daemon();

	if (!why)
		why = outside_hook(this);
	if (why) {
		DBG1(DBG_CFG, "spimend: this charon is not the one that the plugin was built for: %s", why);
		channel_close(this);
		return JOB_REQUEUE_NONE;
	}
	charon->bus->add_listener(charon->bus, &this->listener);
	if (channel_open(this))
		DBG1(DBG_CFG, "spimend: takes orders of user %u on %s", (u_int)this->user, this->path);
	return JOB_REQUEUE_NONE;
}

static bool start_stop(spimend_t *this, plugin_feature_t *feature, bool start, void *data)
{
	const char *path = lib->settings->get_str(lib->settings, "%s.plugins.spimend.socket", SOCKET_DEFAULT, lib->ns);
	const char *user = lib->settings->get_str(lib->settings, "%s.plugins.spimend.user", "root", lib->ns);

	if (!start) {
		outside_unhook();
		charon->bus->remove_listener(charon->bus, &this->listener);
		channel_close(this);
		return TRUE;
	}
	if (!*path || strlen(path) >= sizeof(this->path)) {
		DBG1(DBG_CFG, "spimend: plugins.spimend.socket is empty, or too long for a unix socket");
		return FALSE;
	}
	strcpy(this->path, path);
	if (!user_from(user, &this->user)) {
		DBG1(DBG_CFG, "spimend: there is no user '%s' (plugins.spimend.user)", user);
		return FALSE;
	}
	if (!crash_begin(this) || !channel_bind(this))
		return FALSE;
	lib->processor->queue_job(lib->processor, (job_t *)callback_job_create((callback_job_cb_t)begin, this, NULL, NULL));
	return TRUE;
}

METHOD(plugin_t, get_name, char *, spimend_t *this)
{
	return "spimend";
}

METHOD(plugin_t, get_features, int, spimend_t *this, plugin_feature_t *features[])
{
	static plugin_feature_t f[] = {
		PLUGIN_CALLBACK((plugin_feature_callback_t)start_stop, NULL),
			PLUGIN_PROVIDE(CUSTOM, "spimend"),
				PLUGIN_SDEPEND(PRF, PRF_HMAC_SHA2_256), /* of crash detection */
	};
	*features = f;
	return countof(f);
}

METHOD(plugin_t, destroy, void, spimend_t *this)
{
	crash_destroy(this->crash);
	pthread_mutex_destroy(&this->lock);
	free(this);
}

__attribute__((visibility("default"))) plugin_t *spimend_plugin_create(void); /* what charon looks up */
plugin_t *spimend_plugin_create(void)
{
	const char *why = layout_of_libraries();
	spimend_t *this;

	if (why) {
		DBG1(DBG_LIB, "spimend: this charon is not the one that the plugin was built for: %s", why);
		return NULL;
	}
	INIT(this, .plugin = { .get_name = _get_name, .get_features = _get_features, .destroy = _destroy },
	     .listener = reports_listener(), .fd = -1, .crash = crash_create());
	pthread_mutex_init(&this->lock, NULL);
	if (!this->crash) {
		DBG1(DBG_LIB, "spimend: the system gives no random bytes");
		destroy(this);
		return NULL;
	}
	return &this->plugin;
}
