import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const PYPI = 'https://pypi.org/simple/';
/** In the order in which uv and pip ask their environment. */
const PYTHON_VARIABLES = ['UV_DEFAULT_INDEX', 'UV_INDEX_URL', 'PIP_INDEX_URL'];
const CERTIFICATES = ['SSL_CERT_FILE', 'PIP_CERT', 'REQUESTS_CA_BUNDLE'];

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

/** A file of certificates that this machine's programs trust beside the system's; null where none is named. */
export function machineCertificates(environment: Environment): string | null {
  const file = CERTIFICATES.map(name => environment[name]).find(Boolean);
  return file && existsSync(file) ? file : null;
}

/** Of the section `global` or `install`. */
function indexOf(file: string): string | null {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return null;
  }
  let section = '';
  let found: string | null = null;
  for (const line of text.split('\n')) {
    section = /^\s*\[([^\]]+)\]/.exec(line)?.[1] ?? section;
    const [, value] = /^index[-_]url\s*[=:]\s*(\S+)/.exec(line) ?? [];
    if (value && (section === 'global' || section === 'install')) found = value;
  }
  return found;
}
