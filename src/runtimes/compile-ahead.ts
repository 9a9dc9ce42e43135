import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import type { CellRequest } from '../kernels/protocol.ts';
import { WARM_UP } from '../toolchains/warm-up.ts';
import { guarded } from '../wire/guarded.ts';
import { LineReader } from '../wire/line-reader.ts';

/** What it may take; without, kernels compile by themselves. Milliseconds. */
const MOST_MS = 20_000;
const MAX_LINE_BYTES = 64 * 1024;
/** Of what cells mostly do, so that it is compiled by then. */
const CELLS: readonly Pick<CellRequest, 'code' | 'typescript'>[] = [
  { code: WARM_UP, typescript: false },
  { code: 'import os from "node:os"; class D { e = [os.EOL] } new D()', typescript: false },
  { code: 'enum A { B } const c: A[] = [A.B]; c', typescript: true },
  { code: 'null.f', typescript: false },
];

/**
 * Has the kernel of Node.js in a library write down what V8 has compiled of it (src/kernels/javascript/v8/bundles.ts). Resolves as well
 * where it can't.
 */
export async function compileAhead(node: string, library: string): Promise<void> {
  const kernel = spawn(node, [join(library, 'javascript/node.cjs'), library, 'keep'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    env: {},
    timeout: MOST_MS,
    killSignal: 'SIGKILL',
  });
  const control = kernel.stdio[3] as Duplex;
  const lines = new LineReader(MAX_LINE_BYTES);
  let next = 0;
  const onData = (bytes: Buffer) => {
    for (const line of lines.push(bytes)) {
      const { ready, done } = JSON.parse(line) as { ready?: boolean; done?: boolean };
      if (!ready && !done) continue;
      const cell = CELLS[next++];
      if (!cell) control.end();
      else control.write(`${JSON.stringify({ ...cell, cell: next, stdin: '/dev/null' })}\n`);
    }
  };
  control.on(
    'data',
    guarded(onData, () => kernel.kill('SIGKILL')),
  );
  control.on('error', () => {});
  await once(kernel, 'close').catch(() => {});
}
