import { type Static, Type } from '@sinclair/typebox';
import type Docker from 'dockerode';
import { notSupported, type ServiceError } from '../../errors.ts';
import { isIdentifier } from './allowed-images.ts';
import { type Engine, EngineUnable } from './engine.ts';
import { AnswerTooLarge } from './transport.ts';

/**
 * Most bytes of an image's configuration as JSON. The engine copies it into every container, puts its labels into every
 * event, and reads those of all images whenever somebody lists images.
 */
const MAX_CONFIG_BYTES = 128 * 1024;
/** Of what the engine says of an image: its configuration, the one that it was built with, and its layers. */
const MAX_ANSWER_BYTES = 1024 * 1024;
/** Time limit for it, milliseconds. */
const INSPECT_MS = 10_000;
/** How long it is believed, milliseconds. */
const FRESH_MS = 5000;
/** Most images remembered. */
const MAX_KNOWN = 100;
/** Most characters of volumes' paths in a refusal. */
const MAX_NAMED = 200;

const Inspected = Type.Object({
  Id: Type.String(),
  Config: Type.Union([
    Type.Null(),
    Type.Object({
      Env: Type.Optional(Type.Union([Type.Null(), Type.Array(Type.String())])),
      Volumes: Type.Optional(Type.Union([Type.Null(), Type.Record(Type.String(), Type.Unknown())])),
    }),
  ]),
});
type Config = Static<typeof Inspected>['Config'];

/** An image that was looked at and may be used. */
export interface KnownImage {
  /** Its identifier: a container of it is one of what was looked at, whatever the name means by then. */
  readonly id: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** A container's user has no name; programs read these variables before they look one up. */
const NAMED = { USER: 'sandbox', LOGNAME: 'sandbox' } as const;

/**
 * Images by their names. The engine is asked for one image at a time and never for a list, for which it would read the
 * configuration of every image there is; once for all who ask meanwhile, and seldom.
 */
export class Images {
  readonly #engine: Engine;
  readonly #known = new Map<
    string,
    { readonly at: number; readonly image: Promise<KnownImage | ServiceError> }
  >();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** @throws {EngineUnable} it is not on the engine; {ServiceError} NOT_SUPPORTED: it declares what is refused */
  async find(name: string): Promise<KnownImage> {
    const known = this.#known.get(name);
    const fresh = known && performance.now() - known.at < FRESH_MS;
    const image = await (fresh ? known.image : this.#look(name));
    if (image instanceof Error) throw image;
    return image;
  }

  #look(name: string): Promise<KnownImage | ServiceError> {
    const found = { at: performance.now(), image: inspect(this.#engine, name) };
    this.#known.delete(name);
    this.#known.set(name, found);
    const [oldest] = this.#known.keys();
    if (this.#known.size > MAX_KNOWN) this.#known.delete(oldest!);
    found.image.catch(() => this.#known.get(name) === found && this.#known.delete(name));
    return found.image;
  }
}

/** Resolves with the refusal of an image that is there. @throws {EngineUnable} */
async function inspect(engine: Engine, name: string): Promise<KnownImage | ServiceError> {
  try {
    const look = (docker: Docker) => docker.getImage(name).inspect();
    const { Id, Config } = await engine.ask(Inspected, look, INSPECT_MS, MAX_ANSWER_BYTES);
    if (isIdentifier(name, Id)) throw notThere(name);
    const refusal = refuse(Config);
    if (refusal !== null) return refused(name, refusal);
    return { id: Id, environment: { ...NAMED, ...variables(Config?.Env ?? []) } };
  } catch (error) {
    if (!(error instanceof EngineUnable)) throw error;
    if (error.cause instanceof AnswerTooLarge) return refused(name, tooLarge('more'));
    throw error.status === 404 ? notThere(name) : error;
  }
}

/**
 * Why an image is not run, or null. A volume is a directory on the engine's disk that programs could fill, whatever a
 * container's own limits are.
 */
function refuse(config: Config): string | null {
  const bytes = Buffer.byteLength(JSON.stringify(config));
  if (bytes > MAX_CONFIG_BYTES) return tooLarge(`${Math.ceil(bytes / 1024)} KiB`);
  const volumes = Object.keys(config?.Volumes ?? {});
  if (volumes.length === 0) return null;
  return `it declares volumes, which programs could fill on the engine's disk: ${volumes.join(', ').slice(0, MAX_NAMED)}`;
}

function tooLarge(size: string): string {
  return `its configuration, such as variables and labels, has ${size} and may have ${MAX_CONFIG_BYTES / 1024} KiB`;
}

function refused(name: string, why: string): ServiceError {
  return notSupported('dockerImage', `${name} is refused: ${why}`);
}

function variables(env: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    env.flatMap(variable => {
      const at = variable.indexOf('=');
      return at < 0 ? [] : [[variable.slice(0, at), variable.slice(at + 1)]];
    }),
  );
}

function notThere(name: string): EngineUnable {
  return new EngineUnable(`dockerImage: ${name} is not on the engine, and nothing is pulled`, null, 404);
}
