import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AgentProcess } from './agent-process.ts';

/** What a path names, through a real agent. */
let agent: AgentProcess;
beforeEach(async () => {
  agent = await AgentProcess.start();
});
afterEach(() => agent[Symbol.asyncDispose]());

const stat = (name: string) => agent.client.files.stat(agent.path(name));
const refused = (name: string) => stat(name).catch(error => error.message.replaceAll(agent.root, ''));

test('a file has a size, a time and all twelve bits of its mode', async () => {
  writeFileSync(agent.path('f'), 'héllo');
  chmodSync(agent.path('f'), 0o4751);
  utimesSync(agent.path('f'), 0, 1_700_000_000.5);
  expect(await stat('f')).toEqual({
    type: 'file',
    size: 6,
    mode: 0o4751,
    modifiedAt: 1_700_000_000_500,
    target: null,
  });
});

test('a link is told with where it points, and followed only on the way', async () => {
  mkdirSync(agent.path('d'));
  writeFileSync(agent.path('d/f'), 'x');
  symlinkSync('d', agent.path('to-d'));
  symlinkSync('/etc/passwd', agent.path('out'));
  symlinkSync('/etc', agent.path('etc'));
  expect(await stat('to-d')).toMatchObject({ type: 'symlink', target: 'd' });
  expect(await stat('to-d/f')).toMatchObject({ type: 'file', size: 1 });
  expect(await stat('out')).toMatchObject({ type: 'symlink', target: '/etc/passwd' });
  expect(await refused('etc/passwd')).toMatch(/^Path leaves .* through a symbolic link: \/etc\/passwd$/);
});

test('directories, the root and what is neither are told apart', async () => {
  execFileSync('mkfifo', [agent.path('pipe')]);
  mkdirSync(agent.path('d'), 0o700);
  expect(await stat('pipe')).toMatchObject({ type: 'other' });
  expect(await stat('d')).toMatchObject({ type: 'directory', mode: 0o700 });
  expect(await stat('')).toMatchObject({ type: 'directory' });
  expect(await refused('nothing')).toBe('File not found: /nothing');
  expect(await refused('pipe/x')).toBe('Not a directory: /pipe/x');
});
