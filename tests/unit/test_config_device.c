/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include "base/memory.h"
#include "parse/config.h"
#include "spimend/error.h"

#define QUIET "spimend\n sense interface eth0\n sense strongswan /run/charon.vici\n"

static struct config config;
static struct config_report report;
static struct buffer shown;

static int parse(const char *text)
{
	return config_parse(text_of(text), &config, &report);
}

static const char *show(void)
{
	buffer_clear(&shown);
	config_print(&config, &shown);
	buffer_add_char(&shown, '\0');
	assert_int_equal(buffer_error(&shown), 0);
	return shown.bytes;
}

static const char *complaints(void)
{
	buffer_clear(&shown);
	config_report_print(&report, TEXT("f"), &shown);
	buffer_add_char(&shown, '\0');
	return shown.bytes;
}

static const char *refusal(const char *text)
{
	assert_int_equal(parse(text), SPIMEND_E_SYNTAX);
	return complaints();
}

static const struct config_device *device(const char *name)
{
	int32_t at = device_find(&config.devices, text_of(name));

	assert_true(at >= 0);
	return &config.devices.at[at];
}

static const char fleet[] =
	QUIET
	" ssh known-hosts /srv/hosts\n"
	" ssh user netops key-file /etc/spimend/id_ed25519\n"
	" fleet window 01:00 04:30\n"
	" fleet window sat,sun 22:00 06:00\n"
	"device asa-1\n"
	" address 2001:db8::5\n"
	" platform asa\n"
	" no ssh user\n"
	"device hub\n"
	" address 192.0.2.1\n"
	" platform sd-wan\n"
	" enable password-file /etc/spimend/enable\n"
	" rights repair\n"
	" window mon-fri,sun 22:00 24:00\n"
	"device old.site\n"
	" address 192.0.2.3\n"
	" platform ios\n"
	" ssh user cisco key-file /etc/spimend/id_rsa port 2222\n"
	" ssh legacy-algorithms\n"
	" ssh jump hub\n"
	"device spoke1\n"
	" address 192.0.2.7\n"
	" platform ios-xe\n";

static void test_the_fleet_is_read_and_printed_back(void **state)
{
	static struct config first;
	const struct config_login *login;

	(void)state;
	assert_int_equal(parse(fleet), 0);
	assert_int_equal(report.warnings, 0);
	assert_int_equal(config.devices.count, 4);
	assert_int_equal(config.devices.login_count, 3);
	assert_string_equal(config.devices.known_hosts, "/srv/hosts");
	assert_null(device_login(&config.devices, device("asa-1")));
	login = device_login(&config.devices, device("hub"));
	assert_string_equal(login->user, "netops");
	assert_string_equal(login->key_file, "/etc/spimend/id_ed25519");
	assert_string_equal(login->enable_file, "/etc/spimend/enable");
	assert_true(device("hub")->may_repair);
	assert_int_equal(device("hub")->platform, PLATFORM_SDWAN);
	assert_int_equal(device("hub")->port, 22);
	login = device_login(&config.devices, device("old.site"));
	assert_string_equal(login->user, "cisco");
	assert_string_equal(login->jump, "hub");
	assert_true(login->legacy && !device("old.site")->may_repair);
	assert_int_equal(device("old.site")->port, 2222);
	assert_string_equal(device_login(&config.devices, device("spoke1"))->user, "netops");
	first = config;
	assert_string_equal(show(), fleet);
	assert_int_equal(parse(show()), 0);
	assert_memory_equal(&first, &config, sizeof(config));
}

static void test_the_order_of_lines_does_not_matter(void **state)
{
	static struct config first;

	(void)state;
	assert_int_equal(parse(fleet), 0);
	first = config;
	assert_int_equal(parse("device spoke1\nplat ios-xe\nexit\ndevice gone\n address 192.0.2.7\n rights repair\n"
			       "device old.site\n ssh jump hub\n ssh legacy\n ssh user cisco key-file /etc/spimend/id_rsa port 2222\n"
			       "no device gone\ndevice hub\n address 192.0.2.1\n"
			       QUIET " ssh known-hosts /srv/hosts\n ssh user netops key-file /etc/spimend/id_ed25519\n"
			       " fleet window mon-sun 01:00 04:30\n fleet window sat-SUN 22:00 06:00\n"
			       "device hub\n window 00:00 00:01\n no window\n window sun-fri 22:00 24:00\n platform SD-WAN\n enable password-file /etc/spimend/enable\n rights rep\n"
			       "device old.site\n address 192.0.2.3\n platform ios\n"
			       "device asa-1\n no ssh user\n address 2001:DB8:0::5\n platform asa\ndevice spoke1\n address 192.0.2.7\n"), 0);
	assert_memory_equal(&first, &config, sizeof(config));
	assert_int_equal(report.warnings, 0);
}

static void test_what_is_wrong_is_said_with_its_line(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "device a\n", "f:4: device a: there is no 'address'\n" },
		{ "device a\n address 192.0.2.1\n window 01:00\n", "f:6: incomplete: 'window [DAYS] HH:MM HH:MM' is expected\n" },
		{ "device a\n address 192.0.2.1\n window mon-fry 01:00 02:00\n",
		  "f:6: window 'mon-fry': days as mon-fri or sat,sun are expected, or none for every day\n" },
		{ "device a\n address 192.0.2.1\n window mon, 01:00 02:00\n",
		  "f:6: window 'mon,': days as mon-fri or sat,sun are expected, or none for every day\n" },
		{ "device a\n address 192.0.2.1\n window mon-fri 1:00 02:00\n",
		  "f:6: time '1:00': HH:MM from 00:00 to 23:59 is expected: when it opens, in UTC\n" },
		{ "device a\n address 192.0.2.1\n window 24:00 02:00\n",
		  "f:6: time '24:00': HH:MM from 00:00 to 23:59 is expected: when it opens, in UTC\n" },
		{ "device a\n address 192.0.2.1\n window 01:00 24:01\n",
		  "f:6: time '24:01': HH:MM up to 24:00 is expected: when it closes, in UTC\n" },
		{ "device a\n address 192.0.2.1\n window 01:00 02:60\n",
		  "f:6: time '02:60': HH:MM up to 24:00 is expected: when it closes, in UTC\n" },
		{ "device a\n address 192.0.2.1\n window 03:00 03:00\n",
		  "f:6: time '03:00': another time than the one before is expected; 00:00 24:00 is all day\n" },
		{ "device a\n address 192.0.2.1\n window 01:00 02:00\n window 02:00 03:00\n window 03:00 04:00\n window 04:00 05:00\n"
		  " window 05:00 06:00\n", "f:10: at most 4 windows\n" },
		{ "device a\n address 192.0.2.1\ndevice b\n address 192.0.2.1\n",
		  "f:6: device b: 192.0.2.1 is the address of device a too\n" },
		{ "device b\n address 192.0.2.2\n ssh user x key-file /k\n ssh jump c\n", "f:4: device b: there is no device 'c' to jump through\n" },
		{ "device b\n address 192.0.2.2\n ssh user x key-file /k\n ssh jump b\n", "f:4: device b: 'ssh jump b' leads in a circle\n" },
		{ "device b\n address 192.0.2.2\n ssh user x key-file /k\n ssh jump c\ndevice c\n address 192.0.2.3\n",
		  "f:4: device b: it is reached through 'c', and that one has no 'ssh user'\n" },
		{ "device b\n address 192.0.2.2\n ssh jump b\n", "f:4: device b: 'ssh jump' takes 'ssh user' beside it\n" },
		{ "device b\n address 192.0.2.2\n rights repair\n",
		  "f:4: device b: 'rights repair' takes 'ssh user' beside it\n" },
		{ "device -b\n address 192.0.2.2\n",
		  "f:4: device '-b': letters, digits, '.', '_' and '-' are expected, at most 39, and no '-' in front\n"
		  "f:5: 'address' stands below a 'device NAME' that is right\n" },
		{ "device b\n address 192.0.2.2\n ssh user a;b key-file /k\n",
		  "f:6: user 'a;b': letters, digits, '.', '_' and '-' are expected, at most 32, and no '-' in front\n" },
		{ "device b\n address 192.0.2.2\n ssh user a password hunter2\n",
		  "f:6: word 'password': 'key-file PATH' or 'password-file PATH' is expected: a secret stands in a file of its own, and agents are "
		  "not used\n" },
		{ "device b\n address 192.0.2.2\n ssh user a key-file /home/%u/k\n",
		  "f:6: path '/home/%u/k': a name without %, $, quotes and \\ is expected: ssh would read them otherwise\n" },
		{ "device b\n address 192.0.2.2\n ssh user a key-file /k port 0\n", "f:6: number '0': from 1 to 65535 is expected\n" },
		{ "device b\n address 192.0.2.2\n platform nx-os\n", "f:6: platform 'nx-os': ios, ios-xe, sd-wan or asa is expected\n" },
		{ "device b\n address hub.example\n", "f:5: address 'hub.example': an IPv4 or IPv6 address is expected\n"
		  "f:4: device b: there is no 'address'\n" },
		{ "device b\n address 192.0.2.2\n rights re\n", "f:6: rights 're': read-only or repair is expected\n" },
		{ "no device b\n", "f:4: nothing to take back: 'b': no line before names it\n" },
		{ "platform asa\n", "f:4: 'platform ios|ios-xe|sd-wan|asa' stands inside the block that the line 'device NAME' opens\n" },
		{ "spimend\n ssh known-hosts hosts\n", "f:5: path 'hosts': an absolute path of at most 107 bytes without blanks is expected\n" },
	};
	char text[2048];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), QUIET "%s", cases[i].text);
		assert_string_equal(refusal(text), cases[i].says);
	}
}

static void test_what_is_said_twice_is_warned_of(void **state)
{
	(void)state;
	assert_int_equal(parse(QUIET "device a\n address 192.0.2.1\n address 192.0.2.2\n ssh user x key-file /k\n"
			       " ssh user x key-file /k port 23\n ssh jump b\n ssh jump c\n"
			       "device b\n address 192.0.2.3\ndevice c\n address 192.0.2.4\n ssh user x key-file /k\n ssh user x key-file /k\n"), 0);
	assert_string_equal(complaints(), "f:6: warning: 'address' is said twice; this one counts\n"
					  "f:8: warning: 'ssh user' is said twice; this one counts\n"
					  "f:10: warning: 'ssh jump' is said twice; this one counts\n");
	assert_int_equal(device("a")->port, 23);
}

static void add_device(struct buffer *text, unsigned i, const char *more)
{
	buffer_printf(text, "device d%u\n address 10.%u.%u.1\n ssh user u key-file /k\n%s", i, i >> 8 & 255, i & 255, more);
}

static void test_jumps_end(void **state)
{
	static const char two[] = "device d1\n address 10.0.0.1\n ssh user u key-file /k\n ssh jump d2\n"
				  "device d2\n address 10.0.0.2\n ssh user u key-file /k\n";
	uint64_t mark;

	(void)state;
	assert_string_equal(refusal("device d0\n address 10.0.0.3\n ssh user u key-file /k\n ssh jump d1\n"
				    "device d1\n address 10.0.0.1\n ssh user u key-file /k\n ssh jump d2\n"
				    "device d2\n address 10.0.0.2\n ssh user u key-file /k\n"),
			    "f:1: device d0: 'd1', which it is reached through, is itself reached through another: 1 at most\n"
			    "f: warning: no 'sense strongswan PATH': without an IKE daemon there is no ledger, and nothing can be repaired\n"
			    "f: warning: no 'sense interface NAME': stray packets are not seen\n");
	assert_int_equal(parse(two), 0);
	/* What is configured of the one in between counts too. */
	mark = device_mark(&config.devices, device("d1"));
	config.devices.at[device_find(&config.devices, TEXT("d2"))].port = 23;
	assert_true(mark != device_mark(&config.devices, device("d1")));
	/* Into a circle, and around one. */
	assert_int_equal(parse("device a\n address 10.0.0.1\n ssh user u key-file /k\n ssh jump b\n"
			       "device b\n address 10.0.0.2\n ssh user u key-file /k\n ssh jump c\n"
			       "device c\n address 10.0.0.3\n ssh user u key-file /k\n ssh jump b\n"), SPIMEND_E_SYNTAX);
	assert_int_equal(report.errors, 3);
	assert_string_equal(report.problems[0].text, "device a: 'b', which it is reached through, is itself reached through another: 1 at most");
	assert_string_equal(report.problems[1].text, "device b: 'ssh jump c' leads in a circle");
	assert_int_equal(report.problems[2].line, 9);
}

static void test_there_are_so_many_and_no_more(void **state)
{
	struct buffer text = { 0 };
	char last[64], why[128];

	(void)state;
	/* in the order of a number that is no name's order: each name is looked for, none is sorted already */
	for (unsigned i = 0; i < DEVICES_MAX; i++)
		add_device(&text, i * 7919u % DEVICES_MAX, "");
	assert_int_equal(config_parse(buffer_text(&text), &config, &report), 0);
	assert_int_equal(config.devices.count, DEVICES_MAX);
	assert_int_equal(config.devices.login_count, 1);
	for (uint32_t i = 1; i < DEVICES_MAX; i++)
		assert_true(strcmp(config.devices.at[i - 1].name, config.devices.at[i].name) < 0);
	buffer_clear(&shown);
	config_print(&config, &shown);
	assert_true(shown.len > 0 && shown.len < CONFIG_FILE_MAX && buffer_error(&shown) == 0);
	assert_int_equal(config_parse(buffer_text(&shown), &config, &report), 0);
	assert_int_equal(config.devices.count, DEVICES_MAX);
	add_device(&text, DEVICES_MAX, "");
	assert_int_equal(config_parse(buffer_text(&text), &config, &report), SPIMEND_E_SYNTAX);
	snprintf(why, sizeof(why), "at most %d devices", DEVICES_MAX);
	assert_string_equal(report.problems[0].text, why);
	/* Logins are shared: so many different ones. */
	buffer_clear(&text);
	for (unsigned i = 0; i < DEVICE_LOGINS_MAX + 1; i++) {
		snprintf(last, sizeof(last), " enable password-file /e%u\n", i);
		add_device(&text, 1000 + i, last);
		add_device(&text, 2000 + i, last);
	}
	assert_int_equal(config_parse(buffer_text(&text), &config, &report), SPIMEND_E_SYNTAX);
	assert_int_equal(report.errors, 2);
	assert_string_equal(report.problems[0].text, "device d1064: it is logged in to otherwise than 64 before it, and that is as many "
						     "ways as are kept");
	buffer_done(&text);
}

static bool is_within(const char *typed)
{
	static struct config ceiling, now;
	const char *what = NULL;
	bool eem;

	assert_int_equal(parse(fleet), 0);
	ceiling = config;
	assert_int_equal(config_change(&ceiling, text_of(typed), CONFIG_TOP, &now, &eem, &report), 0);
	config = now;
	return config_is_within(&now, &ceiling, &what);
}

static void test_what_is_typed_takes_devices_away_and_adds_none(void **state)
{
	static const char *const fine[] = {
		"device hub", "device hub\n rights read-only", "device hub\n no rights", "no device spoke1", "device old.site\n no ssh user",
		"device hub\n ssh user netops key-file /etc/spimend/id_ed25519", /* the usual one, in words */
		"no device old.site\nno device hub",
	};
	static const char *const beyond[] = {
		"device new\n address 192.0.2.99", "device spoke1\n address 192.0.2.8", "device spoke1\n rights repair",
		"device spoke1\n platform ios", "device spoke1\n ssh user root key-file /etc/spimend/id_ed25519",
		"device spoke1\n ssh user netops key-file /etc/shadow", "device spoke1\n ssh user netops key-file /etc/spimend/id_ed25519 port 23",
		"device spoke1\n ssh jump hub", "device spoke1\n ssh legacy-algorithms", "device old.site\n no ssh jump",
		"device asa-1\n ssh user netops key-file /etc/spimend/id_ed25519", "device spoke1\n enable password-file /etc/shadow",
		"spimend\n ssh known-hosts /tmp/x", "spimend\n ssh user root key-file /k", "spimend\n no ssh user",
		"device hub\n window 03:00 04:00", "device hub\n no window", "device spoke1\n window 00:00 24:00",
		"spimend\n fleet window 00:00 24:00", "spimend\n no fleet window",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++)
		if (!is_within(fine[i]))
			fail_msg("%s", fine[i]);
	for (size_t i = 0; i < sizeof(beyond) / sizeof(beyond[0]); i++)
		if (is_within(beyond[i]))
			fail_msg("%s", beyond[i]);
	/* What was taken away comes back as the file has it, and is equal then. */
	assert_true(is_within("no device spoke1\ndevice spoke1\n address 192.0.2.7\n platform ios-xe"));
	assert_string_equal(show(), fleet);
	/* The device that others jump through cannot be taken away under them: the whole is read again, and says so. */
	assert_true(is_within("no device hub"));
	assert_int_equal(parse(show()), SPIMEND_E_SYNTAX);
	assert_string_equal(report.problems[0].text, "device old.site: there is no device 'hub' to jump through");
}

static const char approvals[] =
	QUIET
	" ssh user netops key-file /etc/spimend/id_ed25519\n"
	" repair sdwan approval not-required ipsec-rekey port-hop\n"
	"device hub\n"
	" address 192.0.2.1\n"
	" platform sd-wan\n"
	" rights repair\n"
	" repair sdwan approval required ipsec-rekey\n"
	" repair sdwan approval not-required clear-omp\n"
	"device spoke1\n"
	" address 192.0.2.7\n"
	" platform sd-wan\n"
	" rights repair\n";

static bool goes_alone(const char *name, enum sdwan_step step)
{
	return device_is_unattended(&config.devices, device(name), step);
}

static void test_a_person_is_asked_unless_it_is_said_otherwise(void **state)
{
	static struct config first;
	static const char *const said = "'repair sdwan approval not-required': ";

	(void)state;
	assert_int_equal(parse(fleet), 0);
	for (int step = 0; step < SDWAN_STEPS; step++)
		assert_false(goes_alone("hub", (enum sdwan_step)step));
	assert_int_equal(parse(approvals), 0);
	assert_false(goes_alone("hub", SDWAN_IPSEC_REKEY)); /* its own word counts more than that for all */
	assert_true(goes_alone("hub", SDWAN_PORT_HOP) && goes_alone("hub", SDWAN_CLEAR_OMP) && goes_alone("spoke1", SDWAN_IPSEC_REKEY));
	assert_false(goes_alone("hub", SDWAN_CLEAR_CONTROL) || goes_alone("spoke1", SDWAN_CLEAR_OMP));
	first = config;
	assert_string_equal(show(), approvals);
	assert_int_equal(report.warnings, 3);
	assert_true(text_starts(text_of(report.problems[0].text), text_of(said)));
	assert_true(text_has(text_of(report.problems[0].text), TEXT("ipsec-rekey is typed on spoke1 without a person being asked, once "
								    "the mode is repair: new keys for all SD-WAN tunnels")));
	assert_true(text_has(text_of(report.problems[1].text), TEXT("port-hop is typed on hub and others without")));
	assert_true(text_has(text_of(report.problems[2].text), TEXT("clear-omp is typed on hub without")));
	assert_int_equal(parse(show()), 0);
	assert_memory_equal(&first, &config, sizeof(config));
	assert_int_equal(parse(QUIET " repair sdwan approval not-required clear-control\n"), 0);
	assert_string_equal(complaints(), "f: warning: 'repair sdwan approval not-required clear-control' is of no effect: no "
					  "'platform sd-wan' device with 'rights repair' takes it from there\n");
	assert_int_equal(parse(QUIET " repair sdwan approval not-required port-hop\n no repair sdwan approval\n"), 0);
	assert_int_equal(report.warnings, 0);
}

static void test_a_step_is_named_in_full(void **state)
{
	(void)state;
	assert_string_equal(refusal(QUIET " repair sdwan approval not-required\n"),
			    "f:4: incomplete: 'repair sdwan approval required|not-required STEP...' is expected\n");
	assert_string_equal(refusal(QUIET " repair sdwan approval not-required clear\n"),
			    "f:4: step 'clear': ipsec-rekey, port-hop, clear-omp or clear-control is expected, each by its whole name\n");
	assert_string_equal(refusal(QUIET " repair sdwan approval no port-hop\n"),
			    "f:4: approval 'no': required or not-required is expected\n");
	assert_string_equal(refusal(QUIET " repair sdwan approval required port-hop port-hop port-hop port-hop port-hop\n"),
			    "f:4: too many words: 'repair sdwan approval required|not-required STEP...' is expected\n");
	assert_int_equal(parse(QUIET " repair sdwan approval not-required port-hop\n repair sdwan approval required port-hop\n"), 0);
	assert_string_equal(complaints(), "f:5: warning: 'repair sdwan approval' is said twice; this one counts\n");
	assert_string_equal(show(), QUIET " repair sdwan approval required port-hop\n");
}

static void test_what_is_typed_never_lets_a_step_go(void **state)
{
	static const struct {
		const char *typed;
		bool fine;
	} cases[] = {
		{ "spimend\n no repair sdwan approval", true }, { "spimend\n repair sdwan approval required port-hop", true },
		{ "device spoke1\n repair sdwan approval required ipsec-rekey", true },
		{ "device spoke1\n repair sdwan approval not-required ipsec-rekey", true }, /* as it is already */
		{ "spimend\n repair sdwan approval not-required clear-control", false },
		{ "device spoke1\n repair sdwan approval not-required clear-omp", false },
		{ "device hub\n repair sdwan approval not-required ipsec-rekey", false },
		{ "device hub\n no repair sdwan approval", false },
	};
	static struct config ceiling;

	(void)state;
	assert_int_equal(parse(approvals), 0);
	ceiling = config;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *what;
		bool eem;

		assert_int_equal(config_change(&ceiling, text_of(cases[i].typed), CONFIG_TOP, &config, &eem, &report), 0);
		if (config_is_within(&config, &ceiling, &what) != cases[i].fine)
			fail_msg("%s", cases[i].typed);
	}
}

static int done(void **state)
{
	(void)state;
	buffer_done(&shown);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_fleet_is_read_and_printed_back),
		cmocka_unit_test(test_the_order_of_lines_does_not_matter),
		cmocka_unit_test(test_what_is_wrong_is_said_with_its_line),
		cmocka_unit_test(test_what_is_said_twice_is_warned_of),
		cmocka_unit_test(test_jumps_end),
		cmocka_unit_test(test_there_are_so_many_and_no_more),
		cmocka_unit_test(test_what_is_typed_takes_devices_away_and_adds_none),
		cmocka_unit_test(test_a_person_is_asked_unless_it_is_said_otherwise),
		cmocka_unit_test(test_a_step_is_named_in_full),
		cmocka_unit_test(test_what_is_typed_never_lets_a_step_go),
	};

	return cmocka_run_group_tests(tests, NULL, done);
}
