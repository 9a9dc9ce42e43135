import { describe, expect, inject, it } from 'vitest';
import { lentSession } from '../support/lent-session.ts';
import { compiled, sandboxes } from '../support/matrix.ts';
import { runOnce } from '../support/rest-client.ts';
import { TestSession } from '../support/session.ts';

const { url, wsUrl } = inject('server');

/** What package managers are asked to fetch, and where it matters that they are there. */
const ATTEMPTS = [
  'npm install left-pad',
  'npx cowsay hello',
  'pip install cowsay',
  'python3 -m pip install cowsay',
  'python3 -m pip download cowsay',
  'apt-get install -y cowsay',
  'apt install cowsay',
];

/** The local ones have one and the same root, but for Go's, whose others try these. */
const FEW = ['npm install left-pad', 'pip install cowsay'];

const kinds = await sandboxes();
const cells = [...kinds, ...(await compiled())];

describe.for(cells)('package managers by hand on $name', ({ language, runtimeType }) => {
  it('fail and say that there is no network and where packages come from', async () => {
    await using session = await lentSession(wsUrl, { language, runtimeType });
    const present = await session.shell('sh', [
      '-c',
      'for name in npm npx pip go apt apt-get; do command -v $name; done; exit 0',
    ]);
    const tools = present.stdout.split('\n').map((path: string) => path.split('/').at(-1));
    const whole = runtimeType !== 'Go';
    const attempts = (whole ? ATTEMPTS : FEW).filter(attempt =>
      attempt.startsWith('python3') ? tools.includes('pip') : tools.includes(attempt.split(' ')[0]),
    );
    if (language === 'go') attempts.push('go install example.com/nothing@latest');
    const tried = await Promise.all(
      attempts.map(async attempt => ({
        attempt,
        ...(await session.shell('sh', ['-c', attempt], { timeout: 60 })),
      })),
    );
    for (const { attempt, outcome, stdout, stderr } of tried) {
      expect({ attempt, outcome }).toEqual({ attempt, outcome: 'nonzero_exit' });
      expect(stdout + stderr).toMatch(/no network in this sandbox.*packages come with/is);
      if (attempt.startsWith('npm ')) expect(stdout + stderr).toMatch(/^There is no network/);
    }
    if (language === 'go') expect(attempts).toContain('go install example.com/nothing@latest');
  });
});

it.for(kinds)('package managers are told by settings that a request can change, on $name', async kind => {
  const { language, runtimeType } = kind;
  const environment = { npm_config_fetch_retries: '1', PIP_RETRIES: '2' };
  await using session = await TestSession.open(wsUrl, { language, runtimeType, environment });
  const { stdout } = await session.shell('sh', ['-c', 'echo $npm_config_fetch_retries $PIP_RETRIES']);
  expect(stdout).toBe('1 2\n');
});

it('npm runs what needs no network as ever', async () => {
  const code = `
    cd /tmp && npm init -y >/dev/null && sed -i 's/"test": .*/"answer": "exit 3", "test": "echo first >\\&2; echo second"/' package.json || exit 1
    npm run answer; echo $?
    npm install ./nowhere || echo $?; mkdir it; echo '{"name": "it", "version": "1.0.0"}' >it/package.json; npm install ./it
    npm it 2>&1`;
  await using session = await TestSession.open(wsUrl, { language: 'javascript', runtimeType: 'NodeJs' });
  const { stdout, stderr } = await session.shell('sh', ['-c', code]);
  expect(stdout).toMatch(/exit 3\n+3\n1?\d+\n\s+added 1 package/);
  // Of tests that it runs the words come as they are said.
  expect(stdout).toMatch(/\nfirst\nsecond\n$/);
  expect(stderr).toMatch(/npm error code ENOENT/);
  expect(stderr).not.toContain('npm error code ENOTCACHED');
});

it('a package that is not there is explained to a program in Go', async () => {
  const code = 'package main\nimport "github.com/someone/something"\nfunc main() { something.Do() }';
  const { stderr } = await runOnce(url, { language: 'go', code });
  expect(stderr).toMatch(/^main\.go:2:8: .*There is no network/s);
});
