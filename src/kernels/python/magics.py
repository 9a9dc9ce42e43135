"""What IPython's line syntax does here, without IPython. Loaded with the first cell that has such a line.

What is not in the tables is refused by its name, before anything of its cell runs (line_syntax.py).
"""

import os
import re
import subprocess
import sys
import time
from resource import RUSAGE_SELF, getrusage

SHELL = '/bin/bash' if os.path.exists('/bin/bash') else '/bin/sh'
INSTALLING = re.compile(
    r'\s*(?:sudo\s+)?(?:\S*python[\d.]*\s+-m\s+)?(pip[\d.]*|conda|mamba|uv|apt|apt-get)\s+(?:\S+\s+)*?(?:install|uninstall|add|update)\b'
)
NO_PACKAGES = (
    '%s: nothing can be installed from inside a sandbox, which has no network. Packages are asked for with `packages` in the '
    'request, the session or the cell, or by the command install_packages, where the service supports it; what is installed already can be imported.\n'
)
# Of a command line: `{expression}` and `$name`.
VARIABLE = re.compile(r'\$\$|\$([A-Za-z_]\w*(?:\.\w+)*)|\{\{|\}\}|\{([^{}]+)\}')
SMALL_UNITS = (1, 's'), (1e-3, 'ms'), (1e-6, 'µs'), (1e-9, 'ns')
ALIASES = {'ls', 'cat', 'cp', 'mv', 'rm', 'mkdir', 'rmdir'}
SHOWN_AS = {
    'html': 'HTML',
    'HTML': 'HTML',
    'markdown': 'Markdown',
    'latex': 'Latex',
    'svg': 'SVG',
    'SVG': 'SVG',
    'javascript': 'Javascript',
    'js': 'Javascript',
}


class Lines(list):
    """What a command printed, as IPython gives it."""

    l = property(list)
    n = property('\n'.join)
    s = property(' '.join)


class Magics:
    lines = {
        *('time', 'timeit', 'pip', 'conda', 'mamba', 'cd', 'pwd', 'env', 'set_env', 'who', 'who_ls', 'whos', 'matplotlib', 'config'),
        *ALIASES,
    }
    cells = {'time', 'timeit', 'bash', 'sh', 'script', 'writefile', 'file', *SHOWN_AS}

    def __init__(self, namespace, at_end, shows):
        """`at_end`: takes what is called when the cell has run. `shows`: the module that stands in for IPython.display."""
        self.namespace = namespace
        self.at_end = at_end
        self.shows = shows
        self.left_directory = None
        # What came of the lines of this cell that install packages, which the service has done before it.
        self.installs = {}

    # Commands of the shell.

    def system(self, command, names):
        flush()
        if done := self.installs.get(' '.join(command.split())):
            (sys.stdout if done['ok'] else sys.stderr).write(done['text'])
            self.namespace['_exit_code'] = 0 if done['ok'] else 1
            return
        command = self.expanded(command, names)
        if found := INSTALLING.match(command):
            sys.stderr.write(NO_PACKAGES % found[1])
            code = 1
        else:
            code = subprocess.call([SHELL, '-c', command])
        self.namespace['_exit_code'] = code

    def output(self, command, names):
        if done := self.installs.get(' '.join(command.split())):
            self.namespace['_exit_code'] = 0 if done['ok'] else 1
            return Lines(done['text'].splitlines())
        ended = subprocess.run(
            [SHELL, '-c', self.expanded(command, names)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        self.namespace['_exit_code'] = ended.returncode
        return Lines(ended.stdout.decode(errors='replace').splitlines())

    def expanded(self, command, names):
        def value(found):
            if found[0] in ('$$', '{{', '}}'):
                return found[0][0]
            try:
                return str(eval(found[1] or found[2], self.namespace, names))
            except Exception:
                # A shell's own, such as $HOME or awk's {print $1}.
                return found[0]

        return VARIABLE.sub(value, command)

    # Magics of a line and of a cell.

    def line(self, name, rest, names):
        if name in ALIASES:
            return self.system(name + ' ' + rest, names)
        return getattr(self, 'line_' + name)(rest, names)

    def cell(self, name, rest, body, names):
        if name in SHOWN_AS:
            return self.shows.display(getattr(self.shows, SHOWN_AS[name])(body))
        return getattr(self, 'cell_' + name)(rest, body, names)

    def line_matplotlib(self, rest, names):
        pass

    line_config = line_matplotlib

    def line_pip(self, rest, names, installer='pip'):
        if re.match(r'(?:-\S+\s+)*(?:install|uninstall|add|update)\b', rest):
            self.system(installer + ' ' + rest, names)
        else:
            self.system((sys.executable + ' -m pip ' if installer == 'pip' else installer + ' ') + rest, names)

    def line_conda(self, rest, names):
        self.line_pip(rest, names, 'conda')

    def line_mamba(self, rest, names):
        self.line_pip(rest, names, 'mamba')

    def line_cd(self, rest, names):
        path = self.expanded(rest, names).strip()
        quiet = path.startswith('-q')
        path = path[2:].strip() if quiet else path
        if path == '-':
            path = self.left_directory or '.'
        here = os.getcwd()
        os.chdir(os.path.expanduser(path.strip('\'"') or '~'))
        self.left_directory = here
        if not quiet:
            print(os.getcwd())

    def line_pwd(self, rest, names):
        return os.getcwd()

    def line_env(self, rest, names):
        if not rest:
            return dict(os.environ)
        name, separator, value = re.match(r'([^\s=]+)\s*(=|\s|$)\s*(.*)', rest, re.S).groups()
        if not separator:
            if name not in os.environ:
                raise KeyError('environment does not have key: ' + name)
            return os.environ[name]
        os.environ[name] = self.expanded(value, names).strip('\'"')
        print('env: %s=%s' % (name, os.environ[name]))

    line_set_env = line_env

    def line_who_ls(self, rest, names):
        kinds = rest.split()
        return sorted(
            name
            for name, value in self.namespace.items()
            if not name.startswith('_') and (not kinds or type(value).__name__ in kinds)
        )

    def line_who(self, rest, names):
        found = self.line_who_ls(rest, names)
        print('\t '.join(found) if found else 'Interactive namespace is empty.')

    def line_whos(self, rest, names):
        print('%-16s %-16s %s\n%s' % ('Variable', 'Type', 'Data/Info', '-' * 44))
        for name in self.line_who_ls(rest, names):
            value = self.namespace[name]
            print('%-16s %-16s %s' % (name, type(value).__name__, repr(value).replace('\n', ' ')[:60]))

    def cell_bash(self, rest, body, names, shell=SHELL):
        if rest:
            return self.cell_script(shell + ' ' + rest, body, names)
        flush()
        subprocess.run([shell, '-c', body], check=True)

    def cell_sh(self, rest, body, names):
        self.cell_bash(rest, body, names, '/bin/sh')

    def cell_script(self, rest, body, names):
        flush()
        subprocess.run(rest.split(), input=body.encode(), check=True)

    def cell_writefile(self, rest, body, names):
        append = rest.startswith('-a')
        path = os.path.expanduser((rest[2:] if append else rest).strip().strip('\'"'))
        existed = os.path.exists(path)
        with open(path, 'a' if append else 'w') as file:
            file.write(body)
        print(('Appending to ' if append else 'Overwriting ' if existed else 'Writing ') + path)

    cell_file = cell_writefile

    # Time.

    def begun(self):
        return time.perf_counter(), getrusage(RUSAGE_SELF)

    def ended(self, begun, value=None):
        wall, before = time.perf_counter() - begun[0], begun[1]
        after = getrusage(RUSAGE_SELF)
        user, system = after.ru_utime - before.ru_utime, after.ru_stime - before.ru_stime
        print('CPU times: user %s, sys: %s, total: %s' % (*map(spoken, (user, system, user + system)),))
        print('Wall time: ' + spoken(wall))
        return value

    def timing(self):
        return Timing(self)

    def time_cell(self):
        begun = self.begun()
        self.at_end(lambda: self.ended(begun))

    def line_time(self, rest, names):
        with self.timing():
            exec(compile(rest, '<timed>', 'exec'), self.namespace, names)

    def line_timeit(self, rest, names, setup='pass', body=None):
        from statistics import mean, pstdev
        from timeit import Timer

        options, statement = timeit_options(rest)
        if body is not None:
            setup, statement = statement or 'pass', body
        timer = Timer(statement, setup, globals={**self.namespace, **names})
        loops = options.get('n') or timer.autorange()[0]
        runs = [taken / loops for taken in timer.repeat(options.get('r') or 7, loops)]
        print(
            '%s ± %s per loop (mean ± std. dev. of %s run%s, %s loop%s each)'
            % (spoken(mean(runs)), spoken(pstdev(runs)), *counted(len(runs)), *counted(loops))
        )

    def cell_timeit(self, rest, body, names):
        self.line_timeit(rest, names, body=body)

    # Help.

    def help(self, name, detail, names):
        if name.startswith('%'):
            if name.lstrip('%') not in self.lines | self.cells:
                raise LookupError('magics are not available here: ' + name)
            return print('%s is as in IPython.' % name)
        if '*' in name:
            import builtins
            from fnmatch import filter

            place, _, pattern = name.rpartition('.')
            known = dir(self.found(place, names)) if place else {**vars(builtins), **self.namespace}
            return print('\n'.join((place and place + '.') + each for each in sorted(filter(known, pattern))))
        try:
            value = self.found(name, names)
        except Exception:
            return print('Object `%s` not found.' % name)
        print(described(value, len(detail) > 1))

    def found(self, name, names):
        first, *rest = name.split('.')
        value = eval(first, self.namespace, names)
        for part in rest:
            value = getattr(value, part)
        return value


class Timing:
    def __init__(self, magics):
        self.magics = magics

    def __enter__(self):
        self.begun = self.magics.begun()

    def __exit__(self, *_):
        self.magics.ended(self.begun)


def described(value, whole):
    import inspect

    parts = []
    try:
        parts.append(('Signature', '%s%s' % (getattr(value, '__name__', ''), inspect.signature(value))))
    except (TypeError, ValueError):
        pass
    if whole:
        try:
            parts.append(('Source', inspect.getsource(value)))
        except (TypeError, OSError):
            pass
    parts.append(('Type', type(value).__name__))
    if not (inspect.isroutine(value) or inspect.isclass(value) or inspect.ismodule(value)):
        parts.append(('String form', str(value)[:500]))
    try:
        parts.append(('File', inspect.getfile(value)))
    except (TypeError, OSError):
        pass
    parts.append(('Docstring', inspect.getdoc(value) or '<no docstring>'))
    return '\n'.join('%-12s %s' % (name + ':', ('\n' if '\n' in text else '') + text) for name, text in parts)


def timeit_options(rest):
    options = {}
    while found := re.match(r'-([nr])\s*(\d+)\s*|-([qocptv])\s*', rest):
        if found[1]:
            options[found[1]] = int(found[2])
        rest = rest[found.end() :]
    return options, rest


def counted(count):
    return '{:,}'.format(count), '' if count == 1 else 's'


def spoken(seconds):
    """Three digits, and a unit that suits them."""
    if seconds >= 60:
        minutes, rest = divmod(int(round(seconds)), 60)
        return '%dmin %ds' % (minutes, rest)
    for size, unit in SMALL_UNITS:
        if seconds >= size:
            return '%.3g %s' % (seconds / size, unit)
    return '%.3g ns' % (seconds * 1e9)


def flush():
    """What was printed before comes before what a command prints."""
    sys.stdout.flush()
    sys.stderr.flush()
