import type { Cgroups } from '../cgroup/cgroup.ts';
import { findCgroups, NoCgroup } from '../cgroup/find.ts';
import { enterBase } from './base.ts';
import type { LauncherReply, LauncherRequest, LauncherSetup } from './protocol.ts';
import { Sandboxes } from './sandboxes.ts';

/**
 * The launcher: a small process beside the server that starts local sandboxes and takes them away. It is small so
 * that starting a process stays cheap however large the server grows, and it runs in a mount namespace of its own, so
 * that nothing it mounts is ever seen on the host or survives it. When the server goes, its standard input ends: it
 * kills all sandboxes, removes their control groups and goes too. When it is killed itself, bubblewrap dies with it.
 *
 * This folder runs under Bun and imports src/cgroup only. The server's side is src/runtimes/local/launcher-client.ts.
 */

const output = Bun.stdout.writer();

/** A server that is gone hears nothing; that must not keep the launcher from cleaning up. */
async function tell(reply: LauncherReply): Promise<void> {
  try {
    output.write(`${JSON.stringify(reply)}\n`);
    await output.flush();
  } catch {}
}

async function* requests(): AsyncGenerator<unknown> {
  const decoder = new TextDecoder();
  let held = '';
  for await (const chunk of Bun.stdin.stream()) {
    const lines = (held + decoder.decode(chunk, { stream: true })).split('\n');
    held = lines.pop() ?? '';
    for (const line of lines) yield JSON.parse(line);
  }
}

function obey(sandboxes: Sandboxes, request: LauncherRequest): void {
  switch (request.op) {
    case 'start':
      return sandboxes.start(request.id, request.limits);
    case 'settled':
      return sandboxes.settled(request.id);
    case 'limitMemory':
      return void tell({
        event: 'limited',
        id: request.id,
        done: sandboxes.limitMemory(request.id, request.bytes),
      });
    case 'resize':
      return void tell({ event: 'limited', id: request.id, done: sandboxes.resize(request.id, request) });
    case 'stop':
      return void sandboxes.stop(request.id);
  }
}

async function main(): Promise<void> {
  const lines = requests();
  const setup = (await lines.next()).value as LauncherSetup;
  const bubblewrap = Bun.which('bwrap', { PATH: process.env.PATH ?? '' });
  if (!bubblewrap) {
    return tell({
      event: 'unable',
      reason: 'bubblewrap is not installed',
      cure: `${setup.root ? '' : 'sudo '}apt-get install -y bubblewrap`,
    });
  }
  let cgroups: Cgroups;
  try {
    cgroups = findCgroups(setup.instance, setup.root);
  } catch (error) {
    if (!(error instanceof NoCgroup)) throw error;
    return tell({ event: 'unable', reason: error.message, cure: error.cure });
  }
  const sandboxes = new Sandboxes({ setup, cgroups, bubblewrap, tell: reply => void tell(reply) });
  try {
    await enterBase(setup, cgroups.roots());
    await sandboxes.stopAll();
    tell({ event: 'ready' });
    for await (const request of lines) obey(sandboxes, request as LauncherRequest);
  } finally {
    await sandboxes.stopAll();
    cgroups.close();
  }
}

try {
  await main();
} catch (error) {
  await tell({ event: 'unable', reason: error instanceof Error ? error.message : String(error), cure: null });
}
process.exit(0);
