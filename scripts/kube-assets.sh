#!/bin/sh
# Builds Kubernetes programs with Go, once, and prints the folder that holds them on the last line of stdout.
# usage: scripts/kube-assets.sh [NAME...]     default: kube-apiserver etcd
# KUBEBUILDER_ASSETS, where set, is that folder and nothing is built. KUBE_ASSETS_QUIET=1 leaves the progress out.
set -eu

here=$(cd "$(dirname "$0")/.." && pwd)
module=$here/test/cluster
[ $# -gt 0 ] || set -- kube-apiserver etcd

say() { [ -n "${KUBE_ASSETS_QUIET:-}" ] || printf 'kube-assets: %s\n' "$*" >&2; }
die() { printf 'kube-assets: %s\n' "$*" >&2; exit 1; }

# Prints those of the given names that the folder $1 lacks.
missing_in() {
  folder=$1
  shift
  for name; do [ -x "$folder/$name" ] || printf '%s ' "$name"; done
}

package_of() {
  case $1 in
    etcd) echo go.etcd.io/etcd/server/v3 ;;
    kube-apiserver | kube-controller-manager | kube-scheduler | kubelet | kubectl | kube-proxy)
      echo "k8s.io/kubernetes/cmd/$1" ;;
    *) die "unknown program $1 (known: etcd kube-apiserver kube-controller-manager kube-scheduler kubelet kubectl kube-proxy)" ;;
  esac
}

build() {
  name=$1
  package=$(package_of "$name")
  kubernetes=$(awk '$1 == "k8s.io/kubernetes" { print $2; exit }' "$module/go.mod")
  say "building $name with $go (minutes, once)"
  # Without gitVersion kubectl cannot read the server's version.
  (cd "$module" && GOTOOLCHAIN=local CGO_ENABLED=0 nice "$go" build -trimpath \
    -ldflags "-s -w -X k8s.io/component-base/version.gitVersion=$kubernetes" -o "$building/$name" "$package") ||
    die "go build of $name failed"
  # One rename in the same folder tree: nobody ever sees half a program.
  mv -f "$building/$name" "$assets/$name"
  say "built $name"
}

for name; do package_of "$name" >/dev/null; done

if [ -n "${KUBEBUILDER_ASSETS:-}" ]; then
  absent=$(missing_in "$KUBEBUILDER_ASSETS" "$@")
  [ -z "$absent" ] || die "KUBEBUILDER_ASSETS=$KUBEBUILDER_ASSETS lacks: $absent"
  printf '%s\n' "$KUBEBUILDER_ASSETS"
  exit 0
fi

hash=$(cat "$module/go.mod" "$module/go.sum" | sha256sum | cut -c1-12)
assets=${XDG_CACHE_HOME:-$HOME/.cache}/nopal/kube-$hash
if [ -n "$(missing_in "$assets" "$@")" ]; then
  mkdir -p "$assets"
  exec 9>"$assets/.lock"
  flock -n 9 || { say "another run is building, waiting for it"; flock 9; }
  # The other run may have built what was missing.
  absent=$(missing_in "$assets" "$@")
  if [ -n "$absent" ]; then
    go=$("$here/scripts/go.sh") || die "no Go to build ${absent% } with; or set KUBEBUILDER_ASSETS to a folder that has these programs"
    # Left by a run that was killed; the lock says nobody uses it.
    rm -rf "$assets"/.building.*
    building=$assets/.building.$$
    mkdir "$building"
    trap 'rm -rf "$building"' EXIT
    trap 'exit 130' INT TERM HUP
    for name in $absent; do build "$name"; done
  fi
fi
printf '%s\n' "$assets"
