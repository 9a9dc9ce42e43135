"""Turns a value into a MIME bundle, by Jupyter's protocol of _repr_*_ methods. Loaded with the first result."""

# Characters of text/plain that are kept; escaped to ASCII they stay below the protocol's line of 8 MiB.
MAX_TEXT = 1_000_000
# Escaped bytes of one richer representation, and of a whole bundle; what is over is left out, half an image being none.
MAX_RICH = 4 * 1024 * 1024
MAX_BUNDLE = 7 * 1024 * 1024

# Of a Unix socket, what its other end has not read, bytes (linux/sockios.h).
SIOCOUTQ = 0x5411
# How often it is asked, and seconds between: a tenth of a second, for which a client that reads nothing may hold up its cell.
READ_TRIES = 500
READ_PAUSE = 0.0002

# What else gives representations of a class's values: by MIME type, a function of the value.
formatters = {}

METHODS = {
    '_repr_html_': 'text/html',
    '_repr_markdown_': 'text/markdown',
    '_repr_svg_': 'image/svg+xml',
    '_repr_png_': 'image/png',
    '_repr_jpeg_': 'image/jpeg',
    '_repr_pdf_': 'application/pdf',
    '_repr_latex_': 'text/latex',
    '_repr_json_': 'application/json',
    '_repr_javascript_': 'application/javascript',
}


def bundle(value, quote, more=None):
    """
    JSON of the bundle. Raises what the value's __repr__ raises; a failing richer method is just left out. `more`: yields further
    representations of a value.
    """
    items = [('text/plain', quote(text_of(value)))]
    size = len(items[0][1])
    for mime, data in rich(value, more):
        try:
            encoded = encode(data, quote)
            name = quote(mime)
        except Exception:
            continue
        if len(encoded) > MAX_RICH or size + len(encoded) > MAX_BUNDLE:
            continue
        size += len(encoded) + len(name)
        items.append((mime, encoded))
    return '{%s}' % ','.join(quote(mime) + ':' + data for mime, data in dict(items).items())


def wait_until_read(fd):
    """Until the agent has taken what was sent: it forwards what is in a pipe by then before it, and the rest after it."""
    from array import array
    from fcntl import ioctl
    from time import sleep

    left = array('i', [0])
    for _ in range(READ_TRIES):
        ioctl(fd, SIOCOUTQ, left)
        if left[0] == 0:
            return
        sleep(READ_PAUSE)


def text_of(value):
    text = repr(value)
    if len(text) <= MAX_TEXT:
        return text
    return '%s… %d characters left out' % (text[:MAX_TEXT], len(text) - MAX_TEXT)


def shows_itself(value):
    """Whether the value has shown itself, by a method of IPython's."""
    method = getattr(type(value), '_ipython_display_', None)
    if isinstance(value, type) or not callable(method):
        return False
    method(value)
    return True


def rich(value, more):
    if isinstance(value, type):
        return
    data = call(value, '_repr_mimebundle_', include=None, exclude=None)
    if isinstance(data, tuple):
        data = data[0] if data else None
    if isinstance(data, dict):
        yield from data.items()
    for cls in type(value).__mro__:
        for mime, function in formatters.get(cls, {}).items():
            yield mime, function(value)
    for method, mime in METHODS.items():
        data = call(value, method)
        if isinstance(data, tuple):
            data = data[0] if data else None
        if data is not None:
            yield mime, data
    if more:
        yield from more(value)


def call(value, method, **options):
    # Looked up on the class: an object that answers to every name must not count as an image.
    try:
        function = getattr(type(value), method, None)
        return function(value, **options) if callable(function) else None
    except TypeError:
        # One that takes no options.
        return call(value, method) if options else None
    except Exception:
        return None


def encode(data, quote):
    if isinstance(data, (bytes, bytearray, memoryview)):
        from binascii import b2a_base64

        return quote(b2a_base64(data, newline=False).decode('ascii'))
    if isinstance(data, str):
        return quote(str(data))
    import json

    return json.dumps(data, allow_nan=False)
