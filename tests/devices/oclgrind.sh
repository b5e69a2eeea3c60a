#!/usr/bin/env bash
# oclgrind.sh COMMAND...: runs it with Oclgrind as the only OpenCL driver. Oclgrind ends with status 0 whatever it finds, so its log decides:
# status 1 and the log if there is any.
set -euo pipefail
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export LD_LIBRARY_PATH=/usr/lib/oclgrind OCL_ICD_VENDORS=/usr/lib/oclgrind/liboclgrind-rt-icd.so
export OCLGRIND_DATA_RACES=1 OCLGRIND_UNINITIALIZED=${OCLGRIND_UNINITIALIZED-1} OCLGRIND_CHECK_API=1 OCLGRIND_LOG="$log"
# Results of more bytes are streamed; in place, and of the smaller shapes, they are not.
# Neither optimised nor inlined: version 21.10 does not know what that leaves behind (llvm.experimental.noalias.scope.decl); nor prefetches.
export OCLGRIND_BUILD_OPTIONS="-DROW_STREAM_BYTES=${ROW_STREAM_BYTES-600} -cl-opt-disable -Dalways_inline=unused -D__builtin_prefetch=(void)"
status=0
"$@" || status=$?
if [ -s "$log" ]; then
    cat "$log"
    exit 1
fi
exit $status
