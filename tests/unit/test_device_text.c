/* SPDX-License-Identifier: MIT */
/* Transcripts of terminals, all invented; each is fed whole, byte by byte and in chunks of any size: the same is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include "base/buffer.h"
#include "base/memory.h"
#include "parse/device_text.h"

enum action {
	END,
	GETS,    /* bytes come */
	TYPES,   /* a command */
	SHOWS,   /* a command whose output is a log */
	ANSWERS, /* a question */
	SECRET,  /* a password */
	WAITS,   /* nothing comes for a second */
};

struct step {
	enum action action;
	const char *text;
};

static int64_t now;

static void describe(const struct device_event *e, struct buffer *out)
{
	static const char *const kinds[] = { "prompt", "more", "password", "username", "confirm", "yes-no", "garbage" };
	static const char *const levels[] = { "user", "privileged", "configure", "other" };
	static const char *const errors[] = { "", " remark", " other-error", " invalid", " incomplete", " ambiguous", " unauthorized",
					      " bad-secret" };

	buffer_printf(out, "%s", kinds[e->kind]);
	if (e->kind == DEVICE_EVENT_PROMPT) {
		buffer_printf(out, " %.*s %s%s%s%s%s%s", TEXT_ARG(e->name), levels[e->level], errors[e->error], e->echoed ? " echoed" : "",
			      e->paged ? " paged" : "", e->cut ? " cut" : "", e->moved ? " moved" : "");
		if (e->log_lines || e->unasked_lines)
			buffer_printf(out, " logs=%u+%u{%.*s}", e->log_lines, e->unasked_lines, TEXT_ARG(e->logs));
		if (e->controls)
			buffer_printf(out, " controls=%u", (unsigned)e->controls);
		if (e->clock.len)
			buffer_printf(out, " clock{%.*s}", TEXT_ARG(e->clock));
		buffer_printf(out, ":%s%.*s", e->output.len ? "\n" : "", TEXT_ARG(e->output));
	}
	if (e->kind != DEVICE_EVENT_PROMPT || e->output.len == 0)
		buffer_add_char(out, '\n');
}

static unsigned any(unsigned *seed)
{
	*seed = *seed * 1103515245u + 12345u;
	return *seed >> 16;
}

/* most: bytes of a chunk; 0: all at once */
static void run(const struct step *steps, size_t most, unsigned seed, struct buffer *told)
{
	struct device_text *t = device_text_new();
	struct device_event event;

	assert_non_null(t);
	for (; steps->action != END; steps++) {
		struct text rest = text_of(steps->text);

		now += 1000;
		if (steps->action == TYPES || steps->action == SHOWS)
			device_text_command(t, rest, steps->action == SHOWS);
		else if (steps->action == ANSWERS || steps->action == SECRET)
			device_text_answer(t, steps->action == SECRET);
		while (steps->action == GETS && rest.len) {
			size_t len = most ? 1 + (most > 1 ? any(&seed) % most : 0) : rest.len;
			char *copy = memory_new(len, 1); /* so that nothing beyond it is read */

			len = len < rest.len ? len : rest.len;
			memcpy(copy, rest.at, len);
			device_text_bytes(t, (struct text){ copy, len }, now);
			memory_free(copy);
			rest = text_skip(rest, len);
			if (device_text_event(t, now, &event))
				describe(&event, told);
		}
		if (steps->action != WAITS)
			continue;
		if (device_text_due(t) <= now + INT64_C(1000000000)) {
			now = device_text_due(t);
			assert_false(device_text_event(t, now - 1, &event)); /* not before */
		} else {
			now += INT64_C(1000000000);
		}
		if (device_text_event(t, now, &event))
			describe(&event, told);
		else
			buffer_add_string(told, "nothing\n");
		assert_false(device_text_event(t, now + INT64_C(9000000000), &event)); /* each thing once */
		assert_true(device_text_due(t) == INT64_MAX);
	}
	device_text_free(t);
}

static void expect(const struct step *steps, const char *wanted)
{
	static const size_t chunks[] = { 0, 1, 3, 7, 20, 100 };
	struct buffer told = { 0 };

	for (size_t i = 0; i < sizeof(chunks) / sizeof(chunks[0]); i++) {
		for (unsigned seed = 0; seed < (chunks[i] > 1 ? 5 : 1); seed++) {
			buffer_clear(&told);
			run(steps, chunks[i], seed, &told);
			buffer_add_char(&told, '\0');
			if (strcmp(told.bytes, wanted) != 0)
				fail_msg("chunks of %zu:\n%s\nwanted:\n%s", chunks[i], told.bytes, wanted);
		}
	}
	buffer_done(&told);
}

#define LOGIN { GETS, "\r\n\r\nhub#" }, { WAITS, "" }, { TYPES, "" }, { GETS, "\r\nhub#" }, { WAITS, "" }
#define LOGGED_IN "prompt hub privileged:\n\n\nprompt hub privileged echoed:\n"

static void test_a_login_a_command_and_a_way_up(void **state)
{
	static const struct step steps[] = {
		{ GETS, "\r\nC\r\n * keep out *\r\n\r\nspoke-1>" }, { WAITS, "" },
		{ TYPES, "enable" }, { GETS, "enable\r\nPassword: " }, { WAITS, "" },
		{ SECRET, "" }, { GETS, "\r\nspoke-1#" }, { WAITS, "" },
		{ TYPES, "terminal length 0" }, { GETS, "terminal length 0\r\nspoke-1#" }, { WAITS, "" },
		{ TYPES, "show crypto isakmp sa" },
		{ GETS, "show crypto isakmp sa\r\nIPv4 Crypto ISAKMP SA\r\ndst             src             state          conn-id status\r\n"
			"192.0.2.1       192.0.2.7       QM_IDLE           1001 ACTIVE\r\n\r\nIPv6 Crypto ISAKMP SA\r\n\r\nspoke-1#" },
		{ WAITS, "" },
		{ TYPES, "configure terminal" },
		{ GETS, "configure terminal\r\nEnter configuration commands, one per line.  End with CNTL/Z.\r\nspoke-1(config)#" }, { WAITS, "" },
		{ TYPES, "end" }, { GETS, "end\r\nspoke-1#" }, { WAITS, "" },
		{ END, "" },
	};

	(void)state;
	expect(steps, "prompt spoke-1 user:\n\nC\n * keep out *\n\n"
		      "password\n"
		      "prompt spoke-1 privileged echoed:\nPassword: \n"
		      "prompt spoke-1 privileged echoed:\n"
		      "prompt spoke-1 privileged echoed:\nIPv4 Crypto ISAKMP SA\n"
		      "dst             src             state          conn-id status\n"
		      "192.0.2.1       192.0.2.7       QM_IDLE           1001 ACTIVE\n\nIPv6 Crypto ISAKMP SA\n\n"
		      "prompt spoke-1 configure echoed:\nEnter configuration commands, one per line.  End with CNTL/Z.\n"
		      "prompt spoke-1 privileged echoed:\n");
}

/* Names that look like something else, blanks behind, an ASA's contexts and failover, names cut short before a mode. */
static void test_prompts_of_all_kinds(void **state)
{
	static const struct {
		const char *first, *then, *wanted;
	} cases[] = {
		{ "vedge# ", "vedge# ", "prompt vedge privileged" },
		{ "Router#", "Router#", "prompt Router privileged" },
		{ "R1#core#", "R1#core#", "prompt R1#core privileged" },
		{ "0x-config_b.example.net>", "0x-config_b.example.net#", "prompt 0x-config_b.example.net privileged" },
		{ "\rasa> ", "\rasa# ", "prompt asa privileged" },
		{ "asa/admin> ", "asa/admin# ", "prompt asa/admin privileged" },
		{ "asa/pri/act# ", "asa/pri/stby# ", "prompt asa/pri/stby privileged moved" },
		{ "asa/ctx1/sec/act# ", "asa/ctx1/pri/act# ", "prompt asa/ctx1/pri/act privileged moved" },
		{ "asa/admin# ", "asa/ctx1# ", NULL }, /* another context */
		{ "asa/act# ", "asa# ", NULL },
		{ "hub#", "hub(config-crypto-map)#", "prompt hub configure" },
		{ "hub#", "hub(tcl)#", "prompt hub other" },
		{ "hub#", "hub(boot)>", "prompt hub other" },
		{ "a-very-long-name-of-a-router#", "a-very-long-name-of-(config)#", "prompt a-very-long-name-of- configure" },
		{ "a-very-long-name-of-a-router#", "a-very-long-name-of-a-(config-su#", "prompt a-very-long-name-of-a- configure" },
		{ "a-very-long-name-of-a-router#", "a-very-long-name-of-#", NULL },
		{ "hub#", "hub2#", NULL }, { "hub#", "hu#", NULL }, { "hub#", "HUB#", NULL }, { "hub#", " hub#", NULL },
		{ "hub#", "x hub#", NULL }, { "hub#", "hub #", NULL }, { "hub#", "hub", NULL }, { "hub#", "hub#   ", NULL }, { "hub#", "hub#x", NULL },
	};
	char wanted[256];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char then[128];
		struct device_text *t = device_text_new();
		struct device_event e;
		struct buffer told = { 0 };

		assert_non_null(t);
		device_text_bytes(t, text_of(cases[i].first), now);
		if (!device_text_event(t, now += DEVICE_TEXT_LOGIN_QUIET_NS, &e))
			fail_msg("%s", cases[i].first);
		device_text_command(t, TEXT("show x"), false);
		snprintf(then, sizeof(then), "show x\r\nx\r\n%s", cases[i].then);
		device_text_bytes(t, text_of(then), now);
		if (device_text_event(t, now += DEVICE_TEXT_QUIET_NS, &e))
			describe(&e, &told);
		buffer_add_char(&told, '\0');
		snprintf(wanted, sizeof(wanted), cases[i].wanted ? "%s echoed:\nx\n" : "%s", cases[i].wanted ? cases[i].wanted : "");
		if (cases[i].wanted && strstr(cases[i].wanted, " moved"))
			snprintf(wanted, sizeof(wanted), "%.*s echoed moved:\nx\n", (int)(strlen(cases[i].wanted) - 6), cases[i].wanted);
		assert_string_equal(told.bytes, wanted);
		buffer_done(&told);
		device_text_free(t);
	}
}

/* What looks like a prompt and is none, before the first and in an output. */
static void test_a_prompt_is_what_waits(void **state)
{
	static const struct step steps[] = {
		{ GETS, "Welcome to\r\nhub#\r\nhub>" }, { WAITS, "" },           /* a banner that pauses: taken for the prompt, */
		{ GETS, " is what you see if you are let in\r\nPassword:" }, { WAITS, "" }, /* until it goes on */
		{ GETS, " none\r\n(config)#" }, { WAITS, "" }, { GETS, "\r\n===>" }, { WAITS, "" },
		{ GETS, "\r\nreal(config)#" }, { WAITS, "" }, /* nobody is in there at the login */
		{ GETS, "\r\nreal#" }, { WAITS, "" },
		{ TYPES, "show history" },
		{ GETS, "show history\r\n  real#show clock\r\nreal#\r\nreal# show x\r\nhub#" }, { WAITS, "" }, { GETS, "\r\nreal" }, { WAITS, "" },
		{ GETS, "#" }, { WAITS, "" },
		{ GETS, "\r\nreal#" }, { WAITS, "" }, /* unasked: nothing was typed */
		{ TYPES, "x" }, { WAITS, "" },        /* the old prompt is no answer */
		{ GETS, "x\r\nreal#" }, { WAITS, "" },
		{ END, "" },
	};

	(void)state;
	expect(steps, "prompt hub user:\nWelcome to\nhub#\n"
		      "password\nnothing\nnothing\nnothing\n"
		      "prompt real privileged:\nWelcome to\nhub#\nhub> is what you see if you are let in\nPassword: none\n(config)#\n===>\nreal(config)#\n"
		      "nothing\nnothing\n"
		      "prompt real privileged echoed:\n  real#show clock\nreal#\nreal# show x\nhub#\n"
		      "nothing\n"
		      "nothing\n"
		      "prompt real privileged echoed:\n");
}

static void test_pages_are_told_and_their_output_is_marked(void **state)
{
	static const struct step steps[] = {
		LOGIN,
		{ TYPES, "show version" },
		{ GETS, "show version\r\nline one\r\n --More-- " }, { WAITS, "" },
		{ ANSWERS, " " }, { GETS, "\b\b\b\b\b\b\b\b\b        \b\b\b\b\b\b\b\b\bline 2\r\nline three, longer than the page prompt\r\n --More-- " },
		{ WAITS, "" },
		{ ANSWERS, "q" }, { GETS, "\b\b\b\b\b\b\b\b\b        \b\b\b\b\b\b\b\b\bhub#" }, { WAITS, "" },
		/* one that nobody had to answer */
		{ TYPES, "show y" }, { GETS, "show y\r\na\r\n<--- More --->\r              \rb\r\nhub#" }, { WAITS, "" },
		{ TYPES, "show z" }, { GETS, "show z\r\na\r\n--More--\r\nb\r\nhub#" }, { WAITS, "" },
		{ TYPES, "show clock" }, { GETS, "show clock\r\n*00:01:02 UTC\r\nno --More-- here\r\nhub#" }, { WAITS, "" },
		{ END, "" },
	};

	(void)state;
	expect(steps, LOGGED_IN "more\nmore\n"
				"prompt hub privileged echoed paged:\nline one\nline 2\nline three, longer than the page prompt\n"
				"prompt hub privileged echoed paged:\na\nb\n"
				"prompt hub privileged echoed paged:\na\n--More--\nb\n"
				"prompt hub privileged echoed:\n*00:01:02 UTC\nno --More-- here\n");
}

/* Wrapped, scrolled, edited, interrupted, or not there. */
static void test_the_echo_is_known_however_it_is_shown(void **state)
{
	static const struct step steps[] = {
		LOGIN,
		/* scrolled to the left, as IOS does at 80 columns */
		{ TYPES, "show crypto ipsec sa peer 192.0.2.1 detail | include spi" },
		{ GETS, "show crypto ipsec sa peer \b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b$psec sa peer 192.0.2.1 detail | include spi"
			"\r\nx\r\nhub#" }, { WAITS, "" },
		/* wrapped by the device, with a line's end or with blank and CR */
		{ TYPES, "show crypto ipsec sa peer 192.0.2.1 detail" },
		{ GETS, "show crypto ipsec sa peer\r\n 192.0.2.1\r\n detail\r\nx\r\nhub#" }, { WAITS, "" },
		{ TYPES, "show sdwan ipsec outbound-connections" },
		{ GETS, "show sdwan ipsec out \rbound-connections\r\nx\r\nhub#" }, { WAITS, "" },
		/* a log line in the middle of it, with and without the rest shown again */
		{ TYPES, "show clock" },
		{ GETS, "show\r\n*Mar  1 00:00:01.000: %SYS-5-CONFIG_I: Configured from console by vty0\r\nhub#show clock\r\nx\r\nhub#" }, { WAITS, "" },
		{ TYPES, "show clock" },
		{ GETS, "sho*Mar  1 00:00:01.000: %LINK-3-UPDOWN: Interface Tunnel1, changed state to up\r\nw clock\r\nx\r\nhub#" }, { WAITS, "" },
		/* none, and another's */
		{ TYPES, "show clock" }, { GETS, "\r\nx\r\nhub#" }, { WAITS, "" },
		{ TYPES, "show clock" }, { GETS, "show cloak\r\nx\r\nhub#" }, { WAITS, "" },
		/* the first line of the output is how the command begins */
		{ TYPES, "show clock" }, { GETS, "show\r\nx\r\nhub#" }, { WAITS, "" },
		{ END, "" },
	};

	(void)state;
	expect(steps, LOGGED_IN "prompt hub privileged echoed:\nx\n"
				"prompt hub privileged echoed:\nx\n"
				"prompt hub privileged echoed:\nx\n"
				"prompt hub privileged echoed logs=1+0{*Mar  1 00:00:01.000: %SYS-5-CONFIG_I: Configured from console by vty0\n}:\nx\n"
				"prompt hub privileged echoed logs=1+0{*Mar  1 00:00:01.000: %LINK-3-UPDOWN: Interface Tunnel1, changed state to up\n}:\nx\n"
				"prompt hub privileged:\nx\n"
				"prompt hub privileged:\nhub#show cloak\nx\n"
				"prompt hub privileged:\nhub#show\nx\n");
}

static void test_questions_are_told_and_passwords_not_kept(void **state)
{
	static const struct step steps[] = {
		LOGIN,
		{ TYPES, "clear logging" }, { GETS, "clear logging\r\nClear logging buffer [confirm]" }, { WAITS, "" },
		{ ANSWERS, "" }, { GETS, "\r\nhub#" }, { WAITS, "" },
		{ TYPES, "clear sdwan omp all" }, { GETS, "clear sdwan omp all\r\nAre you sure? [yes/no]: " }, { WAITS, "" },
		{ ANSWERS, "yes" }, { GETS, "yes\r\nhub#" }, { WAITS, "" },
		{ TYPES, "reload" }, { GETS, "reload\r\nSave? [no]: " }, { WAITS, "" }, { ANSWERS, "" }, { GETS, "\r\nhub#" }, { WAITS, "" },
		{ TYPES, "enable" }, { GETS, "enable\r\nPassword: " }, { WAITS, "" },
		{ SECRET, "" }, { GETS, "hunter2" }, { WAITS, "" }, { GETS, "\r\n" }, { GETS, "Password: " }, { WAITS, "" },
		{ SECRET, "" }, { GETS, "\r\nPassword: " }, { WAITS, "" }, { SECRET, "" }, { GETS, "\r\n% Bad secrets\r\n\r\nhub#" }, { WAITS, "" },
		{ TYPES, "x" }, { GETS, "x\r\nUsername: " }, { WAITS, "" },
		{ END, "" },
	};

	(void)state;
	expect(steps, LOGGED_IN "confirm\nprompt hub privileged echoed:\nClear logging buffer [confirm]\n\n"
				"yes-no\nprompt hub privileged echoed:\nAre you sure? [yes/no]: \nyes\n"
				"yes-no\nprompt hub privileged echoed:\nSave? [no]: \n\n"
				"password\nnothing\npassword\npassword\n"
				"prompt hub privileged bad-secret echoed:\nPassword: \nPassword: \nPassword: \n% Bad secrets\n\n"
				"username\n");
}

static void test_what_the_device_says_of_the_command(void **state)
{
	static const struct {
		const char *line, *wanted;
	} cases[] = {
		{ "            ^\r\n% Invalid input detected at '^' marker.\r\n", " invalid" },
		{ "ERROR: % Invalid input detected at '^' marker.\r\n", " invalid" },
		{ "% Unknown command or computer name, or unable to find computer address\r\n", " invalid" },
		{ "syntax error: unknown command\r\n", " invalid" },
		{ "% Incomplete command.\r\n", " incomplete" },
		{ "% Ambiguous command:  \"sh cr\"\r\n", " ambiguous" },
		{ "% Authorization failed.\r\n", " unauthorized" },
		{ "Command authorization failed.\r\n", " unauthorized" },
		{ "% Bad secrets\r\n", " bad-secret" }, { "Invalid password\r\n", " bad-secret" }, { "% No password set\r\n", " bad-secret" },
		{ "ERROR: Unable to find context\r\n", " other-error" }, { "%Error opening flash:x\r\n", " other-error" },
		{ "% DMVPN is not configured\r\n", " remark" },
		{ "5% of it\r\n", "" }, { "a % Invalid input detected\r\n", "" },
		{ "1\r\n2\r\n3\r\n4\r\n5\r\n6\r\n7\r\n8\r\n% Invalid input detected at '^' marker.\r\n", "" }, /* too late to be about it */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char bytes[256], shown[256], wanted[512];
		struct step steps[] = { LOGIN, { TYPES, "x" }, { GETS, bytes }, { WAITS, "" }, { END, "" } };
		size_t n = 0;

		snprintf(bytes, sizeof(bytes), "x\r\n%shub#", cases[i].line);
		for (const char *c = cases[i].line; *c; c++)
			if (*c != '\r')
				shown[n++] = *c;
		shown[n] = '\0';
		snprintf(wanted, sizeof(wanted), LOGGED_IN "prompt hub privileged%s echoed:\n%s", cases[i].wanted, shown);
		expect(steps, wanted);
	}
}

static void test_the_devices_own_log_is_split_out(void **state)
{
	static const struct step steps[] = {
		LOGIN,
		{ GETS, "\r\n*Mar  1 00:00:01.000: %SYS-5-CONFIG_I: Configured\r\n***\r\n*** --- SHUTDOWN in 0:05:00 ---\r\n" }, { WAITS, "" },
		{ TYPES, "show x" },
		{ GETS, "show x\r\none\r\n000017: Nov 29 13:00:00.000 UTC: %CRYPTO-4-RECVD_PKT_INV_SPI: decaps: rec'd IPSEC packet\r\n"
			"-Traceback= 1#9b\r\ntwo\r\n%ASA-6-302013: Built\r\n 3: %not-a-log: x\r\n description %A-1-B: x\r\n100 %x\r\nhub#" }, { WAITS, "" },
		/* behind the prompt, which IOS does not repeat */
		{ TYPES, "show x" }, { GETS, "show x\r\none\r\nhub#\r\n*Mar  1 00:00:01.000: %SYS-5-CONFIG_I: Configured\r\n" }, { WAITS, "" },
		{ TYPES, "show x" }, { GETS, "show x\r\none\r\nhub#*Mar  1 00:00:01.000: %SYS-5-CONFIG_I: Configured\r\n" }, { WAITS, "" },
		{ TYPES, "show x" }, { GETS, "show x\r\nhub#\r\n*Mar  1 00:00:01.000: %SYS-5-CONFIG_I: Configured\r\nmore\r\n" }, { WAITS, "" },
		{ GETS, "hub#" }, { WAITS, "" },
		/* a command that shows the log */
		{ SHOWS, "show logging" }, { GETS, "show logging\r\n*Mar  1 00:00:01.000: %SYS-5-CONFIG_I: Configured\r\nhub#" }, { WAITS, "" },
		{ END, "" },
	};

	(void)state;
	expect(steps, LOGGED_IN "nothing\n"
				"prompt hub privileged echoed logs=4+2{*Mar  1 00:00:01.000: %SYS-5-CONFIG_I: Configured\n***\n"
				"*** --- SHUTDOWN in 0:05:00 ---\n"
				"000017: Nov 29 13:00:00.000 UTC: %CRYPTO-4-RECVD_PKT_INV_SPI: decaps: rec'd IPSEC packet\n-Traceback= 1#9b\n"
				"%ASA-6-302013: Built\n}:\n"
				"one\ntwo\n 3: %not-a-log: x\n description %A-1-B: x\n100 %x\n"
				"prompt hub privileged echoed logs=1+0{*Mar  1 00:00:01.000: %SYS-5-CONFIG_I: Configured\n}:\none\n"
				"prompt hub privileged echoed logs=1+0{*Mar  1 00:00:01.000: %SYS-5-CONFIG_I: Configured\n}:\none\n"
				"nothing\n"
				"prompt hub privileged echoed logs=1+0{*Mar  1 00:00:01.000: %SYS-5-CONFIG_I: Configured\n}:\nhub#\nmore\n"
				"prompt hub privileged echoed:\n*Mar  1 00:00:01.000: %SYS-5-CONFIG_I: Configured\n");
}

static void test_escapes_and_headers_are_taken_out(void **state)
{
	static const struct step steps[] = {
		LOGIN,
		{ TYPES, "show x" },
		{ GETS, "show x\r\nLoad for five secs: 3%/0%; one minute: 2%; five minutes: 2%\r\n"
			"Time source is NTP, 13:14:05.123 UTC Sun Nov 29 2026\r\n\r\n\x1b[1mbold\x1b[0m\a \x1b]0;title\a.\x1b(Bend\r\n"
			"wrong text\rright\x1b[Ks\r\nabcdef\b\b\x1b[1Kx\r\ntab\there\r\n\x1b]never ends\r\n\x1b[99999999999999999999999999999999999999999999999999999999999999999999999999999999X"
			"\r\n"
			"\xc3\xbc\x7f\r\nhub#" }, { WAITS, "" },
		{ TYPES, "show x" }, { GETS, "show x\r\none\r\nTime source is NTP, x\r\nhub#" }, { WAITS, "" },
		{ END, "" },
	};

	(void)state;
	expect(steps, LOGGED_IN "prompt hub privileged echoed controls=10 clock{Time source is NTP, 13:14:05.123 UTC Sun Nov 29 2026}:\n"
				"\nbold .end\nrights\nabcdxf\ntab\there\n\n9999999999999999X\n\xc3\xbc\n"
				"prompt hub privileged echoed:\none\nTime source is NTP, x\n");
}

static void feed(struct device_text *t, const char *text, size_t times)
{
	while (times--)
		device_text_bytes(t, text_of(text), now);
}

static void test_nothing_grows_without_a_bound(void **state)
{
	struct device_text *t = device_text_new();
	struct device_event e;
	char line[1026];

	(void)state;
	assert_non_null(t);
	memset(line, 'x', 1023);
	memcpy(line + 1023, "\r\n", 3);
	feed(t, "hub#", 1);
	assert_true(device_text_event(t, now += DEVICE_TEXT_LOGIN_QUIET_NS, &e));
	/* 9 MiB of lines: 8 MiB are kept, and it is said */
	device_text_command(t, TEXT("show x"), false);
	feed(t, "show x\r\n", 1);
	feed(t, line, 9 << 10);
	feed(t, "hub#", 1);
	assert_true(device_text_event(t, now += DEVICE_TEXT_QUIET_NS, &e));
	assert_true(e.kind == DEVICE_EVENT_PROMPT && e.cut && e.echoed);
	assert_int_equal(e.output.len, DEVICE_TEXT_OUTPUT_MAX);
	/* a line that is too long */
	device_text_command(t, TEXT("show x"), false);
	feed(t, "show x\r\n", 1);
	feed(t, "0123456789", 1000);
	feed(t, "\r\nhub#", 1);
	assert_true(device_text_event(t, now += DEVICE_TEXT_QUIET_NS, &e));
	assert_true(e.cut);
	assert_int_equal(e.output.len, DEVICE_TEXT_LINE_MAX + 1);
	/* log lines beyond what is kept are counted */
	device_text_command(t, TEXT("show x"), false);
	feed(t, "show x\r\n", 1);
	feed(t, "%A-1-B: x\r\n", 20000);
	feed(t, "hub#", 1);
	assert_true(device_text_event(t, now += DEVICE_TEXT_QUIET_NS, &e));
	assert_true(!e.cut && e.log_lines == 20000 && e.output.len == 0 && e.logs.len <= DEVICE_TEXT_LOGS_MAX);
	/* no line ever ends: once */
	device_text_command(t, TEXT("show x"), false);
	assert_int_equal(e.kind, DEVICE_EVENT_PROMPT);
	feed(t, "show x\r\nabc\b\b\b\x1b[2J", 1);
	feed(t, "abc\b\b\b\x1b[2J", 30000);
	assert_true(device_text_due(t) <= now);
	assert_true(device_text_event(t, now, &e));
	assert_int_equal(e.kind, DEVICE_EVENT_GARBAGE);
	assert_false(device_text_event(t, now, &e));
	feed(t, "\r\nhub#", 1);
	assert_true(device_text_event(t, now += DEVICE_TEXT_QUIET_NS, &e));
	assert_true(e.kind == DEVICE_EVENT_PROMPT && e.cut);
	device_text_free(t);
	device_text_free(NULL);
}

/* For whoever gives up. */
static void test_what_hangs_can_be_shown(void **state)
{
	struct device_text *t = device_text_new();
	struct device_event e;

	(void)state;
	assert_non_null(t);
	feed(t, "switch: ", 1);
	assert_false(device_text_event(t, now += 10 * DEVICE_TEXT_LOGIN_QUIET_NS, &e));
	assert_true(text_equal(device_text_unfinished(t), TEXT("switch: ")));
	feed(t, "\r\nmore", 1);
	assert_true(text_equal(device_text_output(t), TEXT("switch: \n")));
	for (int i = DEVICE_ERROR_NONE; i <= DEVICE_ERROR_BAD_SECRET; i++)
		assert_true(strlen(device_error_name((enum device_error)i)) > 8);
	device_text_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_login_a_command_and_a_way_up),
		cmocka_unit_test(test_prompts_of_all_kinds),
		cmocka_unit_test(test_a_prompt_is_what_waits),
		cmocka_unit_test(test_pages_are_told_and_their_output_is_marked),
		cmocka_unit_test(test_the_echo_is_known_however_it_is_shown),
		cmocka_unit_test(test_questions_are_told_and_passwords_not_kept),
		cmocka_unit_test(test_what_the_device_says_of_the_command),
		cmocka_unit_test(test_the_devices_own_log_is_split_out),
		cmocka_unit_test(test_escapes_and_headers_are_taken_out),
		cmocka_unit_test(test_nothing_grows_without_a_bound),
		cmocka_unit_test(test_what_hangs_can_be_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
