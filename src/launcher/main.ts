import type { Cgroups } from '../cgroup/cgroup.ts';
import { findCgroups, NoCgroup } from '../cgroup/find.ts';
import { enterBase, seal } from './base.ts';
import { setLimit } from './libc.ts';
import type { LauncherReply, LauncherRequest, LauncherSetup } from './protocol.ts';
import { RESOURCE_LIMITS } from './resource-limits.ts';
import { Sandboxes } from './sandboxes.ts';
import type { View } from './view.ts';
import { Zygote } from './zygote.ts';

/**
 * The launcher: a small process beside the server that starts local sandboxes and takes them away. It is small so
 * that starting a process stays cheap however large the server grows, and it runs in a mount namespace of its own, so
 * that nothing it mounts is ever seen on the host or survives it. When the server goes, its standard input ends: it
 * kills all sandboxes, removes their control groups and goes too. When it is killed itself, zygote, bubblewrap
 * and all sandboxes die with it.
 *
 * This folder runs under Bun. The server's side is src/runtimes/local/launcher-client.ts.
 */

/** What a zygote may take to come up and to make a sandbox. */
const TRIAL_MS = 10_000;

// The server lets nobody read what it keeps; what lies here is for sandboxes to read, and their programs start with this.
process.umask(0o022);

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

function handle(sandboxes: Sandboxes, request: LauncherRequest): void {
  switch (request.op) {
    case 'start':
      return sandboxes.start(request.id, request.key, request.limits);
    case 'settled':
      return sandboxes.settled(request.id);
    case 'limitMemory':
      return void sandboxes
        .limitMemory(request.id, request.bytes)
        .then(done => tell({ event: 'limited', id: request.id, done }));
    case 'resize':
      return void sandboxes
        .resize(request.id, request)
        .then(done => tell({ event: 'limited', id: request.id, done }));
    case 'fork':
      return void sandboxes
        .fork(request.id, request)
        .then(pid => tell({ event: 'forked', id: request.id, pid }));
    case 'stop':
      return void sandboxes.stop(request.id);
  }
}

async function main(): Promise<void> {
  const { core, ...limits } = RESOURCE_LIMITS;
  for (const name of Object.keys(limits) as (keyof typeof limits)[]) setLimit(name, limits[name]);
  // It and the zygote hold some for every sandbox.
  setLimit('nofile');
  const lines = requests();
  const setup = (await lines.next()).value as LauncherSetup;
  let cgroups: Cgroups;
  try {
    cgroups = findCgroups(setup.instance, setup.root);
  } catch (error) {
    if (!(error instanceof NoCgroup)) throw error;
    return tell({ event: 'unable', reason: error.message, cure: error.cure });
  }
  const base = { setup, cgroups, tell: (reply: LauncherReply) => void tell(reply) };
  let sandboxes = new Sandboxes({ ...base, zygote: null, bubblewrap: null, view: null });
  try {
    // Looked up before the root is another one.
    const bubblewrap = Bun.which('bwrap', { PATH: process.env.PATH ?? '' });
    const view = enterBase(setup, cgroups.roots());
    tellOfShared(view);
    await sandboxes.stopAll();
    const zygote = setup.fork ? await raiseZygote({ ...base, view }) : null;
    if (!zygote && !bubblewrap) {
      const cure = `${setup.root ? '' : 'sudo '}apt-get install -y bubblewrap`;
      return tell({ event: 'unable', reason: 'bubblewrap is not installed', cure });
    }
    sandboxes = new Sandboxes({ ...base, view, zygote, bubblewrap });
    tell({ event: 'ready', forks: zygote !== null });
    const end = Promise.withResolvers<null>();
    void zygote?.exited.then(() => end.resolve(null));
    while (true) {
      const next = await Promise.race([lines.next(), end.promise]);
      if (!next || next.done) break;
      handle(sandboxes, next.value as LauncherRequest);
    }
  } finally {
    await sandboxes.stopAll();
    cgroups.close();
  }
}

/** A kernel or file system may have no overlays for us (an ordinary user's: before Linux 5.11). */
function tellOfShared({ trees }: View): void {
  const shared = trees.filter(tree => tree.shared !== undefined);
  if (shared.length === 0) return;
  const places = shared.map(({ target }) => target || '/').join(', ');
  process.stderr.write(
    `A program can watch and lock what others use of ${places}: each sandbox has no overlay of its own there (${shared[0]?.shared}).\n`,
  );
}

/** One that has made a sandbox; null, and the reason on standard error, where this machine does not let it. */
async function raiseZygote(base: Omit<ConstructorParameters<typeof Sandboxes>[0], 'zygote' | 'bubblewrap'>) {
  let zygote: Zygote | null = null;
  try {
    if (base.view) seal(base.view);
    zygote = new Zygote();
    const made = zygote.ready.then(() => new Sandboxes({ ...base, zygote, bubblewrap: null }).probe());
    await Promise.race([made, Bun.sleep(TRIAL_MS).then(() => Promise.reject(new Error('it took too long')))]);
    return zygote;
  } catch (error) {
    zygote?.kill();
    const reason = error instanceof Error ? error.message : error;
    process.stderr.write(`Sandboxes are started by bubblewrap: none can be forked (${reason}).\n`);
    return null;
  }
}

try {
  await main();
} catch (error) {
  await tell({ event: 'unable', reason: error instanceof Error ? error.message : String(error), cure: null });
}
process.exit(0);
