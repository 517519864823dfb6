#!/bin/sh
# Shows nopal at work on this machine: sets up, builds, starts two nodes, tells what happens, and cleans up.
#   scripts/demo.sh [--keep]      --keep leaves it running and says how to look around
set -eu
cd "$(dirname "$0")/.."

fail() { printf 'demo: %s\n' "$*" >&2; exit "${code:-1}"; }

for option; do
  case $option in
    --keep) ;;
    -h | --help) sed -n '2,3s/^# //p' scripts/demo.sh; exit 0 ;;
    *) code=2 fail "unknown option $option (known: --keep)" ;;
  esac
done
[ "$(id -u)" = 0 ] || fail 'needs root, because it makes network namespaces: sudo scripts/demo.sh'

# Something that went into the build is newer than what came out.
stale() {
  [ -x dist/kactus ] && [ -f dist/nopal.js ] || return 0
  [ -n "$(find agent cni package-lock.json build.sh scripts/build.ts scripts/pack-bun.ts -newer dist/kactus -print -quit)" ]
}

scripts/setup.sh
# Two demos in one checkout take turns here.
exec 9<.
flock 9
if stale; then ./build.sh; fi
exec 9<&-
exec node_modules/.bin/node test/lab/demo/main.ts "$@"
