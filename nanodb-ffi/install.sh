#!/bin/sh
# Builds the C library and installs it below a prefix: header, shared and static library, and what
# pkg-config reads.
#
#     nanodb-ffi/install.sh [PREFIX]          PREFIX is /usr/local by default
#
# DESTDIR is put before all paths, for packages. NANODB_PROFILE is cargo's profile, release by
# default.
set -eu

prefix=${1:-/usr/local}
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=$(dirname -- "$here")
profile=${NANODB_PROFILE:-release}
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' "$root/Cargo.toml" | head -n 1)

cargo build --manifest-path "$root/Cargo.toml" -p nanodb-ffi --profile "$profile" --lib
target=${CARGO_TARGET_DIR:-$root/target}
case $profile in
dev) built=$target/debug ;;
*) built=$target/$profile ;;
esac

to=${DESTDIR:-}$prefix
mkdir -p "$to/include" "$to/lib/pkgconfig"
install -m 644 "$here/include/nanodb.h" "$here/include/nanodb_go.h" "$to/include"
install -m 644 "$built/libnanodb_ffi.a" "$to/lib/libnanodb.a"
case $(uname -s) in
Darwin)
    install -m 755 "$built/libnanodb_ffi.dylib" "$to/lib/libnanodb.0.dylib"
    ln -sf libnanodb.0.dylib "$to/lib/libnanodb.dylib"
    ;;
*)
    # The soname, which the linker writes into programs, is libnanodb.so.0: build.rs.
    install -m 755 "$built/libnanodb_ffi.so" "$to/lib/libnanodb.so.$version"
    ln -sf "libnanodb.so.$version" "$to/lib/libnanodb.so.0"
    ln -sf libnanodb.so.0 "$to/lib/libnanodb.so"
    ;;
esac
sed -e "s|@prefix@|$prefix|" -e "s|@version@|$version|" "$here/nanodb.pc.in" \
    >"$to/lib/pkgconfig/nanodb.pc"
echo "installed NanoDB $version below $to"
