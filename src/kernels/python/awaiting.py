"""Runs a cell that awaits. Loaded with the first `await` at top level, because asyncio takes 60 ms to import.

One loop serves all cells, so that a task or connection of one cell can be awaited in another. Between cells it stands
still.
"""

import asyncio

loop = None


COROUTINE = 0x80  # inspect.CO_COROUTINE


async def in_turn(codes, namespace):
    """All of a cell runs inside the loop, so that a line without `await` can start a task for a later one."""
    for code in codes:
        value = eval(code, namespace)
        if code.co_flags & COROUTINE:
            value = await value
    return value


def run(codes, namespace):
    global loop
    if loop is None or loop.is_closed():
        loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
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
