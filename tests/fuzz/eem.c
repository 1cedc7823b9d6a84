/* SPDX-License-Identifier: MIT */
/*
 * libFuzzer: text of applets, its lint and its restoring, expressions, and runs over what came out.
 *
 * What is registered prints, and what is printed compiles to the same. What was restored once stays as it is. The matcher
 * finds what trying each expression finds. A command never holds a control character, and what of it came from outside is
 * wholly of its type. The engine ends whatever the applets are.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "eem/eem.h"
#include "eem/lint.h"
#include "eem/reflow.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void check_report(struct eem_report *report)
{
	must(report->kept <= EEM_FINDINGS_MAX);
	for (uint32_t i = 0; i < report->kept; i++) {
		must(report->findings[i].text[0] && report->findings[i].name);
		for (const char *c = report->findings[i].text; *c; c++)
			must((unsigned char)*c >= 0x20 && *c != 0x7f);
	}
	eem_report_done(report);
}

static void check_print(const struct eem_policies *policies)
{
	struct eem_report report = { 0 };
	struct eem_policies *again = NULL;
	struct buffer first = { 0 }, second = { 0 };

	eem_policies_print(policies, &first);
	if (!first.failed && eem_compile(buffer_text(&first), &again, &report) == 0) {
		must(eem_policy_count(again) == eem_policy_count(policies));
		eem_policies_print(again, &second);
		must(text_equal(buffer_text(&first), buffer_text(&second)));
	}
	eem_policies_release(again);
	eem_report_done(&report);
	buffer_done(&first);
	buffer_done(&second);
}

static void drain(struct eem *eem, const struct eem_policies *policies, struct text answer, struct moment now)
{
	struct eem_output o;
	unsigned rounds = 0;

	while (eem_next(eem, &o)) {
		uint64_t request = o.request;

		if (o.kind == EEM_COMMAND) {
			for (size_t i = 0; i < o.command.text.len; i++)
				must((unsigned char)o.command.text.at[i] >= 0x20 && o.command.text.at[i] != 0x7f);
			for (uint32_t i = 0; i < o.command.span_count; i++)
				must(eem_type_of(text_first(text_skip(o.command.text, o.command.spans[i].at), o.command.spans[i].len)) ==
				     o.command.spans[i].type && o.command.spans[i].type != EEM_TYPE_NONE);
			must(eem_command_fits(policies, o.policy, o.action, o.command.text, o.command.spans, o.command.span_count));
		}
		if (o.kind == EEM_LOG)
			must(text_find_char(o.log.line, '\n') == TEXT_NOT_FOUND);
		if (request && rounds++ < 200)
			eem_result(eem, request, EEM_DONE, answer, now);
	}
}

static void check_engine(struct eem_policies *policies, struct text text)
{
	struct eem_settings settings;
	struct moment now = { .mono_ns = SECOND_NS, .wall = { INT64_C(1773339730) * SECOND_NS } };
	struct eem_message message = { .text = text_first(text, 300) };
	struct eem_typed typed = { .command = text_first(text, 40), .token = 1, .terminal = 1 };
	struct eem_policy_facts facts;
	struct eem *eem;

	eem_settings_default(&settings);
	settings.instructions_max = 5000;
	settings.run_bytes_max = 16384;
	settings.after_boot = true;
	if (eem_new(policies, &settings, 1, now, &eem) < 0)
		return;
	eem_syslog(eem, &message, now);
	drain(eem, policies, message.text, now);
	eem_cli(eem, &typed, now);
	drain(eem, policies, message.text, now);
	for (uint32_t i = 0; i < 8 && eem_policy_facts(policies, i, &facts); i++)
		eem_run(eem, text_of(facts.name), &typed.command, 1, 1, now, NULL);
	for (unsigned i = 0; i < 6; i++) {
		drain(eem, policies, message.text, now);
		now.mono_ns += 30 * SECOND_NS;
		now.wall.ns += 30 * SECOND_NS;
		eem_tick(eem, now);
	}
	drain(eem, policies, message.text, now);
	must(eem_figures(eem).outputs_dropped == 0);
	eem_free(eem);
}

static void check_reflow(struct text text)
{
	struct eem_report report = { 0 };
	struct buffer once = { 0 };

	if (eem_reflow(text, &once, &report) == 0)
		check_report(&report);
	eem_report_done(&report);
	buffer_done(&once);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text text = { (const char *)data, size };
	struct eem_lint_text lint = { .name = TEXT("f"), .text = text };
	struct eem_policies *policies = NULL;
	struct eem_report report = { 0 };

	if (eem_lint(&lint, 1) == 0)
		check_report(&lint.report);
	if (eem_compile(text, &policies, &report) == 0) {
		check_report(&report);
		check_print(policies);
		check_engine(policies, text);
	}
	eem_policies_release(policies);
	eem_report_done(&report);
	check_reflow(text);
	return 0;
}
