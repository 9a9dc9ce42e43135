import { expect, test } from 'vitest';
import { pinned } from '../../../src/packages/pinned.ts';
import { python } from '../../../src/packages/python.ts';

const pinsIn = (words: string) => python.resolution!.pinsIn(words);
const RESOLVED = 'Using CPython 3.11.2\nResolved 2 packages in 411ms\nWould download 2 packages\n';

test('what uv would install is read from its last words', () => {
  const words = `${RESOLVED}Would install 2 packages\n + numpy==2.4.6\n + python-dateutil==4.0.0.post1`;
  expect(pinsIn(words)).toEqual(['numpy==2.4.6', 'python-dateutil==4.0.0.post1']);
  expect(pinsIn('Resolved 1 package in 1ms\nWould install 1 package\n + six==1.17.0')).toEqual([
    'six==1.17.0',
  ]);
});

test.each([
  ['nothing', ''],
  ['what was cut off', `${RESOLVED}Would install 3 packages\n + numpy==2.4.6\n + six==1`],
  ['what goes on', `${RESOLVED}Would install 1 package\n + six==1\nwarning: something`],
  ['a version of whatever length', `Would install 1 package\n + ${'='.repeat(60_000)} x`],
  ['a place without spaces', `${RESOLVED}Would install 1 package\n + six@file:///tmp==x`],
  ['an option', `${RESOLVED}Would install 1 package\n + --find-links==x`],
  ['a place', `${RESOLVED}Would install 1 package\n + six @ file:///tmp/six`],
])('%s is no list of versions', (_, words) => {
  expect(pinsIn(words)).toBeNull();
});

test('a wheel of the service’s own is installed by its digest, and its versions are asked of nobody', () => {
  const { ecosystem, list } = pinned({ project: 'six', version: '1.17.0', sha256: 'ab'.repeat(32) });
  const [step] = ecosystem.steps({
    toolLayer: 'uv',
    gateway: 'http://gateway',
    list,
    checksums: null,
    build: false,
  });
  expect(step!.argv).toContain('--require-hashes');
  expect(step!.argv.join(' ')).not.toContain('--hash');
  expect(ecosystem.resolution).toBeNull();
});
