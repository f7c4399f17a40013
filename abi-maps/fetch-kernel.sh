#!/bin/sh
# Fetches a Debian kernel source package and unpacks it outside the repository; prints the directory of the tree.
#
#   fetch-kernel.sh DIRECTORY            the package recorded in kernel.lock; the archive's newest when it has gone
#   fetch-kernel.sh DIRECTORY --newest [SUITE]   the newest linux-source of a suite (default: the recorded one)
#
# The machine's own apt configuration is not touched: archive address and transport come from it, state and cache
# are private to DIRECTORY. Exit status 3 means that the recorded version is no longer served and another was taken.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
lock=$here/kernel.lock
directory=${1:?usage: fetch-kernel.sh DIRECTORY [--newest [SUITE]]}
newest=${2:-}
wanted_suite=${3:-}

field() { sed -n "s/^$1[[:space:]]*//p" "$lock" 2>/dev/null | head -n 1; }

suite=${wanted_suite:-$(field suite)}
suite=${suite:-trixie}
package=$(field package)
version=$(field version)
sha256=$(field sha256)

mkdir -p "$directory"
directory=$(cd "$directory" && pwd)

if [ -z "$newest" ] && [ -n "$sha256" ] && [ -d "$directory/tree" ] && [ "$(cat "$directory/tree.version" 2>/dev/null)" = "$version" ]; then
    kept=$(ls "$directory"/"$package"_*.deb 2>/dev/null | head -n 1 || true)
    if [ -n "$kept" ] && [ "$(sha256sum "$kept" | cut -d' ' -f1)" = "$sha256" ]; then
        echo "$directory/tree"
        exit 0
    fi
fi

# The archive that serves the machine's own main suite also serves the other suites.
archive=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT) $(CREATED_BY)' \
    | awk '$3 == "main" && $4 == "Packages" && $2 !~ /-/ && $1 ~ /\/debian\/?$/ { print $1; exit }')
[ -n "$archive" ] || { echo "fetch-kernel: no Debian archive in the apt configuration of this machine" >&2; exit 1; }

apt=$directory/apt
mkdir -p "$apt/state/lists/partial" "$apt/cache/archives/partial"
: > "$apt/state/status"
printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n' "$archive" "$suite" > "$apt/sources.list"
set -- -q -o Dir::State="$apt/state" -o Dir::State::status="$apt/state/status" -o Dir::Cache="$apt/cache" \
    -o Dir::Etc::sourcelist="$apt/sources.list" -o Dir::Etc::sourceparts=/dev/null -o APT::Sandbox::User=root \
    -o Acquire::Languages=none

apt-get "$@" update >&2

if [ -n "$newest" ] || [ -z "$package" ]; then
    package=$(apt-cache "$@" pkgnames linux-source- | grep -E '^linux-source-[0-9]+\.[0-9]+$' | sort -t- -k3 -V | tail -n 1)
    version=
fi

status=0
candidates=$(apt-cache "$@" madison "$package" | awk -F'|' '{ gsub(/ /, "", $2); print $2 }')
[ -n "$candidates" ] || { echo "fetch-kernel: $package is not in $suite" >&2; exit 1; }
if [ -n "$version" ] && ! printf '%s\n' "$candidates" | grep -qxF "$version"; then
    echo "fetch-kernel: $package $version is no longer in the archive" >&2
    version=
    status=3
fi
if [ -z "$version" ]; then
    version=$(printf '%s\n' "$candidates" | head -n 1)
    sha256=
    [ "$status" = 0 ] || echo "fetch-kernel: taking $package $version instead" >&2
fi

cd "$directory"
rm -f linux-source-*.deb
apt-get "$@" download "$package=$version" >&2
deb=$(ls "$package"_*.deb)
got=$(sha256sum "$deb" | cut -d' ' -f1)
if [ -n "$sha256" ] && [ "$got" != "$sha256" ]; then
    echo "fetch-kernel: $deb has sha256 $got, kernel.lock records $sha256" >&2
    exit 1
fi

rm -rf tree tree.version unpack
mkdir tree unpack
dpkg-deb -x "$deb" unpack
tar -x -C tree --strip-components=1 -f unpack/usr/src/"$package".tar.xz
rm -rf unpack
printf '%s\n' "$version" > tree.version
printf 'suite\t%s\npackage\t%s\nversion\t%s\nsha256\t%s\n' "$suite" "$package" "$version" "$got" > fetched.lock
echo "$directory/tree"
exit $status
