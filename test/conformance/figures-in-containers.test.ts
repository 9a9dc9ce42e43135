import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, inject } from 'vitest';
import { matrix } from '../support/matrix.ts';
import { needs } from '../support/needs.ts';
import { TestSession } from '../support/session.ts';

/**
 * Figures where an image brings the interpreter. Ours has no matplotlib, and what an index sends takes as long as its network does: so
 * the machine's own is carried into a session, where its distribution is the image's.
 */
const { url, wsUrl } = inject('server');
const test = needs("matplotlib for our images' Python");
const run = promisify(execFile);
const rows = (await matrix()).filter(row => row.language === 'python' && row.runtimeType === 'Docker');

/** Far more than any of it takes, on a machine that does much else. */
const SECONDS = 300;

/** Libraries need each other, in an order that nobody knows: what can't be loaded yet is tried again after the others. */
const TAKE = `
import ctypes, glob, os, sys
sys.path.insert(0, '/workspace/carried/python')
os.environ['MATPLOTLIBRC'] = '/workspace/carried/python/matplotlib/mpl-data'
left = glob.glob('/workspace/carried/lib/*')
while left:
    later = []
    for path in left:
        try:
            ctypes.CDLL(path, ctypes.RTLD_GLOBAL)
        except OSError as error:
            later.append(path)
            why = error
    if len(later) == len(left):
        raise why
    left = later
import matplotlib.pyplot as plt`;

/** Cells of one session, in their order, and the number of pictures of each. */
const PICTURES: readonly (readonly [code: string, pictures: number])[] = [
  ['plt.plot([1]); plt.show(); plt.plot([2]); plt.show()', 2],
  ['fig, ax = plt.subplots(); ax.plot([1]); fig', 1],
  ['display(fig); ax.plot([2]); ax.figure', 2],
  ['plt.get_fignums()', 0],
];

describe.each(rows)('figures in $name', ({ language, runtimeType }) => {
  test('are results, one for each show and each value, amid the output around them', {
    timeout: 2 * SECONDS * 1000,
  }, async () => {
    await using session = await TestSession.open(wsUrl, { language, runtimeType, memoryLimitMB: 1024 });
    await carry(session.id);
    await session.shell('sh', ['-c', 'mkdir carried && tar xf carried.tar -C carried && rm carried.tar'], {
      timeout: SECONDS,
    });
    await session.done('execute_code', { code: TAKE, timeout: SECONDS });
    for (const [code, pictures] of PICTURES) {
      const { results, stderr } = await session.done('execute_code', { code, timeout: SECONDS });
      expect({ code, stderr, pictures: results.filter(isPicture).length }).toEqual({
        code,
        stderr: '',
        pictures,
      });
    }
    const code = 'for name in "ab":\n    print(name); plt.plot([1]); plt.show()\nprint("end")';
    await session.command('execute_code', { code, timeout: SECONDS }, { stream: true });
    const told = session.client.notifications.flatMap(({ method, params }) => {
      if (method === 'execution.output') return [params.text];
      return method === 'execution.result' && isPicture(params.mimeBundle) ? ['<picture>'] : [];
    });
    expect(told.join('')).toBe('a\n<picture>b\n<picture>end\n');
  });
});

async function carry(sessionId: string): Promise<void> {
  const pack = join(import.meta.dirname, '../support/carried-matplotlib.py');
  const { stdout: body } = await run('/usr/bin/python3', [pack], { encoding: 'buffer', maxBuffer: 1 << 29 });
  const answer = await fetch(`${url}/api/session/${sessionId}/files/carried.tar`, { method: 'PUT', body });
  expect(answer.status).toBe(201);
}

function isPicture(bundle: Record<string, unknown>): boolean {
  const png = Buffer.from((bundle['image/png'] as string | undefined) ?? '', 'base64');
  return png.toString('latin1').startsWith('\x89PNG');
}
