/* SPDX-License-Identifier: MIT */
/*
 * libFuzzer: what a request of HTTP asks for. First line: the path; then query, Host, Origin, Authorization, Cookie. What
 * is taken must be a question that may cross the channel; a host that fits must be a name of ours.
 */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "parse/web_request.h"
#include "parse/web_token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void try_host(const struct config_web *web, struct text host)
{
	if (!web_host_fits(web, host))
		return;
	must(text_equal_nocase(host, TEXT("localhost:8500")) || text_equal_nocase(host, TEXT("127.0.0.1:8500")) ||
	     text_equal_nocase(host, TEXT("noc.example")) || text_starts_nocase(host, TEXT("noc.example:")) ||
	     /* a port may have zeros in front */
	     text_starts_nocase(host, TEXT("localhost:0")) || text_starts(host, TEXT("127.0.0.1:0")));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config_web web = { .listener_count = 1, .name_count = 1, .names = { "noc.example" } };
	struct text rest = { (const char *)data, size }, line[6] = { { 0 } };
	struct web_ask ask = { .number = 1 };
	cleanup(buffer_done) struct buffer why = { 0 };
	enum web_route route;

	web.listeners[0].address = (struct spimend_address){ 4, { 127, 0, 0, 1 } };
	web.listeners[0].port = 8500;
	for (size_t i = 0; i < 6 && text_take_line(&rest, &line[i]); i++)
		;
	route = web_route_of(line[0], &ask);
	must(route <= ROUTE_ASK && web_valid_ask(&ask));
	must(route != ROUTE_ASK || !web_is_word(ask.question) || (ask.step && ask.id[0]));
	if (web_query_read(line[1], ask.question, &ask.filter, &why))
		must(web_valid_ask(&ask) && why.len == 0);
	else
		must(why.len > 0);
	try_host(&web, line[2]);
	if (web_origin_fits(&web, line[3]))
		must(text_starts(line[3], TEXT("http")));
	(void)web_token_is_personal(web_bearer(line[4]));
	(void)web_cookie(line[5], TEXT("spimend-session"));
	return 0;
}
