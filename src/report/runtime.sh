#!/usr/bin/env bash
# Prints what draws the charts of reports in a browser: Vega, Vega-Lite and the
# interpreter of expressions that a strict content security policy needs, as one
# script.  It is made once by npm and kept in .cache; without npm or a network
# nothing is printed, and reports have tables alone.
#
#   runtime.sh            prints it
#   runtime.sh --cached   says by its status whether it is there already
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

cache=../../.cache/vega-$(cat package-lock.json runtime.sh | cksum | cut -d' ' -f1)

if [ "${1:-}" = --cached ]; then
	[ -s "$cache/vega.js" ]
	exit
fi

without() {
	echo "hwsched: $1, so reports are installed without charts" >&2
	exit 0
}

# bundle <directory of node_modules>: the licences of what is in it, then the
# scripts, in ASCII and with nothing that could end a <script> element.
bundle() {
	node - "$1" <<'SCRIPT'
const fs = require("fs"), path = require("path"), modules = process.argv[2];
const parts = ["vega/build/vega.min.js", "vega-lite/build/vega-lite.min.js", "vega-interpreter/build/vega-interpreter.min.js"];
const bundled = /^(vega|d3-|topojson-client|internmap|delaunator|robust-predicates)/;
const licences = new Map();
for (const name of fs.readdirSync(modules).filter((name) => bundled.test(name)).sort())
	for (const file of fs.readdirSync(path.join(modules, name)).filter((file) => /^licen[cs]e/i.test(file))) {
		const text = fs.readFileSync(path.join(modules, name, file), "utf8").replaceAll("*/", "* /").trim();
		licences.set(text, [...(licences.get(text) ?? []), name]);
	}
const notice = [...licences].map(([text, names]) => names.join(", ") + "\n\n" + text).join("\n\n----\n\n");
const scripts = parts.map((part) => fs.readFileSync(path.join(modules, part), "utf8").replace(/^\/\/# sourceMappingURL=.*$/m, ""));
process.stdout.write(["/*\n" + notice + "\n*/", ...scripts].join("\n;\n")
	.replace(/[^\x00-\x7f]/g, (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"))
	.replace(/\r/g, "")
	.replace(/<(?=\/?script|!--)/gi, "\\x3c"));
SCRIPT
}

if [ ! -s "$cache/vega.js" ]; then
	if ! command -v npm >/dev/null || ! command -v node >/dev/null; then without "there is no npm"; fi
	tmp=$(mktemp -d)
	trap 'rm -rf "$tmp"' EXIT
	mkdir "$tmp/npm" "$tmp/cache"
	cp package.json package-lock.json "$tmp"
	timeout 300 npm ci --prefix "$tmp" --cache "$tmp/npm" --ignore-scripts --no-audit --no-fund \
		--fetch-retries=1 --fetch-retry-mintimeout=1000 --fetch-timeout=20000 >"$tmp/log" 2>&1 ||
		{ tail -n 3 "$tmp/log" >&2; without "npm cannot fetch Vega"; }
	bundle "$tmp/node_modules" >"$tmp/cache/vega.js"
	# for the tests of charts
	cp "$tmp/node_modules/vega-lite/build/vega-lite-schema.json" "$tmp/cache"
	# for the tests of pages: contrast, labels
	cp "$tmp/node_modules/axe-core/axe.min.js" "$tmp/cache"
	# a checkout that we may not write to does without
	{ mkdir -p ../../.cache && rm -rf "$cache" && cp -r "$tmp/cache" "$cache.$$" && mv "$cache.$$" "$cache"; } 2>/dev/null || cache=$tmp/cache
fi
cat "$cache/vega.js"
