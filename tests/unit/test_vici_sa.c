/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "parse/vici_field.h"
#include "parse/vici_info.h"
#include "parse/vici_sa.h"
#include "spimend/error.h"
#include "vici_fixture.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct children {
	size_t count;
	struct child_sa all[4];
};

static void keep(void *context, const struct child_sa *child)
{
	struct children *c = context;

	assert_true(c->count < COUNT(c->all));
	assert_true(gateway_valid_child(child));
	c->all[c->count++] = *child;
}

static bool is_at(const struct spimend_address *a, const char *text)
{
	char printed[SPIMEND_ADDRESS_TEXT_MAX];

	return strcmp(spimend_address_print(a, printed), text) == 0;
}

static struct ike_sa read_list(const char *name, struct children *children)
{
	struct vici_reading reading;
	struct vici_packet packet;
	struct ike_sa ike;
	struct fixture f;

	packet = fixture_read(&f, "vici", name);
	assert_true(text_equal(packet.name, TEXT("list-sa")));
	assert_int_equal(vici_read_ike(3, packet.message, &ike, &reading), 0);
	assert_int_equal(reading.ignored, 0);
	assert_true(gateway_valid_ike(&ike));
	assert_int_equal(vici_each_child(3, packet.message, &ike, keep, children, &reading), 0);
	assert_int_equal(reading.ignored, 0);
	return ike;
}

static void a_listed_sa_tells_all_that_it_has(void **state)
{
	struct children children = { 0 };
	struct ike_sa ike = read_list("v2-list-sas-0", &children);
	const struct child_sa *c = &children.all[0];

	(void)state;
	assert_int_equal(ike.daemon, 3);
	assert_int_equal(ike.id, 1);
	assert_string_equal(ike.name, "net");
	assert_int_equal(ike.version, 2);
	assert_int_equal(ike.state, IKE_ESTABLISHED);
	assert_false(ike.initiator);
	assert_true(ike.nat);
	assert_false(ike.busy);
	assert_true(is_at(&ike.local, "10.1.1.2") && is_at(&ike.remote, "10.1.1.1"));
	assert_int_equal(ike.local_port, 4500);
	assert_true(ike.spi_theirs == UINT64_C(0xab79840685048871) && ike.spi_ours == UINT64_C(0x20287ba705ccbc33));
	assert_int_equal(ike.established_s, 1);
	assert_int_equal(children.count, 1);
	assert_int_equal(c->ike_id, 1);
	assert_int_equal(c->id, 1);
	assert_true(c->connection == connection_id(3, TEXT("net"), TEXT("net")));
	assert_int_equal(c->state, CHILD_INSTALLED);
	assert_int_equal(c->protocol, 50);
	assert_true(c->encap_udp && c->has_spi_in && c->has_spi_out && c->has_counters && c->has_use_in && c->has_install &&
		    c->has_life);
	assert_int_equal(c->spi_in, 0x5432de9f);
	assert_int_equal(c->spi_out, 0xe1306e47);
	assert_int_equal(c->mark_in, 0x2a);
	assert_int_equal(c->packets_in, 3);
	assert_int_equal(c->bytes_out, 252);
	assert_int_equal(c->use_in_s, 0);
	assert_int_equal(c->life_s, 3959);
	assert_true(is_at(&c->local, "10.1.1.2") && is_at(&c->remote, "10.1.1.1"));
}

static void a_rekeyed_ikev2_child_is_listed_as_deleted_under_the_new_ike_sa(void **state)
{
	struct children children = { 0 };
	struct ike_sa ike = read_list("v2-after-list-sas-0", &children);

	(void)state;
	assert_int_equal(ike.id, 2);
	assert_true(ike.initiator);
	assert_true(ike.spi_ours == UINT64_C(0x02941d58632cd087));
	assert_int_equal(children.count, 2);
	assert_int_equal(children.all[0].state, CHILD_DELETING);
	assert_int_equal(children.all[0].ike_id, 2);
	assert_int_equal(children.all[1].state, CHILD_INSTALLED);
	assert_false(children.all[1].has_use_in); /* absent: no packet came */
}

static void a_rekeyed_ikev1_child_stays_as_rekeyed(void **state)
{
	struct children children = { 0 };
	struct ike_sa ike = read_list("v1-after-list-sas-0", &children);

	(void)state;
	assert_int_equal(ike.version, 1);
	assert_int_equal(children.count, 2);
	assert_int_equal(children.all[0].state, CHILD_REKEYED);
	assert_int_equal(children.all[0].mark_in, 0);
}

static void child_events_say_what_happened_to_whom(void **state)
{
	static const struct {
		const char *name;
		enum child_change change;
		uint32_t id, successor;
		enum child_state state;
	} rows[] = {
		{ "v2-child-updown-up", CHILD_UP, 1, 0, CHILD_INSTALLED },
		{ "v1-child-updown-up", CHILD_UP, 1, 0, CHILD_INSTALLED },
		{ "v2-child-rekey", CHILD_REKEY, 1, 2, CHILD_REKEYED },
		{ "v1-child-rekey", CHILD_REKEY, 1, 2, CHILD_REKEYING },
		{ "v2-child-updown", CHILD_DOWN, 2, 0, CHILD_INSTALLED },
		{ "v1-child-updown", CHILD_DOWN, 2, 0, CHILD_DELETING },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct vici_reading reading;
		struct vici_packet packet;
		struct child_event e;
		struct fixture f;
		int r;

		packet = fixture_read(&f, "vici", rows[i].name);
		r = rows[i].change == CHILD_REKEY ? vici_read_child_rekey(0, packet.message, &e, &reading) :
						    vici_read_child_updown(0, packet.message, &e, &reading);
		assert_int_equal(r, 0);
		assert_int_equal(reading.ignored, 0);
		assert_true(gateway_valid_child_event(&e));
		assert_int_equal(e.change, rows[i].change);
		assert_int_equal(e.child.id, rows[i].id);
		assert_int_equal(e.child.state, rows[i].state);
		assert_string_equal(e.child.child, "net");
		assert_int_equal(e.has_successor, rows[i].successor != 0);
		assert_int_equal(e.successor.id, rows[i].successor);
		assert_int_equal(e.successor.state, rows[i].successor ? CHILD_INSTALLED : CHILD_OTHER);
		if (e.has_successor)
			assert_true(e.successor.spi_in != e.child.spi_in && e.successor.connection == e.child.connection);
	}
}

static void ike_events_say_what_happened_to_whom(void **state)
{
	struct vici_reading reading;
	struct vici_packet packet;
	struct ike_event e;
	struct fixture f;

	(void)state;
	packet = fixture_read(&f, "vici", "v2-ike-updown-up");
	assert_int_equal(vici_read_ike_updown(0, packet.message, &e, &reading), 0);
	assert_int_equal(e.change, IKE_UP);
	assert_true(e.ike.busy && e.ike.id == 1);
	packet = fixture_read(&f, "vici", "v1-ike-updown");
	assert_int_equal(vici_read_ike_updown(0, packet.message, &e, &reading), 0);
	assert_int_equal(e.change, IKE_DOWN);
	assert_int_equal(e.ike.state, IKE_DELETING);
	packet = fixture_read(&f, "vici", "v2-ike-rekey");
	assert_int_equal(vici_read_ike_rekey(0, packet.message, &e, &reading), 0);
	assert_int_equal(e.change, IKE_REKEY);
	assert_true(e.has_successor && e.ike.id == 1 && e.successor.id == 2);
	assert_int_equal(e.ike.state, IKE_REKEYING);
	assert_string_equal(e.successor.name, "net");
	assert_true(gateway_valid_ike_event(&e));
	packet = fixture_read(&f, "vici", "v2-ike-update");
	assert_int_equal(vici_read_ike_update(0, packet.message, &e, &reading), 0);
	assert_int_equal(e.change, IKE_UPDATE);
	assert_true(e.has_successor && e.ike.local_port == 500 && e.successor.local_port == 4500);
	assert_int_equal(e.ike.state, IKE_CONNECTING);
	assert_int_equal(e.successor.id, e.ike.id);
}

static void text_key(struct buffer *b, const char *key, const char *value)
{
	vici_write_key(b, text_of(key), text_of(value));
}

/* An SA with whatever a later charon may print. */
static void unknown_words_are_other_and_odd_values_are_counted(void **state)
{
	static char longest[VICI_NAME_MAX];
	struct children children = { 0 };
	struct vici_reading reading;
	struct buffer b = { 0 };
	struct ike_sa ike;

	(void)state;
	memset(longest, 'n', sizeof(longest));
	memcpy(longest + GATEWAY_NAME_MAX - 2, "\xc3\xa4", 2); /* would be cut in the middle */
	vici_write_section(&b, (struct text){ longest, sizeof(longest) });
	text_key(&b, "uniqueid", "4294967295");
	text_key(&b, "version", "3");
	text_key(&b, "state", "DREAMING");
	text_key(&b, "local-host", "%any");
	text_key(&b, "remote-host", "not an address");
	text_key(&b, "remote-port", "65536");
	text_key(&b, "established", "-7");
	text_key(&b, "brand-new", "x");
	vici_write_list(&b, TEXT("tasks-queued"));
	vici_write_item(&b, TEXT("QUICK_DELETE"));
	vici_write_list_end(&b);
	vici_write_section(&b, TEXT("child-sas"));
	vici_write_section(&b, TEXT("a"));
	text_key(&b, "name", "a\nb");
	text_key(&b, "uniqueid", "7");
	text_key(&b, "state", "SLEEPING");
	text_key(&b, "protocol", "AH");
	text_key(&b, "spi-in", "xyz");
	text_key(&b, "life-time", "-30");
	vici_write_section_end(&b);
	vici_write_section(&b, TEXT("b"));
	text_key(&b, "name", "without an id");
	vici_write_section_end(&b);
	vici_write_section_end(&b);
	assert_int_equal(vici_write_section_end(&b), 0);
	assert_int_equal(vici_read_ike(0, buffer_text(&b), &ike, &reading), 0);
	assert_int_equal(reading.ignored, 2); /* the address and the port */
	assert_int_equal(ike.id, UINT32_MAX);
	assert_int_equal(ike.version, 0);
	assert_int_equal(ike.state, IKE_OTHER);
	assert_int_equal(ike.established_s, 0);
	assert_true(ike.busy && ike.child_task);
	assert_int_equal(strlen(ike.name), GATEWAY_NAME_MAX - 2);
	assert_false(spimend_address_known(&ike.local));
	assert_int_equal(vici_each_child(0, buffer_text(&b), &ike, keep, &children, &reading), 0);
	assert_int_equal(reading.ignored, 2); /* the SPI, the child without an id */
	assert_int_equal(children.count, 1);
	assert_string_equal(children.all[0].child, "a?b");
	assert_true(children.all[0].connection ==
		    connection_id(0, (struct text){ longest, sizeof(longest) }, TEXT("a\nb")));
	assert_int_equal(children.all[0].state, CHILD_OTHER);
	assert_int_equal(children.all[0].protocol, 51);
	assert_false(children.all[0].has_spi_in);
	assert_true(children.all[0].has_life && children.all[0].life_s == 0);
	buffer_done(&b);
}

static void no_sa_and_no_id_are_told_apart_and_leave_the_result_alone(void **state)
{
	struct vici_reading reading;
	struct ike_sa ike = { .id = 77 };
	struct child_event event = { .change = CHILD_REKEY };
	struct buffer b = { 0 };

	(void)state;
	assert_int_equal(vici_read_ike(0, TEXT_NONE, &ike, &reading), SPIMEND_E_CUT);
	vici_write_section(&b, TEXT("net"));
	text_key(&b, "state", "ESTABLISHED");
	assert_int_equal(vici_read_ike(0, buffer_text(&b), &ike, &reading), SPIMEND_E_SYNTAX);
	assert_string_equal(reading.failure.reason, "ends inside a section or list");
	vici_write_section_end(&b);
	assert_int_equal(vici_read_ike(0, buffer_text(&b), &ike, &reading), SPIMEND_E_SYNTAX);
	assert_string_equal(reading.failure.reason, "an SA without its unique id");
	buffer_clear(&b);
	vici_write_section(&b, TEXT("net"));
	text_key(&b, "uniqueid", "1");
	vici_write_section_end(&b);
	assert_int_equal(vici_read_child_updown(0, buffer_text(&b), &event, &reading), SPIMEND_E_CUT);
	assert_int_equal(vici_read_child_rekey(0, buffer_text(&b), &event, &reading), SPIMEND_E_CUT);
	assert_int_equal(event.change, CHILD_REKEY);
	assert_int_equal(ike.id, 77);
	buffer_done(&b);
}

struct connections {
	size_t count;
	struct connection all[4];
	size_t child_len;
};

static void keep_connection(void *context, const struct connection *connection, struct text ike, struct text child)
{
	struct connections *c = context;

	(void)ike;
	assert_true(c->count < COUNT(c->all));
	assert_true(gateway_valid_connection(connection));
	c->all[c->count++] = *connection;
	c->child_len = child.len;
}

static struct connections read_connections(const char *name)
{
	struct connections connections = { 0 };
	struct vici_reading reading;
	struct vici_packet packet;
	struct fixture f;

	packet = fixture_read(&f, "vici", name);
	assert_int_equal(vici_each_connection(1, packet.message, keep_connection, &connections, &reading), 0);
	return connections;
}

static void connections_tell_who_can_be_called(void **state)
{
	struct connections c = read_connections("v2-list-conns-0");
	int seen = 0;

	(void)state;
	assert_int_equal(c.count, 1);
	assert_true(c.all[0].id == connection_id(1, TEXT("net"), TEXT("net")));
	assert_false(c.all[0].dynamic_peer || c.all[0].unique_never || c.all[0].transport_mode);
	assert_int_equal(c.all[0].ike_version, 2);
	assert_int_equal(c.all[0].remote_count, 1);
	assert_true(is_at(&c.all[0].remote[0], "10.1.1.1"));
	c = read_connections("v1-list-conns-0");
	assert_int_equal(c.all[0].ike_version, 1);
	for (int i = 0; i < 3; i++) {
		char name[32];

		snprintf(name, sizeof(name), "more-list-conns-%d", i);
		c = read_connections(name);
		if (strcmp(c.all[0].ike, "roadwarriors") == 0) {
			seen++;
			assert_int_equal(c.count, 2);
			assert_true(c.all[0].dynamic_peer && c.all[0].unique_never && c.all[0].remote_count == 0);
			assert_int_equal(c.all[0].ike_version, 0);
			assert_false(c.all[0].transport_mode);
			assert_true(c.all[1].transport_mode);
		} else if (strcmp(c.all[0].ike, "spread") == 0) {
			seen++;
			assert_int_equal(c.count, 2);
			assert_true(c.all[0].dynamic_peer);
			assert_int_equal(c.all[0].remote_count, GATEWAY_REMOTES_MAX); /* one more does not fit */
			assert_true(is_at(&c.all[0].remote[1], "2001:db8::9"));
			assert_string_equal(c.all[0].child, c.all[1].child); /* cut */
			assert_true(c.all[0].id != c.all[1].id);             /* hashed in full */
			assert_int_equal(c.child_len, 69);
		}
	}
	assert_int_equal(seen, 2);
}

/* GRE in transport mode, and config mode's client: what tells their kinds (B12). */
static void gre_and_virtual_addresses_are_told(void **state)
{
	struct children gre = { 0 }, client = { 0 }, plain = { 0 };
	struct connections c = read_connections("gre-list-conns-0");
	struct ike_sa ike = read_list("gre-list-sas-0", &gre);

	(void)state;
	assert_int_equal(c.count, 1);
	assert_true(c.all[0].gre && c.all[0].transport_mode && !c.all[0].dynamic_peer);
	assert_int_equal(gre.count, 1);
	assert_true(gre.all[0].gre);
	assert_false(ike.virtual_address || gre.all[0].virtual_address);
	ike = read_list("client-list-sas-0", &client);
	assert_true(ike.virtual_address && client.all[0].virtual_address && !client.all[0].gre);
	assert_false(read_connections("client-list-conns-0").all[0].gre);
	ike = read_list("v2-list-sas-0", &plain);
	assert_false(ike.virtual_address || plain.all[0].virtual_address || plain.all[0].gre);
	assert_false(read_connections("v2-list-conns-0").all[0].gre);
}

/* All of it, and nothing else: only then it is a GRE tunnel. */
static void selectors_are_gre_or_not(void **state)
{
	static const struct {
		const char *local, *remote;
		bool gre;
	} rows[] = {
		{ "dynamic[gre]", "dynamic[gre]", true }, { "192.0.2.1/32[47]", "2001:db8::1/128[47]", true },
		{ "dynamic[gre]", "dynamic", false },     { "10.0.0.0/8[gre/5]", "dynamic[gre]", false },
		{ "dynamic[grex]", "dynamic[gre]", false }, { "dynamic[tcp/47]", "dynamic[tcp/47]", false },
		{ "[", "[gre]", false },                  { "", "", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct vici_reading reading;
		struct connections c = { 0 };
		struct buffer b = { 0 };

		vici_write_section(&b, TEXT("ike"));
		vici_write_section(&b, TEXT("children"));
		vici_write_section(&b, TEXT("child"));
		vici_write_list(&b, TEXT("local-ts"));
		vici_write_item(&b, text_of(rows[i].local));
		vici_write_list_end(&b);
		vici_write_list(&b, TEXT("remote-ts"));
		vici_write_item(&b, text_of(rows[i].remote));
		vici_write_list_end(&b);
		vici_write_section_end(&b);
		vici_write_section_end(&b);
		vici_write_section_end(&b);
		assert_int_equal(vici_each_connection(1, buffer_text(&b), keep_connection, &c, &reading), 0);
		assert_int_equal(c.count, 1);
		if (c.all[0].gre != rows[i].gre)
			fail_msg("%s %s", rows[i].local, rows[i].remote);
		buffer_done(&b);
	}
}

static void assert_selector(const struct selector *s, const char *from, const char *to, unsigned protocol, const char *port)
{
	if (!is_at(&s->from, from) || !is_at(&s->to, to) || s->protocol != protocol || strcmp(s->port, port) != 0)
		fail_msg("%s %s [%u/%s]: protocol %u, port %s", from, to, protocol, port, s->protocol, s->port);
}

/* As charon prints them (RFC 7296 3.13.1); names are those of the machine's /etc/protocols and /etc/services. */
static void selectors_are_read(void **state)
{
	static const struct {
		const char *text, *from, *to;
		unsigned protocol;
		const char *port;
	} rows[] = {
		{ "10.1.0.0/16", "10.1.0.0", "10.1.255.255", 0, "0" },
		{ "10.1.2.3/16", "10.1.0.0", "10.1.255.255", 0, "0" },
		{ "0.0.0.0/0", "0.0.0.0", "255.255.255.255", 0, "0" },
		{ "192.0.2.1/32[gre]", "192.0.2.1", "192.0.2.1", 47, "0" },
		{ "10.0.0.3..10.0.0.9", "10.0.0.3", "10.0.0.9", 0, "0" },
		{ "10.0.0.3..10.0.0.9[udp/1024-2047]", "10.0.0.3", "10.0.0.9", 17, "1024-2047" },
		{ "2001:db8::/33[tcp/https]", "2001:db8::", "2001:db8:7fff:ffff:ffff:ffff:ffff:ffff", 6, "https" },
		{ "2001:db8::7/128[253]", "2001:db8::7", "2001:db8::7", 253, "0" },
		{ "10.0.0.0/8[0/80]", "10.0.0.0", "10.255.255.255", 0, "80" },
		{ "dynamic[icmp/8(0)]", "198.51.100.1", "198.51.100.1", 1, "8(0)" },
		{ "dynamic", "198.51.100.1", "198.51.100.1", 0, "0" },
		{ "", NULL, NULL, 0, NULL },
		{ "10.0.0.0", NULL, NULL, 0, NULL },
		{ "10.0.0.0/33", NULL, NULL, 0, NULL },
		{ "10.0.0.0/", NULL, NULL, 0, NULL },
		{ "10.0.0.1..2001:db8::1", NULL, NULL, 0, NULL },
		{ "10.0.0.1..10.0.0.9/8", NULL, NULL, 0, NULL },
		{ "10.0.0.0/8[tcp", NULL, NULL, 0, NULL },
		{ "10.0.0.0/8[tcp]x", NULL, NULL, 0, NULL },
		{ "10.0.0.0/8[nosuch/1]", NULL, NULL, 0, NULL },
		{ "10.0.0.0/8[256]", NULL, NULL, 0, NULL },
		{ "10.0.0.0/8[tcp/a-service-of-a-long-name]", NULL, NULL, 0, NULL },
	};
	struct spimend_address host;

	(void)state;
	memset(&host, 0, sizeof(host));
	assert_int_equal(spimend_address_parse("198.51.100.1", 12, &host), 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct selector s;

		if (vici_read_selector(text_of(rows[i].text), &host, &s) != (rows[i].from != NULL))
			fail_msg("%s", rows[i].text);
		if (rows[i].from)
			assert_selector(&s, rows[i].from, rows[i].to, rows[i].protocol, rows[i].port);
	}
}

static void what_an_sa_protects_and_how_is_read(void **state)
{
	struct children plain = { 0 }, gre = { 0 };
	struct ike_sa ike = read_list("v2-list-sas-0", &plain);
	const struct child_sa *c = &plain.all[0];

	(void)state;
	assert_true(ike.has_rekey);
	assert_int_equal(ike.rekey_s, 13652);
	assert_string_equal(ike.algorithms.encryption, "AES_CBC");
	assert_int_equal(ike.algorithms.key_bits, 128);
	assert_string_equal(ike.algorithms.prf, "PRF_HMAC_SHA2_256");
	assert_string_equal(ike.algorithms.group, "ECP_256");
	assert_int_equal(c->mode, CHILD_MODE_TUNNEL);
	assert_string_equal(c->algorithms.integrity, "HMAC_SHA2_256_128");
	assert_string_equal(c->algorithms.group, ""); /* the first child takes the IKE SA's (RFC 7296 1.2) */
	assert_false(c->algorithms.esn);
	assert_int_equal(c->local_ts.count, 1);
	assert_selector(&c->local_ts.at[0], "192.168.2.0", "192.168.2.255", 0, "0");
	assert_selector(&c->remote_ts.at[0], "192.168.1.0", "192.168.1.255", 0, "0");
	ike = read_list("gre-list-sas-0", &gre);
	assert_int_equal(gre.all[0].mode, CHILD_MODE_TRANSPORT);
	assert_int_equal(gre.all[0].local_ts.at[0].protocol, 47);
	gre.all[0].local_ts.count = GATEWAY_SELECTORS_MAX + 1;
	assert_false(gateway_valid_child(&gre.all[0]));
	gre.all[0].local_ts.count = 1;
	memset(gre.all[0].algorithms.integrity, 'x', sizeof(gre.all[0].algorithms.integrity));
	assert_false(gateway_valid_child(&gre.all[0]));
}

static void version_stats_and_results_are_read(void **state)
{
	struct vici_reading reading;
	struct vici_version version;
	struct vici_result result;
	struct vici_packet packet;
	struct vici_stats stats;
	struct buffer b = { 0 };
	struct fixture f;

	(void)state;
	packet = fixture_read(&f, "vici", "v2-version-0");
	assert_int_equal(vici_read_version(packet.message, &version, &reading), 0);
	assert_true(text_equal(version.version, TEXT("5.9.8")));
	packet = fixture_read(&f, "vici", "v2-stats-0");
	assert_int_equal(vici_read_stats(packet.message, &stats, &reading), 0);
	assert_true(stats.user_space_esp && stats.has_since && stats.has_running);
	assert_int_equal(stats.since.year, 2026);
	assert_int_equal(stats.since.month, 11);
	assert_true(stats.unit_ns == SECOND_NS);
	text_key(&b, "success", "no");
	text_key(&b, "matches", "0");
	text_key(&b, "errmsg", "no matching SAs to rekey found");
	assert_int_equal(vici_read_result(buffer_text(&b), &result, &reading), 0);
	assert_true(!result.success && result.has_matches && result.matches == 0);
	assert_true(text_equal(result.errmsg, TEXT("no matching SAs to rekey found")));
	buffer_done(&b);
}

static void the_daemons_start_is_found_in_any_zone(void **state)
{
	static const struct {
		const char *since, *running;
		int64_t local_offset_quarters, boot_ago_s;
		int64_t want_ago_s;
	} rows[] = {
		/* It is 12:00:00 UTC; `since` is what the daemon prints, read in our zone at that offset. */
		{ "Nov 22 11:59:00 2026", "60 seconds", 0, 60, 60 },
		{ "Nov 22 12:59:00 2026", "60 seconds", 4, 60, 60 },          /* both in Berlin */
		{ "Nov 22 12:59:00 2026", "60 seconds", 0, 60, 60 },          /* it there, we in UTC */
		{ "Nov 22 17:29:00 2026", "60 seconds", -20, 60, 60 },        /* it in India, we in New York */
		{ "Nov 21 22:30:00 2026", "3 hours", 0, 12600, 12600 },       /* it in New Zealand's opposite */
		{ "Nov 12 12:00:00 2026", "10 days", 0, 864000, 864000 },
	};
	struct instant now = { INT64_C(1795348800) * SECOND_NS }; /* 2026-11-22T12:00:00Z */

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct instant utc = { 0 }, local, boot = { 0 };
		struct vici_reading reading;
		struct vici_stats stats;
		struct buffer b = { 0 };

		vici_write_section(&b, TEXT("uptime"));
		text_key(&b, "running", rows[i].running);
		text_key(&b, "since", rows[i].since);
		vici_write_section_end(&b);
		assert_int_equal(vici_read_stats(buffer_text(&b), &stats, &reading), 0);
		assert_int_equal(calendar_to_instant(&stats.since, &utc), 0);
		local.ns = utc.ns - rows[i].local_offset_quarters * 15 * MINUTE_NS;
		assert_true(vici_stats_boot(&stats, local, now, &boot));
		assert_int_equal((now.ns - boot.ns) / SECOND_NS, rows[i].want_ago_s);
		stats.has_since = false;
		assert_false(vici_stats_boot(&stats, local, now, &boot)); /* no guess */
		buffer_done(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_listed_sa_tells_all_that_it_has),
		cmocka_unit_test(a_rekeyed_ikev2_child_is_listed_as_deleted_under_the_new_ike_sa),
		cmocka_unit_test(a_rekeyed_ikev1_child_stays_as_rekeyed),
		cmocka_unit_test(child_events_say_what_happened_to_whom),
		cmocka_unit_test(ike_events_say_what_happened_to_whom),
		cmocka_unit_test(unknown_words_are_other_and_odd_values_are_counted),
		cmocka_unit_test(no_sa_and_no_id_are_told_apart_and_leave_the_result_alone),
		cmocka_unit_test(connections_tell_who_can_be_called),
		cmocka_unit_test(gre_and_virtual_addresses_are_told),
		cmocka_unit_test(selectors_are_gre_or_not),
		cmocka_unit_test(selectors_are_read),
		cmocka_unit_test(what_an_sa_protects_and_how_is_read),
		cmocka_unit_test(version_stats_and_results_are_read),
		cmocka_unit_test(the_daemons_start_is_found_in_any_zone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
