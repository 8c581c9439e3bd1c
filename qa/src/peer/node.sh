# Pid 1 of a node for Debian's Ganeti: private directories and a network of its own, then it waits. $1: the node's directory.
set -e
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
hostname node1.peer.example
mkdir -p /srv /var/lib/ganeti
mount --bind "$1/etc" /etc
mount --bind "$1/lib" /var/lib/ganeti
mount --bind "$1/log" /var/log
mount --bind "$1/srv" /srv
mount -t sysfs sysfs /sys
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -m 1777 /run/lock
ip link set lo up
ip link add eth0 type veth peer name eth0-end
ip address add 198.51.100.11/24 dev eth0
ip link set eth0 up
ip link set eth0-end up
ip link add gnt-br0 type bridge
ip link set gnt-br0 up
: > "$1/up"
trap 'exit 0' TERM
set +e
# Orphans become children of this shell, which reaps them while it waits.
while :; do sleep 3600 & wait $!; done
