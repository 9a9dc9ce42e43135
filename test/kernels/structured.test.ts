import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { needs } from '../support/needs.ts';
import { KernelProcess } from './kernel-process.ts';

/** What cells that ask for it are told of their values as data: what figures chart, tables, and JSON. */
const KERNEL = join(import.meta.dirname, '../../src/kernels/python/kernel.py');

let kernel: KernelProcess;
beforeAll(async () => {
  kernel = await KernelProcess.start(['/usr/bin/python3', '-I', '-B', '-u', KERNEL]);
});
afterAll(() => kernel[Symbol.asyncDispose]());

const told = async (code: string) => {
  const { results, error } = await kernel.run(code, { structured: true });
  expect(error).toBeNull();
  return results;
};

const NONE = { x_label: null, x_unit: null, y_label: null, y_unit: null };
const box = (label: string, [min, first, median, third, max]: number[], outliers: number[] = []) => ({
  label,
  min,
  first_quartile: first,
  median,
  third_quartile: third,
  max,
  outliers,
});
const CLASSES = '[[1, 2, 3, 4, 50, 60], [1, 2, 3, 4, 5]]';
const NAMED = '["a", "b"]';

const PLT = 'import matplotlib; matplotlib.use("Agg"); import matplotlib.pyplot as plt\n';

/** What is drawn in axes `ax`, and their chart. */
const CHARTS: readonly (readonly [name: string, code: string, chart: object])[] = [
  [
    'lines, their labels, units and scales',
    `ax.plot([1, 2], [10, float("nan")], label="rising"); ax.plot([1, 2, 3], ["A", "B", "C"])
ax.axvline(2); ax.set(title="T", xlabel="Time (s)", ylabel="Force [N]")`,
    {
      type: 'line',
      title: 'T',
      x_label: 'Time (s)',
      x_unit: 's',
      y_label: 'Force [N]',
      y_unit: 'N',
      x_scale: 'linear',
      x_tick_labels: expect.arrayContaining(['1.00', '2.00']),
      elements: [
        {
          label: 'rising',
          points: [
            [1, 10],
            [2, null],
          ],
        },
        {
          label: 'Line 1',
          points: [
            [1, 'A'],
            [2, 'B'],
            [3, 'C'],
          ],
        },
      ],
    },
  ],
  [
    'times',
    'import datetime; ax.plot([datetime.date(2026, 1, day) for day in (1, 2)], [1, 2]); ax.set_yscale("log")',
    {
      x_scale: 'datetime',
      y_scale: 'log',
      x_ticks: expect.arrayContaining([expect.stringMatching(/^2026-01-01T00:00:00/)]),
      elements: [
        {
          points: [
            ['2026-01-01', 1],
            ['2026-01-02', 2],
          ],
        },
      ],
    },
  ],
  [
    'categories',
    'ax.plot(["x", "y"], [1, 2])',
    { x_scale: 'categorical', x_tick_labels: ['x', 'y'], y_scale: 'linear' },
  ],
  [
    'points',
    'ax.scatter([1, 2], [3, 4], label="seen"); ax.axhline(3)',
    {
      type: 'scatter',
      elements: [
        {
          label: 'seen',
          points: [
            [1, 3],
            [2, 4],
          ],
        },
      ],
    },
  ],
  [
    'bars, also equally high ones, and beside their ticks',
    `ax.bar(${NAMED}, [3, 3]); ax.bar([2.5], [7], label="late"); ax.set_ylabel("Sold")`,
    {
      type: 'bar',
      y_label: 'Sold',
      elements: [
        { label: 'a', group: 'Group 0', value: 3 },
        { label: 'b', group: 'Group 0', value: 3 },
        { label: '2.5', group: 'late', value: 7 },
      ],
    },
  ],
  [
    'bars that lie, whose axes are told as of those that stand',
    `ax.barh(${NAMED}, [1, 2]); ax.set(xlabel="Sold", ylabel="Who")`,
    {
      type: 'bar',
      x_label: 'Who',
      y_label: 'Sold',
      elements: [
        { label: 'a', value: 1 },
        { label: 'b', value: 2 },
      ],
    },
  ],
  [
    'slices',
    `ax.pie([90, 10], labels=${NAMED}, startangle=90)`,
    {
      type: 'pie',
      elements: [
        { label: 'a', angle: 324, radius: 1 },
        { label: 'b', angle: 36, radius: 1 },
      ],
    },
  ],
  [
    'boxes',
    `ax.boxplot(${CLASSES}, patch_artist=True, whis=0.1); ax.set_xticklabels(${NAMED})`,
    {
      ...NONE,
      type: 'box_and_whisker',
      elements: [box('a', [1, 2.25, 3.5, 38.5, 38.5], [50, 60]), box('b', [2, 2, 3, 4, 4], [1, 5])],
    },
  ],
  [
    'boxes that lie',
    `ax.boxplot(${CLASSES}, patch_artist=True, vert=False); ax.set_yticklabels(${NAMED}); ax.set_xlabel("Score")`,
    {
      type: 'box_and_whisker',
      x_label: null,
      y_label: 'Score',
      elements: [box('a', [1, 2.25, 3.5, 38.5, 60]), box('b', [1, 2, 3, 4, 5])],
    },
  ],
  ['what is none of these', 'ax.add_artist(plt.Circle((0, 0), 1))', { type: 'unknown', elements: [] }],
];

describe('a figure', () => {
  const charts = needs('matplotlib');

  charts(
    'has its chart beside its picture',
    async () => {
      for (const [name, code, chart] of CHARTS) {
        const [bundle] = await told(`${PLT}_, ax = plt.subplots()\n${code}\nplt.show()`);
        expect({ name, chart: bundle?.['e2b/chart'] }).toMatchObject({ name, chart });
        expect(bundle).toHaveProperty('image/png');
      }
    },
    60_000,
  );

  charts('of several axes has theirs, and one of none has no chart', async () => {
    const [several] = await told(
      `${PLT}fig, axes = plt.subplots(1, 2); axes[0].plot([1]); axes[1].scatter([1], [2]); fig.suptitle("both");`,
    );
    expect(several?.['e2b/chart']).toMatchObject({
      type: 'superchart',
      title: 'both',
      elements: [{ type: 'line' }, { type: 'scatter' }],
    });
    const [empty, large] = await told(
      `${PLT}plt.subplots(); plt.show(); plt.plot(range(30_000)); plt.show()`,
    );
    expect([Object.keys(empty!), Object.keys(large!)]).toEqual(
      Array.from({ length: 2 }, () => ['text/plain', 'image/png']),
    );
  });

  charts('has a picture alone where nobody asks for more', async () => {
    const { results } = await kernel.run(`${PLT}plt.plot([1]); plt.show()`);
    expect(Object.keys(results[0]!)).toEqual(['text/plain', 'image/png']);
  });

  charts('of Pillow is shown by its name, and where it is asked for when it is saved', async () => {
    const code = 'from PIL import Image\nimage = Image.new("RGB", (2, 2))\nimage.show()\nimage.save("i.png")';
    const isPicture = (bundle: object) => 'image/png' in bundle;
    expect((await told(code)).map(isPicture)).toEqual([true, true]);
    expect((await kernel.run(code)).results.map(isPicture)).toEqual([true]);
  });

  charts('of Pillow that is saved is shown while the cell has told little', async () => {
    const many = 'display(*[type("Long", (), {"_repr_html_": lambda _: "x" * 4_000_000})() for _ in "abc"])';
    const save = 'from PIL import Image\nImage.new("RGB", (2, 2)).save("i.png")';
    const pictures = async (code: string) =>
      (await told(code)).filter(bundle => 'image/png' in bundle).length;
    expect(await pictures(`${many}\n${save}`)).toBe(0);
    expect(await pictures(save)).toBe(1);
  });

  charts('of Pillow that fails to be shown is saved', async () => {
    const { error } = await kernel.run(
      `from PIL import Image
class Own(Image.Image):
    def __repr__(self): raise ZeroDivisionError
own = Image.new("RGB", (2, 2))
own.__class__ = Own
own.save("own.png")`,
      { structured: true },
    );
    expect([error?.name, existsSync(join(kernel.directory, 'own.png'))]).toEqual(['ZeroDivisionError', true]);
  });
});

/** Of pandas, which machines of tests need not have, as much as tables are read by. */
const PANDAS = `
import sys, types
class Column(list):
    tolist = lambda self: list(self)
class Columns:
    def __init__(self, values): self.values = values
    def __getitem__(self, at): return self.values[at[1]]
class DataFrame:
    def __init__(self, size=None, **columns):
        self.columns = list(columns)
        self.iloc = Columns([Column(each) for each in columns.values()])
        self.size = size or sum(map(len, columns.values()))
    def __repr__(self): return 'a frame'
pandas = sys.modules['pandas'] = types.ModuleType('pandas')
pandas.DataFrame, pandas.NaT = DataFrame, object()
import datetime
DataFrame(a=[1, 2.5, float('inf')], t=[datetime.datetime(2026, 1, 1), pandas.NaT, None])`;

describe('a value', () => {
  test('that is a table has its columns, as JSON has them', async () => {
    expect(await told(PANDAS)).toEqual([
      {
        'text/plain': 'a frame',
        'e2b/data': { a: [1, 2.5, null], t: ['2026-01-01T00:00:00', null, null] },
      },
    ]);
    expect(await told('DataFrame(size=50_001, a=[1])')).toEqual([{ 'text/plain': 'a frame' }]);
  });

  test('that is a list or a dictionary is told as JSON, unless it can’t be', async () => {
    expect(await told('{1: [None, True, (2,)], "s": {3}}')).toEqual([
      {
        'text/plain': "{1: [None, True, (2,)], 's': {3}}",
        'application/json': { '1': [null, true, [2]], s: '{3}' },
      },
    ]);
    expect(await told('own = []; own.append(own); own')).toEqual([{ 'text/plain': '[[...]]' }]);
    for (const code of ['[0] * 50_000', 'deep = []\nfor _ in range(60): deep = [deep]\ndeep'])
      expect((await told(code)).map(bundle => Object.keys(bundle))).toEqual([['text/plain']]);
    expect((await kernel.run('[1]')).results).toEqual([{ 'text/plain': '[1]' }]);
  });

  needs('matplotlib')('of NumPy’s is told by what it holds', async () => {
    const [bundle] = await told('import numpy; [numpy.int64(1), numpy.arange(4).reshape(2, 2)]');
    expect(bundle?.['application/json']).toEqual([
      1,
      [
        [0, 1],
        [2, 3],
      ],
    ]);
    const [most] = await told('[numpy.int64(1)] * 49_999');
    expect(most?.['application/json']).toHaveLength(49_999);
    expect((await told('{"w": numpy.zeros(50_001)}')).map(each => Object.keys(each))).toEqual([
      ['text/plain'],
    ]);
  });

  test('that holds too much is not copied', async () => {
    const code = `
class Array:
    ndim, size, copied = 1, 50_001, False
    def tolist(self):
        Array.copied = True
        return []
Array.__module__ = 'numpy'
class Long(list):
    read = 0
    def __iter__(self):
        for Long.read in range(1, 200_000): yield 0
display([Array()], [Long()])
Array.copied, Long.read`;
    const [, , value] = await told(code);
    expect(value).toEqual({ 'text/plain': '(False, 49999)' });
  });

  test('that tells of itself what E2B’s clients show does so, and one that fails at it is shown without', async () => {
    const code = `
class Own:
    def _repr_e2b_data_(self): return {'a': [1]}
    def _repr_e2b_chart_(self): raise ValueError
    def __repr__(self): return 'own'
display(Own); Own()`;
    expect(await told(code)).toEqual([
      { 'text/plain': "<class '__main__.Own'>" },
      { 'text/plain': 'own', 'e2b/data': { a: [1] } },
    ]);
  });
});
