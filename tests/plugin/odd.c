/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A plugin for charon, for a test alone: every INVALID_SPI that it sends in IKEv2 has the SPI in the SPI field, of size 4
 * and with no protocol, and no data: what some devices send (B9). */
#include <library.h>
#include <daemon.h>
#include <encoding/message.h>
#include <encoding/payloads/notify_payload.h>
#include <plugins/plugin.h>

typedef struct {
	plugin_t plugin;
	listener_t listener;
} odd_t;

METHOD(listener_t, on_message, bool, listener_t *this, ike_sa_t *ike_sa, message_t *message, bool incoming, bool plain)
{
	notify_payload_t *n = plain && !incoming ? message->get_notify(message, INVALID_SPI) : NULL;
	uint32_t spi;

	if (n && n->get_notification_data(n).len == sizeof(spi)) {
		memcpy(&spi, n->get_notification_data(n).ptr, sizeof(spi));
		n->set_notification_data(n, chunk_empty);
		n->set_protocol_id(n, PROTO_ESP);
		n->set_spi(n, spi);
		n->set_protocol_id(n, PROTO_NONE);
	}
	return TRUE;
}

METHOD(plugin_t, get_name, char *, odd_t *this)
{
	return "odd";
}

static bool start_stop(odd_t *this, plugin_feature_t *feature, bool start, void *data)
{
	if (start)
		charon->bus->add_listener(charon->bus, &this->listener);
	else
		charon->bus->remove_listener(charon->bus, &this->listener);
	return TRUE;
}

METHOD(plugin_t, get_features, int, odd_t *this, plugin_feature_t *features[])
{
	static plugin_feature_t f[] = {
		PLUGIN_CALLBACK((plugin_feature_callback_t)start_stop, NULL),
			PLUGIN_PROVIDE(CUSTOM, "odd"),
	};
	*features = f;
	return countof(f);
}

METHOD(plugin_t, destroy, void, odd_t *this)
{
	free(this);
}

plugin_t *odd_plugin_create(void);
plugin_t *odd_plugin_create(void)
{
	odd_t *this;

	INIT(this, .plugin = { .get_name = _get_name, .get_features = _get_features, .destroy = _destroy },
	     .listener = { .message = _on_message });
	return &this->plugin;
}
