import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { EndedSessions } from '../../../src/service/sessions/ended-sessions.ts';

const HOUR_MS = 3_600_000;
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ended-'));
  vi.useFakeTimers({ toFake: ['Date'] });
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(directory, { recursive: true });
});

it('tells an owner, and nobody else, why a session ended', () => {
  const ended = new EndedSessions();
  ended.add('a', 'one', 'idle');
  expect(ended.notFound('a', 'one')).toMatchObject({
    code: 'SESSION_NOT_FOUND',
    reason: 'idle',
    details: expect.stringMatching(/nobody used it/),
  });
  for (const [id, owner] of [
    ['a', 'other'],
    ['a', null],
    ['b', 'one'],
  ] as const)
    expect(ended.notFound(id, owner)).toMatchObject({ reason: undefined, details: undefined });
});

it('knows for an hour, over a restart too', () => {
  const file = join(directory, 'ended.json');
  const first = new EndedSessions(file);
  first.add('a', null, 'shutdown');
  vi.setSystemTime(Date.now() + HOUR_MS / 2);
  first.add('b', null, 'idle');
  first.save();
  const second = new EndedSessions(file);
  expect(second.notFound('a', null).reason).toBe('shutdown');
  vi.setSystemTime(Date.now() + HOUR_MS / 2 + 1);
  expect(second.notFound('a', null).reason).toBe(undefined);
  expect(second.notFound('b', null).reason).toBe('idle');
});

it('remembers ten thousand, the newest', () => {
  const ended = new EndedSessions();
  for (let i = 0; i <= 10_000; i++) ended.add(`${i}`, null, 'client');
  expect(ended.notFound('0', null).reason).toBe(undefined);
  expect(ended.notFound('1', null).reason).toBe('client');
});

it.each(['', '{', 'null', '[{"id":1}]'])('begins anew where its file holds %j', text => {
  const file = join(directory, 'ended.json');
  writeFileSync(file, text);
  const ended = new EndedSessions(file);
  ended.add('a', null, 'lost');
  ended.save();
  expect(new EndedSessions(file).notFound('a', null).reason).toBe('lost');
});
