/* SPDX-License-Identifier: MIT */
/* spimend report: one incident with all that was recorded around it, as a folder or an archive. */
#ifndef CMD_REPORT_H
#define CMD_REPORT_H

/* `argv[0]` is the command's name. Returns the exit status. */
int report_main(int argc, char **argv);

#endif
