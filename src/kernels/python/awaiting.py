"""Runs the event loop of a context. Loaded once a program has imported asyncio, which takes 60 ms, or awaits at top level.

One loop serves all cells and goes on between them, while the kernel waits for the next: tasks, servers and timers of one live in another.
Code of a cell finds it as the running loop, so that it can start a task without `await`. Only where a cell awaits does the loop really
run meanwhile; elsewhere it is just named, and `asyncio.run` or `run_until_complete` find it out of their way.
"""

import asyncio
from asyncio import events
from functools import wraps

COROUTINE = 0x80  # inspect.CO_COROUTINE

loop = None


def adapt():
    asyncio.run = asyncio.runners.run = beside(asyncio.run)
    places = [(asyncio.BaseEventLoop, 'run_forever'), (asyncio.BaseEventLoop, 'run_until_complete')]
    # Since Python 3.11.
    if hasattr(asyncio, 'Runner'):
        places.append((asyncio.Runner, 'run'))
    for place, name in places:
        setattr(place, name, beside(getattr(place, name)))


def beside(function):
    """What refuses to work in a running loop works in a cell: the context's loop stands still meanwhile."""

    @wraps(function)
    def run(*args, **options):
        running = events._get_running_loop()
        if running is None or running is not loop:
            return function(*args, **options)
        events._set_running_loop(None)
        try:
            return function(*args, **options)
        finally:
            events._set_running_loop(running)

    return run


def enter():
    """A cell begins, or has just imported asyncio."""
    global loop
    if loop is None or loop.is_closed():
        loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    events._set_running_loop(loop)


def leave():
    events._set_running_loop(None)


def wait(fd):
    """Runs the loop until there is something to read, whatever its tasks do: one may stop it, or ask to exit."""
    came = False

    def come():
        nonlocal came
        came = True
        loop.stop()

    while not came and not loop.is_closed():
        loop.add_reader(fd, come)
        try:
            loop.run_forever()
        except BaseException:
            # What ends a program by hand ends its task here, which has told asyncio.
            pass
        finally:
            if not loop.is_closed():
                loop.remove_reader(fd)


async def in_turn(codes, namespace):
    """All of a cell runs inside the loop."""
    for code in codes:
        value = eval(code, namespace)
        if code.co_flags & COROUTINE:
            value = await value
    return value


def run(codes, namespace):
    task = loop.create_task(in_turn(codes, namespace))
    try:
        return loop.run_until_complete(task)
    except BaseException:
        give_up(task)
        raise


def give_up(task):
    """Lets an interrupted cell run its `finally` blocks; nothing of it goes on in the next cell."""
    if task.done():
        # Waiting for it would be forever: asyncio does not stop for a task that ended in KeyboardInterrupt or
        # SystemExit. Asked for once, its exception is not reported a second time.
        return task.cancelled() or task.exception()
    task.cancel()
    try:
        loop.run_until_complete(task)
    except (asyncio.CancelledError, Exception):
        pass
