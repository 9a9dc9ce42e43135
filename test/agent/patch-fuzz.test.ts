import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { numbersFrom } from '../support/numbers-from.ts';
import { run, ToolRoot } from './tools.ts';

/**
 * The reader of patches against texts that are nearly patches. A long one by hand:
 * `CODEBEAKER_FUZZ_ROUNDS=5000 CODEBEAKER_FUZZ_SEED=$RANDOM npx vitest run test/agent/patch-fuzz.test.ts`.
 */
const ROUNDS = Number(process.env.CODEBEAKER_FUZZ_ROUNDS ?? 60);
const SEED = Number(process.env.CODEBEAKER_FUZZ_SEED ?? 20_261_129);

const random = numbersFrom(SEED);
const below = (count: number) => Math.floor(random() * count);
const pick = <T>(from: readonly T[]): T => from[below(from.length)]!;

const WORDS = [
  '\n',
  '\r\n',
  '--- a/f\n+++ b/f\n',
  '@@ -1,9 +1,9 @@\n',
  '@@ -4294967295,536870912 +0,0 @@\n',
  '\\ No newline at end of file\n',
  'diff --git a/f b/f\n',
  'diff --git "a/\\377" "b/\\377"\n',
  'rename from d/x\nrename to f\n',
  'copy from f\ncopy to g\n',
  'new file mode 120000\n',
  'deleted file mode 100644\n',
  'index 0000000000000000000000000000000000000000..1111111111111111111111111111111111111111 100644\n',
  'GIT binary patch\ndelta 12\n',
  'literal 536870912\n',
  '+++ /dev/null\n',
];

function patches(root: ToolRoot): Buffer[] {
  for (const side of ['a', 'b']) {
    mkdirSync(root.at(`${side}/d`), { recursive: true });
    const lines = Array.from({ length: 30 }, (_, i) => (side === 'b' && i % 9 === 4 ? 'other' : `line ${i}`));
    writeFileSync(root.at(`${side}/f`), lines.join('\n'));
    writeFileSync(root.at(`${side}/${side}`), 'moved\n'.repeat(9));
    const binary = Buffer.from(
      Array.from({ length: 900 }, (_, i) => (i * i + (side === 'b' && i > 700 ? 1 : 0)) % 251),
    );
    writeFileSync(root.at(`${side}/x.bin`), binary);
  }
  symlinkSync('d', root.at('b/link'));
  const theirs = run(['git', 'diff', '--no-index', '--binary', '-M', 'a', 'b'], '', root.path).stdout;
  return [theirs, root.diff('a', 'b').stdout, run(['diff', '-ruN', 'a', 'b'], '', root.path).stdout];
}

function broken(patch: Buffer): Buffer {
  let bytes = Buffer.from(patch);
  for (let i = 1 + below(4); i > 0; i--) {
    const at = below(bytes.byteLength + 1);
    const [head, tail] = [bytes.subarray(0, at), bytes.subarray(at)];
    const kind = below(5);
    if (kind === 0) bytes = Buffer.concat([head, Buffer.from([below(256)]), tail.subarray(1)]);
    else if (kind === 1) bytes = Buffer.concat([head, tail.subarray(below(200))]);
    else if (kind === 2) bytes = Buffer.concat([head, Buffer.from(pick(WORDS)), tail]);
    else if (kind === 3)
      bytes = Buffer.from(bytes.toString('latin1').replace(/\d+/, `${below(2 ** 32)}`), 'latin1');
    else bytes = Buffer.concat([head, patch.subarray(below(patch.byteLength))]);
  }
  return bytes;
}

test('no patch makes its reader do what C does not define', { timeout: 60_000 + ROUNDS * 1000 }, () => {
  using root = new ToolRoot();
  const whole = patches(root);
  for (let round = 0; round < ROUNDS; round++) {
    const patch = broken(pick(whole));
    const options = { target: 'a', strip: pick([0, 1, 2]), dryRun: random() < 0.5, reverse: random() < 0.3 };
    const { code, stderr } = root.patch(patch, options);
    expect([0, 1], `seed ${SEED}, round ${round}: ${stderr}`).toContain(code);
  }
});
