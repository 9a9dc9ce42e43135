import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { agentMissing } from '../../agent/artifact.ts';
import { findInterpreters } from '../../runtimes/interpreters.ts';
import { asRoot } from '../../runtimes/local/remedies.ts';
import { type Finding, found, missing } from './finding.ts';

const LEAST_NODE = 24;
const CALL_MS = 10_000;

/** What must be installed. */
export function programs(): Finding[] {
  const agent = agentMissing();
  return [
    node(),
    ...interpreters(),
    installed('bubblewrap', { program: 'bwrap', of: 'bubblewrap', needed: true }),
    installed('unshare', { program: 'unshare', of: 'util-linux', needed: true }),
    installed('setpriv', { program: 'setpriv', of: 'util-linux', needed: true }),
    agent
      ? missing('agent', { detail: agent.reason, needed: true, cure: agent.cure })
      : found('agent', 'compiled'),
    // The agent is compiled once.
    installed('C compiler', { program: 'cc', of: 'gcc libc6-dev', needed: agent !== null }),
  ];
}

function node(): Finding {
  const major = Number(process.versions.node.split('.')[0]);
  if (major >= LEAST_NODE) return found('Node.js', process.versions.node);
  const detail = `${process.versions.node}, and ${LEAST_NODE} is needed`;
  return missing('Node.js', { detail, needed: true, cure: 'npm ci, which brings it for npm start' });
}

function interpreters(): Finding[] {
  const cure = 'npm ci, whose install scripts must be allowed to run';
  const all = findInterpreters();
  const has = (name: string) => all?.programs.find(program => program.name === name)?.path;
  const bun = has('bun');
  const deno = has('deno');
  const lacks = { detail: 'is not installed', cure };
  return [
    bun ? found('Bun', versionOf(bun)) : missing('Bun', { ...lacks, needed: true }),
    deno ? found('Deno', versionOf(deno), false) : missing('Deno', { ...lacks, needed: false }),
    // Without Bun nothing is said of it.
    existsSync('/usr/bin/python3') || all?.python
      ? found('Python', versionOf(existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3'), false)
      : missing('Python', { ...lacks, needed: false, cure: asRoot('apt-get install -y python3') }),
  ];
}

function installed(
  name: string,
  { program, of, needed }: { program: string; of: string; needed: boolean },
): Finding {
  const version = versionOf(program);
  if (version !== '') return found(name, version, needed);
  return missing(name, { detail: 'is not installed', needed, cure: asRoot(`apt-get install -y ${of}`) });
}

/** The first line of what it says of itself; empty where it does not run. */
function versionOf(program: string): string {
  try {
    const text = execFileSync(program, ['--version'], {
      encoding: 'utf8',
      timeout: CALL_MS,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return text.split('\n')[0]!.trim();
  } catch {
    return '';
  }
}
