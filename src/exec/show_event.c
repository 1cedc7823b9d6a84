/* SPDX-License-Identifier: MIT */
/* `show event manager`: what src/eem prints of its applets. */
#include "eem/eem.h"
#include "exec/show.h"

typedef void print_fn(const struct eem *eem, struct buffer *out);

static void page(struct exec_call *call, print_fn *text, print_fn *json)
{
	if (call->view.eem)
		(call->json ? json : text)(call->view.eem, call->out);
	else if (!call->json)
		exec_refuse(call, "the applets are not run: there is no memory for them");
}

static void show_registered(struct exec_call *call)
{
	page(call, eem_show_registered, eem_json_registered);
}

static void show_running(struct exec_call *call)
{
	page(call, eem_show_running, eem_json_running);
}

static void show_history(struct exec_call *call)
{
	page(call, eem_show_history, eem_json_history);
}

static void show_environment(struct exec_call *call)
{
	page(call, eem_show_environment, eem_json_environment);
}

static void show_statistics(struct exec_call *call)
{
	page(call, eem_show_statistics, eem_json_statistics);
}

static void show_detectors(struct exec_call *call)
{
	(call->json ? eem_json_detectors : eem_show_detectors)(call->out);
}

/* Files of Tcl, on a router: there are none here, and `event manager policy` is refused. */
static void show_available(struct exec_call *call)
{
	if (!call->json)
		buffer_add_string(call->out, "No.  Type    Time Created                    Name\n");
}

const struct exec_command exec_show_event_rows[] = {
	{ "show event manager policy registered", "the applets, what they wait for and what they do", EXEC_PRIVILEGED, EXEC_JSON,
	  show_registered },
	{ "show event manager policy active|pending", "the applets that run, or wait for a place to run", EXEC_PRIVILEGED, EXEC_JSON,
	  show_running },
	{ "show event manager policy available", "files of policies: there are none here", EXEC_PRIVILEGED, EXEC_JSON, show_available },
	{ "show event manager history events", "the events that applets were started for", EXEC_PRIVILEGED, EXEC_JSON, show_history },
	{ "show event manager environment [all]", "the variables that every applet sees", EXEC_PRIVILEGED, EXEC_JSON, show_environment },
	{ "show event manager detector [all]", "what applets can wait for", EXEC_PRIVILEGED, EXEC_JSON, show_detectors },
	{ "show event manager statistics", "counts since the start", EXEC_PRIVILEGED, EXEC_JSON, show_statistics },
};
const size_t exec_show_event_row_count = EXEC_COUNT(exec_show_event_rows);
