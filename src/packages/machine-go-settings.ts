import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { ChecksumDatabase, IndexSettings } from './registry/index-settings.ts';

const PROXY = 'https://proxy.golang.org';
const DATABASE = 'sum.golang.org';
/** A name that Go knows as the first, and what it reaches that by (cmd/go, "go help environment"). */
const ALSO = 'sum.golang.google.cn';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The first proxy of GOPROXY, and the checksum database, that this machine's own go is set to use; `address`: another proxy. What it has
 * from nowhere or from its authors' own servers is from Go's proxy here.
 */
export function machineGoIndex(
  environment: Environment,
  address: string | undefined,
  home = homedir(),
): IndexSettings {
  const file = environment.GOENV || join(environment.XDG_CONFIG_HOME || join(home, '.config'), 'go/env');
  const saved = settingsIn(file);
  const setting = (name: string) => environment[name] || saved.get(name) || '';
  const proxies = setting('GOPROXY').split(/\s*[,|]\s*/);
  const url = address ?? proxies.find(each => /^https?:\/\//.test(each)) ?? PROXY;
  const except = setting('GONOSUMDB') || setting('GOPRIVATE');
  return { url, authorization: null, checksums: databaseOf(setting('GOSUMDB'), except) };
}

/** Of `name`, `name+key` or either with an address after it. */
function databaseOf(setting: string, except: string): ChecksumDatabase | null {
  if (setting === 'off') return null;
  const [named = DATABASE, address] = setting.split(/\s+/).filter(Boolean);
  const key = named === ALSO ? DATABASE : named;
  const url = address ?? `https://${named.split('+', 1)[0]}`;
  return { key, url: url.endsWith('/') ? url : `${url}/`, except };
}

/** As `go env -w` keeps them. */
function settingsIn(file: string): ReadonlyMap<string, string> {
  try {
    const lines = readFileSync(file, 'utf8').split('\n');
    return new Map(
      lines.flatMap(line => {
        const at = line.indexOf('=');
        return at > 0 ? [[line.slice(0, at), line.slice(at + 1).trim()] as const] : [];
      }),
    );
  } catch {
    return new Map();
  }
}
