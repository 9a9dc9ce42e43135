import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { ConfigError, readConfig } from '../../config.ts';
import { machineNpmRegistry, machinePythonIndex } from '../../packages/machine-settings.ts';
import { Engine } from '../../runtimes/docker/engine.ts';
import { reasonOf } from '../reason-of.ts';
import { type Finding, found, missing } from './finding.ts';

const CALL_MS = 10_000;
const OF_CLIENTS = ['CODEBEAKER_URL', 'CODEBEAKER_API_KEY'];
/** Others may read it or write to it. */
const OTHERS = 0o077;

/** What is set, and where the server keeps what it has. */
export function settings(): Finding[] {
  const environment = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !OF_CLIENTS.includes(name)),
  );
  try {
    return [found('settings', 'can be used'), dataDirectory(readConfig(environment).dataDir)];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return [
      missing('settings', { detail: error.message, needed: true, cure: 'codebeaker serve --settings' }),
    ];
  }
}

function dataDirectory(path: string): Finding {
  const name = 'data directory';
  const cure = 'CODEBEAKER_DATA_DIR, set to a directory of this user';
  let place = resolve(path);
  // Where it is missing it is made.
  while (!existsSync(place)) place = dirname(place);
  try {
    accessSync(place, constants.W_OK | constants.X_OK);
  } catch (error) {
    return missing(name, { detail: `${place}: ${reasonOf(error)}`, needed: true, cure });
  }
  if (place !== resolve(path)) return found(name, `${path}, which will be made`);
  const { mode, uid } = statSync(place);
  if ((mode & OTHERS) === 0) return found(name, path);
  const detail = `${path} can be read by others (mode ${(mode & 0o777).toString(8)})`;
  // The server closes its own, where it may.
  if (uid === process.getuid?.() || process.getuid?.() === 0)
    return found(name, `${detail}; the server closes what is its own`);
  return missing(name, { detail, needed: true, cure: `chmod 700 ${path}` });
}

export async function docker(): Promise<Finding[]> {
  try {
    const { Version } = await new Engine().call(client => client.version(), CALL_MS);
    return [found('Docker engine', Version, false)];
  } catch (error) {
    const { message, remedy } = error as Error & { remedy?: string | null };
    return [missing('Docker engine', { detail: message, needed: false, cure: remedy ?? null })];
  }
}

/** Where packages come from. */
export async function registries(): Promise<Finding[]> {
  const { CODEBEAKER_INDEX_PYTHON, CODEBEAKER_INDEX_NODE } = process.env;
  return Promise.all([
    registry('index of Python', CODEBEAKER_INDEX_PYTHON || machinePythonIndex(process.env)),
    registry('registry of npm', CODEBEAKER_INDEX_NODE || machineNpmRegistry(process.env).url),
  ]);
}

/** Any answer of it will do. */
async function registry(name: string, url: string): Promise<Finding> {
  const { host, username, password } = new URL(url);
  const place = username || password ? new URL(url.replace(/\/\/[^/@]*@/, '//')) : url;
  try {
    await fetch(place, { method: 'HEAD', signal: AbortSignal.timeout(CALL_MS) });
    return found(name, host, false);
  } catch (error) {
    const { cause, message } = error as Error & { cause?: Error };
    const cure = 'CODEBEAKER_INDEX_PYTHON and CODEBEAKER_INDEX_NODE name others';
    return missing(name, { detail: `${host}: ${cause?.message ?? message}`, needed: false, cure });
  }
}
