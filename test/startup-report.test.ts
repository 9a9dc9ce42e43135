import { expect, test } from 'vitest';
import { readConfig } from '../src/config.ts';
import type { Runtime } from '../src/runtimes/runtime.ts';
import { startupReport } from '../src/startup-report.ts';
import { bun } from '../src/toolchains/bun.ts';
import { gc } from '../src/toolchains/go.ts';
import { MemoryRuntime } from './unit/support/memory-runtime.ts';

const available = { available: true, version: '3.11.2', startupMs: 21.4, memoryMB: 4 } as const;
const missing = (reason: string, remedy: string | null) =>
  ({ available: false, reason, remedy, version: null }) as const;
const python = new MemoryRuntime({ type: 'Python', state: available });
const withoutBubblewrap = (type: Runtime['type']) =>
  new MemoryRuntime({ type, state: missing('bubblewrap is not installed', 'apt-get install bubblewrap') });

function report(runtimes: readonly Runtime[], environment: Record<string, string> = {}, host = '127.0.0.1') {
  const config = readConfig(environment);
  return startupReport({ config, environment, runtimes, address: `http://${host}:5039`, seconds: 2.04 });
}

test('says where it listens first, and how it is tried last', () => {
  const lines = report([python]).split('\n');
  expect(lines[0]).toBe('CodeBeaker listens on http://127.0.0.1:5039 and is ready after 2.0 s.');
  expect(lines.at(-2)).toContain('http://127.0.0.1:5039/');
  expect(lines.at(-1)).toMatch(/curl .*'http:\/\/127.0.0.1:5039\/api\/execution\?wait=true'.*"python"/);
});

test('shows each runtime, and those that are missing for one reason with its cure once', () => {
  const text = report([python, withoutBubblewrap('Bun'), withoutBubblewrap('Deno')]);
  expect(text).toMatch(/\n {2}runtime {2}version {2}isolation {2}start {2}languages\n/);
  expect(text).toMatch(/\n {2}Python {3}3\.11\.2 {3}7 of 10 {4}21 ms {2}python\n/);
  expect(text).toContain('Isolation: 1 is a bare process, 10 another machine.\n');
  expect(text).toContain('Bun, Deno unavailable: bubblewrap is not installed\n');
  expect(text.match(/Cure: apt-get install bubblewrap/g)).toHaveLength(1);
});

test('keeps its columns apart however long a version is', () => {
  const docker = new MemoryRuntime({
    type: 'Docker',
    isolationLevel: 8,
    state: { ...available, version: '20.10.24+dfsg1-ubuntu-noble' },
  });
  const lines = report([python, docker]).split('\n');
  const heading = lines.find(line => line.includes('isolation'))!;
  for (const line of lines.filter(each => / of 10 /.test(each)))
    for (const column of ['version', 'isolation', 'start', 'languages'])
      expect(line.slice(heading.indexOf(column) - 2, heading.indexOf(column) + 1)).toMatch(/^ {2}\S$/);
});

test('says what runs the languages of a runtime that is missing', () => {
  const local = new MemoryRuntime({ type: 'Go', toolchains: [gc], state: missing('no Go is here', null) });
  const docker = new MemoryRuntime({ type: 'Docker', toolchains: [gc, bun], state: available });
  expect(report([local, docker])).toContain(
    '  Go unavailable: no Go is here\n    go runs all the same, on Docker\n',
  );
  expect(report([local, python])).not.toContain('all the same');
});

test('without any runtime does not say that it is ready, and ends with what to do', () => {
  const docker = new MemoryRuntime({
    type: 'Docker',
    state: missing('no engine', 'apt-get install docker.io'),
  });
  const text = report([withoutBubblewrap('Bun'), docker]);
  expect(text).toMatch(/^CodeBeaker can run no code here/);
  expect(text).not.toMatch(/listens|ready|curl/);
  expect(text).toMatch(/What to do\n {2}apt-get install bubblewrap\n {2}apt-get install docker\.io\n/);
  const long = report([
    new MemoryRuntime({ type: 'Bun', state: missing('25 | code\n   ^\nerror: no', null) }),
  ]);
  expect(long).toContain('Bun unavailable: 25 | code ^ error: no\n');
  const cureless = report([new MemoryRuntime({ type: 'Bun', state: missing('no', null) })]);
  expect(cureless).toContain('docker/README.md');
});

test('shows the settings that were made and no other, and no key', () => {
  expect(report([python])).toContain('none is set');
  const text = report([python], { CODEBEAKER_API_KEYS: 'a-secret-key', LOG_LEVEL: 'warn' });
  expect(text).toContain('  LOG_LEVEL=warn\n  CODEBEAKER_API_KEYS=(1 hidden)\n');
  expect(text).not.toMatch(/a-secret-key|CODEBEAKER_MAX/);
  expect(text).toContain("-H 'X-API-Key: ONE OF CODEBEAKER_API_KEYS'");
});

test('says that packages of npm have no room in a store that their installer fills', () => {
  const low = { CODEBEAKER_PACKAGES_BYTES: '100000000' };
  expect(report([python], low)).toMatch(/\n {2}CODEBEAKER_PACKAGES_BYTES is too low for packages of npm: /);
  for (const other of [
    { ...low, CODEBEAKER_PACKAGES: 'off' },
    { CODEBEAKER_PACKAGES_BYTES: '200000000' },
    {},
  ])
    expect(report([python], other)).not.toContain('too low');
});

test('names an address that can be called, and a language that is there', () => {
  expect(report([python], {}, '0.0.0.0')).toContain('http://127.0.0.1:5039/');
  expect(report([python], {}, '[::]')).toContain('http://[::1]:5039/');
  const ofBun = new MemoryRuntime({ type: 'Bun', toolchains: [bun], state: available });
  expect(report([ofBun])).toContain('{"language":"javascript","code":"console.log(6 * 7)"}');
  const ofGo = new MemoryRuntime({ type: 'Go', toolchains: [gc], state: available });
  expect(report([ofGo])).toContain('"language":"go"');
});
