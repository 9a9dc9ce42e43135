#!/bin/sh
# GNU patch 2.7.6 (Debian's patch 2.7.6-7) can't apply what git writes for a change of nothing but a file's mode when its name holds a
# space, although git quotes no spaces and patch reads git's headers otherwise: the same change of a file without one is applied.
# A patch that also changes the text is, too, because then the names stand in the lines --- and +++ as well.
#
#   diff --git a/a b b/a b      "can't find file to patch at input line 3", exit code 1, mode unchanged
#   diff --git a/ab b/ab        "patching file ab", exit code 0, mode 755
#
# git apply sets the mode of both. So a tree of scripts whose names have spaces loses their x bits on the way through patch.
set -eu
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
apt-get download -q patch=2.7.6-7 >/dev/null 2>&1
dpkg -x patch_2.7.6-7_*.deb root
mkdir tree
cd tree
for name in 'a b' ab; do
  printf 'x\n' >"$name"
  chmod 644 "$name"
  printf 'diff --git a/%s b/%s\nold mode 100644\nnew mode 100755\n' "$name" "$name" >../change
  code=0
  ../root/usr/bin/patch -p1 --batch <../change >../said 2>&1 || code=$?
  echo "$name: exit code $code, mode $(stat -c %a "$name")"
done >../seen
cat >../expected <<'SEEN'
a b: exit code 1, mode 644
ab: exit code 0, mode 755
SEEN
diff ../expected ../seen && echo 'as it was'
