import { mkdirSync } from 'node:fs';
import { closeFd, connectAbstract } from './libc.ts';
import { rootOn, sandboxCommand } from './plan.ts';
import { showView } from './show-view.ts';
import type { Started, StartRequest } from './start-request.ts';
import type { View } from './view.ts';

const KEPT_STDERR_BYTES = 800;

/** Starts bubblewrap, which starts the agent. The view goes with the disk, which is mounted at `disk`. */
export function startBubblewrap(
  request: StartRequest,
  disk: string,
  { bubblewrap, view }: { bubblewrap: string; view: View },
): Started {
  const root = rootOn(disk);
  mkdirSync(root);
  showView(view, root);
  const stream = connectAbstract(request.socket, request.greeting);
  try {
    const child = Bun.spawn({
      cmd: sandboxCommand({ ...request, disk }, bubblewrap, view),
      env: { PATH: '/usr/bin:/bin:/usr/sbin:/sbin' },
      stdin: stream,
      stdout: stream,
      stderr: 'pipe',
    });
    return { ended: lastWords(child), kill: () => child.kill('SIGKILL') };
  } finally {
    closeFd(stream);
  }
}

async function lastWords(child: Bun.Subprocess<number, number, 'pipe'>): Promise<string> {
  let stderr = '';
  const decoder = new TextDecoder();
  for await (const chunk of child.stderr) {
    if (stderr.length < KEPT_STDERR_BYTES) stderr += decoder.decode(chunk.slice(0, KEPT_STDERR_BYTES));
  }
  await child.exited;
  return stderr.trim();
}
