"""Rewrites IPython's line syntax as Python, line for line. Loaded with the first cell that Python can't read.

A line that begins a statement with `!`, `%` or `?`, or ends with `?`, becomes a call of `__magic__` (magics.py) on the same line, so that
tracebacks name the lines of the cell. What is no such line stays as it is.
"""

import re

HELP = re.compile(r'(\?\??)\s*(%{0,2}[\w.*]+)\s*$|(%{0,2}[\w.*]+)(\?\??)\s*;?\s*(?:#.*)?$')
SHELL = re.compile(r'(!!?)\s*(.*)$', re.S)
MAGIC = re.compile(r'(%+)(\w+)[ \t]*(.*)$', re.S)
ASSIGNMENT = re.compile(r'([A-Za-z_][\w\s,.\[\]\'"*]*=\s*)([!%].*)$', re.S)
# As people write them who mean a shell, or IPython's automatic magics.
INSTALLER = re.compile(r'(?:pip3?|conda|mamba)\s+(?:install|uninstall)\b.*$', re.S)
QUOTES = re.compile(r'\'\'\'|"""|\'|"')


def translate(code, file_name, known, parses):
    """The cell as Python, or None if it has no such line.

    `known`: names of the magics for lines and for cells. `parses`: whether Python reads a text as (mode) 'eval' or 'exec'.
    @raises SyntaxError for a magic that is not known, by its name
    """
    original = code.split('\n')
    first = next((at for at, line in enumerate(original) if line.strip()), 0)
    # A cell may be indented as a whole.
    indent = original[first][: len(original[first]) - len(original[first].lstrip())]
    lines = [line.removeprefix(indent) for line in original]
    try:
        if lines[first].startswith('%%') and not HELP.match(lines[first]):
            return whole_cell(lines, first, known, parses)
        return '\n'.join(rewritten) if (rewritten := each_line(lines, known, parses)) != original else None
    except Refused as refused:
        at = refused.line if refused.line is not None else first
        place = (file_name, at + 1, 1, lines[at] + '\n')
        raise SyntaxError('magics are not available here: %s' % refused, place) from None


class Refused(Exception):
    line = None


def whole_cell(lines, first, known, parses):
    _, name, rest = MAGIC.match(lines[first]).groups()
    if name not in known.cells:
        raise Refused('%%' + name)
    if name == 'time':
        # Its lines are the cell's own.
        head = '__magic__.time_cell()' + ('; ' + rest if rest.strip() else '')
        return '\n'.join(lines[:first] + [head] + each_line(lines[first + 1 :], known, parses, first + 1))
    body = '\n'.join(lines[first + 1 :])
    call = '__magic__.cell(%r, %r, %r, locals())' % (name, rest.strip(), body + '\n' if body else '')
    return '\n'.join(lines[:first] + [call] + [''] * (len(lines) - first - 1))


def each_line(lines, known, parses, offset=0):
    rewritten = []
    state = State()
    at = 0
    while at < len(lines):
        line = lines[at]
        start = at
        at += 1
        if state.between_statements:
            text = line
            # As in a shell, a backslash at the end joins lines.
            while text.endswith('\\') and at < len(lines) and text.lstrip()[:1] in ('!', '%'):
                text = text[:-1] + lines[at]
                at += 1
            try:
                call = rewrite(text.strip(), known, parses)
            except Refused as refused:
                refused.line = start + offset
                raise
            if call is not None:
                rewritten.append(line[: len(line) - len(line.lstrip())] + call)
                rewritten.extend([''] * (at - start - 1))
                continue
            at = start + 1
        rewritten.append(line)
        state.read(line)
    return rewritten


def rewrite(text, known, parses):
    """The call that a line stands for; None for Python."""
    if found := HELP.match(text):
        before, asked, name, after = found.groups()
        return '__magic__.help(%r, %r, locals())' % (asked or name, before or after)
    if found := SHELL.match(text):
        return '__magic__.%s(%r, locals())' % ('system' if found[1] == '!' else 'output', found[2])
    if found := MAGIC.match(text):
        return magic(found[1] + found[2], found[2], found[3].strip(), known, parses)
    if INSTALLER.match(text):
        return '__magic__.system(%r, locals())' % text
    if found := ASSIGNMENT.match(text):
        target, value = found.groups()
        if value[0] == '!':
            return target + '__magic__.output(%r, locals())' % value[1:].strip()
        if found := MAGIC.match(value):
            return target + magic(found[1] + found[2], found[2], found[3].strip(), known, parses)
    return None


def magic(spelling, name, rest, known, parses):
    if name not in known.lines or spelling.startswith('%%'):
        raise Refused(spelling)
    if name != 'time' or not rest:
        return '__magic__.line(%r, %r, locals())' % (name, rest)
    # In place, where it has the line's names, and may await.
    if parses('(%s\n)' % rest, 'eval'):
        return '__magic__.ended(__magic__.begun(), (%s))' % rest
    if parses('with 0: ' + rest, 'exec'):
        return 'with __magic__.timing(): ' + rest
    return '__magic__.line(%r, %r, locals())' % (name, rest)


class State:
    """Where a line ends: in a string, in brackets, after a backslash, or between statements."""

    def __init__(self):
        self.string = None
        self.depth = 0
        self.joined = False

    @property
    def between_statements(self):
        return self.string is None and self.depth <= 0 and not self.joined

    def read(self, line):
        at = 0
        self.joined = False
        while at < len(line):
            if self.string:
                at = self.skip_string(line, at)
                continue
            character = line[at]
            if character == '#':
                break
            if found := QUOTES.match(line, at):
                self.string = found[0]
                at = found.end()
                continue
            self.depth += (character in '([{') - (character in ')]}')
            at += 1
        else:
            self.joined = line.endswith('\\')
        # One of a single quote ends with its line, unless a backslash joins the next.
        if self.string and len(self.string) == 1 and not line.endswith('\\'):
            self.string = None

    def skip_string(self, line, at):
        while at < len(line):
            if line[at] == '\\':
                at += 2
            elif line.startswith(self.string, at):
                at += len(self.string)
                self.string = None
                return at
            else:
                at += 1
        return at
