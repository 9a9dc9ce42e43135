"""Shows Pillow's images as results. Loaded once a program has imported `PIL.Image` or `PIL.ImageShow`."""

import functools


def adapt_image(module, kernel, display):
    """Has an image that is saved under a name be shown too, in cells whose values are told as data."""
    usual = module.Image.save

    @functools.wraps(usual)
    def save(self, fp, format=None, **params):
        if kernel.structured and isinstance(fp, str):
            display(self)
        return usual(self, fp, format, **params)

    module.Image.save = save


def adapt_image_show(module, display):
    """Has `image.show()` do so: there is no screen that another program could show it on."""

    class Viewer(module.Viewer):
        def show(self, image, **options):
            display(image)
            return True

    module.register(Viewer, 0)
