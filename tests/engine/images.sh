#!/bin/sh
# Makes sure that the engine has the images a deployment starts from.
#
# usage: images.sh [IMAGE ...]
#
# An image that the engine has stays; one that a registry gives is pulled. Where neither is so, a
# stand-in is built under the official name and with the official contract, from this machine's
# packages and toolchain: good for tests, never for anything else. A label tells them apart.
#
# Needs: a docker client with buildx. For stand-ins also root, mmdebstrap, python3 with pip, cargo.
set -eu

here="$(cd "$(dirname "$0")" && pwd)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

export DOCKER_BUILDKIT=1
base=debian:trixie-slim
stand_in=dev.tria.stand-in

main() {
  [ $# -gt 0 ] || set -- postgres:17 redis:7 chromadb/chroma:1.5.9 caddy:2 rust:1.95-slim "$base"
  for image in "$@"; do
    has "$image" || pulled "$image" || make "$image"
  done
}

has() {
  docker image inspect "$1" >/dev/null 2>&1
}

pulled() {
  timeout 600 docker pull --quiet "$1" >/dev/null 2>&1 && echo "pulled $1"
}

make() {
  echo "no registry has $1: building a stand-in"
  case "$1" in
    "$base") base_image; return ;;
    postgres:17) folder=postgres ;;
    redis:7) folder=redis ;;
    caddy:2) folder=caddy ;;
    chromadb/chroma:1.5.9) folder=chroma; wheel ;;
    rust:1.95-slim) folder=rust ;;
    *) echo "there is no stand-in for $1" >&2; exit 1 ;;
  esac
  has "$base" || base_image
  {
    cd "$here/$folder"
    mkdir -p "$work/context"
    if [ "$folder" = rust ]; then rust_context; else tar -cf - * -C "$work/context" .; fi
  } | docker build --quiet --label "$stand_in=true" --tag "$1" \
    --build-arg http_proxy --build-arg https_proxy --build-arg no_proxy - >/dev/null
  # What was built on the way is in the cache of the builder only.
  rm -rf "$work/context"
}

# Debian 13 without documents and translations, from the mirror that this machine uses.
base_image() {
  mirror="$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' \
    | grep '/debian/\{0,1\}$' | head -n 1)"
  command -v mmdebstrap >/dev/null \
    || apt-get install -y -qq --no-install-recommends mmdebstrap >/dev/null
  include=
  case "$mirror" in https:*) include=ca-certificates ;; esac
  mmdebstrap --quiet --variant=minbase ${include:+--include="$include"} \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    --customize-hook='cp /usr/local/share/ca-certificates/*.crt "$1/usr/local/share/ca-certificates/" 2>/dev/null || true' \
    --customize-hook='if test -x "$1/usr/sbin/update-ca-certificates"; then chroot "$1" update-ca-certificates; fi >/dev/null 2>&1' \
    trixie "$work/base.tar" "$mirror"
  docker import --change "LABEL $stand_in=true" --change 'CMD ["bash"]' "$work/base.tar" "$base" >/dev/null
  rm "$work/base.tar"
}

# The package for the Python of this machine holds the same library as for any other.
wheel() {
  python3 -m pip download --quiet --no-deps --only-binary :all: --dest "$work" chromadb==1.5.9
  mkdir -p "$work/context"
  python3 -m zipfile -e "$work"/chromadb-*.whl "$work/wheel"
  mv "$work/wheel/chromadb_rust_bindings" "$work/context/"
}

# Streamed: a copy of the toolchain on the way would cost half a gigabyte.
rust_context() {
  toolchain="$(rustc --print sysroot)"
  mkdir -p "$work/context/cargo" "$work/context/certificates"
  cp /usr/local/share/ca-certificates/*.crt "$work/context/certificates/" 2>/dev/null || true
  cp "${CARGO_HOME:-$HOME/.cargo}"/config.toml "$work/context/cargo/" 2>/dev/null || true
  tar -cf - Dockerfile -C "$work/context" . \
    -C "$toolchain" --transform 's,^\(bin\|lib\)\(/\|$\),toolchain/\1\2,' \
    --exclude='lib/rustlib/*/share' --exclude='*.json.gz' \
    bin/cargo bin/rustc lib
}

main "$@"
