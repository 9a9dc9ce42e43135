"""Keeps the kernel's frames out of what a program prints of its stack and of its errors."""

import sys

OWN = (lambda: None).__code__.co_filename.rpartition('/')[0] + '/'


def is_own(frame):
    return frame.f_code.co_filename.startswith(OWN)


def outside(frames):
    """Of pairs of a frame and its place."""
    return (pair for pair in frames if not is_own(pair[0]))


def adapt_traceback(traceback):
    walk_stack = traceback.walk_stack

    def walk_stack_outside(f):
        return outside(walk_stack(sys._getframe(1) if f is None else f))

    traceback.walk_stack = walk_stack_outside
    # The second since Python 3.11.
    for name in 'walk_tb', '_walk_tb_with_full_positions':
        if hasattr(traceback, name):
            setattr(traceback, name, walker(getattr(traceback, name)))


def walker(walk):
    return lambda tb: outside(walk(tb))


def adapt_inspect(inspect):
    for name in 'getouterframes', 'getinnerframes':
        setattr(inspect, name, infos(getattr(inspect, name)))


def infos(get):
    return lambda *place, **options: [info for info in get(*place, **options) if not is_own(info[0])]
