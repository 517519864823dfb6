#!/bin/sh
# A real Kubernetes cluster on this machine: control plane, two nodes, a WireGuard mesh; without Docker. Needs root.
#   ./scripts/cluster.sh up | status | kubectl get pods -A | on n1 COMMAND | down
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
case " $* " in *' up '*) "$root/scripts/setup.sh" lab cluster >&2 ;; esac
PATH="$root/node_modules/.bin:$PATH" exec node "$root/test/e2e/cluster/main.ts" "$@"
