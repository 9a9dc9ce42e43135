"""Runs a cell that awaits. Loaded with the first `await` at top level, because asyncio takes 60 ms to import.

One loop serves all cells, so that a task or connection of one cell can be awaited in another. Between cells it stands
still.
"""

import asyncio

loop = None


def run(coroutine):
    global loop
    if loop is None or loop.is_closed():
        loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    task = loop.create_task(coroutine)
    try:
        return loop.run_until_complete(task)
    except KeyboardInterrupt:
        give_up(task)
        raise


def give_up(task):
    """Lets an interrupted cell run its `finally` blocks; nothing of it goes on in the next cell."""
    task.cancel()
    try:
        loop.run_until_complete(task)
    except (asyncio.CancelledError, Exception):
        pass
