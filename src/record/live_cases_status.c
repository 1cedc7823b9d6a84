/* SPDX-License-Identifier: MIT */
/* How the devices fare: in `spimend status`. */
#include <inttypes.h>

#include "record/live_cases.h"
#include "record/live_private.h"
#include "record/values.h"

static const char *const taken_keys[FLEET_TAKENS] = {
	[FLEET_TAKEN] = "taken",
	[FLEET_REFUSED_DEVICE] = "no_login",
	[FLEET_REFUSED_ADDRESS] = "bad_address",
	[FLEET_REFUSED_CONTRADICTION] = "contradiction",
	[FLEET_REFUSED_PEER_MODE] = "ignored_peer",
	[FLEET_REFUSED_LOOKED_AT] = "looked_at",
	[FLEET_REFUSED_FULL] = "full",
};

static const char *const taken_words[FLEET_TAKENS] = {
	[FLEET_TAKEN] = "taken",
	[FLEET_REFUSED_DEVICE] = "of devices without a login",
	[FLEET_REFUSED_ADDRESS] = "with addresses that cannot be",
	[FLEET_REFUSED_CONTRADICTION] = "that contradict who says them",
	[FLEET_REFUSED_PEER_MODE] = "of peers to be ignored",
	[FLEET_REFUSED_LOOKED_AT] = "of ends looked at a moment ago",
	[FLEET_REFUSED_FULL] = "BEYOND the incidents that are followed",
};

static void label(struct buffer *out, const char *name)
{
	buffer_printf(out, "  %-11s", name);
}

static void add_count(struct buffer *out, uint64_t count, const char *what)
{
	if (count)
		buffer_printf(out, ", %" PRIu64 " %s", count, what);
}

static void count_rights(const struct config_devices *devices, uint32_t *ret_logins, uint32_t *ret_repair)
{
	*ret_logins = *ret_repair = 0;
	for (uint32_t i = 0; i < devices->count; i++) {
		*ret_logins += device_login(devices, &devices->at[i]) != NULL;
		*ret_repair += devices->at[i].may_repair;
	}
}

static void add_looks(const struct fleet_figures *f, struct buffer *out)
{
	label(out, "");
	buffer_printf(out, "%" PRIu64 " sighting%s", f->sightings, f->sightings == 1 ? "" : "s");
	for (int i = 0; i < FLEET_TAKENS; i++)
		add_count(out, f->taken[i], taken_words[i]);
	add_count(out, f->merged, "joined to an incident");
	buffer_printf(out, "; %" PRIu64 " looks", f->looks);
	add_count(out, f->looks_held, "times held back");
	buffer_printf(out, "; %" PRIu64 " orders", f->orders);
	add_count(out, f->under_way, "under way");
	add_count(out, f->unanswered, "unanswered");
	add_count(out, f->no_evidence, "outputs that prove nothing");
	buffer_add_char(out, '\n');
}

static void add_steps(const struct fleet_figures *f, struct buffer *out)
{
	label(out, "");
	buffer_printf(out, "%" PRIu32 " open, %" PRIu32 " in memory", f->open, f->incidents);
	add_count(out, f->awaiting, f->awaiting == 1 ? "WAITS FOR A PERSON" : "WAIT FOR A PERSON");
	add_count(out, f->bursts, "bursts");
	buffer_printf(out, "; %" PRIu64 " changes typed", f->changes);
	add_count(out, f->approved, "approved");
	add_count(out, f->denied, "denied");
	add_count(out, f->void_approvals, "void");
	add_count(out, f->expired, "not answered in time");
	add_count(out, f->over_budget, "held back by the budget");
	add_count(out, f->clears_refused, "clears refused");
	add_count(out, f->locked_devices, "devices locked");
	if (f->evicted || f->outputs_dropped || f->spis_dropped || f->evidence_cut || f->addresses_refused)
		buffer_printf(out, "; at a limit: %" PRIu64 " incidents, %" PRIu64 " outputs, %" PRIu64 " SPIs, %" PRIu64 " pieces of evidence, "
			      "%" PRIu64 " addresses", f->evicted, f->outputs_dropped, f->spis_dropped, f->evidence_cut,
			      f->addresses_refused);
	buffer_add_char(out, '\n');
}

struct surveyed {
	uint32_t addresses, addresses_of, sites, sites_of; /* who answered, of how many that are asked */
};

static struct surveyed surveyed(const struct survey *survey)
{
	struct surveyed s = { 0 };

	if (survey) {
		survey_figures(survey, SURVEY_ADDRESSES, &s.addresses, &s.addresses_of);
		survey_figures(survey, SURVEY_SITE, &s.sites, &s.sites_of);
	}
	return s;
}

static void add_surveyed(const struct survey *survey, const struct fleet_figures *f, struct buffer *out)
{
	struct surveyed s = surveyed(survey);

	if (!s.addresses_of)
		return;
	label(out, "");
	buffer_printf(out, "%" PRIu32 " of %" PRIu32 " told their addresses", s.addresses, s.addresses_of);
	if (s.sites_of)
		buffer_printf(out, "; %" PRIu32 " of %" PRIu32 " SD-WAN routers their site", f->with_site, s.sites_of);
	add_count(out, f->addresses_shared, "addresses of several, which are nobody's");
	buffer_add_char(out, '\n');
}

void live_cases_status(const struct fleet *cases, const struct survey *survey, const struct config *config,
		       struct buffer *out)
{
	struct fleet_figures f;
	uint32_t logins, repair;

	if (config->devices.count == 0)
		return;
	count_rights(&config->devices, &logins, &repair);
	label(out, "devices");
	buffer_printf(out, "%" PRIu32 " configured, %" PRIu32 " with a login, %" PRIu32 " of them may be repaired\n", config->devices.count,
		      logins, repair);
	if (!cases)
		return;
	f = fleet_figures(cases);
	add_surveyed(survey, &f, out);
	add_looks(&f, out);
	add_steps(&f, out);
}

void live_cases_worst(const struct fleet *cases, const struct config *config, struct instant now, struct buffer *out)
{
	const struct fleet_incident *is;
	bool first = true;

	for (size_t i = 0; cases && (is = fleet_at(cases, i)); i++) {
		if (!live_case_is_fault(is, config, now))
			continue;
		buffer_add_string(out, first ? "\n  " : "  ");
		first = false;
		live_case_row(is, now, out);
	}
}

void live_cases_status_json(const struct fleet *cases, const struct survey *survey, const struct config *config,
			    struct json *j)
{
	struct fleet_figures f = { 0 };
	struct surveyed s = surveyed(survey);
	uint32_t logins, repair;

	if (cases)
		f = fleet_figures(cases);
	count_rights(&config->devices, &logins, &repair);
	const struct {
		const char *name;
		uint64_t value;
	} rows[] = {
		{ "configured", config->devices.count }, { "with_login", logins }, { "may_repair", repair },
		{ "addresses_asked", s.addresses_of }, { "addresses_told", s.addresses }, { "sites_asked", s.sites_of },
		{ "sites_told", f.with_site }, { "sightings", f.sightings },
		{ "looks", f.looks }, { "looks_held", f.looks_held }, { "orders", f.orders }, { "changes", f.changes },
		{ "under_way", f.under_way }, { "unanswered", f.unanswered }, { "no_evidence", f.no_evidence }, { "merged", f.merged },
		{ "bursts", f.bursts }, { "incidents", f.incidents }, { "open", f.open }, { "awaiting", f.awaiting },
		{ "locked", f.locked_devices }, { "approved", f.approved }, { "denied", f.denied }, { "void", f.void_approvals },
		{ "expired", f.expired }, { "over_budget", f.over_budget }, { "clears_refused", f.clears_refused },
		{ "evicted", f.evicted }, { "outputs_dropped", f.outputs_dropped }, { "addresses_refused", f.addresses_refused },
		{ "addresses_shared", f.addresses_shared }, { "spis_dropped", f.spis_dropped }, { "evidence_cut", f.evidence_cut },
	};

	json_object(j, "devices");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		json_unsigned(j, rows[i].name, rows[i].value);
	json_object(j, "taken");
	for (int i = 0; i < FLEET_TAKENS; i++)
		json_unsigned(j, taken_keys[i], f.taken[i]);
	json_object_end(j);
	json_object_end(j);
}
