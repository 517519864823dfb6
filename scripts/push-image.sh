#!/bin/sh
# Pushes the image that scripts/release.sh made, for both CPUs under one name and tag, and prints what it pushed as lines NAME=VALUE.
#   scripts/push-image.sh REGISTRY/NAME       log in first; needs skopeo
set -eu
cd "$(dirname "$0")/.."
[ $# = 1 ] || { sed -n '2,3s/^# //p' scripts/push-image.sh >&2; exit 2; }
command -v skopeo >/dev/null 2>&1 || { echo 'push-image: skopeo is missing' >&2; exit 1; }

version=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' package.json)
archive=dist/release/nopal-image-$version.tar
[ -f "$archive" ] || { echo "push-image: there is no $archive: scripts/release.sh makes it" >&2; exit 1; }
skopeo copy --quiet --all "oci-archive:$archive" "docker://$1:$version" >&2
echo "name=$1"
cat dist/release.digests
