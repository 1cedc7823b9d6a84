/* SPDX-License-Identifier: MIT */
/* spimend lint: configurations with applets in, findings or a restored listing out. */
#ifndef CMD_LINT_H
#define CMD_LINT_H

int lint_main(int argc, char **argv);

#endif
