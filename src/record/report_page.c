/* SPDX-License-Identifier: MIT */
#include "record/report_page.h"

#include <inttypes.h>

#include "record/html.h"

void report_page_begin(struct text title, struct text lead, struct buffer *out)
{
	buffer_printf(out,
		      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src '%s'; base-uri 'none'; "
		      "form-action 'none'\">\n"
		      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		      "<meta name=\"color-scheme\" content=\"light dark\">\n"
		      "<meta name=\"referrer\" content=\"no-referrer\">\n"
		      "<meta name=\"generator\" content=\"spimend " SPIMEND_VERSION "\">\n<title>",
		      report_style_hash);
	html_add(out, title);
	buffer_printf(out, "</title>\n<style>%s</style>\n</head>\n<body>\n<header>\n<p class=\"kicker\">spimend incident report</p>\n<h1>",
		      report_style);
	html_add(out, title);
	buffer_add_string(out, "</h1>\n");
	if (lead.len) {
		buffer_add_string(out, "<p class=\"lead\">");
		html_add_sentence(out, lead);
		buffer_add_string(out, "</p>\n");
	}
	buffer_add_string(out, "</header>\n<main>\n");
}

void report_page_end(struct buffer *out)
{
	buffer_add_string(out,
			  "</main>\n<footer><p>Times are UTC. What stands in logs is a claim of whoever wrote them, and characters that hide or "
			  "turn text are shown as \xef\xbf\xbd. Words such as B7, causes and rules are explained in "
			  "<code>man spimend</code>. Made by spimend " SPIMEND_VERSION
			  "; the page runs no script and fetches nothing.</p></footer>\n</body>\n</html>\n");
}

void report_flow(const struct json_tree *t, struct buffer *out)
{
	const struct json_node *i = json_tree_root(t);
	struct text src = json_tree_text(t, i, "src"), dst = json_tree_text(t, i, "dst"), spi = json_tree_text(t, i, "spi");
	struct text proto = json_tree_text(t, i, "proto");
	uint64_t sources = 0;

	json_tree_unsigned(t, i, "sources", &sources);
	if (src.len)
		buffer_add(out, src);
	else if (sources > 1)
		buffer_printf(out, "%" PRIu64 " sources", sources);
	else
		buffer_add_string(out, "an unknown source");
	buffer_add_string(out, " to ");
	if (dst.len)
		buffer_add(out, dst);
	else
		buffer_add_string(out, "an unknown receiver");
	if (!proto.len && !spi.len)
		return;
	buffer_add_char(out, ',');
	if (proto.len) {
		buffer_add_char(out, ' ');
		for (size_t k = 0; k < proto.len; k++)
			buffer_add_char(out, proto.at[k] >= 'a' && proto.at[k] <= 'z' ? (char)(proto.at[k] - 32) : proto.at[k]);
	}
	if (json_tree_text(t, i, "encap").len)
		buffer_add_string(out, " in UDP");
	if (spi.len) {
		buffer_add_char(out, ' ');
		buffer_add(out, spi);
	}
}

void report_add_time(struct text t, struct buffer *out)
{
	struct buffer plain = { 0 };

	for (size_t k = 0; k < t.len; k++)
		if (t.at[k] != 'Z' || k + 1 < t.len)
			buffer_add_char(&plain, t.at[k] == 'T' ? ' ' : t.at[k]);
	html_add(out, buffer_text(&plain));
	buffer_done(&plain);
}

void report_page_overview_begin(struct buffer *out)
{
	buffer_add_string(out, "<section class=\"card\" id=\"overview\">\n<h2>Overview</h2>\n<table class=\"events\">\n<thead><tr>"
			       "<th scope=\"col\">verdict</th><th scope=\"col\">flow</th><th scope=\"col\">cause</th>"
			       "<th scope=\"col\">first seen</th><th scope=\"col\">last seen</th><th scope=\"col\">messages</th></tr></thead>\n<tbody>\n");
}

void report_page_overview_row(const struct json_tree *t, bool is_told, struct buffer *out)
{
	const struct json_node *i = json_tree_root(t);
	struct text id = json_tree_text(t, i, "id"), cause = json_tree_text(t, i, "cause");
	struct buffer flow = { 0 };
	uint64_t messages = 0;

	json_tree_unsigned(t, i, "messages", &messages);
	report_flow(t, &flow);
	buffer_printf(out, "<tr><td><span class=\"%s\">", report_badge(json_tree_text(t, i, "verdict")));
	html_add(out, json_tree_text(t, i, "verdict"));
	buffer_add_string(out, "</span></td><td>");
	if (is_told) {
		buffer_add_string(out, "<a href=\"#i-");
		html_add(out, id);
		buffer_add_string(out, "\">");
	}
	html_add(out, buffer_text(&flow));
	buffer_add_string(out, is_told ? "</a></td><td>" : "</td><td>");
	html_add(out, text_equal(cause, TEXT("unknown")) ? TEXT_NONE : cause);
	buffer_add_string(out, "</td><td class=\"time\">");
	report_add_time(json_tree_text(t, i, "first_seen"), out);
	buffer_add_string(out, "</td><td class=\"time\">");
	report_add_time(json_tree_text(t, i, "last_seen"), out);
	buffer_printf(out, "</td><td>%" PRIu64 "</td></tr>\n", messages);
	buffer_done(&flow);
}

void report_page_overview_end(uint64_t left_out, uint64_t not_told, struct buffer *out)
{
	buffer_add_string(out, "</tbody>\n</table>\n");
	if (left_out)
		buffer_printf(out, "<p>%" PRIu64 " more incident%s found no room in this table: the worst come first. The text and JSON of "
				   "<code>spimend analyze</code> have them all.</p>\n", left_out, text_plural(left_out));
	if (not_told)
		buffer_printf(out, "<p>%u incidents are told in full below, %" PRIu64 " are not: they have no link here.</p>\n", REPORT_CASES_MAX,
			      not_told);
	buffer_add_string(out, "</section>\n");
}
