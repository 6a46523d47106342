#!/usr/bin/env bash
# Builds the wheel, installs it into a fresh environment and tests it there: pytest with the examples
# of the documentation and the list that all languages share, mypy, pyright. Ends with 3 if a tool is
# missing. What it makes is below bindings/target/python; a second run uses what has not changed.
#
# The wheel is built with the profile `dev`, which takes half the time of a release build and checks
# more (overflows, assertions). `bindings/python/test.sh --release` tests the wheel that users get.
set -euo pipefail
cd "$(dirname "$0")"
work=$PWD/../target/python
profile=dev
case ${1:-} in
    '') ;;
    --release) profile=release ;;
    *)
        printf 'bindings/python/test.sh takes no argument but --release\n' >&2
        exit 2
        ;;
esac

missing() {
    printf '!!!!!!!!!! MISSING: %s\n' "$1" >&2
    exit 3
}
python=${PYTHON:-python3}
command -v "$python" >/dev/null || missing "Python 3.10 or later ($python)"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
    missing "Python 3.10 or later ($("$python" --version) is there)"
"$python" -c 'import venv, ensurepip' 2>/dev/null || missing "Python's modules venv and ensurepip"
command -v cargo >/dev/null || missing 'cargo, of Rust 1.95 or later'

step() {
    printf '    %s (%d s so far)\n' "$1" "$SECONDS"
    shift
    "$@"
}

# The tools, once for each version of their list.
mkdir -p "$work"
if ! cmp -s requirements-test.txt "$work/tools/installed.txt"; then
    rm -rf "$work/tools"
    step 'The tools are installed' "$python" -m venv "$work/tools"
    "$work/tools/bin/pip" install --quiet --disable-pip-version-check -r requirements-test.txt ||
        missing 'the tools in requirements-test.txt, from the package index'
    cp requirements-test.txt "$work/tools/installed.txt"
fi
tools=$work/tools/bin

step 'The sources are formatted' cargo fmt --check
step 'So are those in Python' "$tools/ruff" format --quiet --check . ../conformance
step 'ruff finds nothing' "$tools/ruff" check --quiet . ../conformance

rm -rf "$work/wheels"
step "The wheel is built, with the profile $profile" \
    "$tools/maturin" build --quiet --locked --profile "$profile" \
    --interpreter "$tools/python" --out "$work/wheels"

# Nothing but the wheel is needed to use it. The tests' tools stay in their own environment, and are
# lent to this one.
rm -rf "$work/fresh"
step 'It is installed into a fresh environment' "$python" -m venv "$work/fresh"
fresh=$work/fresh/bin/python
"$fresh" -m pip install --quiet --disable-pip-version-check --no-index "$work"/wheels/*.whl
(cd / && "$fresh" -c 'import nanodb; print("   ", nanodb.open(":memory:"), nanodb.__version__)')
lent=$("$tools/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
export PYTHONDONTWRITEBYTECODE=1

step 'The list for all languages is up to date' \
    "$fresh" ../conformance/generate.py --check
step 'The tests pass' env PYTHONPATH="$lent" "$fresh" -m pytest -rs tests
step 'mypy finds nothing' env PYTHONPATH="$lent" "$fresh" -m mypy \
    --cache-dir "$work/mypy" -p nanodb
step 'mypy finds nothing in programs' env PYTHONPATH="$lent" "$fresh" -m mypy \
    --cache-dir "$work/mypy" tests examples
step 'The stubs are those of the module' env PYTHONPATH="$lent" "$fresh" -m mypy.stubtest \
    --mypy-config-file pyproject.toml nanodb._nanodb
step 'pyright finds nothing' \
    env PYTHONPATH="$lent" "$tools/pyright" --pythonpath "$fresh" examples \
    "$("$fresh" -c 'import nanodb; print(nanodb.__path__[0])')"
