"""Connects the kernel to a debug adapter that waits for it in the same sandbox. Loaded once somebody wants to debug its cells.

debugpy lies in a layer of packages of its own, which programs are not shown, so that it is imported by its directory alone. What a
debugger before it has left, whose client vanished at a breakpoint, is undone first: else the first line of the next cell would stop.
"""

import sys
import threading
import time

# Which it takes to leave one debugger, seconds.
LEAVE = 5
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
    pydevd.PyDB.wait_for_ready_to_run = wait_until_ready
    leave(pydevd)
    for thread in threading.enumerate():
        info = getattr(thread, 'additional_info', None)
        if info is not None:
            info.pydev_state = RUNS
            info.pydev_step_cmd = NO_STEP
            info.pydev_step_stop = None
    debugpy.connect(('127.0.0.1', port))


def leave(pydevd):
    """Also where a thread of its own does so already: to one that is left halfway, debugpy would not connect, and say that it has."""
    before = pydevd.get_global_debugger()
    if before is None:
        return
    pydevd.stoptrace()
    until = time.monotonic() + LEAVE
    while pydevd.get_global_debugger() is before:
        if time.monotonic() > until:
            raise TimeoutError
        time.sleep(0.01)


def wait_until_ready(debugger):
    """As pydevd waits for what its client is to stop at, but not for good for one that has gone."""
    while not debugger.ready_to_run:
        if debugger.pydb_disposed:
            raise EOFError
        debugger.process_internal_commands()
        time.sleep(0.01)
