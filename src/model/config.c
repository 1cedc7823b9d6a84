/* SPDX-License-Identifier: MIT */
#include "model/config.h"

#include <string.h>

static void set(char *to, size_t size, const char *value)
{
	text_copy(text_of(value), to, size);
}

void config_default(struct config *ret)
{
	memset(ret, 0, sizeof(*ret)); /* whatever is not set is zero bytes, so that equal configurations are equal bytes */
	ret->mode = MODE_ADVISE;
	set(ret->user, sizeof(ret->user), "spimend");
	set(ret->state_directory, sizeof(ret->state_directory), "/var/lib/spimend");
	set(ret->control_socket, sizeof(ret->control_socket), "/run/spimend/control");
	ret->encap_ports[0] = 4500;
	ret->encap_port_count = 1;
	ret->sense_xfrm = true;
	set(ret->devices.known_hosts, sizeof(ret->devices.known_hosts), "/etc/spimend/known_hosts");

	ret->overlap_ns = 5 * SECOND_NS;
	ret->settle_ns = SECOND_NS * 3 / 10;
	ret->stray_span_ns = SECOND_NS / 5;
	ret->stray_count = 3;
	ret->early_use_ns = 2 * SECOND_NS;
	ret->one_way_ns = 10 * SECOND_NS;
	ret->one_way_packets = 10;
	ret->verify_ns = 5 * SECOND_NS;
	ret->close_ns = 5 * MINUTE_NS;
	ret->ledger_max = 65536;
	ret->flows_max = 4096;
	ret->incidents_max = 1024;
	ret->keep_incidents = 10000;
	ret->keep_days = 90;
	ret->recurrence_count = 3;
	ret->recurrence_ns = 7 * DAY_NS;

	ret->per_peer_count = 1;
	ret->per_peer_ns = MINUTE_NS;
	ret->global_count = 30;
	ret->global_ns = MINUTE_NS;
	ret->concurrent = 4;
	ret->breaker_peers = 5;
	ret->breaker_ns = 10 * SECOND_NS;
	ret->pace_ns = SECOND_NS;
	ret->backoff_ns = MINUTE_NS;
	ret->backoff_most_ns = HOUR_NS;
	ret->step_attempts = 1;
	ret->order_timeout_ns = 10 * SECOND_NS;

	ret->log_gap_ns = MINUTE_NS; /* B3 */
	ret->log_per_minute = 10;
	config_notify_default(&ret->notify);
	ret->fleet_wait_ns = ret->fleet_burst_wait_ns = 30 * SECOND_NS;
	ret->fleet_verify_ns = 2 * MINUTE_NS;
	ret->syslog.flows_max = SYSLOG_FLOWS_STANDARD;
	ret->recorder = (struct config_recorder){ .is_on = true, .size_mib = 64, .reserve_mib = 64, .age_ns = DAY_NS,
						  .before_ns = 5 * MINUTE_NS, .after_ns = 2 * MINUTE_NS, .incidents = 200,
						  .evidence_mib = 256, .evidence_age_ns = 90 * DAY_NS,
						  .port = EVIDENCE_PORT_STANDARD };
	set(ret->web.user, sizeof(ret->web.user), "spimend-web");
}

const char *mode_name(enum mode mode)
{
	static const char *const names[MODES] = { "observe", "advise", "repair" };

	return (unsigned)mode < MODES ? names[mode] : "?";
}

const char *peer_mode_name(enum peer_mode mode)
{
	static const char *const names[PEER_MODES] = { "default", "ignore", "observe", "repair" };

	return (unsigned)mode < PEER_MODES ? names[mode] : "?";
}

const char *capture_name(enum capture capture)
{
	static const char *const names[CAPTURES] = { "packet", "xdp generic", "xdp native" };

	return (unsigned)capture < CAPTURES ? names[capture] : "?";
}

/* --- The file is the ceiling ------------------------------------------------------------------------------------------ */

static enum peer_mode mode_of(const struct config *config, const struct spimend_address *peer)
{
	for (uint32_t i = 0; i < config->peer_count; i++)
		if (spimend_address_equal(&config->peers[i].address, peer))
			return config->peers[i].mode;
	return PEER_DEFAULT;
}

/* Who is let alone by the file stays so. */
static bool peers_are_within(const struct config *config, const struct config *ceiling)
{
	for (uint32_t i = 0; i < ceiling->peer_count; i++) {
		enum peer_mode file = ceiling->peers[i].mode, now = mode_of(config, &ceiling->peers[i].address);

		if ((file == PEER_IGNORE || file == PEER_OBSERVE) && now != PEER_IGNORE && now != PEER_OBSERVE)
			return false;
	}
	return true;
}

static bool logins_are_same(const struct config_login *a, const struct config_login *b)
{
	return a && b && memcmp(a, b, sizeof(*a)) == 0;
}

/* A person who is asked by the file is asked. */
static bool asks_as_much(const struct config_devices *now, const struct config_device *one,
			 const struct config_devices *file, const struct config_device *of_file)
{
	for (int step = 0; step < SDWAN_STEPS; step++)
		if (device_is_unattended(now, one, (enum sdwan_step)step) &&
		    !device_is_unattended(file, of_file, (enum sdwan_step)step))
			return false;
	return true;
}

/* Fewer devices, fewer logins, fewer rights: nothing else. */
static bool devices_are_within(const struct config *config, const struct config *ceiling)
{
	const struct config_devices *now = &config->devices, *file = &ceiling->devices;

	for (uint32_t i = 0; i < now->count; i++) {
		const struct config_device *one = &now->at[i];
		int32_t place = device_find(file, text_of(one->name));
		const struct config_device *of_file = place < 0 ? NULL : &file->at[place];

		if (!of_file || !spimend_address_equal(&one->address, &of_file->address) || one->platform != of_file->platform ||
		    (one->may_repair && !of_file->may_repair) ||
		    memcmp(&one->windows, &of_file->windows, sizeof(one->windows)) != 0 ||
		    !asks_as_much(now, one, file, of_file))
			return false;
		if (one->login && (one->port != of_file->port ||
				   !logins_are_same(device_login(now, one), device_login(file, of_file))))
			return false;
	}
	return true;
}

#define SAME(member) (memcmp(&config->member, &ceiling->member, sizeof(config->member)) == 0)

bool config_is_within(const struct config *config, const struct config *ceiling, const char **ret_what)
{
	const struct {
		bool is_within;
		const char *what;
	} checks[] = {
		{ SAME(user), "user" },
		{ SAME(state_directory), "state-directory" },
		{ SAME(control_socket), "control-socket" },
		{ SAME(control_group), "control-group" },
		{ SAME(operators), "operators" },
		{ SAME(interfaces) && SAME(interface_count) && SAME(daemons) && SAME(plugins) && SAME(daemon_count) &&
		  SAME(encap_ports) && SAME(encap_port_count) && SAME(sense_audit) && SAME(sense_xfrm), "sense" },
		{ SAME(ledger_max) && SAME(flows_max) && SAME(incidents_max), "limit" },
		{ SAME(dial_user) && SAME(notify.tls_trust) && SAME(notify.tls_certificate) && SAME(notify.tls_key), "dial" },
		{ SAME(hooks), "hook" }, /* a file that the parent reads, a program that is run */
		{ SAME(keep_incidents) && SAME(keep_days), "keep" },
		{ SAME(notify.trap_port), "sense trap-port" },
		{ SAME(recorder), "evidence" }, /* nobody who types makes the evidence of it go away */
		{ SAME(web), "web" }, /* who may reach in */
		{ SAME(syslog), "syslog" }, /* who is heard, and files that the parent reads */
		{ SAME(notify.users) && SAME(notify.user_count), "snmp-server user" }, /* files that the parent reads */
		{ config->mode <= ceiling->mode, "mode" },
		{ !config->invalid_spi_recovery || ceiling->invalid_spi_recovery, "crypto isakmp invalid-spi-recovery" },
		{ peers_are_within(config, ceiling), "peer" },
		{ SAME(devices.known_hosts), "ssh known-hosts" },
		{ SAME(devices.usual) && SAME(devices.usual_port), "ssh user" },
		{ SAME(devices.usual_windows), "fleet window" },
		{ devices_are_within(config, ceiling), "device" },
		{ config->per_peer_count <= ceiling->per_peer_count && config->per_peer_ns >= ceiling->per_peer_ns,
		  "repair limit per-peer" },
		{ config->global_count <= ceiling->global_count && config->global_ns >= ceiling->global_ns, "repair limit global" },
		{ config->concurrent <= ceiling->concurrent, "repair concurrent" },
		{ config->breaker_peers <= ceiling->breaker_peers && config->breaker_ns >= ceiling->breaker_ns, "repair breaker" },
		{ config->pace_ns >= ceiling->pace_ns, "repair pace" },
		{ config->backoff_ns >= ceiling->backoff_ns && config->backoff_most_ns >= ceiling->backoff_most_ns,
		  "repair back-off" },
		{ config->step_attempts <= ceiling->step_attempts, "repair attempts" },
		{ SAME(order_timeout_ns), "repair order-timeout" },
		{ config->fleet_wait_ns >= ceiling->fleet_wait_ns, "fleet wait" },
		{ config->fleet_burst_wait_ns >= ceiling->fleet_burst_wait_ns, "fleet burst-wait" },
	};

	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		if (!checks[i].is_within) {
			*ret_what = checks[i].what;
			return false;
		}
	}
	return true;
}
