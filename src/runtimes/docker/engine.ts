import { existsSync } from 'node:fs';
import { type Static, type TSchema, Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import type Docker from 'dockerode';
import { asRoot } from '../local/remedies.ts';
import type * as Library from './named-docker.ts';
import { type EngineRefusal, MAX_ANSWER_BYTES, transport } from './transport.ts';

/** The engine can't be used or has refused a request; the message is a sentence. */
export class EngineUnable extends Error {
  override readonly name = 'EngineUnable';
  readonly remedy: string | null;
  /** HTTP status of the engine's answer; null without one. */
  readonly status: number | null;
  constructor(
    message: string,
    remedy: string | null = null,
    status: number | null = null,
    options: { cause?: unknown } = {},
  ) {
    super(message, options);
    this.remedy = remedy;
    this.status = status;
  }
}

/** Time limit of a call, milliseconds. A slower engine counts as gone. */
const CALL_MS = 20_000;
const ENGINES = ['/usr/sbin/dockerd', '/usr/bin/dockerd'];
/**
 * A container engine behind dockerode. It may be missing, hang, come back at any time or answer anything.
 * Every call goes through this class, has a deadline, and fails with an {@link EngineUnable}.
 */
export class Engine {
  #modem: Library.Modem | undefined;

  /**
   * Runs `work`, whose requests are aborted at the deadline or when it fails. A stream that it resolves to
   * belongs to the caller, errors included.
   * @throws {EngineUnable}
   */
  async call<T>(
    work: (docker: Docker) => Promise<T>,
    deadlineMs = CALL_MS,
    maxAnswerBytes = MAX_ANSWER_BYTES,
  ): Promise<T> {
    // Loaded only now, which is no time of the engine's: dockerode is 150 modules, and not every server has a use for containers.
    const library = await import('./named-docker.ts').catch(error => {
      throw inWords(error);
    });
    const deadline = new AbortController();
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      late.reject(new EngineUnable(`the Docker engine has not answered for ${deadlineMs / 1000} s`));
      deadline.abort();
    }, deadlineMs);
    try {
      return await Promise.race([work(this.#within(library, deadline.signal, maxAnswerBytes)), late.promise]);
    } catch (error) {
      // Aborts the remaining requests of a failed call.
      deadline.abort();
      throw inWords(error);
    } finally {
      clearTimeout(timer);
    }
  }

  /** As `call`, and checks the shape of the answer. @throws {EngineUnable} */
  async ask<T extends TSchema>(
    shape: T,
    work: (docker: Docker) => Promise<unknown>,
    deadlineMs?: number,
    maxAnswerBytes?: number,
  ): Promise<Static<T>> {
    const answer = await this.call(work, deadlineMs, maxAnswerBytes);
    if (Value.Check(shape, answer)) return answer;
    const path = Value.Errors(shape, answer).First()?.path || 'all of it';
    throw new EngineUnable(`the Docker engine's answer can't be read: ${path}`);
  }

  /** Whether what `work` asks for is there. @throws {EngineUnable} */
  async has(work: (docker: Docker) => Promise<unknown>): Promise<boolean> {
    try {
      await this.call(work);
      return true;
    } catch (error) {
      if (error instanceof EngineUnable && error.status === 404) return false;
      throw error;
    }
  }

  #within({ NamedDocker, openModem }: typeof Library, signal: AbortSignal, maxAnswerBytes: number): Docker {
    this.#modem ??= openModem();
    const { protocol } = this.#modem;
    if (protocol === 'ssh') throw new EngineUnable('DOCKER_HOST must begin with unix:// or tcp://');
    const buildRequest = transport(protocol === 'https' ? 'https' : 'http', signal, maxAnswerBytes);
    const modem = Object.assign(Object.create(this.#modem), { buildRequest });
    return new NamedDocker({ modem } as Docker.DockerOptions);
  }
}

/** Answer of `docker.createContainer`. The identifier leads to the container's control groups. */
export const Created = Type.Object({ id: Type.String({ pattern: '^[0-9a-f]{64}$' }) });

interface EngineError extends Partial<EngineRefusal> {
  readonly code?: string;
  readonly message: string;
}

function inWords(error: unknown): EngineUnable {
  if (error instanceof EngineUnable) return error;
  const { code, statusCode, message } = error as EngineError;
  if (statusCode !== undefined) return new EngineUnable(message, null, statusCode);
  if (code === 'EACCES')
    return new EngineUnable(
      'the socket of the Docker engine may not be opened',
      'sudo usermod -aG docker $USER, then log in anew',
    );
  if (code === 'ENOENT' && !ENGINES.some(existsSync))
    return new EngineUnable('no Docker engine is installed', installation());
  if (code === 'ECONNREFUSED' || code === 'ENOENT')
    return new EngineUnable('the Docker engine is not running', asRoot('systemctl start docker'));
  return new EngineUnable(`the Docker engine can't be used: ${message}`, null, null, { cause: error });
}

function installation(): string | null {
  return process.platform === 'linux' && existsSync('/usr/bin/apt-get')
    ? asRoot('apt-get install -y docker.io')
    : null;
}
