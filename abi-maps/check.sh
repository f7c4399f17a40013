#!/bin/sh
# Proves that the committed tables are what the generator prints for the recorded kernel, and that the generated files are what the
# tables give. When the archive no longer serves the recorded kernel, the newest one is read instead and the differences are shown:
# those are news, not an error, but nothing is proved then (exit status 3).
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
work=${LODGE_KERNEL:-/var/tmp/lodge-kernel}
run="dotnet run -v q --project $root/abi-maps/Generator --"

fetched=0
tree=$("$root/abi-maps/fetch-kernel.sh" "$work") || fetched=$?
[ "$fetched" = 0 ] || [ "$fetched" = 3 ] || exit 1

fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
$run generate --root "$root" --kernel "$tree" --output "$fresh"
$run layouts --root "$root" --kernel "$tree" --output "$fresh"
if ! diff -ru "$root/abi-maps/tables" "$fresh"; then
    if [ "$fetched" = 3 ]; then
        echo "abi-maps-check: the recorded kernel is gone from the archive; the differences above are those of $(cat "$work/tree.version")"
        exit 3
    fi
    echo "abi-maps-check: committed tables differ from what the generator prints"
    exit 1
fi
$run emit --check --root "$root" > /dev/null
echo "abi-maps-check: tables and generated files are what $(cat "$work/tree.version") gives"
exit "$fetched"
