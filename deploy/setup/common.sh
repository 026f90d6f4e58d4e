# Sourced by verify and quickstart: finds or installs what they need on Debian and Ubuntu.

JDK_RELEASE=25

say() { printf '\n== %s\n' "$*" >&2; }
fail() { printf 'error: %s\n' "$*" >&2; exit 1; }

require_root() {
  [ "$(id -u)" = 0 ] || fail "$(basename "$0") mounts file systems and runs containerd: run it with sudo"
}

require_fuse() {
  [ -c /dev/fuse ] || modprobe fuse 2> /dev/null || true
  [ -c /dev/fuse ] || fail "/dev/fuse is not there: load the kernel's fuse module (modprobe fuse), or run where it is available"
}

# Prints the home of a JDK of the release that we compile for, or nothing.
find_jdk() {
  local home
  for home in "${JAVA_HOME:-}" /usr/lib/jvm/* /opt/java/* "$(dirname "$(dirname "$(readlink -f "$(command -v javac || echo /x/y)")")")"; do
    [ -x "$home/bin/javac" ] || continue
    [ "$("$home/bin/javac" -version 2>&1 | sed -n 's/^javac \([0-9]*\).*/\1/p')" -ge "$JDK_RELEASE" ] 2>/dev/null || continue
    readlink -f "$home"
    return
  done
}

# Debian starts a daemon as soon as its package is installed; ours are started by hand, on ports of our own. In a
# process of its own, so that the file that forbids it goes also on Ctrl-C.
without_starting_services() (
  policy=/usr/sbin/policy-rc.d
  if ! [ -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod 755 "$policy"
  fi
  "$@"
)

# Installs the named packages that are not there yet.
install_packages() {
  local package missing=()
  command -v dpkg-query > /dev/null || fail "this script installs packages of Debian and Ubuntu; elsewhere install by hand: $*"
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2> /dev/null | grep -q '^install ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} = 0 ] && return
  say "installing ${missing[*]}"
  require_root
  # Downloading may be interrupted; dpkg, which would have to be repaired by hand then, runs where Ctrl-C does not reach it.
  local said
  said=$( (
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -q || true
    apt-get install -q -y --no-install-recommends --download-only "${missing[@]}" &&
      without_starting_services setsid --wait apt-get install -q -y --no-install-recommends "${missing[@]}"
  ) 2>&1) || fail "apt-get could not install ${missing[*]}:
$(tail -n 15 <<< "$said")"
}

# Sets JAVA_HOME to a JDK of our release, installing the distribution's where there is one.
use_jdk() {
  local home package="openjdk-$JDK_RELEASE-jdk-headless"
  home=$(find_jdk)
  if [ -z "$home" ]; then
    [ -n "$(apt-cache policy "$package" 2> /dev/null | sed -n 's/ *Candidate: //p' | grep -v none)" ] || apt-get update -q > /dev/null 2>&1 || true
    if [ -n "$(apt-cache policy "$package" 2> /dev/null | sed -n 's/ *Candidate: //p' | grep -v none)" ]; then
      install_packages "$package"
      home=$(find_jdk)
    fi
  fi
  [ -n "$home" ] || fail "no JDK $JDK_RELEASE found in JAVA_HOME, PATH or /usr/lib/jvm, and this distribution has no $package.
  Install Eclipse Temurin $JDK_RELEASE (https://adoptium.net/installation/linux) or any other build of it, or set JAVA_HOME."
  export JAVA_HOME=$home PATH="$home/bin:$PATH"
  # Maven's own libraries of Debian 12 are older than what this JDK warns of.
  export MAVEN_OPTS="--sun-misc-unsafe-memory-access=allow ${MAVEN_OPTS:-}"
}

# Prints the mounts of the kinds that Sluice and its tests make.
our_mounts() {
  awk '$3 ~ /^(fuse|fuse\..*|erofs|overlay|ext4|tmpfs)$/ {print $3, $2}' /proc/self/mounts | sort
}
