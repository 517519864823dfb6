#!/bin/sh
# Sets up whatever is missing, builds, and runs every lane of tests; the last line is "N passed, N failed".
#   scripts/test.sh [--quick] [--only LANE]... [--skip LANE]...
# --quick: a minute or two, no root, nothing started but this machine's own Node. Lanes: scripts/lanes.ts.
set -eu
cd "$(dirname "$0")/.."
case " $* " in
  *' --quick '*) ./scripts/setup.sh build ;;
  *) ./scripts/setup.sh build lint page lab cluster conformance ;;
esac
export PATH="$PWD/node_modules/.bin:$PATH"
exec node scripts/run-tests.ts "$@"
