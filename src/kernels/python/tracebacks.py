"""Tells an error as Python prints it, with the cell's lines and nothing of the kernel (frames.py). Loaded with the first error."""

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

        trace = from_cell(problem.__traceback__) or problem.__traceback__
        # Without a frame of the program's, such as of a syntax error, there is nothing to trace.
        if any(traceback.walk_tb(trace)):
            lines = traceback.format_exception(type(problem), problem, trace)
        else:
            lines = traceback.format_exception_only(type(problem), problem)
        return ''.join(lines)
    except Exception:
        return '%s: %s\n' % (name, message)


def from_cell(trace):
    """From the first frame that is a cell's: what comes before is how it was run."""
    while trace is not None and not trace.tb_frame.f_code.co_filename.startswith('<cell '):
        trace = trace.tb_next
    return trace


def cut(text, most):
    if len(text) <= most:
        return text
    half = most // 2
    return '%s\n… %d characters left out …\n%s' % (text[:half], len(text) - 2 * half, text[-half:])
