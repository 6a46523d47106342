#!/bin/sh
# Compiles the C test and the example as C99 and as C++11, with all warnings as errors, against the
# installed library, and runs them, under valgrind where there is one. Says aloud what is missing.
#
#     nanodb-ffi/test-c.sh
#
# NANODB_PROFILE is cargo's profile, dev by default.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

say() {
    echo "test-c: $*"
}

NANODB_PROFILE=${NANODB_PROFILE:-dev} "$here/install.sh" "$work/usr" >"$work/install.log" 2>&1 || {
    cat "$work/install.log"
    exit 1
}
tail -n 1 "$work/install.log"

if command -v pkg-config >/dev/null; then
    export PKG_CONFIG_PATH="$work/usr/lib/pkgconfig"
    flags=$(pkg-config --cflags --libs nanodb)
    static=$(pkg-config --static --libs nanodb | sed 's|-lnanodb|-l:libnanodb.a|')
else
    say "MISSING pkg-config: what it would say is taken from install.sh"
    flags="-I$work/usr/include -L$work/usr/lib -lnanodb"
    static="-L$work/usr/lib -l:libnanodb.a -lpthread -ldl -lm"
fi
export LD_LIBRARY_PATH="$work/usr/lib"

if command -v valgrind >/dev/null; then
    # What LLVM makes of safe Rust looks at bytes before it knows whether they count, which valgrind
    # would report; memory that is not there, freed twice or lost it does report.
    under="valgrind --quiet --error-exitcode=9 --undef-value-errors=no --leak-check=full \
        --show-leak-kinds=definite,indirect --errors-for-leak-kinds=definite,indirect"
else
    say "MISSING valgrind: leaks are not looked for"
    under=
fi

# compile COMPILER STANDARD LANGUAGE SOURCE OUT [LINK]
compile() {
    # Words of the flags are meant to be split.
    # shellcheck disable=SC2086
    "$1" -std="$2" -x "$3" -Wall -Wextra -Werror -pedantic -O1 -g "$4" -x none \
        -o "$5" -I"$work/usr/include" ${6:-$flags}
}

# A to-do list is killed while it is written to: what it has printed is there.
todo() {
    list=$work/$1.nanodb
    "$work/$1" "$list" add 'buy "milk"' >/dev/null
    "$work/$1" "$list" add 'write a test' >/dev/null
    "$work/$1" "$list" done 1
    found=$("$work/$1" "$list" list)
    expected='[{"_id":2,"done":false,"text":"write a test"},{"_id":1,"done":true,"text":"buy \"milk\""}]'
    [ "$found" = "$expected" ] || {
        say "the list is $found"
        exit 1
    }
    "$work/$1" "$list" stress 1000000 >"$work/printed" &
    writer=$!
    while [ "$(wc -l <"$work/printed")" -lt 20 ]; do
        sleep 0.05
    done
    kill -9 $writer
    wait $writer 2>/dev/null || true
    last=$(grep -c . "$work/printed")
    # The last line may have been cut; each one before it is an entry that is safe.
    safe=$(sed -n "$((last - 1))p" "$work/printed")
    "$work/$1" "$list" done "$safe"
    say "$1: killed after $safe entries; all are there"
}

ran=0
for pair in "gcc c99 c" "g++ c++11 c++" "clang c99 c" "clang++ c++11 c++"; do
    # shellcheck disable=SC2086
    set -- $pair
    if ! command -v "$1" >/dev/null; then
        case $1 in
        g*) say "MISSING $1: the header is not compiled by it" ;;
        esac
        continue
    fi
    compile "$1" "$2" "$3" "$here/tests/c/test.c" "$work/test-$1"
    # shellcheck disable=SC2086
    $under "$work/test-$1" "$work/$1.nanodb" >"$work/output" || {
        say "$1: the test has failed"
        exit 1
    }
    say "$1: $(cat "$work/output")"
    compile "$1" "$2" "$3" "$here/examples/todo.c" "$work/todo-$1"
    todo "todo-$1"
    ran=$((ran + 1))
done
if [ "$ran" = 0 ]; then
    say "MISSING any C compiler: nothing was tested"
    exit 0
fi
if command -v gcc >/dev/null; then
    compile gcc c99 c "$here/tests/c/test.c" "$work/test-static" "$static"
    env -u LD_LIBRARY_PATH "$work/test-static" "$work/static.nanodb" >"$work/output"
    say "static: $(cat "$work/output")"
fi
# The program of the guide is compiled and run as it stands there.
if command -v gcc >/dev/null; then
    sed -n '/^```c$/,/^```$/p' "$here/../docs/guide/src/c.md" | sed '/^```/d' >"$work/guide.c"
    compile gcc c99 c "$work/guide.c" "$work/guide"
    (cd "$work" && ./guide >output)
    printf 'Ann has the id 1\n[{"_id":1,"name":"Ann","age":31}]\n' | cmp - "$work/output"
    say "guide: its program prints what it says"
fi
if command -v nm >/dev/null; then
    # No other names leave the library.
    nm -D --defined-only "$work/usr/lib/libnanodb.so" | sed 's/.* //' | sort >"$work/exported"
    strange=$(grep -v -e '^nanodb_' -e '^Nano' "$work/exported" || true)
    [ -z "$strange" ] || {
        say "the library exports $strange"
        exit 1
    }
    say "$(wc -l <"$work/exported") names are exported"
fi
say "done"
