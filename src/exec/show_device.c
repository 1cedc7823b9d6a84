/* SPDX-License-Identifier: MIT */
/* The devices that are looked after: as configured, and what was done on them. */
#include "base/memory.h"
#include "exec/show.h"

static const char *rights_of(const struct config_device *d)
{
	return d->may_repair ? "repair" : "read-only";
}

static void put_device(struct exec_call *call, const struct config_device *d, const struct config_login *login)
{
	struct json j;

	exec_json_begin(call, &j, "spimend.device/1");
	json_string(&j, "name", d->name);
	show_put_address(&j, "address", &d->address);
	json_unsigned(&j, "port", d->port);
	json_string(&j, "platform", d->platform == PLATFORM_UNKNOWN ? NULL : platform_name(d->platform));
	json_string(&j, "user", login ? login->user : NULL);
	json_string(&j, "jump", login && login->jump[0] ? login->jump : NULL);
	json_string(&j, "rights", rights_of(d));
	exec_json_end(call, &j);
}

static void print_device(struct exec_call *call, const struct config_device *d, const struct config_login *login)
{
	char address[SPIMEND_ADDRESS_TEXT_MAX];

	buffer_printf(call->out, "%-24s %-24s %-8s %-10s %-12s %s\n", d->name,
		      spimend_address_known(&d->address) ? show_address(&d->address, address) : "-",
		      d->platform == PLATFORM_UNKNOWN ? "-" : platform_name(d->platform), rights_of(d), login ? login->user : "-",
		      login && login->jump[0] ? login->jump : "-");
}

static void show_devices(struct exec_call *call)
{
	const struct config_devices *devices = &call->view.config->devices;
	struct text wanted = exec_argument(call, "NAME");
	int32_t one = wanted.len ? device_find(devices, wanted) : -1;
	uint32_t from = one < 0 ? 0 : (uint32_t)one, to = one < 0 ? devices->count : from + 1;

	if (wanted.len && one < 0) {
		exec_refuse(call, "no device '%.*s' is configured", TEXT_ARG(text_first(wanted, 64)));
		return;
	}
	if (!call->json)
		buffer_printf(call->out, "%-24s %-24s %-8s %-10s %-12s %s\n", "Device", "Address", "Platform", "Rights", "User", "Jump");
	for (uint32_t i = from; i < to; i++)
		(call->json ? put_device : print_device)(call, &devices->at[i], device_login(devices, &devices->at[i]));
}

static void show_journal(struct exec_call *call)
{
	cleanup(buffer_done) struct buffer why = { 0 };

	if (call->port->journal(call->port->context, exec_argument(call, "NAME"), call->json, call->out, &why) < 0)
		exec_refuse(call, "%.*s", TEXT_ARG(buffer_text(&why)));
}

const struct exec_command exec_show_device_rows[] = {
	{ "show spimend devices [NAME]", "the devices that are looked after", EXEC_PRIVILEGED, EXEC_JSON, show_devices },
	{ "show spimend journal NAME", "what was done on a device", EXEC_PRIVILEGED, EXEC_JSON, show_journal },
};
const size_t exec_show_device_row_count = EXEC_COUNT(exec_show_device_rows);
