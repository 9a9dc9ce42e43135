import type { Cgroups } from '../cgroup/cgroup.ts';
import { findCgroups, NoCgroup } from '../cgroup/find.ts';
import { guarded } from '../wire/guarded.ts';
import { enterBase, seal } from './base.ts';
import { becomeZygote } from './become-zygote.ts';
import { BubblewrapMaker } from './bubblewrap-maker.ts';
import { killGroup, removeGroup } from './groups.ts';
import { setLimit } from './libc.ts';
import { type LauncherReply, type LauncherRequest, type LauncherSetup, unforkable } from './protocol.ts';
import { RESOURCE_LIMITS } from './resource-limits.ts';
import { Sandboxes } from './sandboxes.ts';
import type { View } from './view.ts';

/**
 * The launcher: a process beside the server that lays out what local sandboxes see. It has its own mount namespace, so that its mounts
 * are not visible on the host and end with it. Where sandboxes can be forked the zygote then takes its place, and the server says what
 * it does (zygote-maker.ts); elsewhere the launcher stays and has bubblewrap start them (bubblewrap-maker.ts). When the server ends, standard input ends:
 * either kills all sandboxes, removes their control groups and exits. When it is killed, bubblewrap and all sandboxes die with it. What
 * imports `bun:ffi` here runs under Bun, the rest in the server too, whose side is src/runtimes/local/launcher-client.ts.
 */

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
  const { id } = request;
  switch (request.op) {
    case 'start':
      return sandboxes.start(request);
    case 'settled':
      return sandboxes.settled(id);
    case 'limitMemory':
      return void sandboxes.limitMemory(id, request.bytes).then(done => send({ event: 'limited', id, done }));
    case 'resize':
      return void sandboxes.resize(id, request).then(done => send({ event: 'limited', id, done }));
    case 'place':
      return void sandboxes.place(id, request.pid).then(leaf => send({ event: 'placed', id, leaf }));
    case 'give':
      return sandboxes.give(id, request.leaf);
    case 'stop':
      return void sandboxes.stop(id).then(() => send({ event: 'stopped', id }));
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
  const { parents: groups } = cgroups;
  try {
    // Looked up before the root changes.
    const bubblewrap = Bun.which('bwrap', { PATH: process.env.PATH ?? '' });
    const view = enterBase(setup, cgroups.roots());
    reportShared(view);
    await stopAll(cgroups);
    if (setup.fork && sealed(view)) {
      await send({ event: 'ready', forks: true, groups });
      becomeZygote(groups);
    }
    if (!bubblewrap) {
      const remedy = `${setup.root ? '' : 'sudo '}apt-get install -y bubblewrap`;
      return send({ event: 'unable', reason: 'bubblewrap is not installed', remedy });
    }
    const sandboxes = new Sandboxes(setup, {
      cgroups,
      maker: new BubblewrapMaker(cgroups, { bubblewrap, view }),
      listener: {
        refused: (id, problem) => void send({ event: 'refused', id, problem }),
        ended: (id, stderr) => void send({ event: 'ended', id, stderr }),
      },
    });
    send({ event: 'ready', forks: false, groups });
    for await (const request of lines) guarded(handle, report)(sandboxes, request as LauncherRequest);
  } finally {
    await stopAll(cgroups);
    cgroups.close();
  }
}

/** Ends all sandboxes of this instance, including those of an earlier server. */
async function stopAll(cgroups: Cgroups): Promise<void> {
  await Promise.all(
    cgroups.list().map(async id => {
      await killGroup(cgroups, id);
      await removeGroup(cgroups, id);
    }),
  );
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

/** False, with the reason on standard error, where this machine does not allow it. */
function sealed(view: View): boolean {
  try {
    seal(view);
    return true;
  } catch (error) {
    process.stderr.write(unforkable(error));
    return false;
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
