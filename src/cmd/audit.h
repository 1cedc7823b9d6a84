/* SPDX-License-Identifier: MIT */
/* spimend audit: saved outputs of several devices in, what only one end has out. */
#ifndef CMD_AUDIT_H
#define CMD_AUDIT_H

int audit_main(int argc, char **argv);

#endif
