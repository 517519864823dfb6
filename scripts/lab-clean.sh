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

# A process id alone may be somebody else's by now; with its start time it cannot be.
owner_lives() {
  read -r pid started <"$1/owner" || return 1
  [ "$(start_time "$pid")" = "$started" ] || return 1
  # The owner may sweep up its own run while it dies.
  [ "$pid" != "$PPID" ]
}

# Of a run is what carries its name in the environment.
processes_of() {
  grep -lzxF "LAB_RUN_OF_NOPAL=$1" /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3 | { grep -vx "$PPID" || :; }
}

# A program may start another while we look, so look again until there is none.
end_processes() {
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    left=$(processes_of "$1")
    [ -n "$left" ] || return 0
    # shellcheck disable=SC2086 # a list of ids
    kill -KILL $left 2>/dev/null || :
    sleep 0.1
  done
  fail "run $1: these processes do not end: $left"
}

remove_folders() {
  while read -r folder; do
    case $folder in /*nopal-*) rm -rf --one-file-system "$folder" ;; esac
  done <"$1/folders"
}

sweep() {
  end_processes "$(basename "$1")"
  remove_folders "$1"
  rm -rf "$1"
  say "removed run $(basename "$1")"
}

# A run that died while it was listing itself made nothing but its draft.
sweep_drafts() {
  for draft in "$registry"/.draft-*; do
    [ -d "$draft" ] || continue
    find "$draft" -maxdepth 0 -mmin +1 -exec rm -rf {} +
  done
}

for run; do
  case $run in *[!0-9a-f]* | '') fail "not the name of a run: $run" ;; esac
done
[ -d "$registry" ] || { say 'nothing to do'; exit 0; }
[ "$(id -u)" = 0 ] || fail 'needs root'
sweep_drafts
[ $# -gt 0 ] || for entry in "$registry"/*; do [ ! -d "$entry" ] || set -- "$@" "$(basename "$entry")"; done
for run; do
  if [ ! -d "$registry/$run" ]; then
    say "no run $run"
  elif owner_lives "$registry/$run"; then
    say "run $run is in use by process $(cut -d' ' -f1 "$registry/$run/owner")"
  else
    sweep "$registry/$run"
  fi
done
rmdir "$registry" 2>/dev/null || :
