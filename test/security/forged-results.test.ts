import { describe, expect, inject, test } from 'vitest';
import { runtimes } from '../support/matrix.ts';
import { residentBytes } from '../support/memory.ts';
import { TestSession } from '../support/session.ts';
import { FIND_SOCKET } from './probe.ts';

/**
 * A cell that finds the socket of its own kernel and speaks there: it may lie about itself, and nothing else. What it
 * says is small as a text and large as values, or is very much.
 */
const server = inject('server');
const all = await runtimes();
const FORGERIES = {
  'one result of millions of values': `say(b'{"cell":1,"result":{"x":[' + b','.join([b'{}'] * 2_500_000) + b']}}\\n')`,
  'one result of very many names': `say(b'{"cell":1,"result":{' + b','.join(b'"k%d":0' % i for i in range(400_000)) + b'}}\\n')`,
  'results without end': `while True: say(b'{"cell":1,"result":{}}\\n' * 20_000)`,
  'large results without end': `while True: say(b'{"cell":1,"result":{"text/plain":"' + b'x' * 4_000_000 + b'"}}\\n')`,
  'a result in lists without end': `say(b'{"cell":1,"result":{"x":' + b'[' * 1_000_000 + b']' * 1_000_000 + b'}}\\n')`,
};

/** What reads it is the same for a container's: one shows it. */
const IN_CONTAINERS = Object.entries(FORGERIES).filter(([name]) => name === 'large results without end');
const pythons = all.filter(({ language }) => language === 'python');

describe.for(pythons)('a cell in $name', ({ language, runtimeType }) => {
  test.for(runtimeType === 'Docker' ? IN_CONTAINERS : Object.entries(FORGERIES))(
    'that forges %s costs the server next to nothing',
    async ([, code]) => {
      await using other = await TestSession.open(server.wsUrl, { language, runtimeType });
      await using session = await TestSession.open(server.wsUrl, { language, runtimeType });
      await other.prints('kept = 5');
      const before = residentBytes(server.pid);
      const answer = await session.cell(`${FIND_SOCKET}${code}`, { timeout: 30 });
      expect(JSON.stringify(answer).length).toBeLessThan(20_000_000);
      expect(residentBytes(server.pid) - before).toBeLessThan(2 ** 30);
      if (!answer.success) expect(answer.error).toMatch(/its state is gone/);
      else expect(answer.result.usage.limitsHit).toEqual(['output']);
      expect(await session.prints('print("again")')).toBe('again\n');
      expect(await other.prints('print(kept)')).toBe('5\n');
    },
  );
});

test('results that there is no room for are left out, and the reply says so', async () => {
  await using session = await TestSession.open(server.wsUrl, { language: 'python' });
  const image =
    'class Image:\n  def _repr_html_(self): return "x" * 3_000_000\nfor _ in range(7): display(Image())';
  const { results, usage, outcome } = await session.done('execute_code', { code: image });
  expect(outcome).toBe('ok');
  expect(results.length).toBeGreaterThan(3);
  expect(results.length).toBeLessThan(7);
  expect(usage.limitsHit).toEqual(['output']);
  expect(await session.prints('print("here")')).toBe('here\n');
});
