"""Reads of Matplotlib's figures what they chart, in the terms of E2B's clients: a chart for each of a figure's axes, with its points, bars,
slices or boxes. Loaded with the first figure that is a result.

The figure has been drawn before, which is when ticks get their labels.
"""

import re
import sys

# After a space in parentheses, or in brackets: `Time (s)`, `Time [s]`.
UNIT = re.compile(r'\s\((.*?)\)|\[(.*?)\]')
# Matplotlib's own names of what has none.
UNNAMED = re.compile(r'_(?:child|container)(\d+)')
# Digits of what it has calculated, which are the program's own but for the last ones.
DIGITS = 10
ANGLE_DIGITS = 6


def chart(figure, plain, most):
    """Of a figure; None for one without any, or with more than so many values. `plain`: a value as JSON has it."""
    axes = figure.get_axes()
    if not any(each.has_data() for each in axes) or sum(map(values, axes)) > most:
        return None
    if len(axes) == 1:
        return chart_of(axes[0], plain)
    title = getattr(figure, '_suptitle', None)
    elements = [chart_of(each, plain) for each in axes]
    return {'type': 'superchart', 'title': title.get_text() if title else '', 'elements': elements}


def values(axes):
    """About how many an axes' chart has."""
    lines = sum(2 * len(line.get_xdata(orig=False)) for line in axes.get_lines())
    points = sum(2 * len(collection.get_offsets()) for collection in axes.collections)
    return lines + points + 10 * len(axes.patches)


def chart_of(axes, plain):
    kind, read = kind_of(axes)
    found = {'type': kind, 'title': axes.get_title() or None}
    if kind in ('line', 'scatter'):
        found.update(labels(axes))
        for name, axis in (('x', axes.xaxis), ('y', axes.yaxis)):
            found.update(ticks(name, axis, plain))
    elif kind in ('bar', 'box_and_whisker'):
        found.update(labels(axes))
    found['elements'] = read(axes, plain, found)
    return found


def kind_of(axes):
    """By what was drawn in it."""
    from matplotlib.collections import PathCollection
    from matplotlib.lines import Line2D
    from matplotlib.patches import PathPatch, Rectangle, Wedge

    lines = list(axes.get_lines())
    drawn = [*lines, *axes.patches, *axes.collections, *axes.images, *axes.tables, *axes.artists]
    if all_are(drawn, Line2D):
        return 'line', read_lines
    if all_are(drawn, (PathPatch, Line2D)):
        return 'box_and_whisker', read_boxes
    drawn = [each for each in drawn if not (isinstance(each, Line2D) and is_straight(each))]
    for kind, cls, read in (
        ('scatter', PathCollection, read_points),
        ('pie', Wedge, read_slices),
        ('bar', Rectangle, read_bars),
    ):
        if all_are(drawn, cls):
            return kind, read
    return 'unknown', lambda *_: []


def all_are(things, cls):
    return all(isinstance(each, cls) for each in things)


def is_straight(line):
    """Along an axis: it divides the plane, and charts nothing."""
    x, y = line.get_xdata(orig=False), line.get_ydata(orig=False)
    return len(x) == len(y) == 2 and (x[0] == x[1] or y[0] == y[1])


def labels(axes):
    found = {}
    for name, label in (('x', axes.get_xlabel()), ('y', axes.get_ylabel())):
        unit = UNIT.search(label)
        found[name + '_label'] = label or None
        found[name + '_unit'] = (unit.group(1) or unit.group(2)) if unit else None
    return found


def turn(found):
    """The categories are on the y axis: labels are told as if they were on the other."""
    for name in ('label', 'unit'):
        found['x_' + name], found['y_' + name] = found['y_' + name], found['x_' + name]


def ticks(name, axis, plain):
    converter = axis.get_converter() if hasattr(axis, 'get_converter') else axis.converter
    places = [plain(place) for place in axis.get_ticklocs()]
    texts = [label.get_text() for label in axis.get_ticklabels()]
    is_time = 'Date' in type(converter).__name__
    if is_time:
        dates = sys.modules['matplotlib.dates']
        shown = [dates.num2date(place).isoformat() for place in places]
    else:
        shown = places
    scale = 'datetime' if is_time else scale_of(axis.get_scale(), places, texts)
    return {name + '_ticks': shown, name + '_tick_labels': texts, name + '_scale': scale}


def scale_of(scale, places, texts):
    """Categories are at 0, 1, 2 and so on, and are not called so."""
    if scale != 'linear':
        return scale
    numbered = all(place == i and text != str(i) for i, (place, text) in enumerate(zip(places, texts)))
    return 'categorical' if numbered else 'linear'


def read_lines(axes, plain, found):
    lines = [line for line in axes.get_lines() if not is_straight(line)]
    return [
        {'label': name_of(line, 'Line'), 'points': points(line.get_xdata(), line.get_ydata(), plain)} for line in lines
    ]


def read_points(axes, plain, found):
    return [
        {'label': str(each.get_label()), 'points': points(*zip(*each.get_offsets()), plain)}
        for each in axes.collections
        if len(each.get_offsets())
    ]


def points(xs, ys, plain):
    return [[plain(x), plain(y)] for x, y in zip(xs, ys)]


def name_of(artist, usual):
    label = str(artist.get_label())
    unnamed = UNNAMED.match(label)
    return '%s %s' % (usual, unnamed.group(1)) if unnamed else label


def read_slices(axes, plain, found):
    return [
        {
            'label': str(wedge.get_label()),
            'angle': rounded(abs(wedge.theta2 - wedge.theta1), ANGLE_DIGITS),
            'radius': float(wedge.r),
        }
        for wedge in axes.patches
    ]


def rounded(number, digits=DIGITS):
    return float('%.*g' % (digits, number))


def read_bars(axes, plain, found):
    from matplotlib.container import BarContainer

    groups = [each for each in axes.containers if isinstance(each, BarContainer)]
    lying = bool(groups) and all(each.orientation == 'horizontal' for each in groups)
    if lying:
        turn(found)
    elements = []
    for group in groups:
        name = name_of(group, 'Group')
        starts = [bar.get_y() + bar.get_height() / 2 if lying else bar.get_x() + bar.get_width() / 2 for bar in group]
        for bar, label in zip(group, categories(axes.yaxis if lying else axes.xaxis, starts)):
            value = bar.get_width() if lying else bar.get_height()
            elements.append({'label': label, 'group': name, 'value': plain(value)})
    return elements


def categories(axis, places):
    """What the axis says at these places; where it says nothing, the places themselves."""
    ticks = zip(axis.get_ticklocs(), axis.get_ticklabels())
    said = {rounded(place): label.get_text() for place, label in ticks}
    names = [said.get(rounded(place)) for place in places]
    if not all(names) and len(said) == len(places):
        # Bars beside their ticks.
        names = list(said.values())
    return [name or '%g' % place for name, place in zip(names, places)]


def read_boxes(axes, plain, found):
    """Of each its quartiles, by its box; its median, by the line within; and its ends, by the lines that leave it."""
    lines = [(line.get_xdata(orig=False), line.get_ydata(orig=False)) for line in axes.get_lines()]
    boxes = [each.get_path().vertices for each in axes.patches]
    lying = lie(boxes, lines)
    if lying:
        turn(found)
        lines = [(y, x) for x, y in lines]
    across, along = (1, 0) if lying else (0, 1)
    spans = [(*extent(vertices[:, across]), *extent(vertices[:, along])) for vertices in boxes]
    middles = [(left + right) / 2 for left, right, _, _ in spans]
    names = categories(axes.yaxis if lying else axes.xaxis, middles)
    return [box(name, span, lines) for name, span in zip(names, spans)]


def lie(boxes, lines):
    """Whether the line across the first box, its median, runs from its bottom to its top."""
    if not boxes:
        return False
    bottom, top = extent(boxes[0][:, 1])
    left, right = extent(boxes[0][:, 0])
    for xs, ys in lines:
        if len(xs) == 2 and xs[0] == xs[1] and left <= xs[0] <= right and extent(ys) == (bottom, top):
            return True
    return False


def extent(numbers):
    return rounded(min(numbers)), rounded(max(numbers))


def box(name, span, lines):
    left, right, first, third = span
    found = {'label': name, 'min': first, 'first_quartile': first, 'median': first, 'third_quartile': third}
    found.update(max=third, outliers=[])
    for across, along in lines:
        if len(across) == 0 or not (left <= min(across) and max(across) <= right):
            continue
        low, high = extent(along)
        if len(across) == 2 and extent(across) == (left, right) and low == high:
            found['median'] = low
        # Whiskers, from the box to an end.
        elif len(across) == 2 and across[0] == across[1] and high == first:
            found['min'] = low
        elif len(across) == 2 and across[0] == across[1] and low == third:
            found['max'] = high
        elif is_apart(along, found):
            found['outliers'] += [rounded(value) for value in along]
    return found


def is_apart(along, found):
    return len(along) > 0 and all(value < found['min'] or value > found['max'] for value in along)
