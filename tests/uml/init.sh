#!/bin/sh
# tests/uml/init.sh: first process of the user-mode kernel. Its root is the host's /, read-only, under an overlay in memory; then
# runs $START there.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
modules=/usr/lib/uml/modules/$(uname -r)
mount -t proc proc /proc
insmod "$modules/kernel/fs/overlayfs/overlay.ko"
mount -t tmpfs tmpfs /mnt && mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work overlay /mnt/root && cd /mnt/root || exit 1
mkdir -p usr/lib/modules oldroot
ln -s "$modules" usr/lib/modules/
# Not chroot: the kernel's modprobe, for the ciphers, runs in its own root.
pivot_root . oldroot
exec sh "$START"
