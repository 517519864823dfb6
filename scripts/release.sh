#!/bin/sh
# Makes the files of a release in dist/release: the image as OCI archive, for each CPU and for both; a bill of materials of each
# (SPDX); kactus for each CPU, an executable; the chart; SHA256SUMS. Publishes nothing. dist/release.digests: what a registry
# calls the images.
#   scripts/release.sh [VERSION]      VERSION: what is expected, as a tag says it; another one in package.json is refused
# IMAGE: where nodes will get the image, which is what the chart then names; else it names localhost/nopal.
set -eu
cd "$(dirname "$0")/.."

version=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' package.json)
if [ $# -gt 0 ] && [ "$1" != "$version" ]; then
  echo "release: package.json says version $version, not $1" >&2
  exit 1
fi
export PATH="$PWD/node_modules/.bin:$PATH"

folder=dist/release
rm -rf "$folder"
mkdir -p "$folder"
own=$(case $(uname -m) in aarch64) echo arm64 ;; *) echo amd64 ;; esac)
for arch in amd64 arm64; do
  ./scripts/image.sh --arch "$arch" >&2
  cp "dist/nopal-image-$arch.tar" "$folder/nopal-image-$version-$arch.tar"
  kactus=dist/kactus
  [ "$arch" = "$own" ] || kactus=dist/kactus-$arch
  cp "$kactus" "$folder/kactus-$version-linux-$arch"
  node scripts/sbom.ts --arch "$arch" --system "${XDG_CACHE_HOME:-$HOME/.cache}/nopal/image-system-$arch" \
    --output "$folder/nopal-image-$version-$arch.spdx.json"
done
node scripts/combine-images.ts --output "$folder/nopal-image-$version.tar" \
  "$folder/nopal-image-$version-amd64.tar" "$folder/nopal-image-$version-arm64.tar" >dist/release.digests
helm=$(command -v helm || echo "$(./scripts/kube-assets.sh helm)/helm")
chart=$(mktemp -d)
trap 'rm -rf "$chart"' EXIT
cp -RL daemonset/chart/. "$chart"
[ -z "${IMAGE:-}" ] || sed -i "s|^  repository: .*|  repository: $IMAGE|" "$chart/values.yaml"
"$helm" package "$chart" --version "$version" --app-version "$version" --destination "$folder" >&2
(cd "$folder" && sha256sum -- * >SHA256SUMS)
cat "$folder/SHA256SUMS"
