import { expect, test } from 'vitest';
import { installPackages } from '../../../src/commands/install-packages.ts';

/** What is asked to be installed by a file that a program may have written. */
async function listOf(text: string): Promise<readonly string[]> {
  let asked: readonly string[] = [];
  const context = {
    files: { read: async () => ({ data: Buffer.from(text), size: text.length }) },
    installPackages: async ({ list }: { list: readonly string[] }) => {
      asked = list;
      return { failed: { sentence: 'Nothing is', reason: 'not_found', words: '' } };
    },
  };
  await installPackages.run({ requirementsFile: 'r.txt' }, context as never);
  return asked;
}

test('lines are requirements, but for what is empty or a comment', async () => {
  expect(await listOf('six\n\n# a comment\r\n pandas==2.* # another\nidna#1\n#')).toEqual([
    'six',
    'pandas==2.*',
    'idna#1',
  ]);
});

test.each(['\r', '\u2028', '\u2029', '\v'])('a comment goes to its line’s end, also over %j', async end => {
  expect(await listOf(`six #${' #'.repeat(1000)}${end}x\nidna`)).toEqual(['six', 'idna']);
});
