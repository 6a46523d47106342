#!/usr/bin/env bash
# Builds and tests the packages of other languages: all of them, or those named, such as
# `bindings/test.sh python`. Each has a script of its own, bindings/LANGUAGE/test.sh, which ends with
# 3 if a tool that it needs is not there. That is a failure, unless NANODB_TESTS_SKIP_MISSING is set.
set -euo pipefail
cd "$(dirname "$0")"

languages=("$@")
if [ "${#languages[@]}" -eq 0 ]; then
    for script in */test.sh; do
        languages+=("${script%/test.sh}")
    done
fi

failed=()
missing=()
for language in "${languages[@]}"; do
    printf '\n==> The tests of %s (%d s so far)\n' "$language" "$SECONDS"
    if [ ! -x "$language/test.sh" ]; then
        printf 'there is no bindings/%s/test.sh\n' "$language" >&2
        failed+=("$language")
        continue
    fi
    status=0
    "$language/test.sh" </dev/null || status=$?
    case $status in
        0) ;;
        3) missing+=("$language") ;;
        *) failed+=("$language") ;;
    esac
done

printf '\n'
if [ "${#missing[@]}" -gt 0 ]; then
    printf '!!!!!!!!!! NOT TESTED, SINCE A TOOL IS MISSING (see above): %s\n' "${missing[*]}" >&2
fi
if [ "${#failed[@]}" -gt 0 ]; then
    printf '!!!!!!!!!! FAILED: %s\n' "${failed[*]}" >&2
    exit 1
fi
if [ "${#missing[@]}" -gt 0 ] && [ -z "${NANODB_TESTS_SKIP_MISSING:-}" ]; then
    printf 'Install it, or set NANODB_TESTS_SKIP_MISSING to go on without.\n' >&2
    exit 1
fi
