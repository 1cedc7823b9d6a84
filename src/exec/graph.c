/* SPDX-License-Identifier: MIT */
/* All tables of the graph, and the words that several commands share. */
#include "exec/show.h"

bool exec_table_at(size_t index, struct exec_table *ret)
{
	const struct exec_table tables[] = {
		{ exec_session_rows, exec_session_row_count }, { exec_system_rows, exec_system_row_count },
		{ exec_debug_rows, exec_debug_row_count },     { exec_crypto_rows, exec_crypto_row_count },
		{ exec_sdwan_rows, exec_sdwan_row_count },     { exec_show_ipsec_rows, exec_show_ipsec_row_count },
		{ exec_show_ike_rows, exec_show_ike_row_count },         { exec_show_session_rows, exec_show_session_row_count },
		{ exec_show_tunnel_rows, exec_show_tunnel_row_count },   { exec_show_interface_rows, exec_show_interface_row_count },
		{ exec_show_qfp_rows, exec_show_qfp_row_count },         { exec_show_event_rows, exec_show_event_row_count },
		{ exec_show_track_rows, exec_show_track_row_count },
		{ exec_show_device_rows, exec_show_device_row_count },
		{ exec_show_logging_rows, exec_show_logging_row_count },
	};

	if (index >= EXEC_COUNT(tables))
		return false;
	*ret = tables[index];
	return true;
}

const struct exec_command *exec_command_at(size_t index)
{
	struct exec_table table;

	for (size_t i = 0; exec_table_at(i, &table); i++) {
		if (index < table.count)
			return &table.rows[index];
		index -= table.count;
	}
	return NULL;
}

const struct exec_prefix exec_prefixes[] = {
	{ "clear", "reset counters, renew SAs" },
	{ "clear crypto", "encryption" },
	{ "clear crypto ikev2", "IKE version 2" },
	{ "clear crypto sa", "IPsec SAs" },
	{ "clear crypto sa peer", "new SAs with one peer" },
	{ "clear sdwan", "SD-WAN" },
	{ "clear sdwan control", "control plane" },
	{ "clear sdwan omp", "overlay management protocol" },
	{ "configure", "change the configuration" },
	{ "copy", "copy a configuration" },
	{ "copy running-config", "what runs" },
	{ "debug", "write what happens into the log" },
	{ "debug crypto", "encryption" },
	{ "debug crypto condition", "for which peers" },
	{ "debug crypto condition peer", "one peer" },
	{ "debug crypto condition peer ipv4", "IPv4 address" },
	{ "debug crypto condition peer ipv6", "IPv6 address" },
	{ "event", "embedded event manager" },
	{ "event manager", "its applets" },
	{ "event manager run", "start an applet that has 'event none'" },
	{ "more", "show a file" },
	{ "delete", "delete a file" },
	{ "no", "switch off" },
	{ "no debug", "debugs" },
	{ "no debug crypto", "encryption" },
	{ "no debug crypto condition", "for which peers" },
	{ "no debug crypto condition peer", "one peer" },
	{ "on", "a command on a configured device" },
	{ "request", "ask for something" },
	{ "request platform", "the platform" },
	{ "request platform software", "its software" },
	{ "request platform software sdwan", "SD-WAN" },
	{ "request platform software sdwan security", "its keys" },
	{ "show", "what is known" },
	{ "show crypto", "encryption" },
	{ "show crypto ikev2", "IKE version 2" },
	{ "show crypto ipsec", "IPsec" },
	{ "show crypto isakmp", "IKE version 1" },
	{ "show event", "embedded event manager" },
	{ "show event manager", "its applets" },
	{ "show event manager history", "what they did" },
	{ "show event manager detector", "what applets can wait for" },
	{ "show event manager environment", "variables that every applet sees" },
	{ "show event manager policy", "what is registered, and what runs" },
	{ "show ip", "IP" },
	{ "show ip interface", "interfaces with their addresses" },
	{ "show platform", "the platform" },
	{ "show platform hardware", "its hardware" },
	{ "show platform hardware qfp", "the data plane" },
	{ "show platform hardware qfp active", "the active one" },
	{ "show platform hardware qfp active feature", "what it does" },
	{ "show platform hardware qfp active feature ipsec", "IPsec" },
	{ "show platform hardware qfp active feature ipsec datapath", "its packets" },
	{ "show platform hardware qfp active statistics", "its counters" },
	{ "show spimend", "spimend's own view" },
	{ "show spimend incidents since", "that went on since then" },
	{ "show spimend incidents until", "that went on before then" },
	{ "show spimend incidents peer", "with that address at either end" },
	{ "show spimend incidents verdict", "with that verdict, or one of several behind commas" },
	{ "show spimend incidents cause", "by that cause, or one of several" },
	{ "show spimend incidents state", "in that state, or one of several" },
	{ "show spimend incidents device", "with that device at either end" },
	{ "show spimend incidents limit", "the newest so many" },
	{ "show spimend stats since", "of what went on since then" },
	{ "show spimend stats until", "of what went on before then" },
	{ "show spimend stats peer", "with that address at either end" },
	{ "show spimend stats verdict", "with that verdict" },
	{ "show spimend stats cause", "by that cause" },
	{ "show spimend stats device", "with that device at either end" },
	{ "show spimend stats by", "a line for each" },
	{ "show spimend stats by peer", "two ends" },
	{ "show spimend stats by cause", "cause" },
	{ "show spimend stats by month", "month of the first sighting" },
	{ "show spimend stats by verdict", "verdict" },
	{ "show track", "tracked objects" },
	{ "show spimend incident", "one incident in full" },
	{ "show spimend journal", "what was done on a device" },
	{ "terminal", "this terminal" },
	{ "terminal length", "lines of a page, 0 for no pages" },
	{ "terminal width", "columns" },
	{ "undebug", "switch debugs off" },
	{ "undebug crypto", "encryption" },
	{ "write", "the running configuration" },
};
const size_t exec_prefix_count = EXEC_COUNT(exec_prefixes);
