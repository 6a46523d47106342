#!/usr/bin/env bash
# Builds the addon, packs the package, installs it into an empty folder and runs the tests there.
# Exits with 3 if Node.js, npm or cargo is missing. NANODB_NODE_BUILD says how the addon is built:
# `release`, which is the default, `debug`, or `none` for the one that is there.
set -euo pipefail
cd "$(dirname "$0")"
for tool in node npm cargo; do
    if ! command -v "$tool" >/dev/null; then
        echo "bindings/node: $tool is missing, so NOTHING of this package is tested" >&2
        exit 3
    fi
done

cargo fmt --check
case "${NANODB_NODE_BUILD:-release}" in
    debug) node build.js --debug ;;
    none) ;; # what is there is tested
    *) node build.js ;;
esac

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
tarball=$PWD/$(npm pack --silent --pack-destination . | tail -1)
trap 'rm -rf "$folder" "$tarball"' EXIT
cd "$folder"
echo '{ "private": true }' >package.json
# Nothing is fetched: the package has no dependencies.
npm install --silent --offline --no-audit --no-fund "$tarball"
package=$folder/node_modules/nanodb
if [ ! -e "$package"/addon/*.node ]; then
    echo "bindings/node: the package lacks its addon" >&2
    exit 1
fi
# The compiler of TypeScript checks the types, where it can be had.
if ! npm install --silent --no-save --no-audit --no-fund typescript@5 @types/node@20 \
    2>/dev/null; then
    echo 'bindings/node: TypeScript is missing, so the types are NOT checked' >&2
fi

node -e 'const { openSync } = require("nanodb"); openSync(":memory:").sync.close()'
node --input-type=module -e 'import { open } from "nanodb"; await (await open(":memory:")).close()'
here=$OLDPWD
NANODB_PACKAGE=$package/lib/index.js NODE_PATH=$folder/node_modules \
    node --test "$here"/test/*.test.js

# The example.
cp "$here/examples/todo.mjs" .
node todo.mjs list.nanodb add buy tea >/dev/null
node todo.mjs list.nanodb add write a letter >/dev/null
node todo.mjs list.nanodb done 1 >/dev/null
diff <(node todo.mjs list.nanodb list) - <<'END'
1 [x] buy tea
2 [ ] write a letter
END
# Killed while it works, it keeps whatever it has said that it added.
for delay in 0.05 0.1 0.15 0.2 0.3; do
    timeout --signal=KILL "$delay" node todo.mjs list.nanodb add "after $delay s" >>added || true
done
node todo.mjs list.nanodb list >listed
while read -r _ number; do
    if ! grep -q "^$number \[" listed; then
        echo "bindings/node: task $number was added, and is lost" >&2
        exit 1
    fi
done <added
echo 'bindings/node: all tests passed'
