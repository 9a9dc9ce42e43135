import { beforeAll, describe, expect, inject } from 'vitest';
import { needs } from '../support/needs.ts';
import { sharedSession } from '../support/shared-session.ts';

/** Matplotlib's figures are results of the cell that made them: a picture per show, amid the output around it. */
const server = inject('server');
const test = needs('matplotlib');

type Bundle = Record<string, unknown>;

const isPicture = (bundle: Bundle) =>
  Buffer.from((bundle['image/png'] as string | undefined) ?? '', 'base64')
    .toString('latin1')
    .startsWith('\x89PNG');

/** Cells of one session, in their order, and the number of pictures of each. */
const PICTURES: readonly (readonly [code: string, pictures: number])[] = [
  ['import matplotlib.pyplot as plt\nfrom matplotlib.figure import Figure\nplt.plot([1, 2]);', 1],
  ['plt.plot([1]); plt.show(); plt.plot([2]); plt.show()', 2],
  ['fig, ax = plt.subplots(); ax.plot([1]); fig', 1],
  ['ax.plot([2]); ax.figure', 1],
  ['display(fig); fig', 2],
  ['own = Figure(); own.add_subplot().plot([1]); own', 1],
  ['for i in range(3):\n    plt.plot([i]); plt.pause(0.001)', 3],
  ['fig = plt.figure(); fig.show()', 1],
  ['fig = plt.figure(); fig.show(); fig.gca().plot([1]); None', 2],
  ['first = plt.figure(); second = plt.figure(); plt.show()', 2],
  ['import matplotlib; matplotlib.use("Agg"); plt.plot([1]); plt.show()', 1],
  ['plt.get_fignums()', 0],
];

describe('a session with matplotlib', () => {
  const shared = sharedSession(server.wsUrl, { language: 'python', runtimeType: 'Python' });
  // On a busy machine that takes long, and tells of the cache of fonts that is made the first time.
  beforeAll(async () => {
    await (await shared()).done('execute_code', { code: 'import matplotlib.pyplot', timeout: 110 });
  });

  test('has a picture for each show and each figure that is a value, and none twice', async () => {
    const session = await shared();
    for (const [code, pictures] of PICTURES) {
      const { results, stderr } = await session.done('execute_code', { code });
      expect({ code, stderr, pictures: results.filter(isPicture).length }).toEqual({
        code,
        stderr: '',
        pictures,
      });
    }
  });

  test('shows what a cell plotted with that cell, even when it fails, and never with another', async () => {
    const session = await shared();
    const failed = await session.cell('import matplotlib.pyplot as plt\nplt.plot([1]); 1 / 0');
    expect(failed.result.results.filter(isPicture)).toHaveLength(1);
    const late = await session.cell('import time; plt.plot([1])\ntime.sleep(60)', { timeout: 1 });
    expect(late).toMatchObject({ success: false, result: { results: [] } });
    expect((await session.done('execute_code', { code: '1' })).results).toEqual([{ 'text/plain': '1' }]);
  });

  test('streams pictures when they are shown, between what is printed before and after', async () => {
    const session = await shared();
    await session.prints('import matplotlib.pyplot as plt');
    const code = `
for name in 'abc':
    print(name); plt.plot([1]); plt.show()
print('end')
display('value')`;
    const { client } = session;
    const { result } = await session.command('execute_code', { code }, { stream: true });
    expect(result.results).toHaveLength(4);
    const told = client.notifications.flatMap(({ method, params }) => {
      if (method === 'execution.output') return [params.text];
      if (method !== 'execution.result') return [];
      return [isPicture(params.mimeBundle) ? '<picture>' : params.mimeBundle['text/plain']];
    });
    expect(told.join('')).toBe("a\n<picture>b\n<picture>c\n<picture>end\n'value'");
  });
});
