"""Shows Matplotlib's figures as results: a picture for each that is shown, and at the end of a cell for what it left open.

Loaded once a program has imported `matplotlib.figure`. What is open when its cell ends is closed: it is that cell's, and nothing of it
shows up in a later one.
"""

import functools
import weakref
from io import BytesIO

# Those that were shown, and were not changed and drawn since; one that is stale was changed.
shown = weakref.WeakSet()


def adapt_figure(module, formatters, display):
    """Has a figure as a value, open or closed, be a picture. `formatters`: what to ask for a value of a class, by MIME type."""
    formatters[module.Figure] = {'image/png': png}

    @functools.wraps(module.Figure.show)
    def show(self, warn=True):
        display(self)

    module.Figure.show = show
    usual = module.Figure.draw

    # A figure that is drawn is not stale any more, as when `plt.pause` draws what it shows then.
    @functools.wraps(usual)
    def draw(self, *args, **kwargs):
        if self.stale:
            shown.discard(self)
        return usual(self, *args, **kwargs)

    module.Figure.draw = draw


def adapt_pyplot(pyplot, display):
    @functools.wraps(pyplot.show)
    def show(*args, block=None, **kwargs):
        for figure in open_figures(pyplot):
            if figure.stale or figure not in shown:
                display(figure)
            # `plt.pause` shows without blocking, and what it animates goes on.
            if block is None or block:
                pyplot.close(figure)

    pyplot.show = show


def show_left(pyplot, display):
    """At the end of a cell."""
    try:
        for figure in open_figures(pyplot):
            if figure.stale or figure not in shown:
                display(figure)
    finally:
        pyplot.close('all')


def open_figures(pyplot):
    return [pyplot.figure(number) for number in pyplot.get_fignums()]


def png(figure):
    image = BytesIO()
    figure.savefig(image, format='png', bbox_inches='tight')
    shown.add(figure)
    figure.stale = False
    return image.getvalue()
