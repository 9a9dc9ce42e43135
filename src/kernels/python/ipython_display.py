"""Stands in for IPython.display where there is no IPython: what programs write for a notebook shows as a cell's results.

A result that was shown stays: an update is another one, and `clear_output` has nothing to clear.
"""

from base64 import b64decode, b64encode
from html import escape

__all__ = ['display', 'update_display', 'clear_output', 'publish_display_data', 'HTML', 'Markdown', 'Latex', 'Math', 'SVG', 'JSON', 'Javascript', 'Pretty', 'Code', 'Image', 'IFrame', 'YouTubeVideo', 'VimeoVideo', 'Audio', 'Video', 'GeoJSON', 'ProgressBar', 'FileLink', 'FileLinks', 'DisplayHandle', 'DisplayObject', 'TextDisplayObject', 'set_matplotlib_formats', 'set_matplotlib_close']

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
        return '<IPython.core.display.%s object>' % type(self).__name__


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


class VimeoVideo(IFrame):
    def __init__(self, id, width=400, height=300, **params):
        super().__init__('https://player.vimeo.com/video/' + id, width, height, **params)


class Media(DisplayObject):
    """Sound or a film, as HTML that holds it; of an address, which nothing here can reach, HTML that names it."""

    binary = True
    tag = usual = None

    def __init__(self, data=None, url=None, filename=None, mimetype=None, **options):
        if isinstance(data, str) and data.startswith(('http://', 'https://', 'data:')):
            data, url = None, data
        super().__init__(data, url, filename, **options)
        self.mimetype = mimetype

    def names_file(self, data):
        return isinstance(data, str) or hasattr(data, '__fspath__')

    def source(self):
        if self.data is None:
            return self.url
        from mimetypes import guess_type

        kind = self.mimetype or guess_type(str(self.filename or self.url or ''))[0] or self.usual
        return 'data:%s;base64,%s' % (kind, b64encode(self.data).decode())

    def _repr_html_(self):
        return '<%s controls src="%s"%s></%s>' % (self.tag, escape(self.source()), self.attributes(), self.tag)

    def attributes(self):
        return ''


class Audio(Media):
    tag, usual = 'audio', 'audio/wav'

    def __init__(self, data=None, filename=None, url=None, embed=None, rate=None, autoplay=False, normalize=True, **options):
        self.autoplay = autoplay
        if rate is not None and not isinstance(data, (str, bytes)) and data is not None:
            data = wave_of(data, rate, normalize)
        super().__init__(data, url, filename, **options)

    def attributes(self):
        return ' autoplay' if self.autoplay else ''


def wave_of(samples, rate, normalize):
    """Samples as a WAV file of 16 bits: a list, or one for each channel, of numbers from -1 to 1, or of any if they are to be scaled."""
    import wave
    from array import array
    from io import BytesIO

    channels = [list(channel) for channel in samples] if hasattr(samples[0], '__len__') else [list(samples)]
    loudest = max((abs(float(sample)) for channel in channels for sample in channel), default=0)
    if not normalize and loudest > 1:
        raise ValueError('Audio data must be between -1 and 1 when normalize=False.')
    scale = 32767 / (loudest or 1) if normalize else 32767
    frames = array('h', (int(float(sample) * scale) for frame in zip(*channels) for sample in frame))
    file = BytesIO()
    with wave.open(file, 'wb') as writer:
        writer.setparams((len(channels), 2, int(rate), 0, 'NONE', ''))
        writer.writeframes(frames.tobytes())
    return file.getvalue()


class Video(Media):
    tag, usual = 'video', 'video/mp4'

    def __init__(self, data=None, url=None, filename=None, embed=False, mimetype=None, width=None, height=None, **options):
        self.width, self.height = width, height
        super().__init__(data, url, filename, mimetype)

    attributes = Image.size


class GeoJSON(JSON):
    def _repr_mimebundle_(self, include=None, exclude=None):
        return {'application/geo+json': self._repr_json_()}


class ProgressBar:
    """As it is when it is shown: what was shown stays."""

    def __init__(self, total):
        self.total, self.progress = total, 0

    def __repr__(self):
        return '%s/%s' % (self.progress, self.total)

    def _repr_html_(self):
        return '<progress max="%s" value="%s"></progress>' % (self.total, self.progress)

    def display(self):
        display(self)

    def __iter__(self):
        for self.progress in range(self.total):
            yield self.progress
        self.progress = self.total


class FileLink:
    def __init__(self, path, **options):
        self.path = path

    def __repr__(self):
        return str(self.path)

    def _repr_html_(self):
        return '<a href="%s" target="_blank">%s</a>' % ((escape(str(self.path)),) * 2)


class FileLinks:
    def __init__(self, path, **options):
        self.path = path

    def paths(self):
        from os import path, walk

        return [path.join(place, name) for place, _, names in walk(self.path) for name in sorted(names)]

    def __repr__(self):
        return '\n'.join(self.paths())

    def _repr_html_(self):
        return '<br>'.join(FileLink(path)._repr_html_() for path in self.paths())


def displays(repr_of, mime, made):
    """`display_html` and the like: shows values as one type alone; with `raw`, data of that type."""

    def display_as(*objs, raw=False, metadata=None, **options):
        for obj in objs:
            data = obj if raw else getattr(obj, repr_of, lambda: None)()
            display({mime: data} if data is not None else obj, raw=data is not None)

    display_as.__name__ = display_as.__qualname__ = made
    return display_as


for made, (repr_of, mime) in {
    'display_html': ('_repr_html_', 'text/html'),
    'display_markdown': ('_repr_markdown_', 'text/markdown'),
    'display_latex': ('_repr_latex_', 'text/latex'),
    'display_svg': ('_repr_svg_', 'image/svg+xml'),
    'display_javascript': ('_repr_javascript_', 'application/javascript'),
    'display_json': ('_repr_json_', 'application/json'),
    'display_pretty': ('__repr__', 'text/plain'),
}.items():
    globals()[made] = displays(repr_of, mime, made)
    __all__.append(made)
del made, repr_of, mime
