"""Connects the kernel to a debug adapter that waits for it in the same sandbox. Loaded once somebody wants to debug its cells.

debugpy lies in a layer of packages of its own, which programs are not shown, so that it is imported by its directory alone. What a
debugger before it has left, whose client vanished at a breakpoint, is undone first: else the first line of the next cell would stop.
"""

import sys
import threading

RUNS = 1  # pydevd's STATE_RUN
NO_STEP = -1


def connect(directory, port):
    sys.path.insert(0, directory)
    try:
        import debugpy

        # Else each child process is held until a second client has come for it.
        debugpy.configure(subProcess=False)
    finally:
        sys.path.remove(directory)
    import pydevd
    from _pydevd_bundle import pydevd_filtering

    # Cells are the user's own code, and no library's as other names in angle brackets are.
    pydevd_filtering.USER_CODE_BASENAMES_STARTING_WITH = ('<ipython', '<cell ')
    if pydevd.get_global_debugger() is not None:
        pydevd.stoptrace()
    for thread in threading.enumerate():
        info = getattr(thread, 'additional_info', None)
        if info is not None:
            info.pydev_state = RUNS
            info.pydev_step_cmd = NO_STEP
            info.pydev_step_stop = None
    debugpy.connect(('127.0.0.1', port))
