"""Adapts modules to cells, and stands in for one that is not installed. Loaded with the first of them that a program imports."""

import sys

# The kernel's own; it sets them.
kernel = None


def find_spec(own, name, path, target):
    adapt = adapters.pop(name, None)
    stands_in = name in StandIn.names
    if adapt is None and not stands_in:
        return None
    for finder in list(sys.meta_path):
        spec = None if finder is own else finder.find_spec(name, path, target)
        if spec is not None:
            return spec if adapt is None else adapted(spec, adapt)
    return type(sys.__spec__)(name, StandIn, is_package=True) if stands_in else None


def adapted(spec, adapt):
    run = spec.loader.exec_module

    def exec_module(module):
        run(module)
        adapt(module)

    spec.loader.exec_module = exec_module
    return spec


def linecache(module):
    for file_name, code in kernel.written.items():
        module.cache[file_name] = kernel.lines_of(file_name, code)


def traceback(module):
    kernel.part('frames').adapt_traceback(module)


def inspect(module):
    kernel.part('frames').adapt_inspect(module)
    kernel.part('introspection').adapt(module, kernel.sources)


def asyncio(module):
    kernel.kernel.has_loop()


def spawn(module):
    kernel.part('spawning').adapt(module, kernel.sources, kernel.kernel.main)


def figure(module):
    kernel.part('figures').adapt_figure(module, kernel.part('results').formatters, kernel.display)


def pyplot(module):
    kernel.part('figures').adapt_pyplot(module, kernel.display)


def image(module):
    kernel.part('pictures').adapt_image(module, kernel.kernel, kernel.channel, kernel.display)


def image_show(module):
    kernel.part('pictures').adapt_image_show(module, kernel.display)


adapters = {
    'linecache': linecache,
    'traceback': traceback,
    'inspect': inspect,
    'asyncio': asyncio,
    'multiprocessing.spawn': spawn,
    'matplotlib.figure': figure,
    'matplotlib.pyplot': pyplot,
    'PIL.Image': image,
    'PIL.ImageShow': image_show,
}


class StandIn:
    """Of IPython, where it is not installed, what shows values; see ipython_display.py."""

    names = {'IPython', 'IPython.display', 'IPython.core', 'IPython.core.display'}

    @staticmethod
    def create_module(spec):
        return kernel.display_module() if spec.name.endswith('.display') else None

    @staticmethod
    def exec_module(module):
        if module.__name__ == 'IPython':
            # As where there is an IPython and no shell of its.
            module.get_ipython = lambda: None
            module.display = kernel.display_module()
            module.version_info, module.__version__ = (8, 0, 0), '8.0.0'
