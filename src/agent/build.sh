#!/bin/sh
# build.sh OUTPUT [FLAG...]: compiles the agent with the system's compiler ($CC) into one static program that needs nothing where
# it runs, and beside it addons: what holds Bun (hold/), and what trims the server (trim/). With flags, a program for tests that is linked as
# usual (sanitizers have no static library), and no addons. On all cores.
set -eu
output=$1
shift
cd "$(dirname "$0")"
link=''
if [ $# -eq 0 ]; then
  set -- -O2 -fPIE
  link='-static-pie -Wl,-z,relro,-z,now -s'
fi
mkdir -p "$(dirname "$output")"
objects=$(mktemp -d "$output.XXXXXX")
trap 'rm -rf "$objects"' EXIT
printf '%s\n' *.c | xargs -P "$(nproc)" -I '{}' "${CC:-cc}" -std=c11 -Wall -Wextra -Werror -Wconversion -Wno-sign-conversion \
  -fstack-protector-strong -D_FORTIFY_SOURCE=2 "$@" -c '{}' -o "$objects/{}.o"
# Never half there, and one that runs is not written over.
# shellcheck disable=SC2086 # flags
"${CC:-cc}" "$@" $link "$objects"/*.o -o "$objects/agent"
if [ -n "$link" ]; then
  for addon in hold trim; do
    "${CC:-cc}" -std=c11 -Wall -Wextra -Werror -Wconversion -Wno-sign-conversion -fstack-protector-strong -D_FORTIFY_SOURCE=2 \
      -O2 -fPIC -fvisibility=hidden -shared -Wl,-z,relro,-z,now -s $addon/*.c -o "$objects/$addon.node"
    mv "$objects/$addon.node" "$(dirname "$output")/$addon.node"
  done
fi
mv "$objects/agent" "$output"
# What it was compiled from (artifact.ts).
LC_ALL=C sh -c 'cat ./*.c ./*.h hold/*.c hold/*.h trim/*.c' | sha256sum | cut -d " " -f 1 >"$output.sources"
