"""Stands in for IPython.display where there is no IPython: what programs write for a notebook shows as a cell's results.

A result that was shown stays: an update is another one, and `clear_output` has nothing to clear.
"""

from base64 import b64decode, b64encode
from html import escape

__all__ = ['display', 'update_display', 'clear_output', 'publish_display_data', 'HTML', 'Markdown', 'Latex', 'Math', 'SVG', 'JSON', 'Javascript', 'Pretty', 'Code', 'Image', 'IFrame', 'YouTubeVideo', 'FileLink', 'DisplayHandle', 'DisplayObject', 'TextDisplayObject', 'set_matplotlib_formats', 'set_matplotlib_close']

# Shows values; the kernel sets it.
show = None
ids = 0


def display(*objs, display_id=None, raw=False, clear=False, **options):
    """Shows values. With a `display_id`, or True, returns what shows further ones."""
    show(*(Raw(obj) if raw else obj for obj in objs))
    return None if display_id is None else DisplayHandle(None if display_id is True else display_id)


def update_display(obj, *, display_id, **options):
    display(obj, **options)


def clear_output(wait=False):
    pass


def publish_display_data(data, metadata=None, **options):
    display(data, raw=True)


def set_matplotlib_formats(*formats, **options):
    pass


set_matplotlib_close = set_matplotlib_formats


class DisplayHandle:
    def __init__(self, display_id=None):
        global ids
        ids += 1
        self.display_id = display_id or 'display-%d' % ids

    def display(self, obj, **options):
        display(obj, **options)

    update = display


class Raw:
    def __init__(self, data):
        self.data = data

    def __repr__(self):
        return str(self.data.get('text/plain', ''))

    def _repr_mimebundle_(self, include=None, exclude=None):
        return self.data


class DisplayObject:
    """Something that is shown as one type: given as data, or as a file or address that has it."""

    binary = False

    def __init__(self, data=None, url=None, filename=None, metadata=None, **options):
        if filename is None and url is None and self.names_file(data):
            filename = data
        self.data, self.url, self.filename, self.metadata = data, url, filename, metadata
        if filename is not None:
            with open(filename, 'rb' if self.binary else 'r') as file:
                self.data = file.read()
        if self.data is None and url is None:
            raise ValueError('%s needs data, a filename or a url' % type(self).__name__)

    def names_file(self, data):
        return False

    def reload(self):
        pass

    def __repr__(self):
        return '<IPython.display.%s object>' % type(self).__name__


class TextDisplayObject(DisplayObject):
    pass


class HTML(TextDisplayObject):
    def _repr_html_(self):
        return self.data

    __html__ = _repr_html_


class Markdown(TextDisplayObject):
    def _repr_markdown_(self):
        return self.data


class Latex(TextDisplayObject):
    def _repr_latex_(self):
        return self.data


class Math(TextDisplayObject):
    def _repr_latex_(self):
        return '$\\displaystyle %s$' % self.data.strip('$')


class SVG(DisplayObject):
    def names_file(self, data):
        return isinstance(data, str) and '<' not in data

    def _repr_svg_(self):
        return self.data


class JSON(DisplayObject):
    def names_file(self, data):
        return isinstance(data, str) and data.endswith('.json')

    def _repr_json_(self):
        if not isinstance(self.data, (str, bytes)):
            return self.data
        from json import loads

        return loads(self.data)


class Javascript(TextDisplayObject):
    def _repr_javascript_(self):
        return self.data


class Pretty(TextDisplayObject):
    def __repr__(self):
        return self.data


class Code(TextDisplayObject):
    def __repr__(self):
        return self.data

    def _repr_html_(self):
        return '<pre><code>%s</code></pre>' % escape(self.data)


class Image(DisplayObject):
    """A picture; of an address, which nothing here can reach, a link to it."""

    binary = True

    def __init__(self, data=None, url=None, filename=None, format=None, width=None, height=None, **options):
        if isinstance(data, str) and data.startswith(('http://', 'https://')):
            data, url = None, data
        if isinstance(data, str) and data.startswith('data:image/'):
            data = b64decode(data.partition(',')[2])
        super().__init__(data, url, filename, **options)
        if isinstance(self.data, (bytearray, memoryview)):
            self.data = bytes(self.data)
        self.width, self.height = width, height
        self.format = (format or self.seen_format()).lower()

    def names_file(self, data):
        return isinstance(data, str) or hasattr(data, '__fspath__')

    def seen_format(self):
        data = self.data or b''
        if data.startswith(b'\xff\xd8'):
            return 'jpeg'
        if data.startswith((b'GIF87a', b'GIF89a')):
            return 'gif'
        if data[8:12] == b'WEBP':
            return 'webp'
        return 'png'

    def _repr_mimebundle_(self, include=None, exclude=None):
        if self.data is None:
            return {'text/html': '<img src="%s"%s>' % (escape(self.url), self.size())}
        return {'image/%s' % self.format.replace('jpg', 'jpeg'): b64encode(self.data).decode()}

    def size(self):
        given = ('width', self.width), ('height', self.height)
        return ''.join(' %s="%s"' % (name, escape(str(value))) for name, value in given if value is not None)


class IFrame:
    def __init__(self, src, width, height, **params):
        from urllib.parse import urlencode

        self.src = src + ('?' + urlencode(params) if params else '')
        self.width, self.height = width, height

    def _repr_html_(self):
        place = escape(self.src), escape(str(self.width)), escape(str(self.height))
        return '<iframe src="%s" width="%s" height="%s" frameborder="0" allowfullscreen></iframe>' % place


class YouTubeVideo(IFrame):
    def __init__(self, id, width=400, height=300, **params):
        super().__init__('https://www.youtube.com/embed/' + id, width, height, **params)


class FileLink:
    def __init__(self, path, **options):
        self.path = path

    def __repr__(self):
        return str(self.path)

    def _repr_html_(self):
        return '<a href="%s" target="_blank">%s</a>' % ((escape(str(self.path)),) * 2)
