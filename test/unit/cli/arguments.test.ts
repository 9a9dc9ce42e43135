import { describe, expect, test } from 'vitest';
import { Arguments, UsageError } from '../../../src/cli/arguments.ts';
import { packagesOf, REQUEST_OPTIONS } from '../../../src/cli/request-options.ts';

/** What follows the name of a command. */
const OPTIONS = {
  ...REQUEST_OPTIONS,
  timeout: { type: 'string', short: 't', value: 'SECONDS', help: '' },
  json: { type: 'boolean', help: '' },
} as const;
const read = (...args: string[]) => new Arguments(args, OPTIONS);

test('options stand before and behind operands, and what follows -- is not looked at', () => {
  const args = read('--json', 'a.py', '-t', '5', '-e', 'A=1', '--env=B=2', '--', '--json', '-x', '--');
  expect(args.operands).toEqual(['a.py']);
  expect(args.rest).toEqual(['--json', '-x', '--']);
  expect([args.flag('json'), args.number('timeout'), args.list('env')]).toEqual([true, 5, ['A=1', 'B=2']]);
  expect(read('a').rest).toBeUndefined();
  expect(read('-').operands).toEqual(['-']);
});

test.each([
  [['--timout', '5'], '--timout is no option here; did you mean --timeout?'],
  [['--nothing-like-it'], '--nothing-like-it is no option here; what belongs to a program stands behind --.'],
  [['-x'], '-x is no option here; what belongs to a program stands behind --.'],
  [['--timeout'], '--timeout needs a value.'],
  [['--timeout', '--json'], '--timeout needs a value; if it is --json, write --timeout=--json.'],
  [['--json=yes'], '--json takes no value.'],
  [['--no-json'], '--no-json is no option here; what belongs to a program stands behind --.'],
  [['-t', '1', '--timeout', '2'], '--timeout is given twice.'],
  [['--constructor', '1'], '--constructor is no option here; what belongs to a program stands behind --.'],
])('%j is refused in words', (args, message) => {
  expect(() => read(...args)).toThrow(new UsageError(message));
});

test.each(['', '-1', '1e9', '0x10', '5s', ' 5', 'NaN'])('a number can not be %j', text => {
  expect(() => read(`--timeout=${text}`).number('timeout')).toThrow(UsageError);
});

test('operands have names, of which none may be missing and none come after', () => {
  expect(read('a', 'b').only('FROM', 'TO')).toEqual(['a', 'b']);
  expect(() => read('a').only('FROM', 'TO')).toThrow('TO is missing.');
  expect(() => read('a', 'b').only('FROM')).toThrow('"b" is one too many.');
  expect(() => read('a', '--', 'b').withoutRest()).toThrow(UsageError);
});

describe('packages', () => {
  test.each([
    ['numpy', ['numpy']],
    ['numpy, pandas==2.*', ['numpy', 'pandas==2.*']],
    ['requests[socks,use_chardet]>=2,<3,six', ['requests[socks,use_chardet]>=2,<3', 'six']],
    ['@scope/name@^1.2,lodash', ['@scope/name@^1.2', 'lodash']],
  ])('%s', (text, list) => {
    expect(packagesOf(read('-p', text))).toEqual(list);
  });
});
