#!/bin/sh
# Compiles and runs what is in C and C++: nanodb-ffi/test-c.sh, which ends with 3 if a tool is
# missing, once all that can be tested has been.
set -eu
exec "$(dirname "$0")/../../nanodb-ffi/test-c.sh"
