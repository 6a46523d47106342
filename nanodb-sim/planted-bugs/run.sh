#!/usr/bin/env bash
# Breaks the library, one place at a time, and demands that a test goes red.
#
#   run.sh            every bug of planted-bugs.tsv
#   run.sh 07 21      those whose patch begins so
#   run.sh --check    only whether every patch applies and is in the table
#
# All of it happens in a copy of what git has of the sources, with a build directory of its own:
# NANODB_PLANTED_DIR, from which all but the builds of an earlier run is removed first, or a
# temporary one that goes at the end. A patch that doesn't compile is an error of the patch, and no
# bug that was caught; so is a filter that picks no test, or one whose tests fail without the patch.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
table=$here/planted-bugs.tsv

if [ -n "${NANODB_PLANTED_DIR:-}" ]; then
    work=$NANODB_PLANTED_DIR
    mkdir -p "$work"
    find "$work" -mindepth 1 -maxdepth 1 ! -name target -exec rm -rf {} +
else
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
fi
# What git knows, as it stands in the work tree. With the time of now: what an earlier run built of
# broken sources is then out of date.
(cd "$root" && git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
    [ -e "$file" ] && printf '%s\0' "$file"
done | xargs -0 cp --parents -t "$work")
cd "$work"

# A patch whose lines have moved is taken, but not one whose lines have changed. The
# folder is no repository, so nothing around it is looked at.
export GIT_CEILING_DIRECTORIES=${work%/*}
apply() { git apply -C1 --whitespace=nowarn "$@"; }

rows() { grep -v -e '^#' -e '^$' "$table"; }

check() {
    local failed=0 patch rule crate target filter
    while IFS=$'\t' read -r patch rule crate target filter; do
        if [ -z "$filter" ] || ! apply --check "$here/$patch.patch"; then
            printf 'does not apply any more: %s\n' "$patch" >&2
            failed=1
        fi
    done < <(rows)
    for patch in "$here"/*.patch; do
        # Not -q: it would end before the others have written all, which counts as a failure.
        if ! rows | cut -f1 | grep -xF "$(basename "$patch" .patch)" >/dev/null; then
            printf 'not in the table: %s\n' "$patch" >&2
            failed=1
        fi
    done
    return $failed
}

if [ "${1:-}" = --check ]; then
    check
    printf '%d patches apply\n' "$(rows | wc -l)"
    exit
fi
check

export CARGO_TARGET_DIR=$work/target CARGO_TERM_PROGRESS_WHEN=never CARGO_PROFILE_DEV_DEBUG=0
export CARGO_INCREMENTAL=1 RUST_BACKTRACE=0
log=$work/planted.log
: >"$log"

# cargo test for a crate and a target of it: `lib`, `interleavings` or the name of a test binary.
cargo_test() {
    local crate=$1 target=$2
    shift 2
    case $target in
        lib) set -- --lib "$@" ;;
        interleavings)
            # As the alias of the same name does it, for one crate.
            set -- --profile interleavings --target-dir "$work/target/loom" \
                --config "build.rustflags=['--cfg', 'loom']" --lib "$@"
            ;;
        *) set -- --test "$target" "$@" ;;
    esac
    env -u RUSTFLAGS cargo test -q --locked -p "$crate" "$@"
}

# Runs a test filter: 0 green, 1 red, 2 not compiled, 3 no test run.
run_tests() {
    local crate=$1 target=$2 filter=$3 binary status=0
    cargo_test "$crate" "$target" --no-run --message-format=json 2>>"$log" >"$log.built" </dev/null ||
        return 2
    # The last program that was built or is up to date is the tests'.
    binary=$(sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' "$log.built" | tail -1)
    # Something that waits for ever is red, too.
    (cd "$crate" && timeout -k 5 120 "$binary" "$filter") >"$log.one" 2>&1 </dev/null || status=1
    cat "$log.one" >>"$log"
    if [ $status = 0 ] && ! grep -q '^test result: ok\. [1-9]' "$log.one"; then return 3; fi
    return $status
}

wanted() {
    [ $# = 1 ] && return 0
    local patch=$1 prefix
    shift
    for prefix; do [[ $patch == "$prefix"* ]] && return 0; done
    return 1
}

passed=0 failed=0
verdict() {
    if [ "$1" = ok ]; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
    printf '%-7s %4d s  %-45s %s\n' "$1" "$SECONDS" "$2" "$3"
}

# Without any patch every one of the tests is green.
while IFS=$'\t' read -r crate target filter; do
    status=0
    run_tests "$crate" "$target" "$filter" || status=$?
    [ $status = 0 ] || verdict "RED($status)" "without a patch" "$crate $filter"
done < <(while IFS=$'\t' read -r patch rule crate target filter; do
    if wanted "$patch" "$@"; then printf '%s\t%s\t%s\n' "$crate" "$target" "$filter"; fi
done < <(rows) | sort -u)

while IFS=$'\t' read -r patch rule crate target filter; do
    wanted "$patch" "$@" || continue
    printf '\n==== %s\n' "$patch" >>"$log"
    apply "$here/$patch.patch"
    status=0
    run_tests "$crate" "$target" "$filter" || status=$?
    case $status in
        1) verdict ok "$patch" "$crate $filter" ;;
        0) verdict ALIVE "$patch" "$crate $filter stays green" ;;
        2) verdict BROKEN "$patch" "does not compile" ;;
        3) verdict NOTEST "$patch" "$crate $filter picks no test" ;;
    esac
    apply --reverse "$here/$patch.patch"
    # A file that goes back must count as changed.
    grep '^+++ b/' "$here/$patch.patch" | sed 's|^+++ b/||' | xargs touch
done < <(rows)

printf '\n%d passed, %d failed\n' "$passed" "$failed"
[ $failed = 0 ]
