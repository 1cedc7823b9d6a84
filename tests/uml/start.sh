# tests/uml/start.sh: the first process of every guest once its root stands, a copy of the host's that nothing comes back from:
# runs $GUEST and powers off.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
for kind in proc sysfs:sys devtmpfs:dev tmpfs:run; do
	mount -t "${kind%:*}" none "/${kind#*:}"
done
mkdir -p /run/netns
sh "$GUEST" 2>&1
echo "guest ended $?"
echo o >/proc/sysrq-trigger
sleep 10
