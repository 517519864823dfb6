#!/bin/sh
# Runs Kubernetes' own conformance specs of networks on a cluster of two nodes with nopal installed, and takes it down. Needs root.
#   scripts/conformance.sh [--kill-agents] [--jobs N]
# --kill-agents: every agent is killed every two seconds meanwhile. --jobs: specs side by side (default 4).
# Minutes the first time, because the specs and the cluster are built then.
set -eu
cd "$(dirname "$0")/.."

fail() { printf 'conformance: %s\n' "$*" >&2; exit "${code:-1}"; }

jobs=4
kill_agents=
while [ $# -gt 0 ]; do
  case $1 in
    --kill-agents) kill_agents=$1; shift ;;
    --jobs)
      case ${2:-} in '' | 0* | *[!0-9]*) code=2 fail "--jobs is a number from 1, not \"${2:-}\"" ;; esac
      jobs=$2
      shift 2
      ;;
    -h | --help) sed -n '2,5s/^# //p' scripts/conformance.sh; exit 0 ;;
    *) code=2 fail "unknown option $1 (known: --kill-agents, --jobs)" ;;
  esac
done
[ "$(id -u)" = 0 ] || fail 'needs root, because it makes nodes: sudo scripts/conformance.sh'
scripts/setup.sh build lab cluster conformance
exec node_modules/.bin/node test/conformance/main.ts --jobs "$jobs" ${kill_agents:+--kill-agents}
