/* SPDX-License-Identifier: MIT */
/*
 * `show ip interface brief` of IOS and IOS XE, `show interface ip brief` of ASA: which addresses a device has. Pure.
 */
#ifndef PARSE_SHOW_INTERFACE_H
#define PARSE_SHOW_INTERFACE_H

#include "parse/show.h"

enum saved_output show_interface_starts(struct text cleaned);
enum show_result show_interface_line(struct text line, uint32_t number, struct saved_record *ret);

#endif
