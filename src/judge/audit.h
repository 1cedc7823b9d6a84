/* SPDX-License-Identifier: MIT */
/*
 * Compares the SA tables of several devices, and finds what only one end has, before a packet is lost. No event is
 * needed, no clock is read, nothing is typed anywhere.
 *
 * Called by cmd (audit) with saved outputs, or with what devices answered. Readings of one device count in
 * the order in which they are given: "read R, then S, then R again" tells a fault from a rekey in between (devices.md
 * 1). It never judges manual and group keys, and never takes what a table does not speak of for absent.
 */
#ifndef JUDGE_AUDIT_H
#define JUDGE_AUDIT_H

#include "base/hash.h"
#include "model/audit.h"

#define AUDIT_DEVICES_MAX 100000
#define AUDIT_RECORDS_MAX (64u << 20)
#define AUDIT_FINDINGS_MAX 100000

struct sa_audit;

/* 0 or -ENOMEM. The key keeps whoever chooses SPIs from choosing our collisions. */
int sa_audit_new(const struct hash_key *key, struct sa_audit **ret);
void sa_audit_free(struct sa_audit *audit);

/* Finds or adds. A device's number from 0 on, or -ENOMEM, -E2BIG. Names are kept. */
int sa_audit_device(struct sa_audit *audit, const char *name);
/* A saved output of a device begins; its number from 0 on, or -ENOMEM. `file` is borrowed to the end. */
int sa_audit_begin(struct sa_audit *audit, int device, const char *file, enum saved_output output,
		   const struct saved_filter *filter);
/* 0, -ENOMEM, or -E2BIG when AUDIT_RECORDS_MAX is reached. */
int sa_audit_add(struct sa_audit *audit, int output, const struct saved_record *record);
void sa_audit_end_output(struct sa_audit *audit, int output, bool cut);

/* Everything was added: compares. 0 or -ENOMEM. */
int sa_audit_judge(struct sa_audit *audit);
const struct audit_counts *sa_audit_counts(const struct sa_audit *audit);
/* Sorted: worst first within a tunnel, tunnels by their worst. */
size_t sa_audit_findings(const struct sa_audit *audit);
const struct audit_finding *sa_audit_finding(const struct sa_audit *audit, size_t at);

/* Two names that list the same inbound SAs: one device under two names, or a pair in stateful failover. The second
 * one's tables were left out. False when there are no more. */
bool sa_audit_same_device(const struct sa_audit *audit, size_t at, const char **ret_first, const char **ret_second);

#endif
