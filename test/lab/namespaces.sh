#!/bin/sh
# Makes and removes named network namespaces of a lab, and the folder they are in when nobody else needs it.
#   namespaces.sh make|remove NAME...
# Not `ip netns`: what that makes of the folder stays for good. But it must find the folder as it would have made it: a
# mount point of its own. Else it mounts the folder over itself, and what was mounted in it can be removed no more.
set -eu

folder=/run/netns
# There while the folder is a mount point because of a lab.
marker=/run/nopal-lab/.made-netns

make_folder() {
  mkdir -p "$folder"
  mountpoint -q "$folder" && return 0
  # Somebody's namespaces without a mount point: they do not expect one.
  ! grep -q " $folder/" /proc/self/mountinfo || return 0
  mount --bind "$folder" "$folder"
  mount --make-shared "$folder"
  : >"$marker"
}

# A folder that is in use by others stays, and is theirs from now on.
remove_folder() {
  [ -e "$marker" ] || return 0
  for left in "$folder"/nopal-*; do [ ! -e "$left" ] || return 0; done
  rm -f "$marker"
  umount "$folder" 2>/dev/null || return 0
  rmdir "$folder" 2>/dev/null || :
}

make() {
  make_folder
  for name; do
    : >"$folder/$name"
    unshare --net="$folder/$name" ip link set lo up
  done
}

remove() {
  for name; do
    umount "$folder/$name" 2>/dev/null || :
    rm -f "$folder/$name"
  done
  remove_folder
}

verb=$1
shift
# Labs take turns. The lock is on a folder that is always there and that nobody unmounts.
exec 9</run
flock -w 60 9
"$verb" "$@" 9<&-
