"""The Python kernel: runs cells in one namespace and answers on a socket; see ../protocol.ts.

Standard library only, Python 3.9 and later. It is ready in the time a bare interpreter takes: `json`, `re`, `socket`,
`traceback` and `asyncio` would triple that, so C modules are used directly and what only errors, rich results or
`await` need lies in files beside this one, loaded on first use.

The program shares this process and can do to the kernel whatever it can do to itself: find the socket and lie about
its own cells, close it, or end the process. None of that reaches further than its own session: the service bounds and
checks every line, and time, memory and exit are measured from outside. What must not happen is that honest code (a
patched builtin, a fork, a late thread, a closed stdout) breaks the kernel by accident; that
is what the care here is for.

Known limit: opening /dev/stdin by name waits for ever once all live input is written (it is a named pipe, and those wait for
a writer; sys.stdin and descriptor 0 are fine, as is input that came whole).
"""

import builtins

# Functions below keep these, whatever a program does to `builtins` later.
__builtins__ = dict(vars(builtins))

import _thread
import sys
from _ast import Expression
from _signal import SIGINT, getsignal, signal
from posix import O_NONBLOCK, O_RDONLY, _exit, close, dup2, getpid, read, set_blocking, set_inheritable, unlink, write
from posix import open as open_fd

CONTROL = 3
TOP_LEVEL_AWAIT = 0x2000  # ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
ONLY_AST = 0x400  # ast.PyCF_ONLY_AST
ANNOTATIONS = 0x1000000  # __future__.annotations, which a cell hands to later ones
COROUTINE = 0x80  # inspect.CO_COROUTINE
READ_BYTES = 65536
# Source of so many cells is kept for tracebacks.
KEPT_CELLS = 1000

# Cells as their authors wrote them, and as Python: by the file names of their code.
written = {}
sources = {}
parts = {}


def part(name, known_as=None):
    """A file beside this one as a module that no program's `import` meets, unless it is `known_as` another one."""
    if name not in parts:
        path = __file__.rpartition('/')[0] + '/' + name + '.py'
        module = type(sys)(known_as or name)
        module.__builtins__ = __builtins__
        exec(compile(contents(path), path, 'exec'), module.__dict__)
        parts[name] = module
    return parts[name]


def contents(path):
    fd = open_fd(path, O_RDONLY)
    text = b''
    while chunk := read(fd, READ_BYTES):
        text += chunk
    close(fd)
    return text


class Channel:
    """The socket to the service: one whole JSON line at a time, only for the cell that runs, only from this process."""

    def __init__(self, fd):
        self.fd = fd
        self.lock = _thread.allocate_lock()
        self.held = b''
        self.cell = None
        # Characters of the cell's results.
        self.told = 0

    def receive(self):
        """The next request; None once the service is gone."""
        while b'\n' not in self.held:
            chunk = read(self.fd, READ_BYTES)
            if not chunk:
                return None
            self.held += chunk
        line, _, self.held = self.held.partition(b'\n')
        return parse(line.decode('utf-8', 'surrogatepass'))

    def interrupts(self, cell):
        """Whether the service has asked to interrupt this cell, which is all that it says before the cell has ended."""
        set_blocking(self.fd, False)
        try:
            self.held += read(self.fd, READ_BYTES)
        except BlockingIOError:
            pass
        finally:
            set_blocking(self.fd, True)
        return b'{"interrupt":%d}\n' % cell in self.held

    def send(self, text):
        data = memoryview((text + '\n').encode('ascii'))
        while data:
            data = data[write(self.fd, data) :]

    def result(self, bundle_json, in_order=False, is_value=False):
        """
        A rich result of the running cell. Late threads are not heard. `in_order`: what is printed next comes after it. `is_value`: of its
        last expression.
        """
        flush()
        interrupt.hold()
        try:
            with self.lock:
                if self.cell is not None:
                    self.told += len(bundle_json)
                    of_value = ',"isValue":true' if is_value else ''
                    self.send('{"cell":%d,"result":%s%s}' % (self.cell, bundle_json, of_value))
                    if in_order:
                        part('results').wait_until_read(self.fd)
        finally:
            interrupt.release()

    def done(self, error, exit_code):
        with self.lock:
            cell, self.cell = self.cell, None
            self.send('{"cell":%d,"done":true,"error":%s,"exitCode":%d}' % (cell, error, exit_code))


class Interrupt:
    """SIGINT ends the cell that runs; it never hits the kernel's own work or cuts a line on the socket in two."""

    def __init__(self):
        self.thread = _thread.get_ident()
        self.running = False
        self.held = 0
        self.pending = False
        # It may have been meant for a cell that has not begun.
        self.early = False

    def __call__(self, _signum, _frame):
        if not self.running:
            self.early = True
            return
        if self.held:
            self.pending = True
        else:
            raise KeyboardInterrupt

    def hold(self):
        if _thread.get_ident() == self.thread:
            self.held += 1

    def release(self):
        if _thread.get_ident() != self.thread:
            return
        self.held -= 1
        if self.pending and not self.held:
            self.pending = False
            if self.running:
                raise KeyboardInterrupt

    def listen(self):
        # A handler that a cell left behind would make the next one unstoppable.
        if getsignal(SIGINT) is not self:
            signal(SIGINT, self)

    def start(self):
        self.held = 0
        self.pending = False
        self.running = True

    def came_early(self):
        early, self.early = self.early, False
        return early


class Imports:
    """Adapts some modules once a program has imported them; see imports.py. None is imported before: each takes milliseconds."""

    names = {'linecache', 'traceback', 'inspect', 'asyncio', 'multiprocessing.spawn', 'matplotlib.figure', 'matplotlib.pyplot', 'PIL.Image', 'PIL.ImageShow'}

    def find_spec(self, name, path=None, target=None):
        if name in self.names or name.startswith('IPython'):
            imports = part('imports')
            imports.kernel = own_module
            return imports.find_spec(self, name, path, target)
        return None


def display_module():
    """What stands in for IPython.display."""
    module = part('ipython_display', 'IPython.display')
    module.show = display
    return module


def lines_of(file_name, code):
    # No modification time: linecache.checkcache leaves such an entry alone.
    return len(code), None, [line + '\n' for line in code.split('\n')], file_name


def remember(cell, code):
    file_name = '<cell %d>' % cell
    written[file_name] = sources[file_name] = code
    forgotten = '<cell %d>' % (cell - KEPT_CELLS)
    written.pop(forgotten, None)
    sources.pop(forgotten, None)
    linecache = sys.modules.get('linecache')
    if linecache:
        linecache.cache[file_name] = lines_of(file_name, code)
        linecache.cache.pop(forgotten, None)
    return file_name


def open_input(path):
    """A fresh descriptor 0 and sys.stdin: nothing an earlier cell left unread is seen by this one."""
    try:
        close(0)
    except OSError:
        pass
    try:
        # A pipe whose writer is gone already is at its end; a plain open would wait for another writer for ever.
        fd = open_fd(path, O_RDONLY | O_NONBLOCK)
        set_blocking(fd, True)
    except OSError:
        fd = open_fd('/dev/null', O_RDONLY)
    if fd == 0:
        set_inheritable(0, True)
    else:
        dup2(fd, 0)
        close(fd)
    if path != '/dev/null':
        try:
            unlink(path)
        except OSError:
            pass
    sys.stdin = sys.__stdin__ = open(0, encoding='utf-8', errors='surrogateescape', closefd=False)


def flush():
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        try:
            stream.flush()
        except Exception:
            pass


unset = object()


class Kernel:
    def __init__(self):
        self.main = type(sys)('__main__')
        self.main.__dict__['__builtins__'] = builtins
        self.namespace = self.main.__dict__
        self.flags = TOP_LEVEL_AWAIT
        self.pid = getpid()
        # Called when a cell has run.
        self.at_end = []
        # What line syntax calls, once a cell has some; what runs the event loop, once there is one.
        self.magics = None
        self.awaiting = None
        # What came of the lines of a cell that install packages.
        self.installs = {}
        self.values = [unset, unset, unset]
        # The cell's values are told as data too.
        self.structured = False

    def serve(self):
        while True:
            if self.awaiting and not channel.held:
                self.awaiting.wait(channel.fd)
            request = channel.receive()
            if request is None:
                return
            if 'fork' in request:
                # Before the first cell that is a program's.
                part('../../prewarm/python/forking').serve([request['fork']], channel.held, channel.fd, parse)
                self.pid = getpid()
                channel.held = b''
                channel.send('{"ready":true}')
                continue
            if 'interrupt' in request:
                continue
            if 'debug' in request:
                channel.send('{"debugged":%s}' % self.debugged(**request['debug']))
                continue
            if 'cell' not in request:
                sys.modules['os'].environ.update(request['environment'])
                continue
            channel.cell = request['cell']
            channel.told = 0
            self.installs = request.get('installs') or {}
            self.structured = request.get('structured', False)
            open_input(request['stdin'])
            before = swap_environment(request.get('environment'))
            error, exit_code = self.run(request)
            swap_environment(before)
            # A child that the program forked is a program of its own and not a kernel.
            if getpid() != self.pid:
                _exit(exit_code)
            channel.done(error, exit_code)

    def debugged(self, directory, port):
        """Connects to a debugger. Returns in JSON whether it has."""
        try:
            part('debugging').connect(directory, port)
        except BaseException:
            # A program may have taken apart whatever that needs.
            return 'false'
        return 'true'

    def run(self, request):
        """Runs one cell to the end of all code that is the program's: reprs and __str__ included. Returns JSON and an exit code."""
        try:
            show_packages()
            interrupt.start()
            if self.awaiting:
                self.awaiting.enter()
            end = self.attempt(request['cell'], request['code'])
            flush()
            interrupt.running = False
            return end
        except BaseException as problem:
            # An interrupt that came after the program's last line, or an error that can't be told.
            interrupt.running = False
            return plain_error(problem), 1
        finally:
            if self.awaiting:
                self.awaiting.leave()
            interrupt.listen()

    def attempt(self, cell, code):
        try:
            if interrupt.came_early() and channel.interrupts(cell):
                raise KeyboardInterrupt
            self.execute(remember(cell, code), code)
            return 'null', 0
        except BaseException as problem:
            exit_code = exit_code_of(problem)
            if exit_code == 0:
                return 'null', 0
            error, text = part('tracebacks').describe(problem, quote)
            if getpid() != self.pid and not isinstance(problem, SystemExit):
                sys.stderr.write(text)
            return error, exit_code

    def execute(self, file_name, code):
        code, tree = self.read(file_name, code)
        last = tree.body.pop() if tree.body and type(tree.body[-1]).__name__ == 'Expr' else None
        hidden = last is not None and ends_in_semicolon(code, last)
        codes = [self.compile(tree, file_name, 'exec')]
        if last is not None:
            codes.append(self.compile(Expression(body=last.value), file_name, 'eval'))
        try:
            try:
                value = self.evaluate(codes)
            finally:
                while self.at_end:
                    self.at_end.pop()()
            if value is not None and not hidden and getpid() == self.pid:
                show(value, is_value=True)
                self.keep(value)
        except BaseException as problem:
            self.show_figures(problem)
            raise
        self.show_figures(None)

    def read(self, file_name, code):
        """The cell as Python, and parsed: IPython's line syntax is only looked for where Python finds an error."""
        try:
            return code, compile(code, file_name, 'exec', self.flags | ONLY_AST, True)
        except SyntaxError as problem:
            error = problem
        is_indented = code.lstrip('\n')[:1].isspace()
        if not is_indented and not any(mark in code for mark in ('!', '%', '?', 'install')):
            raise error
        magics = part('magics').Magics
        python = part('line_syntax').translate(code, file_name, magics, self.parses)
        if python is None:
            raise error
        self.magics = builtins.__magic__ = self.magics or magics(self.namespace, self.at_end.append, display_module())
        self.magics.installs = self.installs
        sources[file_name] = python
        return python, compile(python, file_name, 'exec', self.flags | ONLY_AST, True)

    def parses(self, text, mode):
        try:
            compile(text, '', mode, self.flags | ONLY_AST, True)
            return True
        except (SyntaxError, ValueError):
            return False

    def keep(self, value):
        """`_`, `__` and `___`, the last values, unless the program uses these names itself."""
        for name, kept in zip(('_', '__', '___'), self.values):
            if self.namespace.get(name, unset) is not kept:
                return
        self.values = [value, *self.values[:2]]
        for name, kept in zip(('_', '__', '___'), self.values):
            if kept is not unset:
                self.namespace[name] = kept

    def show_figures(self, problem):
        """Those that the cell left open; of one that was interrupted or can show none, none."""
        pyplot = sys.modules.get('matplotlib.pyplot')
        if pyplot is None or not hasattr(pyplot, 'get_fignums') or getpid() != self.pid:
            return
        if isinstance(problem, KeyboardInterrupt):
            return pyplot.close('all')
        try:
            part('figures').show_left(pyplot, display)
        except Exception:
            if problem is None:
                raise

    def compile(self, tree, file_name, mode):
        code = compile(tree, file_name, mode, self.flags, True)
        self.flags |= code.co_flags & ANNOTATIONS
        return code

    def has_loop(self):
        """The program has imported asyncio: a cell that does finds the context's loop running."""
        awaiting = part('awaiting')
        awaiting.adapt()
        self.awaiting = awaiting
        if interrupt.running and _thread.get_ident() == interrupt.thread:
            awaiting.enter()

    def evaluate(self, codes):
        for code in codes:
            if code.co_flags & COROUTINE:
                __import__('asyncio')
                return self.awaiting.run(codes, self.namespace)
        for code in codes:
            value = eval(code, self.namespace)
        return value


def ends_in_semicolon(code, last):
    """Whether a `;` follows the cell's last expression, which hides its value as in IPython."""
    if ';' not in code:
        return False
    lines = code.encode('utf-8', 'surrogatepass').split(b'\n')
    return lines[last.end_lineno - 1][last.end_col_offset :].lstrip().startswith(b';')


def show(value, in_order=False, is_value=False):
    if not part('results').shows_itself(value):
        channel.result(part('results').bundle(value, quote, more_forms if kernel.structured else None), in_order, is_value)


def more_forms(value):
    return part('structured').forms(value, part)


def display(*values, **options):
    """Shows values as rich results, as Jupyter's display does."""
    if options:
        return display_module().display(*values, **options)
    for value in values:
        show(value, in_order=True)


def swap_environment(variables):
    """Gives the program these variables, takes from it those that are None, and returns what undoes that."""
    if not variables:
        return None
    before = {}
    try:
        environ = sys.modules['os'].environ
        for name, value in variables.items():
            before[name] = environ.get(name)
            if value is None:
                environ.pop(name, None)
            else:
                environ[name] = value
    except Exception:
        # What a program has made of os is its own.
        pass
    return before


def show_packages():
    """What was installed since the last cell is found by this one, as by every Python that starts now."""
    try:
        if found_packages and found_packages():
            environ = sys.modules['os'].environ
            environ['PATH'] = '/home/sandbox/.packages/python/bin:' + environ.get('PATH', '')
    except Exception:
        # What a program has made of sys.path or of os is its own.
        pass


def exit_code_of(problem):
    """As Python ends with it by hand: a code that is no number is told on standard error."""
    code = problem.code if isinstance(problem, SystemExit) else 1
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 255
    sys.stderr.write('%s\n' % (code,))
    return 1


def plain_error(problem):
    name = quote(type(problem).__name__)
    return '{"name":%s,"message":"","traceback":%s}' % (name, name)


def leave_control():
    """In a forked child: it ends with its cell and must not speak for the kernel."""
    channel.cell = None
    close(channel.fd)


def move_control():
    """Far up and close-on-exec, where a program's children and most loops over descriptors miss it."""
    for high in (1023, 255, 63):
        try:
            dup2(CONTROL, high, False)
            close(CONTROL)
            return high
        except OSError:
            pass
    return CONTROL


def json_pieces():
    """The C halves of json, without the 10 ms that its Python half takes to import."""
    try:
        from _json import encode_basestring_ascii, make_scanner

        class Context:
            strict = False
            object_hook = object_pairs_hook = None
            parse_float, parse_int, parse_constant = float, int, float
            memo = {}

        scan = make_scanner(Context)
        return (lambda text: scan(text, 0)[0]), encode_basestring_ascii
    except ImportError:
        import json

        return json.loads, json.dumps


parse, quote = json_pieces()
# Of ../every-python, which an image that is not ours has not.
found_packages = getattr(getsignal(61), 'show_packages', None)
channel = Channel(move_control())
interrupt = Interrupt()
kernel = Kernel()


def start():
    from os import environ, pathsep, register_at_fork

    # The interpreter runs isolated (-I), so that nothing planted in /workspace can stand in for its own modules.
    sys.path[:0] = [''] + [entry for entry in environ.get('PYTHONPATH', '').split(pathsep) if entry]
    sys.argv[:] = ['']
    # A cell's lines are seen at once, and are there when the cell is killed.
    sys.stdout.reconfigure(line_buffering=True)
    sys.modules['__main__'] = kernel.main
    sys.meta_path.insert(0, Imports())
    builtins.display = display
    register_at_fork(after_in_child=leave_control)
    interrupt.listen()
    channel.send('{"ready":true}')
    try:
        kernel.serve()
    except OSError:
        pass
    flush()
    _exit(0)


own_module = sys.modules['__main__']
start()
