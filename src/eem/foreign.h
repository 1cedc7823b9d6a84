/* SPDX-License-Identifier: MIT */
/* A router's other commands: what may stand in a configuration beside EEM, and is passed over. Private to eem. */
#ifndef EEM_FOREIGN_H
#define EEM_FOREIGN_H

#include "base/text.h"

/* The word begins a command of a router's configuration or exec mode that is none of EEM's. Abbreviations count from three
 * letters on, but for `sh` and `no`. */
bool foreign_command(struct text word);
/* The text, behind blanks, begins a command that stands in listings between applets: `conf t`, `sh ip int bri`,
 * `debug crypto isakmp`, `snmp-server host ...`. Two words must fit: prose does not begin so. */
bool foreign_in_listing(struct text text);

#endif
