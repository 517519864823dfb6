#!/bin/sh
# Installs what nopal's own scripts need and the machine lacks; says what and why; run again, it does nothing.
#   scripts/setup.sh [GROUP...]     groups: build (always), lint, page, lab, cluster, conformance; none named = build lab
# Root is needed only when something from Debian is missing.
set -eu
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

# group, what tells it is there (a program, a file, or a program that needs no library), Debian package, what for
wanted() {
  cat <<'LIST'
build   openssl               openssl                   keys and certificates of the test API servers
build   xz                    xz-utils                  unpacking
lab     ip                    iproute2                  network namespaces and links
lab     ping                  iputils-ping              proof that packets arrive
lab     nsenter               util-linux                entering a node's namespaces
lab     mount                 mount                     a node's own folders
lab     wg                    wireguard-tools           looking at the mesh
lab     wireguard-go          wireguard-go              the mesh itself, without a kernel module
lab     /usr/lib/cni/bridge   containernetworking-plugins  the real CNI plugins
lab     dnsmasq               dnsmasq-base              a real DNS server
lab     nft                   nftables                  service addresses
lab     /usr/bin/time         time                      measuring memory
page    chromium                  chromium                  looking at the status page as a browser does
lint    shellcheck            shellcheck                checking the shell scripts
cluster go                    golang-go                 building etcd and Kubernetes for the tests
cluster containerd            containerd                the real container runtime, with runc
cluster static:/bin/busybox   busybox-static            the program in the test images, which hold no library
conformance dig               bind9-dnsutils            asking for names, in the image of the conformance specs
conformance curl              curl                      asking servers, in that image
conformance wget              wget                      the same
conformance nc.openbsd        netcat-openbsd            knocking at ports, in that image
LIST
}

present() {
  case $1 in
    static:*) LC_ALL=C ldd "${1#static:}" 2>&1 | grep -q 'not a dynamic executable\|statically linked' ;;
    /*) [ -e "$1" ] ;;
    *) command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] || [ -x "/sbin/$1" ] ;;
  esac
}

missing_packages() {
  wanted | while read -r group probe package why; do
    case " $groups " in *" $group "*) ;; *) continue ;; esac
    present "$probe" || { say "need $package: $why" >&2; echo "$package"; }
  done
  if ! command -v npm >/dev/null 2>&1; then
    say "need nodejs and npm: they fetch the pinned Node that everything runs on" >&2
    echo nodejs npm
  fi
}

install_packages() {
  packages=$(missing_packages | sort -u | tr '\n' ' ')
  [ -n "${packages% }" ] || return 0
  command -v apt-get >/dev/null 2>&1 || fail "this machine has no apt-get; install these yourself: $packages"
  [ "$(id -u)" = 0 ] || fail "run me as root once, or install these yourself: $packages"
  say "installing $packages"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -q >/dev/null
  # shellcheck disable=SC2086 # a list of names
  apt-get install -y -q --no-install-recommends $packages >/dev/null
}

# npm's own mark of an install is compared with the lock, so an untouched tree costs nothing.
install_modules() {
  stamp=node_modules/.nopal-lock
  if [ -f "$stamp" ] && cmp -s package-lock.json "$stamp" && node_modules/.bin/node --version >/dev/null 2>&1; then
    return 0
  fi
  say 'installing the pinned npm packages (npm ci)'
  npm ci --no-audit --no-fund --loglevel=error
  node_modules/.bin/esbuild --version >/dev/null 2>&1 || node node_modules/esbuild/install.js
  PATH="$PWD/node_modules/.bin:$PATH" node_modules/.bin/tap build >/dev/null
  cp package-lock.json "$stamp"
}

groups="build ${*:-lab}"
install_packages
# Two runs in one checkout take turns.
exec 9<.
flock 9
install_modules
say "ready: $(node_modules/.bin/node --version) in node_modules"
