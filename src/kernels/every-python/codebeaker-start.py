"""What every Python in a sandbox does at its start, wherever it was started from and whatever its environment says.

Lies beside codebeaker.pth, which runs it, in a directory of site-packages and is compiled under the name of Python's own import system, whose
frames no traceback shows. Built-in modules only: it runs before every program.
"""


def compile_what_may_change():
    """Modules that a program can change are compiled from their text each time.

    Compiled code is kept for a text by its size and its second of change: a file that is written twice within a second would
    run as it was before, whoever wrote its __pycache__.
    """
    from _frozen_importlib_external import SourceLoader
    from posix import statvfs

    READ_ONLY = 1  # ST_RDONLY of statvfs(3)
    cached = SourceLoader.get_code

    def get_code(self, fullname):
        path = self.get_filename(fullname)
        if stays(path):
            return cached(self, fullname)
        return self.source_to_code(self.get_data(path), path)

    def stays(path):
        try:
            return path.startswith('/usr/') or statvfs(path).f_flag & READ_ONLY
        except OSError:
            return False

    SourceLoader.get_code = get_code


def packages_finder():
    """A function that takes what it needs now: a program may have emptied sys.modules when it is called."""
    import sys
    from posix import listdir

    return lambda: show_packages(sys, listdir)


def show_packages(sys, listdir):
    """What was installed for the session is found: after the standard library, and before what the machine or the image has.

    A link that the service makes; a layer of packages lies behind it, which nobody can write (src/packages). A module of a
    package shadows nothing of Python's own. True where it was not shown before.
    """
    PACKAGES = '/home/sandbox/.packages/python'
    try:
        names = listdir(PACKAGES)
    except OSError:
        return False
    entries = sys.path
    new = PACKAGES not in entries
    if new:
        at = [i for i, entry in enumerate(entries) if entry.endswith(('/dist-packages', '/site-packages'))]
        entries.insert(at[0] if at else len(entries), PACKAGES)
    for name in names:
        if name.endswith('.pth'):
            try:
                show_directories(entries, PACKAGES, name)
            except OSError:
                # It is no file.
                pass
    return new


def show_directories(entries, packages, name):
    """Directories of the layer that a path file names (site), behind the layer itself. Its lines of code are not run."""
    with open(f'{packages}/{name}', encoding='utf-8', errors='replace') as lines:
        for line in map(str.strip, lines):
            plain = line and not line.startswith(('#', '/', 'import ', 'import\t')) and '..' not in line.split('/')
            if plain and f'{packages}/{line}' not in entries:
                entries.insert(entries.index(packages) + 1, f'{packages}/{line}')


class Ending:
    """Python holds back what it prints into a pipe, as anywhere. This is for what must be seen all the same.

    Lines are seen at once where somebody reads them: the service marks such a pipe as opened to append, which means nothing else for a
    pipe. And what a program has printed when it is stopped for a limit is not lost: the agent sends this signal before it kills, and to
    nothing but a handler of it alone.
    """

    SIGNAL = 61
    show_packages = staticmethod(packages_finder())
    FIFO = 0o010000, 0o170000  # S_IFIFO, S_IFMT
    APPEND = 0o2000  # O_APPEND

    def begin(self, live=False):
        """The process is the program's from now on."""
        import sys
        from posix import getpid

        self.process = getpid()
        self.show_packages()
        try:
            if live or self.is_live():
                sys.stdout.reconfigure(line_buffering=True)
            if live:
                from fcntl import F_SETFL, fcntl

                for fd in 1, 2:
                    fcntl(fd, F_SETFL, self.APPEND)
        except Exception:
            # It has no standard output.
            pass

    def is_live(self):
        from posix import fstat

        kind, mask = self.FIFO
        if fstat(1).st_mode & mask != kind:
            return False
        from fcntl import F_GETFL, fcntl

        return fcntl(1, F_GETFL) & self.APPEND

    def __call__(self, _signum, _frame):
        import sys
        from posix import getpid, kill

        # What a child holds it has from its parent, or loses as it would by hand.
        if getpid() == self.process:
            for stream in sys.stdout, sys.__stdout__, sys.stderr:
                try:
                    stream.flush()
                except BaseException:
                    pass
        kill(getpid(), 9)


def be_ready_to_end():
    from _signal import signal

    ending = Ending()
    ending.begin()
    try:
        signal(ending.SIGNAL, ending)
    except ValueError:
        # A second interpreter in one process.
        pass


compile_what_may_change()
be_ready_to_end()
