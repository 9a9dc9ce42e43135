"""Tells an error as IPython does, with the lines around each place of the program's; in-python.py loads it with the first one.

What is raised here has the error told as Python tells it.
"""

# Exceptions that led to an error, and frames of each from either end.
MAX_CAUSES = 10
MAX_FRAMES = 10

CAUSED = '\nThe above exception was the direct cause of the following exception:\n'
WHILE = '\nDuring handling of the above exception, another exception occurred:\n'


def of_chain(problem):
    chain, seen = [], set()
    while problem is not None and id(problem) not in seen and len(chain) < MAX_CAUSES:
        if isinstance(problem, (SyntaxError, BaseExceptionGroup)):
            raise ValueError('more than places are to be told')
        seen.add(id(problem))
        cause, context = problem.__cause__, None if problem.__suppress_context__ else problem.__context__
        chain.append((problem, CAUSED if cause else WHILE if context else ''))
        problem = cause or context
    for problem, link in reversed(chain):
        if link:
            yield link
        yield from of_one(problem)


def of_one(problem):
    import traceback

    kind = tracebacks.type_name(problem)
    trace = tracebacks.from_cell(problem.__traceback__) or problem.__traceback__
    frames = list(traceback.walk_tb(trace))
    if not frames:
        raise ValueError('there is no place')
    yield '-' * 75
    yield kind + 'Traceback (most recent call last)'.rjust(75 - len(kind))
    left_out = len(frames) - 2 * MAX_FRAMES
    for frame, line in frames if left_out <= 0 else frames[:MAX_FRAMES]:
        yield place(frame, line)
    if left_out > 0:
        yield '    [... %d frames left out ...]\n' % left_out
        for frame, line in frames[-MAX_FRAMES:]:
            yield place(frame, line)
    notes = getattr(problem, '__notes__', ())
    yield '\n'.join(['%s: %s' % (kind, tracebacks.message_of(problem)), *map(str, notes)])


def place(frame, line):
    """Two lines before it and two after it."""
    import linecache

    code = frame.f_code
    in_cell = code.co_filename.startswith('<cell ')
    head = 'Cell %s, line %d' if in_cell else 'File %s:%d'
    lines = [head % (code.co_filename, line) + ('' if code.co_name == '<module>' else ', in %s()' % code.co_name)]
    for number in range(max(1, line - 2), line + 3):
        text = linecache.getline(code.co_filename, number, frame.f_globals).rstrip()
        if text or number == line:
            mark = '%s> %d' % ('-' * (5 - len(str(number))), number) if number == line else '%7d' % number
            lines.append('%s %s' % (mark, text))
    return '\n'.join(lines) + '\n'
