import { describe, expect, inject, test } from 'vitest';
import { interpreters } from '../support/matrix.ts';
import { sharedSession } from '../support/shared-session.ts';

/**
 * A cell may break the interpreter it runs in. That does no more than break its context: cells go on to work, or one
 * of them says that the state is gone and the next works.
 */
const server = inject('server');
/** In containers there are the same interpreters and kernels: what is tried there too is what ends one, or has it lose its streams. */
const ENDS = [
  'closes every descriptor',
  'writes to every descriptor',
  'leaves by os._exit',
  'forks, and both go on',
  'leaves a thread that prints',
  'leaves by process.exit',
  'leaves a timer that prints',
];

const PYTHON: Readonly<Record<string, string>> = {
  'replaces sys.stdout': 'import sys; sys.stdout = sys.stderr = None',
  'replaces print and open': 'import builtins; builtins.print = builtins.open = builtins.len = None',
  'empties builtins':
    'import builtins\nfor k in list(vars(builtins)):\n  if k != "__import__": delattr(builtins, k)',
  'closes every descriptor': 'import os; os.closerange(0, 4096)',
  'writes to every descriptor':
    'import os\nfor fd in range(1024):\n  try: os.write(fd, b"{}\\nxx\\n")\n  except OSError: pass',
  'leaves by os._exit': 'import os; os._exit(0)',
  'forks, and both go on': 'import os; os.fork()',
  'leaves a thread that prints':
    'import threading, time\ndef f():\n  while True: print("x"); time.sleep(0.01)\nthreading.Thread(target=f, daemon=True).start()',
  'empties sys.modules': 'import sys; sys.modules.clear()',
  'takes the signals': 'import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)',
};

/** Every function of an object throws. Where `pop` of arrays does, Node.js calls it for ever by itself, and nothing of ours would be tried. */
const patch = (owner: string) =>
  `const spared = globalThis.Bun ?? globalThis.Deno ? [] : ['pop'];
for (const k of Object.getOwnPropertyNames(${owner})) if (k !== 'constructor' && spared[0] !== k) try {
    if (typeof ${owner}[k] === 'function') ${owner}[k] = () => { throw new Error('patched') };
  } catch {}`;

const JAVASCRIPT: Readonly<Record<string, string>> = {
  'patches JSON': patch('JSON'),
  'patches Array.prototype': patch('Array.prototype'),
  'patches String.prototype': patch('String.prototype'),
  'patches RegExp.prototype': patch('RegExp.prototype'),
  'patches Map.prototype': patch('Map.prototype'),
  'patches Promise': patch('Promise'),
  'patches Promise.prototype': patch('Promise.prototype'),
  'patches Object': patch('Object'),
  'patches Reflect': patch('Reflect'),
  'patches process': patch('process'),
  'patches iteration': 'Array.prototype[Symbol.iterator] = () => { throw 1 }',
  'adds fields to every object':
    'Object.prototype.error = 5; Object.prototype.environment = {}; Object.prototype.toJSON = () => { throw 1 }',
  'replaces what is global':
    'globalThis.Error = globalThis.Array = globalThis.Object = globalThis.eval = null',
  'replaces console': 'console.log = process.stdout.write = () => { throw 1 }',
  'leaves by process.exit': 'process.exit(0)',
  'leaves a timer that prints': 'setInterval(() => console.log("x"), 10)',
  'throws what nothing can look at': 'throw { get message() { throw 1 }, get stack() { throw 2 } }',
};

describe.for(await interpreters())('a cell of $name', ({ language, runtimeType, dialect }) => {
  const ways = Object.entries(dialect === 'python' ? PYTHON : JAVASCRIPT).filter(
    ([way]) => runtimeType !== 'Docker' || ENDS.includes(way),
  );
  const shared = sharedSession(server.wsUrl, { language, runtimeType });
  /** Where a cell has ended its interpreter, there is another already. */
  let isNew = false;

  test.for(ways)('that %s breaks its own context at most', async ([, code]) => {
    const session = await shared();
    if (!isNew) await session.done('restart_context');
    isNew = false;
    await session.done('execute_code', { code: '1', context: 'other' });
    const answers = [await session.cell(code, { timeout: 0.5 })];
    for (let i = 0; i < 2; i++) answers.push(await session.cell('40 + 2', { timeout: 5 }));
    const works = ({ success, result }: Answer) => success && result.results[0]?.['text/plain'] === '42';
    const said = answers.some(({ error }) => error?.includes('state is gone'));
    expect(answers[2], JSON.stringify(answers)).toSatisfy(works);
    if (!works(answers[1])) expect(said, JSON.stringify(answers)).toBe(true);
    expect(await session.cell('40 + 2', { context: 'other' })).toSatisfy(works);
    isNew = said;
  });
});

interface Answer {
  readonly success: boolean;
  readonly error: string | null;
  readonly result: { readonly results: readonly Record<string, unknown>[] };
}
