#!/bin/sh
# Installs from Debian's packages, as root, what tests of deployments need: the engine, an ssh server,
# and the client's plugins for compose files and builds, which are newer than Debian 12's.
set -eu

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
if ! command -v dockerd >/dev/null; then
  apt-get install -y -qq --no-install-recommends docker.io iptables >/dev/null
fi
# The tests start an ssh server of their own; Debian's must not run because of them.
if [ ! -x /usr/sbin/sshd ]; then
  if [ ! -e /usr/sbin/policy-rc.d ]; then
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
    chmod +x /usr/sbin/policy-rc.d
    trap 'rm -rf "$work" /usr/sbin/policy-rc.d' EXIT
  fi
  apt-get install -y -qq --no-install-recommends openssh-server >/dev/null \
    || echo 'OpenSSH cannot be installed: what deploys from afar is not tested' >&2
  if command -v systemctl >/dev/null; then
    systemctl disable -q ssh.service ssh.socket 2>/dev/null || true
  fi
fi
if docker compose version >/dev/null 2>&1 && docker buildx version >/dev/null 2>&1; then
  exit 0
fi

# The packages of Debian 13, unpacked and not installed; its lists stay out of this machine's.
mirror="$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' \
  | grep '/debian/\{0,1\}$' | head -n 1)"
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/unpacked"
echo "deb $mirror trixie main" >"$work/sources.list"
trixie() {
  apt-get -qq -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=/dev/null \
    -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache" -o APT::Sandbox::User=root "$@"
}
trixie update
plugins="${DOCKER_CONFIG:-$HOME/.docker}/cli-plugins"
mkdir -p "$plugins"
cd "$work"
trixie download docker-compose docker-buildx >/dev/null
for package in *.deb; do
  dpkg-deb -x "$package" unpacked
done
cp -L unpacked/usr/libexec/docker/cli-plugins/* "$plugins/"
