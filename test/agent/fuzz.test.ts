import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { expect, test } from 'vitest';
import { agentArguments } from '../../src/agent/artifact.ts';
import { FieldWriter } from '../../src/wire/fields.ts';
import { encodeFrame, encodeNumber } from '../../src/wire/frames.ts';
import { encodeFileRequest, encodeSpawn, FILE_OPS, ToAgent } from '../../src/wire/messages.ts';
import { numbersFrom } from '../support/numbers-from.ts';
import { agentFile, SANITIZER_ENV } from './builds.ts';

/**
 * The agent's decoder against frames that no service sends. It believes the service, so it may end itself; it may not do what C
 * does not define. A long one by hand: `CODEBEAKER_FUZZ_ROUNDS=5000 CODEBEAKER_FUZZ_SEED=$RANDOM npx vitest run test/agent/fuzz.test.ts`.
 */
const ROUNDS = Number(process.env.CODEBEAKER_FUZZ_ROUNDS ?? 60);
const SEED = Number(process.env.CODEBEAKER_FUZZ_SEED ?? 20_261_129);
const FRAMES_PER_ROUND = 60;
/** `die` of the agent's, for a message that breaks the protocol. */
const GIVEN_UP = 1;

const random = numbersFrom(SEED);
const below = (count: number) => Math.floor(random() * count);
const pick = <T>(from: readonly T[]): T => from[below(from.length)]!;

const KINDS = [...Object.values(ToAgent), 0, 99, 255];
const EXPECTED = [null, null, 'nothing', 'something', { versions: ['0-0', 'ffffffffffffffff-1'] }] as const;
const NUMBERS = [0, 1, 2, 255, 65_536, 2 ** 20, 2 ** 31, 2 ** 32 - 1];

/** Messages as they should be, on few channels, so that they meet. */
function valid(root: string): Uint8Array {
  const channel = 1 + below(4);
  const path = `${root}/${pick(['', 'a', 'a/b', '..', 'a/../b', 'link/x', '.', '//', 'x'.repeat(300)])}`;
  const flag = random() < 0.5;
  const argv = pick([['true'], ['cat'], ['sh', '-c', 'echo out; echo err >&2'], [], ['missing'], ['']]);
  const stdin = pick(['none', 'pipe', 'file', 'either'] as const);
  const message = {
    argv,
    cwd: root,
    env: { PATH: '/usr/bin:/bin' },
    stdin,
    control: flag,
    live: flag,
    held: random() < 0.3,
    traces: random() < 0.3,
  };
  const file = (request: Parameters<typeof encodeFileRequest>[0]) =>
    encodeFrame(ToAgent.file, channel, encodeFileRequest(request));
  return pick([
    () => encodeFrame(pick([ToAgent.spawn, ToAgent.prepare]), channel, encodeSpawn(message)),
    () =>
      encodeFrame(
        pick([ToAgent.input, ToAgent.control, ToAgent.fileData, ToAgent.wholeInput, ToAgent.spawnInput]),
        channel,
        new Uint8Array(flag ? below(9000) : 0),
      ),
    () => encodeFrame(pick([ToAgent.endInput, ToAgent.alive, ToAgent.begin]), channel, new Uint8Array(0)),
    () => encodeFrame(ToAgent.openInput, channel, Uint8Array.of(below(2))),
    () => encodeNumber(pick([ToAgent.credit, ToAgent.signal, ToAgent.adopt]), channel, pick(NUMBERS)),
    () => encodeFrame(ToAgent.kill, channel, Uint8Array.of(below(2))),
    () => file({ op: 'write', path, append: flag, size: below(2 ** 20) }),
    () =>
      file({
        op: 'read',
        path,
        offset: pick(NUMBERS),
        length: flag ? null : pick(NUMBERS),
        most: pick(NUMBERS),
      }),
    () => file({ op: 'makeDirectory', path, recursive: flag }),
    () => file({ op: 'remove', path, recursive: flag, expects: pick(EXPECTED) }),
    () => file({ op: pick(['copy', 'move'] as const), from: path, to: `${root}/a`, overwrite: flag }),
    () => file({ op: 'list', path, recursive: flag, includeHidden: true, maxDepth: below(3) }),
    () => file({ op: 'clear' }),
    () => file({ op: 'link', path, target: 'anywhere' }),
    () => file({ op: pick(['stat', 'openRead'] as const), path }),
    () =>
      file({
        op: 'openWrite',
        path,
        append: flag,
        size: pick(NUMBERS),
        mode: flag ? null : 0o644,
        expects: pick(EXPECTED),
      }),
    () => file({ op: 'range', offset: pick(NUMBERS), length: pick(NUMBERS) }),
    () => encodeFrame(ToAgent.streamData, channel, new Uint8Array(below(9000))),
    () => encodeFrame(pick([ToAgent.streamEnd, ToAgent.streamReset]), channel, new Uint8Array(0)),
    () => encodeNumber(ToAgent.streamWindow, channel, pick(NUMBERS)),
  ])();
}

/** The same with a byte changed, an end cut off, or a payload that is nothing at all. */
function hostile(root: string): Uint8Array {
  const frame = Buffer.from(valid(root));
  const kind = below(4);
  if (kind === 0) frame[4 + below(frame.byteLength - 4)] = below(256);
  else if (kind === 1)
    return encodeFrame(frame[4]!, below(4), frame.subarray(9, 9 + below(frame.byteLength - 8)));
  else if (kind === 2)
    return encodeFrame(
      pick(KINDS),
      below(4),
      Buffer.from(Array.from({ length: below(40) }, () => below(256))),
    );
  else {
    const fields = new FieldWriter().u8(pick(Object.values(FILE_OPS)));
    for (let i = below(4); i > 0; i--) fields.u32(pick(NUMBERS));
    return encodeFrame(ToAgent.file, below(4), fields.bytes);
  }
  return frame;
}

test('no frame makes the agent do what C does not define', { timeout: 60_000 + ROUNDS * 2000 }, async () => {
  const command = [agentFile('sanitized'), ...agentArguments()];
  const inside = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc'];
  for (let round = 0; round < ROUNDS; round++) {
    const root = mkdtempSync('/dev/shm/codebeaker-fuzz-');
    try {
      const [program = '', ...words] = [...inside, ...command, '--root', root];
      const agent = spawn(program, words, { env: { ...process.env, ...SANITIZER_ENV } });
      let said = '';
      agent.stderr.on('data', text => (said += text));
      agent.stdout.resume();
      agent.stdin.on('error', () => {});
      const frames = Array.from({ length: FRAMES_PER_ROUND }, () =>
        random() < 0.9 ? valid(root) : hostile(root),
      );
      agent.stdin.end(Buffer.concat(frames));
      const [code] = await once(agent, 'close');
      expect(code, `seed ${SEED}, round ${round}: ${said}`).toBe(GIVEN_UP);
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  }
});
