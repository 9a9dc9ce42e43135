"""Turns a value into a MIME bundle, by Jupyter's protocol of _repr_*_ methods. Loaded with the first result."""

# Characters of text/plain that are kept; escaped to ASCII they stay below the protocol's line of 8 MiB.
MAX_TEXT = 1_000_000
# Escaped bytes of one richer representation, and of a whole bundle; what is over is left out, half an image being none.
MAX_RICH = 4 * 1024 * 1024
MAX_BUNDLE = 7 * 1024 * 1024

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


def bundle(value, quote):
    """JSON of the bundle. Raises what the value's __repr__ raises; a failing richer method is just left out."""
    items = [('text/plain', quote(text_of(value)))]
    size = len(items[0][1])
    for mime, data in rich(value):
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


def figures(pyplot):
    """Matplotlib's open figures, which are shown at the end of a cell and then closed, as its inline backend does."""
    from io import BytesIO

    for number in pyplot.get_fignums():
        figure = pyplot.figure(number)
        image = BytesIO()
        figure.savefig(image, format='png', bbox_inches='tight')
        pyplot.close(figure)
        yield Figure(repr(figure), image.getvalue())


class Figure:
    def __init__(self, text, png):
        self.text = text
        self.png = png

    def __repr__(self):
        return self.text

    def _repr_png_(self):
        return self.png


def text_of(value):
    text = repr(value)
    if len(text) <= MAX_TEXT:
        return text
    return '%s… %d characters left out' % (text[:MAX_TEXT], len(text) - MAX_TEXT)


def rich(value):
    if isinstance(value, type):
        return
    data = call(value, '_repr_mimebundle_')
    if isinstance(data, tuple):
        data = data[0] if data else None
    if isinstance(data, dict):
        yield from data.items()
    for method, mime in METHODS.items():
        data = call(value, method)
        if isinstance(data, tuple):
            data = data[0] if data else None
        if data is not None:
            yield mime, data


def call(value, method):
    # Looked up on the class: an object that answers to every name must not count as an image.
    try:
        function = getattr(type(value), method, None)
        return function(value) if callable(function) else None
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
