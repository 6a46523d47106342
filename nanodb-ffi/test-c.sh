#!/bin/sh
# Compiles the C tests and the example as C99 and as C++11, with all warnings as errors, against the
# installed library, and runs them, under valgrind and AddressSanitizer. Says aloud which tools are
# missing, and ends with 3 for them after all the rest.
#
#     nanodb-ffi/test-c.sh
#
# NANODB_PROFILE is cargo's profile, dev by default. NANODB_C_RANDOM_CALLS=20000 makes as many calls
# at random by eight threads as well (tests/random.rs), under valgrind and again under the
# allocator of AddressSanitizer; that takes minutes.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

say() {
    echo "test-c: $*"
}

# missing TOOL WHAT: says what is not tested for want of a tool.
missing=
missing() {
    echo "!!!!!!!!!! test-c: MISSING $1: $2" >&2
    missing="$missing $1"
}

command -v cargo >/dev/null || {
    missing cargo "NOTHING in C is tested"
    exit 3
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
    missing pkg-config "what it says of the library is not tested"
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
    missing valgrind "leaks are not looked for"
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
    # It is there before the writer opens it.
    : >"$work/printed"
    "$work/$1" "$list" stress 1000000 >"$work/printed" &
    writer=$!
    while [ "$(wc -l <"$work/printed")" -lt 20 ]; do
        kill -0 $writer || exit 1
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

# The headers alone, in older and newer standards, and taken twice. C89 has no `long long`.
for pair in "gcc c89 c" "gcc c17 c" "g++ c++98 c++" "g++ c++20 c++"; do
    # shellcheck disable=SC2086
    set -- $pair
    command -v "$1" >/dev/null || continue
    for header in nanodb.h nanodb_go.h; do
        printf '#include <%s>\n#include <%s>\n' $header $header >"$work/header.c"
        "$1" -std="$2" -x "$3" -Wall -Wextra -Werror -pedantic -Wconversion -Wno-long-long -c \
            -I"$work/usr/include" -o "$work/header.o" "$work/header.c"
    done
done

for pair in "gcc c99 c" "g++ c++11 c++" "clang c99 c" "clang++ c++11 c++"; do
    # shellcheck disable=SC2086
    set -- $pair
    if ! command -v "$1" >/dev/null; then
        case $1 in
        g*) missing "$1" "the header is not compiled by it" ;;
        esac
        continue
    fi
    for program in test fork; do
        compile "$1" "$2" "$3" "$here/tests/c/$program.c" "$work/$program-$1"
        # shellcheck disable=SC2086
        $under "$work/$program-$1" "$work/$program-$1.nanodb" >"$work/output" || {
            say "$1: $program.c has failed"
            exit 1
        }
        say "$1: $program.c: $(cat "$work/output")"
    done
    compile "$1" "$2" "$3" "$here/examples/todo.c" "$work/todo-$1"
    todo "todo-$1"
done
if command -v gcc >/dev/null; then
    compile gcc c99 c "$here/tests/c/test.c" "$work/test-static" "$static"
    env -u LD_LIBRARY_PATH "$work/test-static" "$work/static.nanodb" >"$work/output"
    say "static: $(cat "$work/output")"

    # The program of the guide is compiled and run as it stands there.
    sed -n '/^```c$/,/^```$/p' "$here/../docs/guide/src/c.md" | sed '/^```/d' >"$work/guide.c"
    compile gcc c99 c "$work/guide.c" "$work/guide"
    (cd "$work" && ./guide >output)
    printf 'Ann has the id 1\n[{"_id":1,"name":"Ann","age":31}]\n' | cmp - "$work/output"
    say "guide: its program prints what it says"
fi

# AddressSanitizer looks at what the C programs do, and at the memory that the library hands out and
# takes back.
echo 'int main(void) { return 0; }' >"$work/empty.c"
sanitize="-fsanitize=address,undefined -fno-sanitize-recover"
if ! command -v gcc >/dev/null; then
    : # said above
elif compile gcc c99 c "$work/empty.c" "$work/empty" "$sanitize" 2>/dev/null && "$work/empty"; then
    for program in test fork; do
        compile gcc c99 c "$here/tests/c/$program.c" "$work/$program-asan" "$sanitize $flags"
        "$work/$program-asan" "$work/$program-asan.nanodb" >"$work/output" || {
            say "AddressSanitizer: $program.c has failed"
            exit 1
        }
        say "AddressSanitizer: $program.c: $(cat "$work/output")"
    done
else
    missing "AddressSanitizer, a library of gcc" "the C programs are not run under it"
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
else
    missing nm "whether other names leave the library is not tested"
fi

# random RUNNER NAME: calls at random, with a program that runs the test.
random() {
    host=$(rustc -vV | sed -n 's/^host: //p' | tr 'a-z-' 'A-Z_')
    env "CARGO_TARGET_${host}_RUNNER=$1" NANODB_FFI_CALLS="$NANODB_C_RANDOM_CALLS" \
        cargo test --quiet --manifest-path "$here/Cargo.toml" --profile "${NANODB_PROFILE:-dev}" \
        --test random -- --nocapture >"$work/output" 2>&1 || {
        cat "$work/output"
        say "$2: the calls at random have failed"
        exit 1
    }
    say "$2: $(grep -o '^[0-9]* calls in [^;]*' "$work/output")"
}
if [ -n "${NANODB_C_RANDOM_CALLS:-}" ]; then
    [ -z "$under" ] || random "$under --fair-sched=yes" valgrind
    if [ -x "$work/test-asan" ]; then
        random "env LD_PRELOAD=$(gcc -print-file-name=libasan.so)" AddressSanitizer
    fi
fi

[ -z "$missing" ] || {
    echo "!!!!!!!!!! test-c: NOT ALL WAS TESTED, SINCE A TOOL IS MISSING:$missing" >&2
    exit 3
}
say "done"
