#!/bin/sh
# Removes what test labs left behind whose process was killed: processes, folders.
#   scripts/lab-clean.sh [--quiet] [RUN...]      no RUN named = every run that is dead
# A lab lists itself in /run/nopal-lab; nothing that is not listed there is touched, nor a run whose owner lives.
# Links, mounts and addresses of a lab live in its namespaces, which have no names and go with its processes.
set -eu

registry=/run/nopal-lab
quiet=''
[ "${1:-}" != --quiet ] || { quiet=yes; shift; }

say() { [ -n "$quiet" ] || printf 'lab-clean: %s\n' "$*"; }
fail() { printf 'lab-clean: %s\n' "$*" >&2; exit 1; }

# Field 22 of stat is the start time; the program's name before it may hold spaces and brackets.
start_time() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }

# PID START: a process id alone may be somebody else's by now; with its start time it cannot be.
lives() {
  [ "$(start_time "$1")" = "$2" ] || return 1
  # The owner may sweep up its own run while it dies.
  [ "$1" != "$PPID" ]
}

# Of a run is what carries its name in the environment.
processes_of() {
  grep -lzxF "LAB_RUN_OF_NOPAL=$1" /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3 | { grep -vx "$PPID" || :; }
}

# A program may start another while we look, so look again until there is none.
end_processes() {
  for _ in $(seq 100); do
    left=$(processes_of "$1")
    [ -n "$left" ] || return 0
    # shellcheck disable=SC2086 # a list of ids
    kill -KILL $left 2>/dev/null || :
    sleep 0.1
  done
  fail "run $1: these processes do not end: $left"
}

remove_folders() {
  { cat "$1/folders" 2>/dev/null || :; } | while read -r folder; do
    case $folder in /*nopal-*) rm -rf --one-file-system "$folder" ;; esac
  done
}

sweep() {
  end_processes "$(basename "$1")"
  remove_folders "$1"
  rm -rf "$1"
  say "removed run $(basename "$1")"
}

# A run that died while it was listing itself made nothing but its draft; of one that died while it took itself off the
# list that entry alone is left.
sweep_halves() {
  for half in "$registry"/.draft-* "$registry"/*; do
    case $half in */.draft-*) ;; *) [ ! -e "$half/owner" ] || continue ;; esac
    find "$half" -maxdepth 0 -mmin +1 -exec rm -rf {} + 2>/dev/null || :
  done
}

for run; do
  case $run in *[!0-9a-f]* | '') fail "not the name of a run: $run" ;; esac
done
[ -d "$registry" ] || { say 'nothing to do'; exit 0; }
[ "$(id -u)" = 0 ] || fail 'needs root'
sweep_halves
[ $# -gt 0 ] || for entry in "$registry"/*; do [ ! -d "$entry" ] || set -- "$@" "$(basename "$entry")"; done
for run; do
  # It may end by itself at any moment, and takes its entry away.
  owner=$(cat "$registry/$run/owner" 2>/dev/null) || owner=''
  if [ -z "$owner" ]; then
    say "no run $run"
  elif lives "${owner% *}" "${owner#* }"; then
    say "run $run is in use by process ${owner% *}"
  else
    sweep "$registry/$run"
  fi
done
rmdir "$registry" 2>/dev/null || :
