#!/usr/bin/env bash
# oclgrind.sh COMMAND...: runs the command with Oclgrind as the only OpenCL driver. Oclgrind ends with status 0 whatever
# it finds, so its log decides: if it is not empty, this prints it and ends with status 1. cli/watch.bats plants faults
# for it.
set -euo pipefail
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export LD_LIBRARY_PATH=/usr/lib/oclgrind OCL_ICD_VENDORS=/usr/lib/oclgrind/liboclgrind-rt-icd.so
export OCLGRIND_DATA_RACES=1 OCLGRIND_UNINITIALIZED=${OCLGRIND_UNINITIALIZED-1} OCLGRIND_CHECK_API=1 OCLGRIND_LOG="$log"
# Results of more than ROW_STREAM_BYTES are streamed: those of larger shapes, out of place. Optimising and inlining
# leave intrinsics that version 21.10 does not know (llvm.experimental.noalias.scope.decl); it does not know prefetches
# either.
options="-DROW_STREAM_BYTES=${ROW_STREAM_BYTES-600} -cl-opt-disable -Dalways_inline=unused"
export OCLGRIND_BUILD_OPTIONS="$options -D__builtin_prefetch=(void)"
status=0
"$@" || status=$?
if [ -s "$log" ]; then
    cat "$log"
    exit 1
fi
exit $status
