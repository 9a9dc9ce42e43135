"""Has processes that multiprocessing starts afresh ('spawn', 'forkserver') know what cells define. Loaded with `multiprocessing.spawn`.

Such a process runs its parent's file once more, and cells have none. It gets one of what they define: functions, classes, imports and
plain values, but nothing that would do the cells' work again. What is not in it is refused when it is sent, where it would otherwise
fail in the new process, and a pool would start processes for ever.
"""

import ast
import sys
from hashlib import sha256
from pickle import PicklingError
from tempfile import gettempdir
from types import FunctionType

DEFINITIONS = ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef
ASSIGNMENTS = ast.Assign, ast.AnnAssign
WORK = ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr
# What makes a class or a type is called without doing anybody's work.
FACTORIES = {'namedtuple', 'NamedTuple', 'TypedDict', 'Enum', 'IntEnum', 'TypeVar', 'NewType', 'make_dataclass'}


def adapt(spawn, cells, main):
    """`cells`: the text of each cell, as Python, the newest last."""
    get_preparation_data = spawn.get_preparation_data

    def get_preparation_data_of_cells(name):
        data = get_preparation_data(name)
        if sys.modules.get('__main__') is main:
            body, names = definitions(cells)
            refuse_others(names)
            data['init_main_from_path'] = write(body)
        return data

    spawn.get_preparation_data = get_preparation_data_of_cells


def definitions(cells):
    """Statements, and the names that they define."""
    futures, body, names = [], [], set()
    for text in cells.values():
        try:
            statements = ast.parse(text).body
        except (SyntaxError, ValueError, RecursionError):
            continue
        for statement in statements:
            if isinstance(statement, ast.ImportFrom) and statement.module == '__future__':
                futures.append(statement)
            elif isinstance(statement, DEFINITIONS) or isinstance(statement, ASSIGNMENTS) and is_plain(statement.value):
                body.append(guarded(statement))
                names |= set(defined(statement))
    return futures + body, names


def is_plain(value):
    return value is not None and not any(isinstance(node, WORK) or does_work(node) for node in ast.walk(value))


def does_work(node):
    if not isinstance(node, ast.Call):
        return False
    return getattr(node.func, 'attr', getattr(node.func, 'id', None)) not in FACTORIES


def defined(statement):
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        return [(alias.asname or alias.name).split('.')[0] for alias in statement.names]
    if isinstance(statement, ASSIGNMENTS):
        return [node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
    return [statement.name]


def guarded(statement):
    """One that needs what is not there is left out, and the rest is there."""
    handler = ast.ExceptHandler(ast.Name('Exception', ast.Load()), None, [ast.Pass()])
    return ast.Try([statement], [handler], [], [])


def write(body):
    text = ast.unparse(ast.fix_missing_locations(ast.Module(body, [])))
    # By its content: a process that has run one file does not run it again.
    path = '%s/.cells-%s.py' % (gettempdir(), sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:16])
    with open(path, 'w', encoding='utf-8', errors='surrogatepass') as file:
        file.write(text)
    return path


def refuse_others(names):
    from multiprocessing.reduction import ForkingPickler

    def persistent_id(self, value):
        if isinstance(value, (type, FunctionType)) and value.__module__ == '__main__' and '<' not in value.__qualname__:
            if value.__qualname__.split('.')[0] not in names:
                raise PicklingError(
                    "%s can't be given to a process that multiprocessing starts afresh, which knows what cells define by def, class, "
                    "import and plain assignment; put it into a module, or use the start method 'fork'" % value.__qualname__
                )

    ForkingPickler.persistent_id = persistent_id
