"""Tells an error as Python prints it, with the cell's lines and nothing of the kernel. Loaded with the first error."""

import sys

# Bounds of what goes to the service, characters.
MAX_MESSAGE = 64 * 1024
MAX_TRACEBACK = 256 * 1024


def describe(problem, quote):
    """(JSON of a CellError, traceback text). May run the program's own __str__."""
    name = cut(type_name(problem), 256)
    message = cut(message_of(problem), MAX_MESSAGE)
    text = cut(traceback_of(problem, name, message), MAX_TRACEBACK)
    parts = quote(name), quote(message), quote(text)
    return '{"name":%s,"message":%s,"traceback":%s}' % parts, text


def type_name(problem):
    name = type(problem).__name__
    return name if type(name) is str else 'Exception'


def message_of(problem):
    try:
        return ''.join((str(problem),))
    except Exception:
        return '<exception str() failed>'


def traceback_of(problem, name, message):
    try:
        import traceback

        from_cell = user_part(problem.__traceback__)
        if from_cell is None:
            lines = traceback.format_exception_only(type(problem), problem)
        else:
            lines = traceback.format_exception(type(problem), problem, from_cell)
        return ''.join(lines)
    except Exception:
        return '%s: %s\n' % (name, message)


def user_part(frame):
    """The traceback from the first frame that is a cell's: what comes before is the kernel (and asyncio under it)."""
    while frame is not None and not frame.tb_frame.f_code.co_filename.startswith('<cell '):
        frame = frame.tb_next
    return frame


def cut(text, most):
    if len(text) <= most:
        return text
    half = most // 2
    return '%s\n… %d characters left out …\n%s' % (text[:half], len(text) - 2 * half, text[-half:])
