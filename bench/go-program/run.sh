#!/bin/sh
# Runs the Go program's benchmarks through the shared library, and prints a table.
#
#     bench/go-program/run.sh [ROUNDS]
#
# LIBNANODB is another library to measure. koffi is looked for in NODE_PATH, and fetched below
# target/ if that is not set.
set -eu

rounds=${1:-5}
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=$(dirname -- "$(dirname -- "$here")")
target=${CARGO_TARGET_DIR:-$root/target}

for tool in cargo cc node; do
    command -v "$tool" >/dev/null || {
        echo "$tool is missing" >&2
        exit 1
    }
done
cargo build --manifest-path "$root/Cargo.toml" --release -p nanodb-ffi --lib --example go_program
if [ -z "${NODE_PATH:-}" ]; then
    # The client of the Go program asks for this version.
    npm install --silent --no-audit --no-fund --prefix "$target/go-program" 'koffi@^2.15'
    NODE_PATH=$target/go-program/node_modules
    export NODE_PATH
fi
library=${LIBNANODB:-$target/release/libnanodb_ffi.so}

work=$(mktemp -d "$target/go-program.XXXXXX")
trap 'rm -rf "$work"' EXIT INT TERM
cc -O2 -shared -fPIC -o "$work/floor.so" "$here/floor.c"
"$target/release/examples/go_program" "$library" "$work/go.nanodb" "$rounds" >"$work/inserts"
node --expose-gc "$here/read.mjs" "$library" "$work/floor.so" "$work/go.nanodb" "$work/inserts" \
    "$rounds"
