# Starts the node, says who its outer process is, and ends it and its files when the pipe from the starter ends, however
# that happens. $1: the node's directory, $2: the text of the node's pid 1.
unshare --net --mount --uts --pid --ipc --fork --kill-child --mount-proc sh -c "$2" node "$1" </dev/null >"$1/node.log" 2>&1 &
echo $!
read -r _
kill -KILL $!
wait $!
# The mounts go with the last process of the node.
until rm -rf "$1" 2>/dev/null; do sleep 0.1; done
