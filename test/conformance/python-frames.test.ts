import { describe, expect, inject, test } from 'vitest';
import { lentSession } from '../support/lent-session.ts';
import { matrix } from '../support/matrix.ts';
import { TestSession } from '../support/session.ts';

/** What a Python cell tells of its errors, warnings and stack is its own, and names nothing of the kernel. */
const server = inject('server');
const cells = (await matrix()).filter(({ dialect }) => dialect === 'python');

const OURS = /codebeaker|kernel\.py|awaiting|frozen|_bootstrap/;

describe.for(cells)('a cell of $language on $runtimeType', ({ language, runtimeType }) => {
  const open = () => lentSession(server.wsUrl, { language, runtimeType });

  test('prints its own stack', async () => {
    await using session = await TestSession.open(server.wsUrl, { language, runtimeType });
    const code = `
import inspect, logging, traceback, warnings
def f():
    warnings.warn('in f', stacklevel=2)
    traceback.print_stack()
    return [info.function for info in inspect.stack()]
print(f())
warnings.warn('beyond', stacklevel=2)
warnings.warn('further', stacklevel=9)
try: 1 / 0
except ZeroDivisionError: traceback.print_exc()
logging.warning('told', stack_info=True)`;
    const { stdout, stderr } = await session.done('execute_code', { code });
    expect(stdout).toBe("['f', '<module>']\n");
    expect(stderr).not.toMatch(OURS);
    expect(stderr.split('\n')).toEqual([
      '<cell 1>:7: UserWarning: in f',
      '  print(f())',
      '  File "<cell 1>", line 7, in <module>',
      '    print(f())',
      '  File "<cell 1>", line 5, in f',
      '    traceback.print_stack()',
      'sys:1: UserWarning: beyond',
      'sys:1: UserWarning: further',
      'Traceback (most recent call last):',
      '  File "<cell 1>", line 10, in <module>',
      '    try: 1 / 0',
      expect.stringMatching(/^ +~~\^~~$/),
      'ZeroDivisionError: division by zero',
      'WARNING:root:told',
      'Stack (most recent call last):',
      '  File "<cell 1>", line 12, in <module>',
      `    logging.warning('told', stack_info=True)`,
      '',
    ]);
  });

  test('fails with its own frames, and all of them', async () => {
    await using session = await open();
    await session.prints(`
import asyncio
async def fail(): raise ValueError('deep') from KeyError('cause')
class Bad:
    def __repr__(self): return str(1 / 0)`);
    for (const [code, ...places] of [
      ['await fail()', 'line 1, in <module>', 'line 3, in fail', "KeyError: 'cause'"],
      ['asyncio.run(fail())', 'line 1, in <module>', 'runners.py', 'line 3, in fail'],
      ['Bad()', 'line 5, in __repr__'],
      ['display(Bad())', 'line 1, in <module>', 'line 5, in __repr__'],
      ['try: 1 / 0\nexcept Exception: nosuch', 'ZeroDivisionError', 'During handling', 'NameError'],
      ['raise SyntaxError("mine")', 'line 1, in <module>'],
      ['%time await fail()', 'line 1, in <module>', 'line 3, in fail'],
      ['!true\n1 / 0', 'line 2, in <module>'],
    ] as const) {
      const { traceback } = (await session.cell(code)).result.error;
      expect(traceback).not.toMatch(OURS);
      for (const place of places) expect(traceback).toContain(place);
    }
  });

  test('is warned of what it left, and not of how it was run', async () => {
    await using session = await open();
    const code = 'async def never(): pass\nasync def outer(): never()\nawait outer()\nnever()\nNone';
    const { stderr } = await session.done('execute_code', { code });
    expect(stderr.match(/never awaited/g)).toHaveLength(2);
    expect(stderr).not.toMatch(OURS);
  });
});
