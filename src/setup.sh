#!/bin/sh
# Installs what sandboxes need of Debian or Ubuntu: bubblewrap, the distribution's Python, unshare, setpriv, and a C compiler; and
# compiles the agent with that. Bundles the server, which then starts in half the time.
# As root directly, as a user through sudo. Where it can't, it says what to install and ends well: the server starts
# all the same and names what is still missing.
set -eu

PATH="$PATH:/usr/sbin:/usr/bin:/sbin:/bin"
missing=''

# need PROGRAM PACKAGE
need() {
  if command -v "$1" >/dev/null 2>&1; then return; fi
  case " $missing " in *" $2 "*) ;; *) missing="${missing:+$missing }$2" ;; esac
}

if [ "$(uname -s)" != Linux ]; then
  echo "setup: local sandboxes need Linux, and this is $(uname -s); nothing was installed."
  exit 0
fi

bundle() {
  root=$(cd "$(dirname "$0")/.." && pwd)
  [ -x "$root/node_modules/.bin/bun" ] && "$root/node_modules/.bin/bun" "$root/src/bundle/build.ts" ||
    echo 'setup: the server could not be bundled; it starts from its sources, which takes longer.'
}
bundle

need bwrap bubblewrap
# By its path: a version manager's python3 lies in somebody's home, where a sandbox sees nothing.
need /usr/bin/python3 python3
need unshare util-linux
need setpriv util-linux
need cc gcc
# With the static C library.
[ -e "$(cc -print-file-name=libc.a 2>/dev/null || true)" ] || missing="${missing:+$missing }libc6-dev"

compile() {
  if ! sh "$(dirname "$0")/agent/build.sh" "$(cd "$(dirname "$0")" && pwd)/agent/build/agent"; then
    echo 'setup: the agent could not be compiled; without it there are no sandboxes.'
    exit 1
  fi
  echo 'setup: the agent is compiled.'
}

if [ -z "$missing" ]; then
  compile
  echo "setup: nothing to do, $(bwrap --version) and $(/usr/bin/python3 --version) are here."
  exit 0
fi

if ! command -v apt-get >/dev/null 2>&1; then
  echo "setup: this is neither Debian nor Ubuntu; install these with its own package manager: $missing"
  exit 0
fi

as_root=''
if [ "$(id -u)" != 0 ]; then
  if ! command -v sudo >/dev/null 2>&1; then
    echo "setup: there is no sudo here; run this as root: apt-get install -y $missing"
    exit 0
  fi
  as_root='sudo'
fi

echo "setup: missing: $missing; installing${as_root:+ through sudo} with apt-get"
# A list of packages that could not be brought up to date is often good enough; the install says if not.
$as_root apt-get update -qq || echo 'setup: apt-get update failed; trying with the list that is here'
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
echo "setup: installed $missing"
compile
