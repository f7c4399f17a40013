# A package with maintainer scripts: built, unpacked, configured, upgraded, reconfigured, removed and purged by dpkg.
set -e
cd /tmp
build() {
    rm -rf pkg; mkdir -p pkg/DEBIAN pkg/usr/share/lodge-demo pkg/etc
    printf 'Package: demo-scripts\nVersion: %s\nArchitecture: i386\nMaintainer: Nobody <nobody@localhost>\nDescription: maintainer scripts\n' "$1" > pkg/DEBIAN/control
    echo "content $1" > pkg/usr/share/lodge-demo/file; echo "setting=1" > pkg/etc/demo-scripts.conf; echo /etc/demo-scripts.conf > pkg/DEBIAN/conffiles
    for script in preinst postinst prerm postrm; do
        printf '#!/bin/sh\nset -e\necho %s "$@"\n' "$script" > pkg/DEBIAN/$script; chmod 755 pkg/DEBIAN/$script
    done
    # One in another language, with a subprocess of its own.
    printf '#!/usr/bin/perl\nmy $arch = `dpkg --print-architecture`; chomp $arch; print "postinst @ARGV on $arch\\n"; exit system("true") >> 8;\n' > pkg/DEBIAN/postinst
    dpkg-deb --root-owner-group --build pkg demo-$1.deb > /dev/null
}
build 1; build 2
quiet() { "$@" 2>&1 | grep -E '^(preinst|postinst|prerm|postrm|Setting up|Removing|Purging)'; }
quiet dpkg --unpack demo-1.deb
quiet dpkg --configure demo-scripts
dpkg-query -W -f '${Package} ${Version} ${db:Status-Abbrev}\n' demo-scripts
quiet dpkg --install demo-2.deb
cat /usr/share/lodge-demo/file
/var/lib/dpkg/info/demo-scripts.postinst reconfigure 2
quiet dpkg --purge demo-scripts
test ! -e /etc/demo-scripts.conf && echo gone
