import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { SandboxLibrary } from '../../src/runtimes/library.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'codebeaker-test-'));
afterAll(() => rmSync(dataDir, { recursive: true }));

test('starts at the same time share one library, and a later one builds nothing', async () => {
  const [one, other] = await Promise.all([
    new SandboxLibrary(dataDir).get(),
    new SandboxLibrary(dataDir).get(),
  ]);
  expect(other).toEqual(one);
  expect(readdirSync(dataDir)).toEqual([`library-${one?.hash}`]);
  expect(readdirSync(one!.directory)).toEqual(
    expect.arrayContaining(['agent', 'javascript', 'prewarm', 'python']),
  );
  const { ino } = statSync(one!.directory);
  const later = await new SandboxLibrary(dataDir).get();
  expect([later, statSync(later.directory).ino]).toEqual([one, ino]);
});
