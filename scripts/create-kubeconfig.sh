#!/bin/sh
# Writes the kubeconfig of kactus, for nodes on which it is installed by hand (the agent writes it by itself).
#   scripts/create-kubeconfig.sh [--output FILE] [--duration 8760h] [--server URL] [--namespace nopal] [--account kactus]
# Asks the cluster of kubectl's current context for a token of the account, which daemonset/kactus-rbac.yaml makes. --server:
# the API server's address as nodes know it, where kubectl goes another way. The file (default kactus-kubeconfig.yaml) is a
# secret: put it on each node as /etc/cni/net.d/kactus.d/kactus-kubeconfig.yaml, mode 0600, and make it anew before it runs out.
set -eu

die() { printf 'create-kubeconfig: %s\n' "$*" >&2; exit "${code:-1}"; }

output=kactus-kubeconfig.yaml
duration=8760h
server=
namespace=nopal
account=kactus
while [ $# -gt 0 ]; do
  case $1 in
    --output | --duration | --server | --namespace | --account)
      [ -n "${2:-}" ] || code=2 die "$1 needs a value"
      case $1 in
        --output) output=$2 ;;
        --duration) duration=$2 ;;
        --server) server=$2 ;;
        --namespace) namespace=$2 ;;
        --account) account=$2 ;;
      esac
      shift 2
      ;;
    -h | --help) sed -n '2,6s/^# //p' "$0"; exit 0 ;;
    *) code=2 die "unknown argument $1; see --help" ;;
  esac
done
command -v kubectl >/dev/null 2>&1 || die 'kubectl is missing'

cluster() { kubectl config view --raw --minify --flatten -o "jsonpath={.clusters[0].cluster.$1}"; }

[ -n "$server" ] || server=$(cluster server)
case $server in
  *[!A-Za-z0-9.:/_~%\[\]-]*) die "the API server's address is not https://...: \"$server\"" ;;
  https://127.* | https://localhost | https://localhost[:/]* | 'https://[::1]'*) die "$server leads nowhere from a node: name another with --server" ;;
  https://?*) ;;
  *) die "the API server's address is not https://...: \"$server\"" ;;
esac
ca=$(cluster certificate-authority-data)
[ -n "$ca" ] || die "the current context has no certificate authority to know $server by"
name=$(cluster tls-server-name)

[ ! -d "$output" ] || die "--output is a folder: $output"
umask 077
draft=$(mktemp "$output.XXXXXX")
trap 'rm -f "$draft"' EXIT
trap 'exit 130' INT TERM HUP
# On one line: the token, and when it ends.
kubectl -n "$namespace" create token "$account" --duration "$duration" \
  -o 'jsonpath={.status.token} {.status.expirationTimestamp}' >"$draft" ||
  die "no token of account $account in namespace $namespace: kubectl apply -f daemonset/kactus-rbac.yaml makes the account"
read -r token ends <"$draft" || [ -n "$token" ]
cat >"$draft" <<CONFIG
apiVersion: v1
kind: Config
clusters:
  - name: cluster
    cluster:
      server: "$server"
      certificate-authority-data: "$ca"${name:+
      tls-server-name: "$name"}
users:
  - name: $account
    user:
      token: "$token"
contexts:
  - name: $account
    context:
      cluster: cluster
      user: $account
current-context: $account
CONFIG
# Asked as the account, but by the way that kubectl itself goes.
for resource in pods networks.kaloom.com; do
  kubectl auth can-i get "$resource" --all-namespaces --quiet --as "system:serviceaccount:$namespace:$account" ||
    die "account $account in namespace $namespace may not read $resource: kubectl apply -f daemonset/kactus-rbac.yaml gives it the rights"
done
mv "$draft" "$output"
echo "create-kubeconfig: wrote $output: $server as $account, until $ends" >&2
