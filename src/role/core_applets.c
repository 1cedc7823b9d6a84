/* SPDX-License-Identifier: MIT */
/* The applets of the running configuration: compiled from its text, and again with what is typed. */
#include <errno.h>
#include <string.h>

#include "base/memory.h"
#include "eem/eem.h"
#include "exec/exec.h"
#include "role/applets_check.h"
#include "role/core_role.h"
#include "spimend/error.h"

static uint32_t count_lines(struct text text)
{
	struct text line;
	uint32_t count = 0;

	while (text_take_line(&text, &line))
		count++;
	return count;
}

/* What the compiler says of the lines behind the first `known`; errors to `why`, warnings to `out`. Notes, and that a label
 * or an event replaces an older one, which is what typing an applet again is for, are not told. */
static void tell(struct eem_report *report, uint32_t known, struct buffer *out, struct buffer *why)
{
	eem_report_sort(report);
	for (uint32_t i = 0; i < report->kept; i++) {
		const struct eem_finding *one = &report->findings[i];

		if (one->level == EEM_NOTE || one->line <= known || strcmp(one->name, "duplicate-label") == 0 ||
		    strcmp(one->name, "duplicate-event") == 0 || strcmp(one->name, "unknown-line") == 0)
			continue;
		buffer_printf(one->level == EEM_ERROR ? why : out, "%sline %u: %s\n", one->level == EEM_ERROR ? "" : "% warning, ",
			      one->line - known, one->text);
	}
	if (report->foreign_lines) /* it passes over what it does not know: here nothing else is expected */
		buffer_printf(why, "%u lines are none of an applet\n", report->foreign_lines);
}

int mind_change_applets(struct mind *mind, struct text lines, struct mind_applets *ret, struct buffer *out,
			struct buffer *why)
{
	struct text old = buffer_text(&mind->exec.applets.text);
	cleanup(buffer_done) struct buffer text = { 0 };
	struct eem_report report = { 0 };
	struct eem_policies *policies = NULL;
	uint32_t known = count_lines(old);
	int r;

	buffer_add(&text, old);
	buffer_add(&text, lines);
	r = text.failed ? -ENOMEM : eem_compile(buffer_text(&text), &policies, &report);
	if (r == 0)
		tell(&report, known, out, why);
	else
		buffer_add_string(why, spimend_strerror(r));
	if (r == 0 && (report.count[EEM_ERROR] || report.foreign_lines)) {
		if (why->len == 0)
			buffer_add_string(why, "the applets do not compile");
		eem_policies_release(policies);
		r = -EINVAL;
	}
	eem_report_done(&report);
	if (r == 0 && applets_check(mind->exec.running, policies, NULL, known, why)) {
		eem_policies_release(policies);
		r = -EINVAL;
	}
	if (r < 0)
		return r;
	ret->policies = policies;
	eem_policies_print(policies, &ret->text);
	return 0;
}

int mind_load_applets(struct mind *mind, struct text file)
{
	struct eem_report report = { 0 };
	struct eem_policies *policies = NULL;
	int r = eem_compile(file, &policies, &report);

	eem_report_done(&report); /* the parent has said what is wrong with it */
	if (r < 0)
		return r;
	mind_applets_done(&mind->exec.applets);
	mind->exec.applets.policies = policies;
	eem_policies_print(policies, &mind->exec.applets.text);
	if (eem_policy_count(policies))
		log_say(&mind->member->log, LOG_INFO, "%u applets are registered", eem_policy_count(policies));
	(void)mind_eem_configure(mind); /* it says so */
	return 0;
}

void mind_applets_done(struct mind_applets *applets)
{
	eem_policies_release(applets->policies);
	buffer_done(&applets->text);
	*applets = (struct mind_applets){ .policies = NULL };
}
