import { expect, test, vi } from 'vitest';
import { exitCodeOfFailure } from '../../../src/cli/failure.ts';
import { CodeBeakerError } from '../../../src/client/codebeaker-error.ts';

async function told(args: readonly string[], reason: string): Promise<string> {
  const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const error = new CodeBeakerError('COMMAND_FAILED', 'looking has no wheels', { reason });
  await exitCodeOfFailure(error, { name: 'install', args });
  const text = write.mock.calls.map(([text]) => String(text)).join('');
  write.mockRestore();
  return text;
}

test('who installs what must be built is told the option, unless it was given or would not help', async () => {
  expect(await told(['id', 'looking'], 'needs_build')).toContain('codebeaker install --build');
  expect(await told(['id', 'looking', '--build'], 'needs_build')).not.toContain('--build');
  expect(await told(['id', 'looking'], 'not_found')).not.toContain('--build');
});
