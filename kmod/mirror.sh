#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# mirror.sh DEST [PATH...] - make DEST hold the same sources as these paths; without
# one, all that the module and the tests' modules are built from.
#
# Only what differs is copied, so that a build there is incremental; sources that
# are gone here go there too, and what was built from them with them.
set -euo pipefail

dest=$1
shift
(($#)) || for path in Kbuild kmod include tests/*/module.kbuild tests/cxx; do
	[[ ! -e $path ]] || set -- "$@" "${path%/module.kbuild}"
done
mkdir -p "$dest"
list=$dest/.sources
find "$@" -type f ! -name '.*' | LC_ALL=C sort >"$list.new"
if [[ -e $list ]]; then
	LC_ALL=C comm -13 "$list.new" "$list" | while IFS= read -r gone; do
		rm -f "$dest/$gone" "$dest/${gone%.*}.o"
	done
fi
while IFS= read -r file; do
	cmp -s "$file" "$dest/$file" && continue
	# The copy is as old as the change is here: now. An old date would not be rebuilt.
	mkdir -p "$dest/$(dirname "$file")"
	cp "$file" "$dest/$file"
done <"$list.new"
mv "$list.new" "$list"
