#!/bin/sh
# Succeeds when a program of dist/ is missing, or older than anything that goes into it.
#   scripts/stale.sh dist/nopal.js dist/kactus
set -eu
cd "$(dirname "$0")/.."
for program; do
  [ -f "$program" ] || exit 0
  newer=$(find agent cni build.sh package.json package-lock.json tsconfig.json scripts/*.ts -newer "$program" -print -quit)
  [ -z "$newer" ] || exit 0
done
exit 1
