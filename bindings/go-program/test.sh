#!/usr/bin/env bash
# Tests the library through the Go program's fifteen functions: from Node.js by koffi, from Python
# by ctypes, and by a client of the shape that the Go program's has, with the library put where it
# looks. Ends with 3 if a tool is missing, once all that can be tested has been. NANODB_PROFILE is
# cargo's profile, dev by default.
set -euo pipefail
cd "$(dirname "$0")"

is_missing=
missing() {
    printf '!!!!!!!!!! go-program: MISSING %s: %s\n' "$1" "$2" >&2
    is_missing=1
}
command -v cargo >/dev/null || {
    missing cargo 'NOTHING of it is tested'
    exit 3
}

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
NANODB_PROFILE=${NANODB_PROFILE:-dev} ../../nanodb-ffi/install.sh "$folder/usr" \
    >"$folder/install.log" 2>&1 || {
    cat "$folder/install.log"
    exit 1
}
export NANODB_LIBRARY=$folder/usr/lib/libnanodb.so
[ -e "$NANODB_LIBRARY" ] || NANODB_LIBRARY=$folder/usr/lib/libnanodb.dylib
NANODB_GO_FILES=$(cd ../../nanodb-database/tests/data/go-program && pwd)
export NANODB_GO_FILES PYTHONDONTWRITEBYTECODE=1

python=${PYTHON:-python3}
if command -v "$python" >/dev/null &&
    "$python" -c 'import ctypes, sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
    "$python" fifteen_test.py
else
    missing "Python 3.10 or later ($python)" 'the functions are not called from Python'
fi

if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    missing 'Node.js or npm' 'the functions are not called from Node.js'
else
    cp package.json package-lock.json "$folder"
    # Its programs are in the package: nothing is compiled, and no script of it runs.
    if ! (cd "$folder" && npm ci --silent --ignore-scripts --no-audit --no-fund); then
        missing 'koffi, from the package registry' 'the functions are not called from Node.js'
    else
        NODE_PATH=$folder/node_modules node --test fifteen.test.mjs
        cp -r client "$folder"
        mkdir "$folder/client/native"
        cp "$NANODB_LIBRARY" "$folder/client/native/nanodb.so"
        NANODB_CLIENT=$folder/client node --test client.test.js
    fi
fi
[ -z "$is_missing" ] || exit 3
echo 'go-program: all tests passed'
