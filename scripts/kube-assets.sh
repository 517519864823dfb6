#!/bin/sh
# Builds the tests' Go programs, once, and prints the folder that holds them on the last line of stdout.
# usage: scripts/kube-assets.sh [NAME...]     default: kube-apiserver etcd
# All names of one call are of one Go module: Kubernetes' programs, coredns, hcloud-read, helm, containerd, cnitool and what goes
# with each, or e2e.test and the like. Each module has a folder of its own, so another version in one leaves the others' programs
# as they are.
# KUBEBUILDER_ASSETS, where set, is Kubernetes' folder, and that is not built. KUBE_ASSETS_QUIET=1 leaves the progress out.
set -eu

here=$(cd "$(dirname "$0")/.." && pwd)
[ $# -gt 0 ] || set -- kube-apiserver etcd

say() { [ -n "${KUBE_ASSETS_QUIET:-}" ] || printf 'kube-assets: %s\n' "$*" >&2; }
die() { printf 'kube-assets: %s\n' "$*" >&2; exit 1; }

# Module and package of a program.
source_of() {
  case $1 in
    etcd) echo 'kube go.etcd.io/etcd/server/v3' ;;
    kube-apiserver | kube-controller-manager | kube-scheduler | kubelet | kubectl | kube-proxy)
      echo "kube k8s.io/kubernetes/cmd/$1" ;;
    coredns) echo 'coredns .' ;;
    hcloud-read) echo 'hcloud .' ;;
    helm) echo 'helm helm.sh/helm/v3/cmd/helm' ;;
    containerd | containerd-shim-runc-v2 | ctr) echo "containerd github.com/containerd/containerd/v2/cmd/$1" ;;
    cnitool) echo 'cni github.com/containernetworking/cni/cnitool' ;;
    libcni-gc) echo 'cni .' ;;
    bridge) echo 'cni github.com/containernetworking/plugins/plugins/main/bridge' ;;
    host-local) echo 'cni github.com/containernetworking/plugins/plugins/ipam/host-local' ;;
    tuning) echo 'cni github.com/containernetworking/plugins/plugins/meta/tuning' ;;
    e2e.test) echo 'conformance k8s.io/kubernetes/test/e2e' ;;
    agnhost) echo 'conformance k8s.io/kubernetes/test/images/agnhost' ;;
    ginkgo) echo 'conformance github.com/onsi/ginkgo/v2/ginkgo' ;;
    portmap) echo 'conformance github.com/containernetworking/plugins/plugins/meta/portmap' ;;
    *) die "unknown program $1 (known: etcd kube-apiserver kube-controller-manager kube-scheduler kubelet kubectl" \
      "kube-proxy coredns hcloud-read helm containerd containerd-shim-runc-v2 ctr cnitool libcni-gc bridge host-local tuning e2e.test agnhost ginkgo portmap)" ;;
  esac
}

# The one module that all the given names are of.
module_of() {
  found=
  for name; do
    source=$(source_of "$name")
    [ -z "$found" ] || [ "$found" = "${source% *}" ] || die "$1 and $name are of two modules: ask for each by itself"
    found=${source% *}
  done
  echo "$found"
}

# Prints those of the given names that the folder $1 lacks.
missing_in() {
  folder=$1
  shift
  for name; do [ -x "$folder/$name" ] || printf '%s ' "$name"; done
}

build() {
  name=$1
  source=$(source_of "$name")
  kubernetes=$(awk '$1 == "k8s.io/kubernetes" { print $2; exit }' "$sources/go.mod")
  minor=$(awk '$1 == "k8s.io/client-go" { split($2, part, "."); print part[2]; exit }' "$sources/go.mod")
  # A program that is a package's tests.
  verb=build
  case $name in *.test) verb='test -c -vet=off' ;; esac
  say "building $name with $go (minutes, once)"
  # Without gitVersion kubectl cannot read the server's version, and without the others helm takes a server that it does not
  # ask for one of Kubernetes 1.20. Without C a program runs in an image that has no glibc.
  # shellcheck disable=SC2086 # a list of words
  (cd "$sources" && GOTOOLCHAIN=local CGO_ENABLED=0 nice "$go" $verb -mod=readonly -trimpath \
    -ldflags "-s -w -X k8s.io/component-base/version.gitVersion=$kubernetes \
      -X helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor=1 -X helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor=$minor \
      -X helm.sh/helm/v3/pkg/lint/rules.k8sVersionMajor=1 -X helm.sh/helm/v3/pkg/lint/rules.k8sVersionMinor=$minor" -o "$building/$name" "${source#* }") ||
    die "go build of $name failed"
  # One rename in the same folder tree: nobody ever sees half a program.
  mv -f "$building/$name" "$assets/$name"
  say "built $name"
}

module=$(module_of "$@")
if [ "$module" = kube ] && [ -n "${KUBEBUILDER_ASSETS:-}" ]; then
  absent=$(missing_in "$KUBEBUILDER_ASSETS" "$@")
  [ -z "$absent" ] || die "KUBEBUILDER_ASSETS=$KUBEBUILDER_ASSETS lacks: $absent"
  printf '%s\n' "$KUBEBUILDER_ASSETS"
  exit 0
fi

sources=$here/test/cluster/$module
[ "$module" != kube ] || sources=$here/test/cluster
hash=$(for file in go.mod go.sum main.go; do [ ! -e "$sources/$file" ] || cat "$sources/$file"; done |
  sha256sum | cut -c1-12)
assets=${XDG_CACHE_HOME:-$HOME/.cache}/nopal/$module-$hash
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
