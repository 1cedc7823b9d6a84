/* SPDX-License-Identifier: MIT */
/* The devices of the configuration, a page at a time, with how many incidents of each are not over. */
#include "record/live_page.h"
#include "record/values.h"

static void put_device(const struct live_view *view, const struct config_device *d, struct json *j)
{
	const struct config_login *login = device_login(&view->config->devices, d);
	const struct fleet_incident *is;
	uint64_t incidents = 0, awaiting = 0;

	for (size_t i = 0; view->cases && (is = fleet_at(view->cases, i)); i++) {
		if (strcmp(is->receiver, d->name) != 0 && strcmp(is->sender, d->name) != 0)
			continue;
		incidents += is->state != STATE_HEALED && is->state != STATE_CLOSED;
		awaiting += is->state == STATE_AWAITING;
	}
	json_object(j, NULL);
	json_string(j, "name", d->name);
	record_put_address(j, "address", &d->address);
	json_unsigned(j, "port", d->port);
	json_string(j, "platform", d->platform == PLATFORM_UNKNOWN ? NULL : platform_name(d->platform));
	json_string(j, "user", login ? login->user : NULL);
	json_string(j, "jump", login && login->jump[0] ? login->jump : NULL);
	json_string(j, "rights", d->may_repair ? "repair" : "read-only");
	json_unsigned(j, "incidents", incidents);
	json_unsigned(j, "awaiting", awaiting);
	json_object_end(j);
}

void live_devices_page(const struct live_view *view, const struct web_filter *filter, struct buffer *out)
{
	const struct config_devices *devices = &view->config->devices;
	uint32_t from = filter->offset < devices->count ? filter->offset : devices->count;
	struct json j;

	json_init(&j, out);
	live_put_page_head(&j, "spimend.devices/1", view, filter, devices->count, devices->count);
	json_array(&j, "devices");
	for (uint32_t i = from; i < devices->count && i - from < filter->limit; i++)
		put_device(view, &devices->at[i], &j);
	json_array_end(&j);
	json_object_end(&j);
	buffer_add_char(out, '\n');
}
