import { once } from 'node:events';
import { constants } from 'node:os';
import type { Writable } from 'node:stream';
import { ServiceError } from '../errors.ts';
import { BASE_ENV } from '../runtimes/base-env.ts';
import { type Process, ProgramNotFound, type Sandbox, WORKSPACE } from '../sandbox.ts';
import { KERNELS } from '../toolchains/toolchain.ts';
import { guarded } from '../wire/guarded.ts';
import { release } from '../wire/release.ts';
import type { Done, Ecosystem, Step, StepParts } from './ecosystem.ts';
import { InstallFailed, TOO_MUCH_MEMORY } from './install-failed.ts';
import type { Layer } from './layer.ts';
import type { RegistryProcess } from './registry-process.ts';

const AGENT = `${KERNELS}/agent`;
/** Where the gateway is inside; nothing else listens in a sandbox that has just begun. */
const PORT = 3128;
export const GATEWAY = `http://127.0.0.1:${PORT}`;
/** With which a shell ends that finds no such program (sh(1)). */
const NO_PROGRAM = 127;
/** Beyond which a shell's exit code tells of the signal that ended its program (sh(1)). */
const SIGNALLED = 128;
/** Seconds. */
const RETRY_SECONDS = 1;
/** Of installers that have removed again what had no room, so that the disk is not full any more (ENOSPC). */
const NO_SPACE = /No space left on device|ENOSPC/;
/** Of the installer's output, for the client. */
const KEPT_WORDS = 64 * 1024;
/** Of a sentence that an installer ends with. */
const SHOWN_WORDS = 4096;

/** What is installed, and by what. */
export type Installing = { readonly ecosystem: Ecosystem } & Omit<StepParts, 'gateway'>;

/** How a step has ended. */
interface Ended {
  readonly code: number | null;
  /** Also of what a shell ran. */
  readonly signal: string | null;
  readonly words: string;
}

/** What there is of versions already: a layer of just these, or layers of some of them, each of one. */
export interface Known {
  readonly layer: Layer | undefined;
  readonly parts: ReadonlyMap<string, Layer>;
}

/** What a list has come to. */
export type Made =
  | { readonly there: Layer }
  | {
      /** What was installed and frozen; null where all of it is in `parts`. */
      readonly done: Done | null;
      readonly pins: readonly string[] | null;
      readonly parts: readonly Layer[];
    };

/**
 * Installs into a sandbox that was made for it: runs the installer, which reaches the registry's process and nothing else, and sends
 * what it has made there to be checked and written. Where the list comes to versions that are a layer already, it is that; of those
 * that are parts already, nothing is installed.
 * @throws {InstallFailed | ServiceError | SandboxLost | RegistryLost | ProgramNotFound}
 */
export async function installIn(
  sandbox: Sandbox,
  registry: RegistryProcess,
  what: Installing & { known: (pins: readonly string[]) => Promise<Known> },
  onPhase: (phase: 'install' | 'verify') => void,
): Promise<Made> {
  const { ecosystem, list, build } = what;
  const parts = { ...what, gateway: GATEWAY };
  await relay(sandbox, registry);
  for (const [path, text] of Object.entries(ecosystem.files(list)))
    await sandbox.files.write(path, Buffer.from(text, 'utf8'));
  const installs = async (step: Step) => {
    const ended = await run(sandbox, step, build);
    if (ended.code === NO_PROGRAM) throw new ProgramNotFound(ended.words || ecosystem.manager);
    if (ended.code !== 0) throw await failureOf(sandbox, registry, what, ended);
    return ended.words;
  };
  // What a source archive says of itself is found out by running it, each time anew.
  const resolution = build ? null : ecosystem.resolution;
  const pins = resolution ? resolution.pinsIn(await installs(resolution.step(parts))) : null;
  const known = pins && (await what.known(pins));

  if (known?.layer) return { there: known.layer };
  const there = known ? [...known.parts.values()] : [];
  const missing = pins?.filter(pin => !known?.parts.has(pin));
  if (missing?.length === 0) return { done: null, pins, parts: there };
  const [installer, ...rest] =
    there.length === 0 ? ecosystem.steps(parts) : [resolution!.parts!.only(parts, missing!)];
  await installs(installer!);
  onPhase('install');
  for (const step of rest) {
    const ended = await run(sandbox, step, build);
    if (sandbox.diskFull()) throw tooLarge(ended.words);
    if (ended.code === 0) continue;
    if (build || ended.signal) throw await failureOf(sandbox, registry, what, ended);
    throw new InstallFailed('conflict', 'The installer failed', ended.words);
  }
  onPhase('verify');
  return { done: await freeze(sandbox, registry, ecosystem), pins, parts: there };
}

/**
 * Installs one version by itself, with what makes it better, in a sandbox that was made for it.
 * @throws {InstallFailed | ServiceError | SandboxLost | RegistryLost | ProgramNotFound}
 */
export async function partIn(
  sandbox: Sandbox,
  registry: RegistryProcess,
  what: Installing,
  pin: string,
): Promise<Done> {
  const { ecosystem } = what;
  await relay(sandbox, registry);
  const ended = await run(
    sandbox,
    ecosystem.resolution!.parts!.only({ ...what, gateway: GATEWAY }, [pin]),
    false,
  );
  if (ended.code !== 0) throw await failureOf(sandbox, registry, what, ended);
  return betterIn(sandbox, registry, ecosystem);
}

/**
 * Does what makes a better layer of what was installed in a sandbox, and freezes that; what can't be done of it is left as it is.
 * @throws {InstallFailed | SandboxLost | RegistryLost}
 */
export async function betterIn(
  sandbox: Sandbox,
  registry: RegistryProcess,
  ecosystem: Ecosystem,
): Promise<Done> {
  for (const step of ecosystem.later) await run(sandbox, step, false);
  return freeze(sandbox, registry, ecosystem);
}

async function freeze(sandbox: Sandbox, registry: RegistryProcess, ecosystem: Ecosystem): Promise<Done> {
  registry.ask({ op: 'freeze' });
  const exporting = await sandbox.spawn({
    argv: [AGENT, 'export', ecosystem.out],
    cwd: WORKSPACE,
    env: {},
    stdin: 'none',
  });
  const poured = pour(exporting, registry.tree).then(() => registry.answer);
  const answer = await Promise.race([registry.answer, poured]);
  if (answer.event === 'done') return answer;
  // Nobody reads the rest, which may be without end.
  exporting.kill();
  if (answer.event === 'failed' && answer.reason !== 'internal')
    throw new InstallFailed(answer.reason, answer.sentence);
  throw new Error(
    answer.event === 'failed' ? answer.sentence : 'the registry gave an answer to another question',
  );
}

/** Joins the two ends; resolves once installers can connect. What ends it ends the install elsewhere. */
async function relay(sandbox: Sandbox, { relay: { input, output } }: RegistryProcess): Promise<void> {
  const spec = {
    argv: [AGENT, 'relay', String(PORT)],
    cwd: WORKSPACE,
    env: {},
    stdin: 'none',
    control: true,
  } as const;
  const process = await sandbox.spawn(spec);
  const onBytes = (bytes: Buffer) => void process.sendControl(bytes)?.then(() => release(bytes));
  output.on(
    'data',
    guarded(onBytes, () => process.kill()),
  );
  const ready = Promise.withResolvers<void>();
  const ended = (async () => {
    for await (const event of process.events) {
      if (event.type === 'output' && event.stream === 'stdout') ready.resolve();
      if (event.type === 'control') await write(input, event.data);
    }
    throw new Error('the relay could not start');
  })();
  ended.catch(ready.reject);
  await ready.promise;
}

/** `build`: what a stranger's code has left running ends with it, so that nothing is changed while it is frozen. */
async function run(sandbox: Sandbox, { argv, env }: Step, build: boolean): Promise<Ended> {
  const process = await sandbox.spawn({
    argv,
    cwd: WORKSPACE,
    env: { ...BASE_ENV, ...sandbox.environment, ...env },
    stdin: 'none',
  });
  let words: Buffer = Buffer.alloc(0);
  for await (const event of process.events) {
    if (event.type === 'output') words = Buffer.concat([words, event.data]).subarray(-KEPT_WORDS);
    if (event.type !== 'exit') continue;
    if (build) process.kill();
    const { code } = event;
    const [below] = Object.entries(constants.signals).find(([, number]) => SIGNALLED + number === code) ?? [];
    return { code, signal: event.signal ?? below ?? null, words: words.toString('utf8').trim() };
  }
  return { code: null, signal: null, words: '' };
}

async function failureOf(
  sandbox: Sandbox,
  registry: RegistryProcess,
  { ecosystem, build }: { ecosystem: Ecosystem; build: boolean },
  { signal, words }: Ended,
): Promise<InstallFailed | ServiceError> {
  if (sandbox.diskFull() || NO_SPACE.test(words)) return tooLarge(words);
  const shown = words.slice(-SHOWN_WORDS);
  if ((await sandbox.measure()).oomKills > 0) return new InstallFailed('too_large', TOO_MUCH_MEMORY, shown);
  // What a build runs is a stranger's, and may end what it likes.
  if (signal && !build)
    return new ServiceError('INTERNAL_ERROR', `The installer of the packages was ended by ${signal}`, {
      details: 'It is no fault of the packages: try again',
      retryAfter: RETRY_SECONDS,
    });
  registry.ask({ op: 'facts' });
  const answer = await registry.answer;
  const refused = answer.event === 'facts' ? answer.failure : null;
  if (refused && refused.reason !== 'not_found')
    return new InstallFailed(refused.reason, refused.sentence, shown);
  const said = ecosystem.reasonOf(words);
  if (said) {
    const missing = said === 'not_found' && ecosystem.missingIn?.(words);
    const sentences = build ? { ...SENTENCES, ...BUILDING } : SENTENCES;
    const told = missing ? `There is no ${missing}` : sentences[said]!;
    const sentence = refused?.reason === said ? refused.sentence : told;
    return new InstallFailed(said, sentence, shown);
  }
  if (refused) return new InstallFailed(refused.reason, refused.sentence, shown);
  if (signal) return new InstallFailed('needs_build', BUILDING.needs_build!, shown);
  return new InstallFailed('conflict', 'The packages can not be installed together', shown);
}

const SENTENCES: Partial<Record<InstallFailed['reason'], string>> = {
  not_found: 'There is no such package, or no such version of it',
  digest: 'A package is not what its checksum says',
  denied: 'A package needs another from a place that is not the registry',
  needs_build: 'A package has nothing that fits this interpreter without being built',
};

const BUILDING: typeof SENTENCES = {
  needs_build: 'A package could not be built, or a script of it failed',
};

function tooLarge(words: string): InstallFailed {
  const sentence = 'The packages are larger than the disk of the sandbox that they are installed in';
  return new InstallFailed('too_large', sentence, words.slice(-SHOWN_WORDS));
}

async function pour(process: Process, into: Writable): Promise<void> {
  for await (const event of process.events)
    if (event.type === 'output' && event.stream === 'stdout')
      await write(into, event.data, () => release(event.data));
  into.end();
}

async function write(into: Writable, data: Uint8Array, left = () => {}): Promise<void> {
  if (into.write(data, left) || into.destroyed) return;
  const gone = new AbortController();
  try {
    await Promise.race([
      once(into, 'drain', { signal: gone.signal }),
      once(into, 'close', { signal: gone.signal }),
    ]);
  } catch {
    // The other side has gone, which is told by its own answer.
  } finally {
    gone.abort();
  }
}
