"""Writes a tar of what this machine's matplotlib takes to draw a line: its modules and data below `python`, libraries in `lib`."""

import io
import os
import sys
import tarfile

opened = set()
sys.addaudithook(lambda event, args: opened.add(args[0]) if event == "open" and isinstance(args[0], str) else None)

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

plt.plot([1])
plt.savefig(io.BytesIO())

installed = os.path.dirname(os.path.dirname(matplotlib.__file__)) + "/"
modules = {getattr(module, "__file__", None) or "" for module in list(sys.modules.values())}
# Debian's lies elsewhere, and is looked for beside the package first.
data = matplotlib.get_data_path() + "/"
with open("/proc/self/maps") as maps:
    libraries = {line.split()[-1] for line in maps if ".so" in line}

with tarfile.open(fileobj=sys.stdout.buffer, mode="w|", dereference=True) as tar:
    for path in sorted(modules):
        if path.startswith(installed):
            tar.add(path, "python/" + path.removeprefix(installed))
    for path in sorted(opened):
        if path.startswith(data) and os.path.isfile(path):
            tar.add(path, "python/matplotlib/mpl-data/" + path.removeprefix(data))
    for path in sorted(libraries):
        # What Python itself takes is there as well.
        if "/python" not in path and not os.path.basename(path).startswith(("libc.", "libm.", "ld-")):
            tar.add(path, "lib/" + os.path.basename(path))
