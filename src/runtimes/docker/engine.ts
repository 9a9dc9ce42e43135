import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import Docker from 'dockerode';
import { asRoot } from '../local/remedies.ts';

/** The engine can't be used, or has not done what it was asked; the message is a sentence. */
export class EngineUnable extends Error {
  override readonly name = 'EngineUnable';
  readonly cure: string | null;
  /** The engine's own answer; null when there was none. */
  readonly status: number | null;
  constructor(message: string, cure: string | null = null, status: number | null = null) {
    super(message);
    this.cure = cure;
    this.status = status;
  }
}

/** What a call may take on a busy machine. An engine that is slower is as good as gone. */
const CALL_MS = 20_000;
const ENGINES = ['/usr/sbin/dockerd', '/usr/bin/dockerd'];
const SOCKETS = [
  '/var/run/docker.sock',
  // Rootless engines and Docker Desktop.
  ...(process.env.XDG_RUNTIME_DIR ? [`${process.env.XDG_RUNTIME_DIR}/docker.sock`] : []),
  `${homedir()}/.docker/run/docker.sock`,
];

/**
 * A container engine behind dockerode. It is a dependency that may be gone, hang or come back at any time: every call
 * has a deadline, and what goes wrong is an {@link EngineUnable}.
 */
export class Engine {
  readonly docker: Docker;

  constructor() {
    const socketPath = process.env.DOCKER_HOST ? undefined : (SOCKETS.find(existsSync) ?? SOCKETS[0]);
    this.docker = new Docker(socketPath === undefined ? undefined : { socketPath });
  }

  /** @throws {EngineUnable} */
  async call<T>(work: (docker: Docker) => Promise<T>, deadlineMs = CALL_MS): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const seconds = deadlineMs / 1000;
      timer = setTimeout(
        () => reject(new EngineUnable(`the Docker engine has not answered for ${seconds} s`)),
        deadlineMs,
      );
    });
    try {
      return await Promise.race([work(this.docker), late]);
    } catch (error) {
      throw inWords(error);
    } finally {
      clearTimeout(timer);
    }
  }
}

interface EngineError {
  readonly code?: string;
  readonly statusCode?: number;
  readonly json?: { readonly message?: string };
  readonly message: string;
}

function inWords(error: unknown): EngineUnable {
  if (error instanceof EngineUnable) return error;
  const { code, statusCode, json, message } = error as EngineError;
  if (statusCode !== undefined) return new EngineUnable(json?.message ?? message, null, statusCode);
  if (code === 'EACCES')
    return new EngineUnable(
      'the socket of the Docker engine may not be opened',
      'sudo usermod -aG docker $USER',
    );
  if (code === 'ENOENT' && !ENGINES.some(existsSync))
    return new EngineUnable('no Docker engine is installed', installation());
  if (code === 'ECONNREFUSED' || code === 'ENOENT')
    return new EngineUnable('the Docker engine is not running', asRoot('systemctl start docker'));
  return new EngineUnable(`the Docker engine can't be reached: ${message}`);
}

function installation(): string | null {
  return process.platform === 'linux' && existsSync('/usr/bin/apt-get')
    ? asRoot('apt-get install -y docker.io')
    : null;
}
