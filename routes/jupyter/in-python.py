"""What notebooks expect of a Python kernel beside running cells: displays that are replaced and cleared, input() that asks the client,
completion, inspection, whether code is complete, what expressions are worth, and errors with the lines around them.

Run once in each interpreter, as a cell that nobody sees. It is the program's: what it tells is bounded and checked where it is read
(tag.ts), and a program that breaks it loses these and nothing else. Names of the kernel's own are those of ../../src/kernels/python/kernel.py.
"""

import builtins
import getpass
import sys

TAG = 'application/vnd.codebeaker.jupyter+json'
# Of one answer: matches, and characters of what is told of a name.
MAX_MATCHES = 1000
MAX_TEXT = 100000

kernel = builtins.display.__globals__
part, channel, quote, parse, flush = (kernel[name] for name in ('part', 'channel', 'quote', 'parse', 'flush'))
read_input = builtins.input
ids = 0
# What tells errors, whose source python-part.ts puts here: compiled with the first.
with_lines = {}


class StdinNotImplementedError(NotImplementedError):
    """The client takes no questions."""


def tell(tag, bundle='{}'):
    """A result with a mark of what it is, which is the client's door's to read."""
    text = '{%s:%s' % (quote(TAG), part('results').encode(tag, quote))
    channel.result(text + ('}' if bundle == '{}' else ',' + bundle[1:]), True)


def publish(value, tag):
    results = part('results')
    if not results.shows_itself(value):
        tell(tag, results.bundle(value, quote))


def display(*values, display_id=None, raw=False, clear=False, metadata=None, update=False, **options):
    if clear:
        clear_output(wait=True)
    if display_id is True:
        display_id = new_id()
    tag = {'show': 'update' if update else 'display', 'raw': raw}
    if display_id is not None:
        tag['id'] = str(display_id)
    if metadata:
        tag['metadata'] = metadata
    for value in values:
        publish(displays.Raw(value) if raw else value, tag)
    return None if display_id is None else DisplayHandle(display_id)


def new_id():
    global ids
    ids += 1
    return 'display-%d-%d' % (id(tell), ids)


def update_display(obj, *, display_id, **options):
    display(obj, display_id=display_id, update=True, **options)


def publish_display_data(data, metadata=None, *, transient=None, update=False, **options):
    display(data, raw=True, metadata=metadata, display_id=(transient or {}).get('display_id'), update=update)


def clear_output(wait=False):
    tell({'clear': bool(wait)})


class DisplayHandle:
    def __init__(self, display_id=None):
        self.display_id = new_id() if display_id is None else display_id

    def __repr__(self):
        return '<DisplayHandle display_id=%s>' % (self.display_id,)

    def display(self, obj, **options):
        display(obj, display_id=self.display_id, **options)

    def update(self, obj, **options):
        update_display(obj, display_id=self.display_id, **options)


def ask(prompt, hidden):
    """Has the client ask a person. The answer comes on standard input, a line of JSON; its end means that nobody can be asked."""
    flush()
    tell({'input': str(prompt), 'hidden': hidden})
    line = sys.__stdin__.readline()
    if not line:
        raise StdinNotImplementedError('raw_input was called, but this frontend does not support input requests.')
    return parse(line)


def input(prompt='', /):
    # A program may have put something else in the place of standard input.
    return read_input(prompt) if sys.stdin is not sys.__stdin__ else ask(prompt, False)


def ask_secret(prompt='Password: ', stream=None, **options):
    return ask(prompt, True)


def look_up(path):
    """What a name with dots means; nothing is called for it but what attributes call."""
    first, *rest = path.split('.')
    namespace = kernel['kernel'].namespace
    value = namespace[first] if first in namespace else getattr(builtins, first)
    for name in rest:
        value = getattr(value, name)
    return value


def is_part(character):
    return character == '_' or character == '.' or character.isalnum()


def complete(code, cursor):
    from keyword import kwlist

    start = cursor
    while start and is_part(code[start - 1]):
        start -= 1
    holder, dot, name = code[start:cursor].rpartition('.')
    names = []
    try:
        names = dir(look_up(holder)) if dot else [*kernel['kernel'].namespace, *dir(builtins), *kwlist]
    except Exception:
        pass
    wanted = {each for each in names if isinstance(each, str) and each.startswith(name)}
    matches = sorted(each for each in wanted if name.startswith('_') or not each.startswith('_'))
    tell({'reply': {'matches': matches[:MAX_MATCHES], 'start': cursor - len(name), 'end': cursor}})


def inspect(code, cursor, detail):
    start = end = cursor
    while start and is_part(code[start - 1]):
        start -= 1
    while end < len(code) and is_part(code[end]) and code[end] != '.':
        end += 1
    text = ''
    try:
        text = described(code[start:end], detail)
    except Exception:
        pass
    tell({'reply': {'text': text[:MAX_TEXT]}})


def described(name, detail):
    import inspect

    value = look_up(name)
    lines = []
    if callable(value):
        try:
            lines.append('Signature: %s%s' % (name.rpartition('.')[2], inspect.signature(value)))
        except (TypeError, ValueError):
            pass
    lines.append('Type: %s' % type(value).__name__)
    if not callable(value) and not inspect.ismodule(value):
        lines.append('String form: %s' % str(value)[:1000])
    lines.append('Docstring:\n%s' % (inspect.getdoc(value) or '<no docstring>'))
    if detail:
        try:
            lines.append('Source:\n%s' % inspect.getsource(value))
        except (OSError, TypeError):
            pass
    return '\n'.join(lines)


def is_complete(code):
    from codeop import CommandCompiler

    compiler = CommandCompiler()
    compiler.compiler.flags |= kernel['TOP_LEVEL_AWAIT']
    last = code.split('\n')[-1]
    indent = last[: len(last) - len(last.lstrip())] + ('    ' if last.rstrip().endswith(':') else '')
    try:
        whole = compiler(code, '<input>', 'exec') is not None
        # What is indented may go on; an empty line ends it.
        status = 'incomplete' if not whole or last[:1].isspace() and last.strip() else 'complete'
    except (SyntaxError, ValueError, OverflowError):
        # IPython's own syntax is no error.
        status = 'unknown' if any(mark in code for mark in '!%?') else 'invalid'
    tell({'reply': {'status': status, 'indent': indent}})


def evaluate(expressions):
    """By JSON of their names; each is answered, also where it fails."""
    tell({'reply': {name: worth(text) for name, text in parse(expressions).items()}})


def worth(expression):
    try:
        value = eval(expression, kernel['kernel'].namespace)
        return {'status': 'ok', 'data': parse(part('results').bundle(value, quote)), 'metadata': {}}
    except BaseException as problem:
        return parse(tracebacks.describe(problem, quote)[0])


def traced(problem, name, message):
    """As IPython has it; what has no places of the program's is told as Python tells it."""
    try:
        if not with_lines:
            with_lines.update(tracebacks=tracebacks)
            exec(WITH_LINES, with_lines)
        return '\n'.join(with_lines['of_chain'](problem)) + '\n'
    except Exception:
        return traced_plainly(problem, name, message)


tracebacks = part('tracebacks')
traced_plainly = tracebacks.traceback_of
tracebacks.traceback_of = traced
displays = kernel['display_module']()
for name in ('display', 'update_display', 'publish_display_data', 'clear_output', 'DisplayHandle'):
    setattr(displays, name, globals()[name])
displays.show = kernel['display'] = builtins.display = display
builtins.input = input
getpass.getpass = ask_secret
builtins.__jupyter__ = sys.modules['__jupyter__'] = type(sys)('__jupyter__')
for name in ('complete', 'inspect', 'is_complete', 'evaluate'):
    setattr(builtins.__jupyter__, name, globals()[name])
