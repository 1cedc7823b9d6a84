/* SPDX-License-Identifier: MIT */
#include "eem/foreign.h"

#include <stddef.h>

static const char *const commands[] = {
	"aaa", "access-list", "address-family", "alias", "archive", "arp", "banner", "bfd", "boot", "boot-start-marker",
	"boot-end-marker", "bridge", "bridge-domain", "building", "buffers", "call-home", "cdp", "cef", "chat-script", "class-map",
	"clear", "clock", "cns", "configure", "control-plane", "copy", "crypto", "cts", "current", "cwmp", "debug", "default",
	"delete", "device-tracking", "dial-peer", "dialer", "dialer-list", "diagnostic", "dir", "disable", "dot1x", "dspfarm",
	"enable", "errdisable", "ethernet", "exit", "fabric", "fhrp", "file", "flow", "frame-relay", "ftp", "hostname",
	"hw-module", "interface", "ip", "ipv6", "isis", "kerberos", "key", "l2", "l2tp", "l2vpn", "lacp", "last", "ldap",
	"license", "line", "lldp", "load-interval", "location", "logging", "login", "logout", "mac", "mac-address-table",
	"memory", "metadata", "mls", "mmi", "monitor", "more", "mpls", "multilink", "nat", "netconf", "netconf-yang", "network",
	"network-clock", "nls", "ntp", "object-group", "parameter-map", "parser", "password", "ping", "platform",
	"policy-map", "port-channel", "power", "ppp", "prefix-list", "privilege", "process", "prompt", "ptp", "qos",
	"queue-limit", "quit", "radius", "radius-server", "redundancy", "reload", "request", "resource", "restconf",
	"rmon", "route-map", "router", "sampler", "scheduler", "scripting", "security", "sense", "service", "show", "snmp",
	"snmp-server", "spanning-tree", "ssh", "stackwise", "standby", "subscriber", "switch", "system", "tacacs",
	"tacacs-server", "tcp", "telemetry", "telnet", "template", "terminal", "test", "tftp-server", "time-range", "traceroute",
	"tracking", "traffic-shape", "transceiver", "track", "tunnel", "udld", "undebug", "username", "using", "vc-class",
	"version", "virtual", "vlan", "voice", "vpdn", "vpdn-group", "vrf", "vtp", "webvpn", "wr", "write", "wsma", "xconnect",
	"zone", "zone-pair", "zone-security", "feature", "role", "spimend", "device",
};

bool foreign_command(struct text word)
{
	if (text_equal_nocase(word, TEXT("sh")) || text_equal_nocase(word, TEXT("no")) || text_equal_nocase(word, TEXT("do")) ||
	    text_equal_nocase(word, TEXT("u")) || text_equal_nocase(word, TEXT("int")))
		return true;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		struct text command = text_of(commands[i]);

		if (text_equal_nocase(command, word) || (word.len >= 3 && text_starts_nocase(command, word)))
			return true;
	}
	return false;
}

static const struct {
	const char *first, *second; /* separated by '|': any of them */
	size_t least;               /* letters of the first that suffice */
} listed[] = {
	{ "configure", "t|term|terminal", 4 },
	{ "show", "ip|crypto|cry|dmvpn|debug|event|ev|run|running-config|log|logging|version|interface|int|platform|track|snmp|"
		  "clock|process|ipv6|cdp|lldp|mac|arp|ver", 2 },
	{ "debug", "crypto|cry|event|ip", 3 },
	{ "undebug", "all", 1 },
	{ "snmp-server", "enable|host|manager|community|user|group", 11 },
	{ "logging", "host|buffered|on|trap|source-interface", 7 },
	{ "write", "mem|memory|t|terminal", 2 },
	{ "copy", "run|running-config|start|startup-config", 4 },
	{ "terminal", "monitor|mon|length", 4 },
	{ "interface", "gigabitethernet|ethernet|tunnel|loopback|fastethernet|serial", 9 },
};

static bool is_one_of(struct text word, const char *list)
{
	struct text rest = text_of(list);

	while (rest.len) {
		if (text_equal_nocase(text_take_until(&rest, "|"), word))
			return true;
		text_take_char(&rest, '|');
	}
	return false;
}

bool foreign_in_listing(struct text text)
{
	struct text first = text_take_word(&text), second = text_take_word(&text);

	if (text_equal_nocase(first, TEXT("do"))) {
		first = second;
		second = text_take_word(&text);
	}
	if (second.len == 0)
		return false;
	for (size_t i = 0; i < sizeof(listed) / sizeof(listed[0]); i++)
		if (first.len >= listed[i].least && text_starts_nocase(text_of(listed[i].first), first) &&
		    is_one_of(second, listed[i].second))
			return true;
	return false;
}
