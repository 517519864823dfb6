#!/bin/sh
# Runs Kubernetes' own conformance specs of networks on a cluster of two nodes with nopal installed, and takes it down. Needs root.
#   scripts/conformance.sh [--kill-agents] [--jobs N]
# --kill-agents: every agent is killed every two seconds meanwhile. --jobs: specs side by side (default 4).
# Minutes the first time, because the specs and the cluster are built then.
set -eu
cd "$(dirname "$0")/.."
case " $* " in *' -h '* | *' --help '*) sed -n '2,5s/^# //p' scripts/conformance.sh; exit 0 ;; esac
[ "$(id -u)" = 0 ] || { echo 'conformance: needs root, because it makes nodes: sudo scripts/conformance.sh' >&2; exit 1; }
scripts/setup.sh build lab cluster conformance
exec node_modules/.bin/node test/conformance/main.ts "$@"
