/* SPDX-License-Identifier: MIT */
/* `show ip interface brief`. */
#include <stdio.h>

#include "exec/show.h"
#include "spimend/error.h"

static void put_link(struct exec_call *call, const struct link *l)
{
	char text[SPIMEND_ADDRESS_TEXT_MAX + 4], address[SPIMEND_ADDRESS_TEXT_MAX];
	struct json j;

	exec_json_begin(call, &j, "spimend.ip-interface/1");
	json_string(&j, "interface", l->name);
	json_array(&j, "addresses");
	for (uint32_t i = 0; i < l->address_count; i++) {
		snprintf(text, sizeof(text), "%s/%u", spimend_address_print(&l->addresses[i].address, address), l->addresses[i].prefix);
		json_string(&j, NULL, text);
	}
	json_array_end(&j);
	json_unsigned(&j, "addresses_left_out", l->addresses_left_out);
	json_unsigned(&j, "mtu", l->mtu);
	json_bool(&j, "admin_up", l->admin_up);
	json_bool(&j, "line_up", l->running);
	exec_json_end(call, &j);
}

/* Where an address is from the kernel does not say: "other" is IOS's word for that. */
static void add_link(const struct link *l, struct buffer *out)
{
	char text[SPIMEND_ADDRESS_TEXT_MAX] = "unassigned";
	bool assigned = false;

	for (uint32_t i = 0; i < l->address_count && !assigned; i++) {
		assigned = l->addresses[i].address.family == 4;
		if (assigned)
			spimend_address_print(&l->addresses[i].address, text);
	}
	buffer_printf(out, "%-22s %-15s YES %-6s %-21s %s\n", l->name, text, assigned ? "other" : "unset",
		      l->admin_up ? l->running ? "up" : "down" : "administratively down", l->running ? "up" : "down");
}

static void show_brief(struct exec_call *call)
{
	const struct link_list *links = call->view.links;

	if (!links) {
		exec_refuse(call, "interfaces cannot be read: %s", spimend_strerror(call->view.links_error));
		return;
	}
	if (!call->json)
		buffer_printf(call->out, "%-22s %-15s %s %-6s %-21s %s\n", "Interface", "IP-Address", "OK?", "Method", "Status", "Protocol");
	for (size_t i = 0; i < links->count; i++) {
		if (call->json)
			put_link(call, &links->at[i]);
		else
			add_link(&links->at[i], call->out);
	}
	if (links->left_out && !call->json)
		buffer_printf(call->out, "%% %zu more interfaces are left out\n", links->left_out);
}

const struct exec_command exec_show_interface_rows[] = {
	{ "show ip interface brief", "interfaces, their first IPv4 address and state", EXEC_ANYBODY, EXEC_JSON, show_brief },
};
const size_t exec_show_interface_row_count = EXEC_COUNT(exec_show_interface_rows);
