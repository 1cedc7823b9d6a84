/* SPDX-License-Identifier: MIT */
#include "port.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "eem/eem.h"
#include "parse/config.h"

static struct spimend_address address(const char *text)
{
	struct spimend_address a;

	memset(&a, 0, sizeof(a));
	if (spimend_address_parse(text, strlen(text), &a) != 0)
		abort();
	return a;
}

/* --- The port --------------------------------------------------------------------------------------------------------- */

static void view(void *context, struct exec_view *ret)
{
	struct world *w = context;

	w->figures = core_figures(w->core, w->now);
	*ret = (struct exec_view){ .core = w->core, .config = &w->config, .figures = &w->figures, .now = w->now,
				   .started = { w->now.wall.ns - 2 * DAY_NS }, .up_ns = 2 * DAY_NS, .cleared = w->cleared,
				   .links = w->links_unreadable ? NULL : &w->link_list,
				   .links_error = w->links_unreadable ? -EPERM : 0,
				   .neighbours = w->links_unreadable ? NULL : &w->neighbour_list,
				   .logbook = w->logbook, .debug = &w->debug, .eem = w->eem,
				   .tracks = w->tracks, .track_count = w->config.track_count };
}

static int page(void *context, enum exec_page which, const char *id, bool json, struct buffer *out)
{
	struct world *w = context;

	if (which == EXEC_PAGE_INCIDENT && strcmp(id, "k3v9q2") != 0)
		return -ENOENT;
	if (which == EXEC_PAGE_RUNNING)
		buffer_add(out, buffer_text(&w->running));
	else
		buffer_printf(out, "(page %d%s%s)\n", which, id[0] ? " " : "", id);
	(void)json;
	return 0;
}

static int clear_peer(void *context, const struct exec_who *who, const struct spimend_address *peer, struct buffer *out,
		      struct buffer *why)
{
	struct world *w = context;
	char text[SPIMEND_ADDRESS_TEXT_MAX];

	(void)who;
	if (peer->bytes[0] == 203) {
		buffer_add_string(why, "the mode is advise: nothing is changed");
		return -EPERM;
	}
	buffer_printf(&w->cleared_peers, "%s\n", spimend_address_print(peer, text));
	buffer_printf(out, "1 SA with %s is renewed\n", text);
	return 0;
}

static void clear_counters(void *context)
{
	struct world *w = context;

	exec_cleared_free(w->cleared);
	w->cleared = NULL;
	if (exec_cleared_new(w->core, &w->cleared) < 0)
		abort();
}

static void clear_log(void *context)
{
	logbook_clear(((struct world *)context)->logbook);
}

static void set_debug(void *context, const struct debug_state *state)
{
	((struct world *)context)->debug = *state;
}

static size_t find_file(const struct world *w, const char *name)
{
	size_t i = 0;

	while (i < w->file_count && strcmp(w->files[i].name, name) != 0)
		i++;
	return i;
}

static int write_file(void *context, const char *name, bool append, struct text bytes, struct buffer *why)
{
	struct world *w = context;
	size_t i = find_file(w, name);

	if (i == WORLD_FILES_MAX) {
		buffer_add_string(why, "too many files");
		return -ENOSPC;
	}
	if (i == w->file_count)
		snprintf(w->files[w->file_count++].name, sizeof(w->files[0].name), "%s", name);
	if (!append)
		buffer_clear(&w->files[i].text);
	buffer_add(&w->files[i].text, bytes);
	return 0;
}

static int list_files(void *context, bool json, struct buffer *out, struct buffer *why)
{
	struct world *w = context;

	(void)why;
	for (size_t i = 0; i < w->file_count; i++)
		buffer_printf(out, json ? "{\"name\":\"%s\",\"bytes\":%zu}\n" : "%s %zu\n", w->files[i].name, w->files[i].text.len);
	return 0;
}

static int read_file(void *context, const char *name, struct buffer *out, struct buffer *why)
{
	struct world *w = context;
	size_t i = find_file(w, name);

	if (i == w->file_count) {
		buffer_printf(why, "%s: No such file or directory", name);
		return -ENOENT;
	}
	buffer_add(out, buffer_text(&w->files[i].text));
	return 0;
}

static int delete_file(void *context, const char *name, struct buffer *why)
{
	struct world *w = context;
	size_t i = find_file(w, name);

	if (i == w->file_count) {
		buffer_printf(why, "%s: No such file or directory", name);
		return -ENOENT;
	}
	buffer_done(&w->files[i].text);
	w->files[i] = w->files[--w->file_count];
	memset(&w->files[w->file_count], 0, sizeof(w->files[0]));
	return 0;
}

/* The first is up since 10 minutes, the others are not known. */
static void track(struct world *w)
{
	memset(w->tracks, 0, sizeof(w->tracks));
	for (uint32_t i = 0; i < w->config.track_count; i++)
		w->tracks[i] = (struct track_state){ .track = w->config.tracks[i], .known = i == 0, .is_up = i == 0, .changes = i == 0,
						     .changed_ns = w->now.mono_ns - 10 * MINUTE_NS };
}

static int engine(struct world *w, struct eem_policies *policies)
{
	struct eem_settings settings;

	if (w->eem)
		return eem_reconfigure(w->eem, policies, w->now);
	eem_settings_default(&settings);
	return eem_new(policies, &settings, 1, w->now, &w->eem);
}

/* As the daemon does: the change over what runs, the applets compiled with what is typed, all of it printed anew. */
static int compile(struct world *w, struct text lines, struct buffer *why)
{
	cleanup(buffer_done) struct buffer text = { 0 };
	struct eem_policies *policies = NULL;
	struct eem_report report = { 0 };
	int r;

	buffer_add(&text, buffer_text(&w->applets));
	buffer_add(&text, lines);
	if (eem_compile(buffer_text(&text), &policies, &report) < 0)
		abort();
	for (uint32_t i = 0; i < report.kept; i++)
		if (report.findings[i].level == EEM_ERROR)
			buffer_printf(why, "%s\n", report.findings[i].text);
	if (report.foreign_lines)
		buffer_add_string(why, "a line is none of an applet\n");
	r = why->len ? -EINVAL : 0;
	if (r == 0) {
		buffer_clear(&w->applets);
		eem_policies_print(policies, &w->applets);
		if (engine(w, policies) < 0)
			abort();
	}
	eem_policies_release(policies);
	eem_report_done(&report);
	return r;
}

static int configure(void *context, const struct exec_who *who, const struct exec_change *change, struct buffer *out,
		     struct buffer *why)
{
	struct world *w = context;
	cleanup(memory_free_pointer) struct config_report *report = memory_new(1, sizeof(*report));
	cleanup(memory_free_pointer) struct config *config = memory_new(1, sizeof(*config));
	enum config_block block = change->block == EXEC_BLOCK_SPIMEND ? CONFIG_SPIMEND : CONFIG_TOP;
	bool eem;

	(void)who;
	(void)out;
	if (config_change(&w->config, change->lines, block, config, &eem, report) < 0) {
		buffer_add_string(why, report->problems[0].text);
		return -EINVAL;
	}
	if (eem && compile(w, change->lines, why) < 0)
		return -EINVAL;
	w->config = *config;
	track(w);
	buffer_clear(&w->running);
	config_print(&w->config, &w->running);
	buffer_add(&w->running, buffer_text(&w->applets));
	return 0;
}

static int write_startup(void *context, struct exec_session *session, struct buffer *why)
{
	(void)why;
	((struct world *)context)->writes = session;
	return 0;
}

/* One device, which answers later: what it prints is given by whoever drives the test. */
static int on_device(void *context, struct exec_session *session, struct text device, struct text line, struct buffer *why)
{
	struct world *w = context;

	if (!text_equal(device, TEXT("spoke1"))) {
		buffer_printf(why, "no device '%.*s' is configured", TEXT_ARG(device));
		return -ENOENT;
	}
	w->asks = session;
	text_copy(line, w->asked, sizeof(w->asked));
	return 0;
}

static int say_word(void *context, const struct exec_who *who, const char *id, uint32_t step, bool approves,
		    struct buffer *out, struct buffer *why)
{
	(void)context;
	if (strcmp(id, "k3v9q2") != 0 || step != 1) {
		buffer_printf(why, "incident %s has no step %u", id, step);
		return -ENOENT;
	}
	buffer_printf(out, "%s %s step 1 of k3v9q2\n", who->name, approves ? "agreed to" : "said no to");
	return 0;
}

static int journal(void *context, struct text device, bool json, struct buffer *out, struct buffer *why)
{
	(void)context;
	if (!text_equal(device, TEXT("spoke1"))) {
		buffer_printf(why, "no device '%.*s' is configured", TEXT_ARG(device));
		return -ENOENT;
	}
	buffer_add_string(out, json ? "{\"lines\":[\"show clock\"]}\n" : "2026-11-22T10:20:00.000Z uid 0: show clock\n");
	return 0;
}

static int run_applet(void *context, struct exec_session *session, const char *name, struct text arguments,
		      struct buffer *why)
{
	struct world *w = context;

	if (strcmp(name, "asks") == 0) { /* it is waited for */
		w->waits = session;
		return 1;
	}
	if (strcmp(name, "hello") != 0) {
		struct eem_output output;

		if (w->eem && eem_run(w->eem, text_of(name), NULL, 0, 0, w->now, NULL) == 0) {
			while (eem_next(w->eem, &output))
				;
			return 0;
		}
		buffer_printf(why, "no applet %s", name);
		return -ENOENT;
	}
	buffer_printf(&w->accounts, "hello runs with '%.*s'\n", TEXT_ARG(arguments));
	return 0;
}

static enum exec_typed typed(void *context, struct exec_session *session, enum exec_key key, struct text line)
{
	static const char *const keys[] = { "enter", "tab", "?" };
	struct world *w = context;

	(void)session;
	buffer_printf(&w->typed, "%s: %.*s\n", keys[key], TEXT_ARG(line));
	return w->answer;
}

static void account(void *context, const struct exec_who *who, struct text line)
{
	buffer_printf(&((struct world *)context)->accounts, "%s: %.*s\n", who->name, TEXT_ARG(line));
}

/* --- The gateway ------------------------------------------------------------------------------------------------------ */

static struct ike_sa ike(uint32_t id, const char *name, const char *local, const char *remote)
{
	struct ike_sa s;

	memset(&s, 0, sizeof(s));
	s.id = id;
	s.version = 2;
	s.state = IKE_ESTABLISHED;
	s.initiator = true;
	s.local = address(local);
	s.remote = address(remote);
	s.local_port = s.remote_port = 500;
	s.spi_ours = 0x1122334455667700u + id;
	s.spi_theirs = 0x8877665544332200u + id;
	s.established_s = 4000;
	s.has_rekey = true;
	s.rekey_s = 10400;
	s.algorithms = (struct sa_algorithms){ .encryption = "AES_CBC", .integrity = "HMAC_SHA2_256_128", .key_bits = 256,
					       .prf = "PRF_HMAC_SHA2_256", .group = "ECP_256" };
	snprintf(s.name, sizeof(s.name), "%s", name);
	return s;
}

static struct child_sa child(uint32_t id, const struct ike_sa *of, const char *name)
{
	struct child_sa c;

	memset(&c, 0, sizeof(c));
	c.ike_id = of->id;
	c.id = id;
	c.state = CHILD_INSTALLED;
	c.protocol = 50;
	c.has_spi_in = c.has_spi_out = c.has_counters = c.has_use_in = c.has_install = c.has_life = true;
	c.spi_in = 0xc0de0000u + id;
	c.spi_out = 0xbeef0000u + id;
	c.local = of->local;
	c.remote = of->remote;
	c.packets_in = 100 * id;
	c.packets_out = 200 * id;
	c.bytes_in = 8400 * id;
	c.bytes_out = 16800 * id;
	c.use_in_s = 3;
	c.install_s = 600;
	c.life_s = 3360;
	snprintf(c.ike, sizeof(c.ike), "%s", of->name);
	snprintf(c.child, sizeof(c.child), "%s", name);
	c.connection = connection_id(0, text_of(c.ike), text_of(c.child));
	return c;
}

static struct selector selector(const char *from, const char *to, uint8_t protocol, const char *port)
{
	struct selector s;

	memset(&s, 0, sizeof(s));
	s.from = address(from);
	s.to = address(to);
	s.protocol = protocol;
	snprintf(s.port, sizeof(s.port), "%s", port);
	return s;
}

/* Two networks here, a range of one port there, and one more that was not kept. */
static void select_networks(struct child_sa *c)
{
	c->mode = CHILD_MODE_TUNNEL;
	c->algorithms = (struct sa_algorithms){ .encryption = "AES_CBC", .integrity = "HMAC_SHA2_256_128", .key_bits = 256,
						.group = "MODP_2048", .esn = true };
	c->local_ts.count = 2;
	c->local_ts.at[0] = selector("10.1.0.0", "10.1.255.255", 0, "0");
	c->local_ts.at[1] = selector("0.0.0.0", "255.255.255.255", 0, "0");
	c->remote_ts.count = c->remote_ts.more = 1;
	c->remote_ts.at[0] = selector("10.2.0.3", "10.2.0.9", 6, "443");
}

/* GRE between the two ends. */
static void select_gre(struct child_sa *c)
{
	c->mode = CHILD_MODE_TRANSPORT;
	c->algorithms = (struct sa_algorithms){ .encryption = "AES_GCM_16", .key_bits = 256 };
	c->local_ts.count = c->remote_ts.count = 1;
	c->local_ts.at[0] = selector("192.0.2.1", "192.0.2.1", 47, "0");
	c->remote_ts.at[0] = selector("198.51.100.9", "198.51.100.9", 47, "0");
}

/* IKEv1 through a NAT: GRE in transport mode, and the SA that its rekey left behind. */
static void tell_third(struct core *core)
{
	struct ike_sa three = ike(3, "dmvpn", "192.0.2.1", "198.51.100.9");
	struct child_sa old, now;

	three.version = 1;
	three.initiator = false;
	three.nat = true;
	three.local_port = three.remote_port = 4500;
	core_snapshot_ike(core, &three);
	old = child(3, &three, "gre");
	now = child(4, &three, "gre");
	old.state = CHILD_REKEYED;
	select_gre(&old);
	select_gre(&now);
	old.gre = now.gre = old.encap_udp = now.encap_udp = true;
	core_snapshot_child(core, &old);
	core_snapshot_child(core, &now);
}

/* A multipoint device: it leads to the third peer. */
static void tell_devices(struct core *core, struct moment now)
{
	struct gre_device gre1 = { .name = "gre1" };

	gre1.local = address("192.0.2.1");
	core_gre_begin(core);
	core_gre_device(core, &gre1);
	core_gre_end(core, now);
}

static void tell_connections(struct core *core, struct moment now)
{
	struct connection c = { .ike = "spoke1", .child = "net", .ike_version = 2, .remote_count = 1 };

	c.id = connection_id(0, text_of(c.ike), text_of(c.child));
	c.remote[0] = address("192.0.2.7");
	core_connections_begin(core, 0);
	core_connection(core, &c);
	c = (struct connection){ .ike = "dmvpn", .child = "gre", .ike_version = 1, .transport_mode = true, .gre = true,
				 .remote_count = 1 };
	c.id = connection_id(0, text_of(c.ike), text_of(c.child));
	c.remote[0] = address("198.51.100.9");
	core_connection(core, &c);
	/* Nothing is up towards these two; the third may be anybody, who cannot be missed. */
	c = (struct connection){ .ike = "spoke5", .child = "net", .ike_version = 2, .remote_count = 2 };
	c.id = connection_id(0, text_of(c.ike), text_of(c.child));
	c.remote[0] = address("198.51.100.5");
	c.remote[1] = address("198.51.100.55");
	core_connection(core, &c);
	c = (struct connection){ .ike = "anybody", .child = "net", .ike_version = 2, .dynamic_peer = true };
	c.id = connection_id(0, text_of(c.ike), text_of(c.child));
	core_connection(core, &c);
	core_connections_end(core, 0, now);
}

/* Strays with an SPI that was never ours, 5 over IPv4 and 3 over IPv6, and the kernel's counters, one of them missing. */
static void tell_drops(struct core *core, struct moment now)
{
	struct xfrm_counters counters = { .present = 1u << XFRM_IN_STATE_INVALID | 1u << XFRM_IN_STATE_EXPIRED };
	struct sighting s = { .witness = WITNESS_PACKET, .protocol = 50, .spi = 0xbadbad01, .packets = 5 };

	s.first_ns = s.last_ns = now.mono_ns - SECOND_NS;
	s.src = address("192.0.2.7");
	s.dst = address("192.0.2.1");
	core_sighting(core, &s, now);
	s.packets = 3;
	s.src = address("2001:db8::7");
	s.dst = address("2001:db8::1");
	core_sighting(core, &s, now);
	counters.value[XFRM_IN_STATE_INVALID] = 2;
	counters.value[XFRM_IN_STATE_EXPIRED] = 9;
	core_counters(core, &counters, now);
}

static void tell_core(struct world *w)
{
	struct daemon_state up = { .up = true, .has_boot = true, .version = "5.9.8" };
	struct ike_sa one = ike(1, "spoke1", "192.0.2.1", "192.0.2.7"), two = ike(2, "spoke2", "2001:db8::1", "2001:db8::7");
	struct ike_sa four = ike(4, "spoke4", "192.0.2.1", "198.51.100.4");
	struct child_sa first = child(1, &one, "net"), second = child(2, &two, "six");
	struct core_output output;

	up.boot = (struct instant){ w->now.wall.ns - DAY_NS };
	core_daemon(w->core, &up, w->now);
	tell_connections(w->core, w->now);
	tell_devices(w->core, w->now);
	core_snapshot_begin(w->core, 0, 0, w->now);
	core_snapshot_ike(w->core, &one);
	core_snapshot_ike(w->core, &two);
	select_networks(&first);
	core_snapshot_child(w->core, &first);
	core_snapshot_child(w->core, &second);
	tell_third(w->core);
	four.state = IKE_CONNECTING;
	core_snapshot_ike(w->core, &four);
	core_snapshot_end(w->core, 0, true, w->now);
	tell_drops(w->core, w->now);
	while (core_next(w->core, &output))
		;
}

static struct link link_of(uint32_t index, const char *name, const char *at, uint8_t prefix, bool up)
{
	struct link l;

	memset(&l, 0, sizeof(l));
	l.index = index;
	l.admin_up = l.running = up;
	l.mtu = 1500;
	snprintf(l.name, sizeof(l.name), "%s", name);
	if (at) {
		l.addresses[0].address = address(at);
		l.addresses[0].prefix = prefix;
		l.address_count = 1;
	}
	return l;
}

static struct neighbour neighbour_of(uint32_t link, const char *at, const char *nbma, bool resolved)
{
	struct neighbour n;

	memset(&n, 0, sizeof(n));
	n.link = link;
	n.address = address(at);
	n.nbma = address(nbma);
	n.resolved = resolved;
	return n;
}

static void begin(struct world *w)
{
	static const char text[] = "hostname hub\nspimend\n mode repair\n sense interface eth0\n sense strongswan /run/charon.vici\n";
	cleanup(memory_free_pointer) struct config_report *report = memory_new(1, sizeof(*report));

	if (config_parse(TEXT(text), &w->config, report) < 0)
		abort();
	config_print(&w->config, &w->running);
	w->now.mono_ns = 3 * DAY_NS;
	w->now.wall.ns = 1756820207 * SECOND_NS; /* Tue Sep  2 13:36:47 2025 UTC */
	w->logbook = logbook_new(LOGBOOK_BYTES_MIN);
	if (!w->logbook)
		abort();
	logbook_add(w->logbook, w->now.wall, 4, false, TEXT("%CRYPTO-4-RECVD_PKT_INV_SPI: decaps: an \033[7mexample"));
	logbook_add(w->logbook, w->now.wall, 7, true, TEXT("IPSEC(child): closing CHILD_SA"));
	w->links[0] = link_of(1, "lo", "127.0.0.1", 8, true);
	w->links[1] = link_of(2, "eth0", "192.0.2.1", 24, true);
	w->links[2] = link_of(3, "eth1", NULL, 0, false);
	w->links[3] = link_of(4, "gre1", "10.0.0.1", 24, true);
	w->link_list = (struct link_list){ .at = w->links, .count = 4 };
	w->neighbours[0] = neighbour_of(4, "10.0.0.9", "198.51.100.9", true);
	w->neighbours[1] = neighbour_of(4, "10.0.0.10", "198.51.100.9", false);
	w->neighbours[2] = neighbour_of(4, "10.0.0.5", "198.51.100.5", true); /* to whom there is no SA */
	w->neighbours[3] = neighbour_of(9, "10.9.0.9", "198.51.100.9", true); /* of another device */
	w->neighbour_list = (struct neighbour_list){ .at = w->neighbours, .count = 4 };
	w->port = (struct exec_port){ .context = w, .view = view, .page = page, .clear_peer = clear_peer,
				      .clear_counters = clear_counters, .clear_log = clear_log, .set_debug = set_debug,
				      .write_file = write_file, .list_files = list_files, .read_file = read_file,
				      .delete_file = delete_file, .configure = configure, .write_startup = write_startup,
				      .run_applet = run_applet, .on_device = on_device, .journal = journal,
				      .say_word = say_word, .typed = typed, .account = account };
}

static void end(struct world *w)
{
	for (size_t i = 0; i < w->file_count; i++)
		buffer_done(&w->files[i].text);
	buffer_done(&w->running);
	buffer_done(&w->applets);
	buffer_done(&w->accounts);
	eem_free(w->eem);
	buffer_done(&w->typed);
	buffer_done(&w->cleared_peers);
	exec_cleared_free(w->cleared);
	logbook_free(w->logbook);
}

void world_init(struct world *w)
{
	static const struct hash_key key = { 1, 2 };
	cleanup(memory_free_pointer) struct config *small = memory_new(1, sizeof(*small));

	memset(w, 0, sizeof(*w));
	begin(w);
	*small = w->config; /* a core makes room for all of its ledger at once */
	small->ledger_max = 64;
	if (core_new(small, &key, 1, w->now, &w->core) < 0)
		abort();
	tell_core(w);
}

void world_reset(struct world *w)
{
	struct core *core = w->core; /* no command changes it */

	end(w);
	memset(w, 0, sizeof(*w));
	w->core = core;
	begin(w);
}

void world_done(struct world *w)
{
	end(w);
	core_free(w->core);
}
