import { isUtf8 } from 'node:buffer';
import type { RunResult } from '../../commands/command.ts';
import type { Encoding } from '../../schemas/execution.ts';

type Output = Pick<RunResult, 'stdout' | 'stderr' | 'stdoutEncoding' | 'encodingErrors'>;

/** Both streams as a reply carries them. Bytes that are not UTF-8 become U+FFFD in text, and the reply says so. */
export function encodeOutput(stdout: Buffer, stderr: Buffer, encoding: Encoding = 'utf8'): Output {
  const output = { stdout: stdout.toString(encoding), stderr: stderr.toString(encoding) };
  if (encoding === 'base64') return { ...output, stdoutEncoding: encoding };
  return isUtf8(stdout) && isUtf8(stderr) ? output : { ...output, encodingErrors: true };
}

/** Bytes of a stream of a result. */
export function decodeOutput(result: RunResult, stream: 'stdout' | 'stderr'): Buffer {
  return Buffer.from(result[stream], result.stdoutEncoding ?? 'utf8');
}
