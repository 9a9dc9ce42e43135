import type { Cgroups } from '../cgroup/cgroup.ts';
import { findCgroups, NoCgroup } from '../cgroup/find.ts';
import { guarded } from '../wire/guarded.ts';
import { enterBase, seal } from './base.ts';
import { setLimit } from './libc.ts';
import type { LauncherReply, LauncherRequest, LauncherSetup } from './protocol.ts';
import { RESOURCE_LIMITS } from './resource-limits.ts';
import { FORKED_TASKS, Sandboxes } from './sandboxes.ts';
import type { View } from './view.ts';
import { Zygote } from './zygote.ts';

/**
 * The launcher: a small process beside the server that starts and removes local sandboxes. It is small so
 * that starting a process stays cheap however large the server grows. It has its own mount namespace, so that
 * its mounts are not visible on the host and end with it. When the server ends, its standard input ends: it
 * kills all sandboxes, removes their control groups and exits. When it is killed, the zygote, bubblewrap and
 * all sandboxes die with it. This folder runs under Bun. The server's side is
 * src/runtimes/local/launcher-client.ts.
 */

/** Time limit for a zygote to start and to make a sandbox, milliseconds. */
const PROBE_MS = 10_000;

// The server lets nobody read what it keeps; what lies here is for sandboxes to read, and their programs start with this.
process.umask(0o022);

/** What goes wrong with one sandbox must not end all others, which die with this process. */
function report(problem: unknown): void {
  process.stderr.write(`The launcher: ${problem instanceof Error ? problem.message : problem}\n`);
}
process.on('unhandledRejection', report);

const output = Bun.stdout.writer();

/** Sends a reply. A failure is ignored: the server has gone, and the launcher must still clean up. */
async function send(reply: LauncherReply): Promise<void> {
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
    for (const line of lines) {
      try {
        yield JSON.parse(line);
      } catch (error) {
        report(error);
      }
    }
  }
}

function handle(sandboxes: Sandboxes, request: LauncherRequest): void {
  switch (request.op) {
    case 'start':
      return sandboxes.start(request);
    case 'settled':
      return sandboxes.settled(request.id);
    case 'limitMemory':
      return void sandboxes
        .limitMemory(request.id, request.bytes)
        .then(done => send({ event: 'limited', id: request.id, done }));
    case 'resize':
      return void sandboxes
        .resize(request.id, request)
        .then(done => send({ event: 'limited', id: request.id, done }));
    case 'fork':
      return void sandboxes
        .fork(request.id, request)
        .then(forked => send({ event: 'forked', id: request.id, forked }));
    case 'place':
      return void sandboxes
        .place(request.id, request.pid)
        .then(leaf => send({ event: 'placed', id: request.id, leaf }));
    case 'give':
      return sandboxes.give(request.id, request.leaf);
    case 'stop':
      return void sandboxes.stop(request.id);
  }
}

async function main(): Promise<void> {
  const { core, ...limits } = RESOURCE_LIMITS;
  for (const name of Object.keys(limits) as (keyof typeof limits)[]) setLimit(name, limits[name]);
  // The launcher and the zygote hold some descriptors for every sandbox.
  setLimit('nofile');
  const lines = requests();
  const setup = (await lines.next()).value as LauncherSetup;
  let cgroups: Cgroups;
  try {
    cgroups = findCgroups(setup.instance, setup.root);
  } catch (error) {
    if (!(error instanceof NoCgroup)) throw error;
    return send({ event: 'unable', reason: error.message, remedy: error.remedy });
  }
  const base = { setup, cgroups, send: (reply: LauncherReply) => void send(reply) };
  let sandboxes = new Sandboxes({ ...base, zygote: null, bubblewrap: null, view: null });
  try {
    // Looked up before the root changes.
    const bubblewrap = Bun.which('bwrap', { PATH: process.env.PATH ?? '' });
    const view = enterBase(setup, cgroups.roots());
    reportShared(view);
    await sandboxes.stopAll();
    const zygote = setup.fork ? await startZygote({ ...base, view }) : null;
    if (!zygote && !bubblewrap) {
      const remedy = `${setup.root ? '' : 'sudo '}apt-get install -y bubblewrap`;
      return send({ event: 'unable', reason: 'bubblewrap is not installed', remedy });
    }
    sandboxes = new Sandboxes({ ...base, view, zygote, bubblewrap });
    const forks = zygote !== null;
    send({ event: 'ready', forks, groups: cgroups.parents, agentTasks: forks ? FORKED_TASKS : null });
    const end = Promise.withResolvers<null>();
    void zygote?.exited.then(() => end.resolve(null));
    while (true) {
      const next = await Promise.race([lines.next(), end.promise]);
      if (!next || next.done) break;
      guarded(handle, report)(sandboxes, next.value as LauncherRequest);
    }
  } finally {
    await sandboxes.stopAll();
    cgroups.close();
  }
}

/**
 * Reports trees without overlays, which some kernels and file systems don't allow (for ordinary users: before
 * Linux 5.11).
 */
function reportShared({ trees }: View): void {
  const shared = trees.filter(tree => tree.shared !== undefined);
  if (shared.length === 0) return;
  const places = shared.map(({ target }) => target || '/').join(', ');
  process.stderr.write(
    `A program can watch and lock what others use of ${places}: each sandbox has no overlay of its own there (${shared[0]?.shared}).\n`,
  );
}

/**
 * Starts a zygote and has it make a sandbox. Null, with the reason on standard error, where this machine does
 * not allow it.
 */
async function startZygote(base: Omit<ConstructorParameters<typeof Sandboxes>[0], 'zygote' | 'bubblewrap'>) {
  let zygote: Zygote | null = null;
  try {
    if (base.view) seal(base.view);
    zygote = new Zygote();
    const made = zygote.ready.then(() => new Sandboxes({ ...base, zygote, bubblewrap: null }).probe());
    await Promise.race([made, Bun.sleep(PROBE_MS).then(() => Promise.reject(new Error('it took too long')))]);
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
  await send({
    event: 'unable',
    reason: error instanceof Error ? error.message : String(error),
    remedy: null,
  });
}
process.exit(0);
