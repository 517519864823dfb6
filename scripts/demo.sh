#!/bin/sh
# Shows nopal at work on this machine: sets up, builds, starts two nodes, tells what happens, and cleans up.
#   scripts/demo.sh [--cluster] [--keep]      --keep leaves it running and says how to look around
#   --cluster: a real one, with kubelet, containerd and the image; minutes the first time, because it is built then
set -eu
cd "$(dirname "$0")/.."

fail() { printf 'demo: %s\n' "$*" >&2; exit "${code:-1}"; }

program=test/lab/demo/main.ts
parts=lab
for option; do
  case $option in
    --keep) ;;
    --cluster)
      program=test/e2e/demo/main.ts
      parts='lab cluster'
      ;;
    -h | --help) sed -n '2,4s/^# //p' scripts/demo.sh; exit 0 ;;
    *) code=2 fail "unknown option $option (known: --cluster, --keep)" ;;
  esac
done
[ "$(id -u)" = 0 ] || fail 'needs root, because it makes network namespaces: sudo scripts/demo.sh'

# shellcheck disable=SC2086 # a list of words
scripts/setup.sh $parts
# Two demos in one checkout take turns here.
exec 9<.
flock 9
if scripts/stale.sh dist/nopal.js dist/kactus; then ./build.sh; fi
exec 9<&-
exec node_modules/.bin/node "$program" "$@"
