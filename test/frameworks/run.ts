import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startServer } from '../support/start-server.ts';

/**
 * Agents of frameworks whose packages are too large to be installed for every test, each run as it is against the real service:
 * `npm run frameworks`, which installs what each names at its head (https://peps.python.org/pep-0723) into a directory that goes with it.
 */
const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  'deep_agent.py': [
    'write_file: Updated file /home/user/squares.py',
    "edit_file: Successfully replaced 1 instance(s) of the string in '/home/user/squares.py'",
    'execute: 285',
    'grep: /home/user/squares.py',
    'read_file:      1\tprint(sum(i * i for i in range(10)))',
  ],
  'openai_agent.py': ['328350'],
};
const run = promisify(execFile);

const directory = await mkdtemp(join(tmpdir(), 'codebeaker-frameworks-'));
const server = await startServer();
let failed = 0;
try {
  for (const [name, expected] of Object.entries(EXPECTED)) {
    const { python, versions } = await install(name);
    const env = { ...process.env, CODEBEAKER_URL: server.url };
    const { stdout } = await run(python, [join(import.meta.dirname, name)], { env, cwd: directory });
    const isRight = stdout === expected.map(line => `${line}\n`).join('');
    if (!isRight) failed++;
    console.log(`${isRight ? 'ok' : 'WRONG'} ${name} with ${versions}${isRight ? '' : `\n${stdout}`}`);
  }
} finally {
  await server.stop();
  await rm(directory, { recursive: true });
}
process.exitCode = failed === 0 ? 0 : 1;

/** What a program names at its head, in an environment of its own. */
async function install(name: string): Promise<{ python: string; versions: string }> {
  const source = await readFile(join(import.meta.dirname, name), 'utf8');
  const wanted: string[] = JSON.parse(/^# dependencies = (\[.*\])$/m.exec(source)![1]!);
  const place = join(directory, name);
  await run('python3', ['-m', 'venv', place]);
  const python = join(place, 'bin/python');
  await run(python, ['-m', 'pip', 'install', '-q', ...wanted]);
  const names = wanted.map(each => /^[\w.-]+/.exec(each)![0]);
  const { stdout } = await run(python, ['-m', 'pip', 'list', '--format', 'freeze']);
  const versions = stdout.split('\n').filter(line => names.includes(line.split('==')[0]!));
  return { python, versions: versions.join(' ') };
}
