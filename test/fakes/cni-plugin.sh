#!/bin/sh
# A CNI plugin for tests, installed under any name. In the folder it lies in it
#   notes each call in `calls` (B when it begins, H when it is held, E when it ends) its environment in `env.<pid>` and its stdin in `stdin.<pid>`,
#   keeps `held/<name>.<container>.<interface>` from an ADD until the DEL, as an address or a device would be,
#   obeys files of its own name and command, or `any`: .kill (`begin` or `end`: kill the program that called it there
#   with SIGKILL), .hold (a pipe: wait until somebody writes to it), .err (what to say on stderr), .out (what to answer)
#   and .code (how to end).
# Whoever asked may be dead by the time of the answer.
trap '' PIPE
folder=${0%/*}
name=${0##*/}
note() {
  echo "$1	$$	$CNI_COMMAND	$name	$CNI_CONTAINERID	$CNI_IFNAME	$CNI_NETNS	$CNI_ARGS" >>"$folder/calls"
}
order() {
  for file in "$folder/$name.$CNI_COMMAND.$1" "$folder/any.$CNI_COMMAND.$1"; do
    [ ! -e "$file" ] || { echo "$file"; return; }
  done
}
note B
env >"$folder/env.$$"
cat >"$folder/stdin.$$"
kill=$(order kill)
when=
[ -z "$kill" ] || read -r when <"$kill"
[ "$when" != begin ] || kill -9 "$PPID"
mine="$folder/held/$name.$CNI_CONTAINERID.$CNI_IFNAME"
case $CNI_COMMAND in
  ADD) : >"$mine" ;;
esac
hold=$(order hold)
if [ -n "$hold" ]; then
  note H
  cat "$hold" >/dev/null
fi
err=$(order err)
[ -z "$err" ] || cat "$err" >&2
out=$(order out)
code=$(order code)
if [ -n "$out" ]; then
  cat "$out" 2>/dev/null
elif [ "$CNI_COMMAND" = ADD ]; then
  echo "{\"interfaces\":[{\"name\":\"$CNI_IFNAME\",\"sandbox\":\"$CNI_NETNS\"}],\"ips\":[{\"address\":\"10.1.0.2/24\",\"interface\":0}],\"dns\":{}}"
fi
status=0
[ -z "$code" ] || status=$(cat "$code")
if [ "$CNI_COMMAND" = DEL ] && [ "$status" = 0 ]; then rm -f "$mine"; fi
[ "$when" != end ] || kill -9 "$PPID"
note E
exit "$status"
