import { expect, test } from 'vitest';
import { NoSandbox } from '../../src/runtimes/no-sandbox.ts';

test.for([
  ['Python', 'PR_SET_SECCOMP failed (errno 524)'],
  ['Bun', 'PR_SET_SECCOMP failed (errno 12)'],
  ['Deno', 'the stream to the sandbox has ended: bwrap: prctl(PR_SET_SECCOMP): Unknown error 524'],
  ['NodeJs', 'bwrap: prctl(PR_SET_SECCOMP): Cannot allocate memory'],
  [
    'Docker',
    'OCI runtime create failed: runc create failed: unable to init seccomp: error loading seccomp filter into kernel: error loading seccomp filter: errno 524',
  ],
] as const)(
  'a start on %s for which no filter could be compiled is told, and is to be retried',
  ([runtime, words]) => {
    expect(new NoSandbox(runtime, new Error(words))).toMatchObject({
      code: 'RUNTIME_UNAVAILABLE',
      message: expect.stringMatching(/^\w+: no sandbox could be made: .*filter.*try again$/),
      retryAfter: 1,
      shortage: 'filters',
    });
  },
);

test('any other start that fails says why', () => {
  const error = new NoSandbox('Bun', new Error('PR_SET_SECCOMP failed (errno 22)'));
  expect(error.message).toBe('Bun: no sandbox could be made: PR_SET_SECCOMP failed (errno 22)');
  expect(error.retryAfter).toBeUndefined();
  expect(error.shortage).toBe('other');
});
