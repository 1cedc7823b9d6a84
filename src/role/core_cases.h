/* SPDX-License-Identifier: MIT */
/*
 * The fleet's mind in the role core: sightings of devices in, orders to the role ssh out, incidents to the store and to
 * whoever watches. The wiring of src/fleet; it decides nothing. Private to the role core.
 */
#ifndef ROLE_CORE_CASES_H
#define ROLE_CORE_CASES_H

#include "fleet/fleet.h"
#include "fleet/survey.h"
#include "model/report.h"
#include "model/syslog.h"
#include "role/message.h"

struct loop_timer;
struct mind;

struct mind_cases {
	struct fleet *fleet;      /* owns; NULL: no device is configured */
	struct survey *survey;    /* owns; which address is whose, and whose site; NULL with `fleet` */
	struct loop_timer *timer;
	struct case_place {       /* of the devices' addresses: sorted by address */
		struct spimend_address address;
		uint32_t device;
	} *places;                /* owns */
	uint32_t place_count;
	uint64_t strangers;       /* sightings by sources that are no device */
	uint64_t not_kept;        /* lines of the devices' journals */
};

/* After mind->member->config is new, and at the start. 0 or negative errno. */
int mind_cases_configure(struct mind *mind);
void mind_cases_done(struct mind *mind);
/* A syslog line or a trap of a device: only that of one that is configured is looked into, by the address that it came
 * from. */
const char *mind_cases_device_of(const struct mind *mind, const struct spimend_address *source); /* NULL: no device's */
void mind_cases_claim(struct mind *mind, const struct syslog_claim *claim);
void mind_cases_report(struct mind *mind, const struct device_report *report);
/* What came of an order. True: it was one of the fleet's. */
bool mind_cases_result(struct mind *mind, const struct device_result *result);
bool mind_cases_printed(struct mind *mind, const struct device_printed *printed);
void mind_cases_sa(struct mind *mind, const struct role_device_sa *sa);
void mind_cases_row(struct mind *mind, const struct role_device_row *row);
/* ssh or sense ended: what was under way may have been done. */
void mind_cases_lost(struct mind *mind);
/* After whatever the fleet was told: what it wants is carried out. */
void mind_cases_settle(struct mind *mind);

#endif
