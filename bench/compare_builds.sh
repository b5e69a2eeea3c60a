#!/usr/bin/env bash
# Compares the speed of two builds of the library, interleaved in one run of clsoftmax-bench.
#
#     bench/compare_builds.sh BEFORE AFTER [OPTION...]
#     bench/compare_builds.sh /tmp/before/build build --shapes bars -T 1,0.7 --time 20
#
# BEFORE and AFTER are build folders, whose sources must still be there. AFTER has a clsoftmax-bench, which gets every
# OPTION. Both libraries run as peers: peers/clsoftmax.c, compiled with the header and the library of either build, in a
# process for each build and each device that DEVICES names, by default "cpu 0:0". A row is printed for each shape,
# dtype, temperature, operation and device: the medians in milliseconds and their ratio, after to before, then the same
# of the best times.
set -eu
[ $# -ge 2 ] || { sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0" >&2; exit 2; }
here=$(realpath "$(dirname "$0")")
before=$(realpath "$1") after=$(realpath "$2")
shift 2
read -ra devices <<<"${DEVICES:-cpu 0:0}"
peers=$(mktemp -d)
trap 'rm -r "$peers"' EXIT

# compile NAME BUILD: the peer NAME with the library of a build folder
compile() {
    local source
    source=$(sed -n 's/^CMAKE_HOME_DIRECTORY:INTERNAL=//p' "$2/CMakeCache.txt")
    "${CC:-cc}" -O2 -std=gnu11 -D_GNU_SOURCE -I"$source/host/include" "$here/peers/clsoftmax.c" "$here/peers/peer.c" \
        -o "$peers/$1" -L"$2/host" -lclsoftmax -Wl,-rpath,"$2/host"
}

compile before "$before"
compile after "$after"
list=
for device in "${devices[@]}"; do
    for build in before after; do
        peer="$peers/$build on $device"
        printf '#!/bin/sh\nexec "%s" "%s"\n' "$peers/$build" "$device" >"$peer"
        chmod +x "$peer"
        list+=,$peer
    done
done

"$after/clsoftmax-bench" -d cpu --strategies auto --peers "${list#,}" "$@" --output csv -o "$peers/times"
awk -F, -v OFS='\t' '
    function ratio(times, place) {
        if (times[place, "before"] > 0 && times[place, "after"] > 0)
            return sprintf("%.3f", times[place, "after"] / times[place, "before"])
        return "-" # one of them was left out, or has no time
    }
    NR == 1 {
        for (i = 1; i <= NF; i++)
            at[$i] = i
        print "shape", "dtype", "T", "operation", "device", "before", "after", "ratio", "best before", "best after", \
            "ratio"
        next
    }
    $at["strategy"] !~ /^(before|after) on / { next }
    $at["note"] != "" { print $at["strategy"] ": " $at["note"] >"/dev/stderr" }
    {
        split($at["strategy"], words, " on ")
        place = $at["shape"] OFS $at["dtype"] OFS $at["temperature"] OFS $at["operation"] OFS words[2]
        median[place, words[1]] = $at["median_ms"]; best[place, words[1]] = $at["best_ms"]
        if (words[1] == "after")
            print place, median[place, "before"], median[place, "after"], ratio(median, place), \
                best[place, "before"], best[place, "after"], ratio(best, place)
    }
' "$peers/times"
