# tests/uml/guest.sh: runs in a guest of harness.py. Two namespaces with static SAs over IPv4 and IPv6; B loses its inbound ones; what the
# audit sensor, the counters and the packet sensor say goes to standard output, each line with its witness's name in front.
for module in veth esp4 esp6 xfrm_user af_packet cbc hmac sha256_generic aes_generic; do
	modprobe -q $module
done
ip netns add A
ip netns add B
ip link add wire netns A type veth peer name wire netns B
side() { # NAME OWN OTHER
	ip -n "$1" addr add "10.88.0.$2/24" dev wire
	ip -n "$1" addr add "fd88::$2/64" dev wire nodad
	ip -n "$1" link set lo up
	ip -n "$1" link set wire up
	for prefix in 10.88.0. fd88::; do
		for from in 1 2; do
			ip -n "$1" xfrm state add src $prefix$from dst $prefix$((3 - from)) proto esp spi 0xB761863$from mode transport \
				auth 'hmac(sha256)' 0x0101010101010101010101010101010101010101010101010101010101010101 \
				enc 'cbc(aes)' 0x02020202020202020202020202020202
		done
		ip -n "$1" xfrm policy add dir out src "$prefix$2" dst "$prefix$3" proto "$4" tmpl proto esp mode transport
		ip -n "$1" xfrm policy add dir in src "$prefix$3" dst "$prefix$2" proto "$4" tmpl proto esp mode transport
		set -- "$1" "$2" "$3" ipv6-icmp
	done
}
side A 1 2 icmp
side B 2 1 icmp
both() { # COUNT: pings over IPv4 and IPv6
	for to in 10.88.0.2 fd88::2; do
		ip netns exec A ping -q -c "$1" -i 0.2 -W "${PATIENCE%.*}" $to
	done
}
both 2 | grep -c ' 0% packet loss' | sed 's/^/tunnels that carry: /'

mkfifo /run/ask-witness /run/ask-late /run/ask-sensor
ip netns exec B sleep 600 & holder=$!
while [ "$(readlink /proc/$holder/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do sleep 0.1; done
"$BUILD/tests/uml/uml_witness" /proc/$holder/net/xfrm_stat </run/ask-witness >/run/witness 2>&1 & witness=$!
"$BUILD/tests/uml/uml_witness" /proc/$holder/net/xfrm_stat late </run/ask-late >/run/late 2>&1 & late=$!
ip netns exec B "$BUILD/tests/netns/netns_sensor" packet wire </run/ask-sensor >/run/sensor 2>&1 & sensor=$!
exec 3>/run/ask-witness 5>/run/ask-late 4>/run/ask-sensor
# An SA that lives, as a control: its packets must not be told.
printf '%s\n' 'dead 10.88.0.2 50 0xB7618631' 'dead fd88::2 50 0xB7618631' 'live 10.88.0.2 50 0xB7618639' open >&4
until grep -q ready /run/witness && grep -q ready /run/late && [ "$(grep -c done /run/sensor)" -ge 4 ]; do sleep 0.2; done
echo 'wait 4000' >&4
ip -n B xfrm state delete src 10.88.0.1 dst 10.88.0.2 proto esp spi 0xB7618631
ip -n B xfrm state delete src fd88::1 dst fd88::2 proto esp spi 0xB7618631
both 3 | grep -c '100% packet loss' | sed 's/^/tunnels that do not: /'
printf '%s\n' 'wait 3000' 'count 10.88.0.2 50 0xB7618631' state >&4
sleep 0.5
exec 3>&- 4>&- 5>&-
wait $witness
wait $late
wait $sensor
sed 's/^/witness: /' /run/witness
sed 's/^/late: /' /run/late
sed 's/^/sensor: /' /run/sensor
kill $holder
