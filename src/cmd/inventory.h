/* SPDX-License-Identifier: MIT */
/* `spimend inventory`: devices of Ansible's and NetBox's inventories as lines of spimend.conf(5). */
#ifndef CMD_INVENTORY_H
#define CMD_INVENTORY_H

int inventory_main(int argc, char **argv); /* the exit status */

#endif
