#!/bin/sh
# Makes a Debian package of what is built for a major version of PostgreSQL; run by `make deb`
# as: deb.sh VERSION MAJOR DESTDIR, where DESTDIR has the installed files.
set -eu
version=$1 major=$2 files=$3
package=postgresql-$major-hwsched
architecture=$(dpkg --print-architecture)
doc=$files/usr/share/doc/$package
# what is in the library decides what it needs
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/debian"
echo "Source: hwsched" >"$work/debian/control"
library=$(find "$(realpath "$files")" -name hwsched.so)
needs=$(cd "$work" && dpkg-shlibdeps -O "$library" | sed -n 's/^shlibs:Depends=//p')

install -d "$doc" "$files/DEBIAN"
install -m 644 README.md LICENSE "$doc"
mv "$doc/LICENSE" "$doc/copyright"
gzip -9nc CHANGELOG.md >"$doc/changelog.gz"
cat >"$files/DEBIAN/control" <<END
Package: $package
Version: $version-1
Section: database
Priority: optional
Architecture: $architecture
Depends: postgresql-$major, $needs
Maintainer: $(sed -n 's/.*"maintainer": "\(.*\)",/\1/p' META.json)
Installed-Size: $(du -sk --exclude=DEBIAN "$files" | cut -f1)
Description: $(sed -n '1,/"abstract"/s/.*"abstract": "\(.*\)",/\1/p' META.json)
 An extension of PostgreSQL. $(sed -n 's/.*"description": "\(.*\)",/\1/p' META.json)
END
dpkg-deb --root-owner-group --build "$files" "${package}_$version-1_$architecture.deb"
