import { mkdirSync } from 'node:fs';
import { dropRights, openControl } from '../../confined/control.ts';
import type { ConfinedSetup } from '../../confined/protocol.ts';
import { RelayStreams } from '../../wire/relay-streams.ts';
import { ArtifactCache, WrongDigest } from './artifacts.ts';
import { AskedPages } from './asked-pages.ts';
import { Facts } from './facts.ts';
import { BadTree, freeze, TreeTooLarge } from './freeze.ts';
import { Gateway } from './gateway.ts';
import { KeptPages } from './kept-pages.ts';
import { kinds } from './kinds.ts';
import { lookUpOnce } from './look-up-once.ts';
import type { Offers } from './package-index.ts';
import { Policy } from './policy.ts';
import {
  PAGES_SOCKET,
  type PagesEvent,
  type PagesRequest,
  type PagesSetup,
  type Picked,
  type RegistryEvent,
  type RegistryRequest,
  type RegistrySetup,
  TREE_FD,
  type Wanted,
  type Work,
} from './protocol.ts';
import { PythonIndex } from './python-index.ts';
import { piecesFrom, readTree } from './tree-reader.ts';
import { type Pages, TooLarge, Unreachable, Upstream } from './upstream.ts';
import { unpackProgram } from './wheel-tool.ts';

/**
 * The registry's process of one install: it talks to registries and reads what came of an install. It may be started before there is one,
 * works for one and ends with it, without a right that it does not need: as root it becomes a user of its own first, which owns its directory alone,
 * and Node's permissions keep it from starting programs. It cannot be told to do anything else, and
 * knows nothing of sessions, keys or other installs. This folder imports the wire and what
 * confines it, and nothing above. One more such process keeps pages for all installs, and reads of any
 * no more than what its list names.
 */

/** Where the frozen tree goes, below the directory that this was started in. */
const TREE = 'tree';

// The server lets nobody read what it keeps; what is written here is for sandboxes to read.
process.umask(0o022);
lookUpOnce();

const control = openControl<RegistryEvent | PagesEvent>();
const { send } = control;

async function install(setup: RegistrySetup, work: Extract<Work, { kind: 'install' }>): Promise<void> {
  const kind = kinds[work.ecosystem];
  const facts = new Facts();
  const pages = setup.pages === null ? null : new AskedPages(setup.pages, work.ecosystem);
  const upstream = new Upstream(setup.index, { pages });
  const cache = new ArtifactCache(setup.cache);
  const policy = new Policy({ ...setup, deny: setup.deny.map(kind.spelled) });
  const { address, build } = work;
  const { described, index: settings } = setup;
  const index = kind.index({ upstream, policy, facts, address, build, described, settings });
  const gateway = new Gateway({ index, upstream, cache, facts, onProgress: throttled() });
  new RelayStreams({
    input: process.stdin,
    output: process.stdout,
    onStream: stream => gateway.take(stream),
    onBroken: () => {},
  });
  const { op } = (await control.next()) as RegistryRequest;
  if (op === 'facts') return void send({ event: 'facts', failure: facts.failure });
  const entries = readTree(piecesFrom(TREE_FD));
  mkdirSync(TREE, { mode: 0o755 });
  const frozen = freeze(entries, TREE, { ...kind, bounds: setup.bounds });
  const installed = kind.check(frozen, facts);
  const told = kind.told?.(frozen, installed, facts);
  send({ event: 'done', id: frozen.id, bytes: frozen.bytes, installed, ...told });
}

async function fetchTool(setup: RegistrySetup, work: Extract<Work, { kind: 'tool' }>): Promise<void> {
  const facts = new Facts();
  const upstream = new Upstream(setup.index);
  const policy = new Policy({ deny: [], minAgeDays: 0 });
  const index = new PythonIndex({ upstream, policy, facts, build: false, described: null });
  await index.page(work.project);
  const file = index.file(work.file);
  if (!file) throw new Unreachable(`the index has no ${work.file}`);
  // Its digest is ours, whatever the index says.
  const digest = { algorithm: 'sha256', hex: work.sha256 } as const;
  const fetch = () => upstream.get(file.url, { 'accept-encoding': 'identity' });
  const pieces: Uint8Array[] = [];
  for await (const piece of new ArtifactCache(setup.cache).read(digest, fetch))
    pieces.push(Buffer.from(piece));
  mkdirSync(TREE, { mode: 0o755 });
  const wheel = Buffer.concat(pieces);
  const name = new RegExp(`\\.data/scripts/${work.program}$`);
  const bytes = unpackProgram(wheel, name, `${TREE}/${work.program}`);
  send({ event: 'done', id: work.sha256, bytes, installed: [] });
}

/** Until the server ends it. */
async function keepPages(setup: PagesSetup): Promise<never> {
  const pages = new KeptPages(setup.indexes, { telling: setup });
  pages.listen(PAGES_SOCKET);
  const offers: Offers = new WeakMap();
  const picking = new Map<number, AbortController>();
  while (true) {
    const request = (await control.next()) as PagesRequest;
    if (request.op === 'answer') send({ event: 'answer' });
    else if (request.op === 'drop') picking.get(request.number)?.abort();
    else {
      const { number, ecosystem } = request;
      const dropped = new AbortController();
      picking.set(number, dropped);
      const shared = { pages: pages.of(ecosystem, dropped.signal), offers };
      void picked(setup, shared, request).then(versions => {
        picking.delete(number);
        send({ event: 'picked', number, versions });
      });
    }
  }
}

/** As an index of an install's own would have it. */
async function picked(
  { indexes, deny, minAgeDays }: PagesSetup,
  { pages, offers }: { pages: Pages; offers: Offers },
  { ecosystem, list }: Extract<PagesRequest, { op: 'pick' }>,
): Promise<Picked> {
  const [kind, settings] = [kinds[ecosystem], indexes[ecosystem]];
  if (!settings) return [];
  const index = kind.index({
    upstream: new Upstream(settings, { pages }),
    policy: new Policy({ deny: deny.map(kind.spelled), minAgeDays }),
    facts: new Facts(),
    ...{ address: '', build: false, described: '', settings, offers },
  });
  const pick = async ({ name, versions }: Wanted) => (await index.pick?.(name, versions)) ?? null;
  return Promise.all(list.map(each => pick(each).catch(() => null)));
}

/** At most ten a second, but for what begins a phase of a package, and of that so much: what is built may ask for anything, over and over. */
function throttled(): ConstructorParameters<typeof Gateway>[0]['onProgress'] {
  const STEP_MS = 100;
  let sooner = 1000;
  let last = 0;
  let shown = '';
  return progress => {
    const now = performance.now();
    const what = `${progress.phase} ${progress.package}`;
    const whole = progress.bytes !== null && progress.bytes === progress.totalBytes;
    if (now - last < STEP_MS && ((what === shown && !whole) || sooner-- <= 0)) return;
    last = now;
    shown = what;
    send({ event: 'progress', progress });
  };
}

function reasonOf(error: unknown): Extract<RegistryEvent, { event: 'failed' }> {
  const { message } = error as Error;
  const failed = (reason: Extract<RegistryEvent, { event: 'failed' }>['reason'], sentence: string) =>
    ({ event: 'failed', reason, sentence }) as const;
  if (error instanceof BadTree) return failed('digest', `What was installed is refused: ${message}`);
  if (error instanceof WrongDigest) return failed('digest', message);
  if (error instanceof TreeTooLarge || error instanceof TooLarge)
    return failed('too_large', `What was installed has ${message}`);
  if (error instanceof Unreachable) return failed('registry_unreachable', message);
  if ((error as NodeJS.ErrnoException).code === 'ENOSPC')
    return failed('too_large', "The disk of this server's data directory is full");
  return failed('internal', message);
}

try {
  const confined = (await control.next()) as ConfinedSetup | PagesSetup;
  dropRights(confined);
  if ('indexes' in confined) await keepPages(confined);
  const setup = (await control.next()) as RegistrySetup;
  await (setup.work.kind === 'tool' ? fetchTool(setup, setup.work) : install(setup, setup.work));
} catch (error) {
  send(reasonOf(error));
} finally {
  control.end();
}
