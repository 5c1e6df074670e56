# Shared by the scripts: packages, builds, messages. Sourced, with the repository as working directory.
# shellcheck shell=bash

# shellcheck disable=SC2034 # for those that source this file
build_packages=(cmake gcc libc6-dev libjansson-dev libmicrohttpd-dev libpq-dev libsodium-dev
    ninja-build pkgconf postgresql zlib1g-dev)

note() { printf '%s\n' "$*" >&2; }

fail() {
    note "${0##*/}: $*"
    exit 1
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        fail "installing packages needs root or sudo"
    fi
}

installed() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

apt_install() {
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -q --no-install-recommends "$@" >&2
}

# need_packages PACKAGE...: installs those that are missing.
need_packages() {
    command -v apt-get >/dev/null ||
        fail "needs Debian 12, Ubuntu 24.04 or a relative; elsewhere docker compose up serves"
    local package missing=()
    for package in "$@"; do
        installed "$package" || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    note "installing ${missing[*]}"
    as_root apt-get update -q >&2
    if installed postgresql-common; then
        apt_install "${missing[@]}"
    else
        install_without_main_cluster "${missing[@]}"
    fi
}

# Debian's server package makes and starts a cluster of its own, which nobody asked for here.
install_without_main_cluster() {
    local conf=/etc/postgresql-common/createcluster.conf
    apt_install postgresql-common
    as_root sed -i.before '1i create_main_cluster = false' "$conf"
    local status=0
    apt_install "$@" || status=$?
    as_root mv "$conf.before" "$conf"
    return "$status"
}

# build PRESET [CMAKE_ARGUMENT...]: configures build/PRESET once and brings it up to date.
build() {
    local preset=$1
    shift
    if [ ! -f "build/$preset/build.ninja" ]; then
        note "configuring build/$preset"
        cmake --preset "$preset" "$@" >/dev/null
    fi
    cmake --build "build/$preset" -- --quiet | sed '/^ninja: no work to do/d' >&2
}

# Directory of the newest installed PostgreSQL server's programs.
postgres_bindir() {
    local found
    found=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -t/ -k5 -n | tail -n 1)
    [ -x "$found/postgres" ] || fail "no PostgreSQL server under /usr/lib/postgresql"
    printf '%s\n' "$found"
}
