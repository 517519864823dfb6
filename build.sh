#!/bin/sh
# Builds dist/: nopal.js (the agent) and kactus (the CNI plugin, one executable that needs no Node).
#   ./build.sh [--packager bun|pkg] [--arch amd64|arm64]
# Packager pkg leaves dist/kactus-pkg; a foreign arch leaves dist/kactus-ARCH.
set -eu
cd "$(dirname "$0")"
[ -d node_modules ] || ./scripts/setup.sh
export PATH="$PWD/node_modules/.bin:$PATH"
exec node scripts/build.ts "$@"
