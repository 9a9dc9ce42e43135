"""Has `inspect` find the text of classes that cells define. Loaded once a program has imported `inspect`.

Python looks for a class in the file of its module, and a cell's module has no file.
"""

import ast
import functools
import linecache


def adapt(inspect, cells):
    """`cells`: the text of each cell, as Python, by the file name of its code; the newest last."""
    getfile = inspect.getfile

    @functools.wraps(getfile)
    def getfile_or_cell(object):
        if isinstance(object, type) and object.__module__ == '__main__':
            name = cell_of_methods(object, cells) or newest_cell(object, cells)
            if name is not None:
                return as_python(name, cells[name])
        return getfile(object)

    inspect.getfile = getfile_or_cell


def cell_of_methods(cls, cells):
    for member in vars(cls).values():
        function = getattr(member, '__func__', None) or getattr(member, 'fget', None) or member
        code = getattr(function, '__code__', None)
        name = getattr(code, 'co_filename', None)
        # A method may be another one's.
        if name in cells and function.__qualname__.rpartition('.')[0] == cls.__qualname__:
            return name
    return None


def newest_cell(cls, cells):
    for name in reversed(list(cells)):
        if 'class ' + cls.__name__ in cells[name] and defines(cells[name], cls.__qualname__):
            return name
    return None


def defines(text, qualname):
    def names(node, prefix):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.ClassDef):
                yield prefix + child.name
                yield from names(child, prefix + child.name + '.')
            elif isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield from names(child, prefix + child.name + '.<locals>.')
            else:
                yield from names(child, prefix)

    try:
        return qualname in names(ast.parse(text), '')
    except (SyntaxError, ValueError, RecursionError):
        return False


def as_python(name, text):
    """The name under which linecache has the cell as Python reads it: with line syntax, its own name shows it as it was written."""
    lines = [line + '\n' for line in text.split('\n')]
    known = linecache.cache.get(name)
    if known and known[2] == lines:
        return name
    name = name[:-1] + ' as Python>'
    linecache.cache[name] = len(text), None, lines, name
    return name
