/* SPDX-License-Identifier: MIT */
/* spimend audit: tables of several devices in, saved ones or asked for, what only one end has out. */
#ifndef CMD_AUDIT_H
#define CMD_AUDIT_H

int audit_main(int argc, char **argv);

#endif
