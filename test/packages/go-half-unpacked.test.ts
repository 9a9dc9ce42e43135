import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { go } from '../../src/packages/go.ts';

/** What go leaves when its time is over in the middle of a module (cmd/go/internal/modfetch). */
test('a module that is half unpacked is none of a layer', () => {
  const out = mkdtempSync(join(tmpdir(), 'codebeaker-half-'));
  try {
    const at = (path: string) => join(out, 'go/mod', path);
    const gone = [
      'half.test/!half/v2@v2.0.0/it.go',
      'cache/download/half.test/!half/v2/@v/v2.0.0.partial',
      'cache/download/half.test/!half/v2/@v/v2.0.0.zip',
      'cache/download/late.test/late/@v/v1.0.0.zip123.tmp',
      'cache/lock',
    ];
    const kept = [
      'half.test/!half@v1.0.0/it.go',
      'whole.test/whole@v1.0.0/it.go',
      'cache/download/whole.test/whole/@v/v1.0.0.ziphash',
    ];
    for (const path of [...gone, ...kept]) {
      mkdirSync(dirname(at(path)), { recursive: true });
      writeFileSync(at(path), '');
    }
    const [, { argv, env }] = go.steps({
      toolLayer: '',
      gateway: '',
      list: [],
      checksums: null,
      build: false,
    }) as [unknown, ReturnType<typeof go.steps>[number]];
    const moved = (text: string) => text.replaceAll(go.out, out).replaceAll('/workspace', out);
    const settings = Object.entries(env).map(([name, value]) => [name, moved(value)]);
    const { status } = spawnSync(argv[0]!, argv.slice(1).map(moved), {
      env: { PATH: process.env.PATH, ...Object.fromEntries(settings), GOPROXY: 'off' },
    });
    expect(status).toBe(0);
    expect(gone.filter(path => existsSync(at(path)))).toEqual([]);
    expect(kept.filter(path => !existsSync(at(path)))).toEqual([]);
  } finally {
    rmSync(out, { recursive: true });
  }
});
