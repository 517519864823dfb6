#!/bin/sh
# Builds the container image as an OCI archive, dist/nopal-image-ARCH.tar, with neither a registry nor Docker nor root.
#   ./scripts/image.sh [--arch amd64|arm64] [--update] [--folders DIR]
# What Node needs of a system comes from Debian packages, fetched by apt once into the cache; --update fetches them
# afresh. --folders leaves the image's layers as folders below DIR instead, for daemonset/Containerfile.
# The image weighs about 103 MB to download and 248 MB unpacked: Node is 126 MB, kactus 112 MB (it carries Bun, because
# the host it is copied to need not have Node), the libraries 7 MB. There is no shell and no package manager in it. The
# other programs: unshare makes the network namespace of a probe sandbox and runs plugins with the host's root, wg reads
# WireGuard devices of the kernel, nft sets the packet filter of [wireguard] prevent.
set -eu
cd "$(dirname "$0")/.."

say() { printf 'image: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

machine() { case "$(uname -m)" in x86_64) echo amd64 ;; aarch64) echo arm64 ;; *) die "no image for CPU $(uname -m)" ;; esac }

arch=$(machine)
update=no
folders=
while [ $# -gt 0 ]; do
  case "$1" in
    --arch) arch=${2:?image: --arch needs amd64 or arm64}; shift 2 ;;
    --update) update=yes; shift ;;
    --folders) folders=${2:?image: --folders needs a folder}; shift 2 ;;
    *) die "unknown argument $1; see the head of scripts/image.sh" ;;
  esac
done
case "$arch" in amd64 | arm64) ;; *) die "--arch is amd64 or arm64, not $arch" ;; esac

cache=${XDG_CACHE_HOME:-$HOME/.cache}/nopal
system=$cache/image-system-$arch

# apt with lists of its own, so that it needs no root and can ask for another CPU's packages.
own_apt() {
  apt-get -q -o Dir::State="$work/apt" -o Dir::State::status="$work/apt/status" -o Dir::Cache="$work/apt/cache" \
    -o APT::Architecture="$arch" -o APT::Architectures="$arch" -o APT::Sandbox::User="$(id -un)" \
    -o Acquire::Languages=none -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false "$@"
}

# Leaves the packages' files, and what each package says of itself, in $system: whole or not at all.
fetch_system() {
  for tool in apt-get dpkg-deb; do
    command -v "$tool" >/dev/null || die "$tool is missing: this script needs Debian or Ubuntu; daemonset/Containerfile does not"
  done
  say "fetching Debian packages for $arch"
  mkdir -p "$cache"
  work=$(mktemp -d "$cache/image-fetch.XXXXXX")
  trap 'rm -rf "$work"' EXIT INT TERM
  mkdir -p "$work/apt/lists/partial" "$work/apt/cache/archives/partial" "$work/debs" "$work/root/var/lib/dpkg/status.d"
  : >"$work/apt/status"
  own_apt update >"$work/log" 2>&1 || { cat "$work/log" >&2; die "apt-get update failed"; }
  download libc6 libgcc-s1 libstdc++6 base-files util-linux wireguard-tools nftables
  # What nft is linked with.
  download libnftables1 libnftnl11 libmnl0 libxtables12 libjansson4 libgmp10 libedit2 libtinfo6 libbsd0 libmd0
  # The licence text of libgcc and libstdc++ is in a package named after the compiler's version.
  download "$(dpkg-deb -f "$work"/debs/libgcc-s1_*.deb Depends | grep -o 'gcc-[0-9]*-base')"
  for deb in "$work"/debs/*.deb; do
    dpkg-deb -x "$deb" "$work/root"
    dpkg-deb -f "$deb" >"$work/root/var/lib/dpkg/status.d/$(dpkg-deb -f "$deb" Package)"
  done
  find "$work/root/usr/share/doc" ! -type d ! -name copyright -delete
  find "$work/root/usr/share/doc" -type d -empty -delete
  rm -rf "$system"
  mv -T "$work/root" "$system" 2>/dev/null || [ -d "$system" ]
}

download() {
  (cd "$work/debs" && own_apt download "$@" >"$work/log" 2>&1) || { cat "$work/log" >&2; die "cannot download $*"; }
}

if [ "$update" = yes ] || [ ! -e "$system/usr/sbin/nft" ]; then fetch_system; fi

kactus=dist/kactus
[ "$arch" = "$(machine)" ] || kactus=dist/kactus-$arch
if scripts/stale.sh dist/nopal.js "$kactus"; then ./build.sh --arch "$arch" >&2; fi

PATH="$PWD/node_modules/.bin:$PATH"
export PATH
node scripts/nopal-image.ts --arch "$arch" --system "$system" --kactus "$kactus" ${folders:+--folders "$folders"}
