#!/bin/sh
# Prints the path of a Go that every go.mod of test/cluster is content with: the machine's own, else one that an older Go
# (Debian's) fetches as a module, checked against Go's checksum database, into the cache.
set -eu
cd "$(dirname "$0")/.."
wanted=$(awk '$1 == "go" {print $2}' test/cluster/go.mod test/cluster/*/go.mod | sort -rV | head -n 1)
fetched=1.26.8

command -v go >/dev/null 2>&1 || {
  echo "go.sh: Go is missing; 'scripts/setup.sh cluster' installs Debian's golang-go, any newer one serves too" >&2
  exit 1
}

# Asked outside any module: inside one, an older Go refuses to say anything.
own=$(cd / && GOTOOLCHAIN=local go env GOVERSION | sed 's/^go//; s/[ -].*//')
if [ "$(printf '%s\n' "$wanted" "$own" | sort -V | head -n 1)" = "$wanted" ]; then
  command -v go
  exit 0
fi

case $(uname -m) in aarch64) arch=arm64 ;; *) arch=amd64 ;; esac
folder="${XDG_CACHE_HOME:-$HOME/.cache}/nopal/go-$fetched"
if [ ! -x "$folder/bin/go" ]; then
  echo "go.sh: Go $own is too old (needed: $wanted); fetching Go $fetched as a module" >&2
  mkdir -p "${folder%/*}"
  work=$(mktemp -d "${folder%/*}/.go-XXXXXX")
  trap 'rm -rf "$work"' EXIT
  module="golang.org/toolchain@v0.0.1-go$fetched.linux-$arch"
  (cd "$work" && GOTOOLCHAIN=local GOFLAGS=-modcacherw GOMODCACHE="$work/mod" go mod download "$module")
  # The module cache drops the x bits.
  chmod +x "$work/mod/$module"/bin/* "$work/mod/$module"/pkg/tool/*/*
  [ -d "$folder" ] || mv "$work/mod/$module" "$folder"
fi
echo "$folder/bin/go"
