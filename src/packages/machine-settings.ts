import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { IndexSettings } from './registry/index-settings.ts';

const PYPI = 'https://pypi.org/simple/';
const NPM = 'https://registry.npmjs.org/';
/** In the order in which uv and pip ask their environment. */
const PYTHON_VARIABLES = ['UV_DEFAULT_INDEX', 'UV_INDEX_URL', 'PIP_INDEX_URL'];
const CERTIFICATES = ['SSL_CERT_FILE', 'PIP_CERT', 'REQUESTS_CA_BUNDLE', 'NODE_EXTRA_CA_CERTS'];

type Environment = Readonly<Record<string, string | undefined>>;

/** The Python index that this machine's own pip is set to use. */
export function machinePythonIndex(environment: Environment, home = homedir()): string {
  const variable = PYTHON_VARIABLES.find(name => environment[name]);
  if (variable !== undefined) return environment[variable]!;
  const config = environment.XDG_CONFIG_HOME || join(home, '.config');
  // The later ones win (pip's documentation, Configuration).
  const files = ['/etc/pip.conf', join(home, '.pip/pip.conf'), join(config, 'pip/pip.conf')];
  return files.map(indexOf).findLast(index => index !== null) ?? PYPI;
}

/** The registry that this machine's own npm is set to use, and what it sends there (npm's documentation, npmrc). */
export function machineNpmRegistry(environment: Environment, home = homedir()): IndexSettings {
  const user = environment.npm_config_userconfig || environment.NPM_CONFIG_USERCONFIG || join(home, '.npmrc');
  // The later ones win.
  const lines = ['/etc/npmrc', '/usr/local/etc/npmrc', user].flatMap(linesOf);
  const setting = (name: string) => {
    const line = lines.findLast(each => each.startsWith(`${name}=`));
    return line?.slice(name.length + 1).replace(/\$\{(\w+)\}/g, (_, variable) => environment[variable] ?? '');
  };
  const set =
    environment.npm_config_registry || environment.NPM_CONFIG_REGISTRY || setting('registry') || NPM;
  const url = set.endsWith('/') ? set : `${set}/`;
  const place = url.replace(/^https?:/, '');
  const token = setting(`${place}:_authToken`);
  const pair = setting(`${place}:_auth`);
  return { url, authorization: token ? `Bearer ${token}` : pair ? `Basic ${pair}` : null };
}

/** Settings of an INI file without sections, as `name=value` without spaces around it. */
function linesOf(file: string): string[] {
  const text = textOf(file) ?? '';
  return text.split('\n').map(line =>
    line
      .trim()
      .replace(/\s*=\s*/, '=')
      .replace(/="(.*)"$/, '=$1'),
  );
}

function textOf(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

/** A file of certificates that this machine's programs trust beside the system's; null where none is named. */
export function machineCertificates(environment: Environment): string | null {
  const file = CERTIFICATES.map(name => environment[name]).find(Boolean);
  return file && existsSync(file) ? file : null;
}

/** Of the section `global` or `install`. */
function indexOf(file: string): string | null {
  let section = '';
  let found: string | null = null;
  for (const line of (textOf(file) ?? '').split('\n')) {
    section = /^\s*\[([^\]]+)\]/.exec(line)?.[1] ?? section;
    const [, value] = /^index[-_]url\s*[=:]\s*(\S+)/.exec(line) ?? [];
    if (value && (section === 'global' || section === 'install')) found = value;
  }
  return found;
}
