"""Shows Pillow's images as results. Loaded once a program has imported `PIL.Image` or `PIL.ImageShow`."""

import functools

# Characters of a cell's results after which images that it saves are not shown any more. A cell that saves many is honest, and one with results
# of over 64 MiB is killed (src/service/kernels/results.ts).
MAX_TOLD = 8 * 2**20


def adapt_image(module, kernel, channel, display):
    """Has an image that is saved under a name be shown too, in cells whose values are told as data."""
    usual = module.Image.save

    @functools.wraps(usual)
    def save(self, fp, format=None, **params):
        usual(self, fp, format, **params)
        if kernel.structured and isinstance(fp, str) and channel.told < MAX_TOLD:
            display(self)

    module.Image.save = save


def adapt_image_show(module, display):
    """Has `image.show()` do so: there is no screen that another program could show it on."""

    class Viewer(module.Viewer):
        def show(self, image, **options):
            display(image)
            return True

    module.register(Viewer, 0)
