import { expect, test } from 'vitest';
import { InstallFailed } from '../../src/packages/install-failed.ts';
import { npm } from '../../src/packages/npm.ts';
import { python } from '../../src/packages/python.ts';
import { ToldInstalls } from './told-installs.ts';

/** An installer that a signal has ended has said nothing about whether packages go together. */

test('one that was killed for its memory is told as that, by whatever it was started', async () => {
  using installs = new ToldInstalls();
  for (const [ecosystem, ended] of [
    [python, { code: null, signal: 'SIGKILL' }],
    // By a shell.
    [npm, { code: 137 }],
  ] as const) {
    installs.ended = sandbox => {
      sandbox.measurement = { ...sandbox.measurement, oomKills: 1 };
      return ended;
    };
    const error = await installs.install(ecosystem, ['lead']).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(InstallFailed);
    expect(error).toMatchObject({ reason: 'too_large', message: expect.stringContaining('more memory') });
  }
});

test('one that ended by another signal may be tried again', async () => {
  using installs = new ToldInstalls();
  for (const [ecosystem, ended, signal] of [
    [python, { code: null, signal: 'SIGKILL' }, 'SIGKILL'],
    [npm, { code: 139 }, 'SIGSEGV'],
  ] as const) {
    installs.ended = () => ended;
    await expect(installs.install(ecosystem, ['lead'])).rejects.toMatchObject({
      code: 'INTERNAL_ERROR',
      message: expect.stringContaining(signal),
      retryAfter: 1,
    });
  }
});
