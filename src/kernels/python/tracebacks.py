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
    """The traceback from the first frame that is a cell's, up to the kernel's own that an interrupt left behind it."""
    while frame is not None and not file_of(frame).startswith('<cell '):
        frame = frame.tb_next
    own = user_part.__code__.co_filename.rpartition('/')[0] + '/'
    last = frame
    while last is not None and last.tb_next is not None:
        if file_of(last.tb_next).startswith(own):
            last.tb_next = None
        last = last.tb_next
    return frame


def file_of(frame):
    return frame.tb_frame.f_code.co_filename


def cut(text, most):
    if len(text) <= most:
        return text
    half = most // 2
    return '%s\n… %d characters left out …\n%s' % (text[:half], len(text) - 2 * half, text[-half:])
