"""What values hold, beside how they look: tables of data frames, and of figures what they chart. Loaded with the first cell that asks.

For clients that draw charts or show tables themselves. What would be over a bound is left out, as is what can't be read.
"""

import sys

# Numbers, texts, names and lists of one form. The service counts 64 bytes for each beside its text, and leaves out a result of over 16 MiB whole,
# with its picture (src/service/kernels/results.ts).
MAX_VALUES = 50_000
# Levels, of the 100 that a message may have (src/schemas/json-text.ts).
MAX_DEPTH = 50

DATA = 'e2b/data'
CHART = 'e2b/chart'
JSON = 'application/json'

# Values that the form which is being read may still have: one that has more is given up before it is copied.
left = 0


def forms(value, part):
    """By MIME type. `part`: loads a file beside this one."""
    global left
    for mime, read in readers(value, part):
        left = MAX_VALUES
        try:
            form = read(value)
        except Exception:
            continue
        if form is not None and size(form) <= MAX_VALUES:
            yield mime, form


def size(form, depth=0):
    """In values; infinite for one that nests too deeply."""
    if depth > MAX_DEPTH:
        return float('inf')
    if isinstance(form, dict):
        return 1 + sum(1 + size(each, depth + 1) for each in form.values())
    if isinstance(form, (list, tuple)):
        return 1 + sum(size(each, depth + 1) for each in form)
    return 1


def readers(value, part):
    if isinstance(value, type):
        return
    frame, figure = loaded('pandas', 'DataFrame'), loaded('matplotlib.figure', 'Figure')
    if frame and isinstance(value, frame):
        yield DATA, table
    elif figure and isinstance(value, figure):
        yield CHART, lambda value: part('charts').chart(value, plain, MAX_VALUES)
    elif type(value) in (list, dict):
        yield JSON, plain
    for mime, method in ((DATA, '_repr_e2b_data_'), (CHART, '_repr_e2b_chart_')):
        # Looked up on the class: an object that answers to every name must not count as a table.
        function = getattr(type(value), method, None)
        if callable(function):
            yield mime, function


def loaded(module, name):
    """A class of a module that the program has imported; only then can it have values of it."""
    return getattr(sys.modules.get(module), name, None)


def table(frame):
    """By the names of its columns, the values of each."""
    if frame.size > MAX_VALUES:
        return None
    columns = {}
    for place, name in enumerate(frame.columns):
        columns[text(name)] = [plain(value) for value in frame.iloc[:, place].tolist()]
    return columns


def text(name):
    return name if isinstance(name, str) else str(name)


def plain(value):
    """As JSON has it: times in ISO 8601, null for what is no number, and for everything else its text. Raises where there is no room for it."""
    spend()
    return formed(value)


def spend():
    global left
    left -= 1
    if left < 0:
        raise ValueError


def formed(value):
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if value - value == 0 else None
    if isinstance(value, dict):
        return {named(name): plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    return special(value)


def named(name):
    spend()
    return text(name)


def special(value):
    """Of NumPy and pandas too, by what their values answer to."""
    # Missing, in pandas and NumPy.
    missing = (loaded('pandas', 'NaT'), loaded('pandas', 'NA'), loaded('numpy.ma', 'masked'))
    if any(value is each for each in missing if each is not None):
        return None
    if type(value).__name__ == 'datetime64':
        return None if str(value) == 'NaT' else str(value.astype('datetime64[s]'))
    if callable(getattr(value, 'isoformat', None)):
        return value.isoformat()
    if type(value).__module__ == 'numpy' and callable(getattr(value, 'tolist', None)):
        if value.ndim and value.size > left:
            raise ValueError
        return formed(value.tolist())
    return text(value)
