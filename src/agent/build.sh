#!/bin/sh
# build.sh OUTPUT [FLAG...]: compiles the agent with the system's compiler ($CC) into one static program that needs nothing where
# it runs. With flags, a program for tests that is linked as usual (sanitizers have no static library).
set -eu
output=$1
shift
cd "$(dirname "$0")"
if [ $# -eq 0 ]; then set -- -O2 -fPIE -static-pie -Wl,-z,relro,-z,now -s; fi
mkdir -p "$(dirname "$output")"
# Never half there, and one that runs is not written over.
"${CC:-cc}" -std=c11 -Wall -Wextra -Werror -Wconversion -Wno-sign-conversion -fstack-protector-strong -D_FORTIFY_SOURCE=2 "$@" \
  -o "$output.$$" ./*.c
mv "$output.$$" "$output"
# What it was compiled from (artifact.ts).
LC_ALL=C sh -c 'cat ./*.c ./*.h' | sha256sum | cut -d " " -f 1 >"$output.sources"
