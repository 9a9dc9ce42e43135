import { globSync, readFileSync } from 'node:fs';
import { expect, inject, test, vi } from 'vitest';
import { numbersFrom } from '../support/numbers-from.ts';
import { RpcClient } from '../support/rpc-client.ts';
import { TestSession } from '../support/session.ts';

/** How often; by hand with more. */
const ROUNDS = Number(process.env.CODEBEAKER_BATCHES ?? 5);
const SEED = Number(process.env.CODEBEAKER_FUZZ_SEED ?? 1);
const server = inject('server');

/** What programs do to a tree, by the numbers of a seed: `grow` fills it, anything else changes what is there. */
const TREE = `
import os, random, shutil, sys
dice = random.Random(sys.argv[2])
names = ['a', 'b', 'c', 'dir', '.hidden', 'with space', 'gr\\u00fcn']
def all_paths(want):
    found = []
    for at, directories, files in os.walk('.'):
        found += [os.path.join(at, each) for each in (directories if want == 'd' else files)]
    return found
def any_of(paths): return dice.choice(paths) if paths else 'a'
def anywhere(): return os.path.join(any_of(['.'] + all_paths('d')), dice.choice(names))
def file(): return any_of([each for each in all_paths('f') if os.path.isfile(each) and not os.path.islink(each)])
def write(path, mode='wb', at=0):
    # Who opens a pipe waits for its other end.
    if os.path.exists(path) and not os.path.isfile(path): return
    with open(path, mode) as out:
        out.seek(at)
        out.write(dice.randbytes(dice.randrange(20000)))
def remove(path):
    shutil.rmtree(path) if os.path.isdir(path) and not os.path.islink(path) else os.remove(path)
deeds = [
    lambda: write(anywhere()),
    lambda: os.makedirs(os.path.join(anywhere(), dice.choice(names))),
    lambda: os.symlink(dice.choice(['a', '../b', '.', 'nowhere']), anywhere()),
    lambda: os.link(file(), anywhere()),
    lambda: os.mkfifo(anywhere()),
    lambda: write(anywhere(), 'wb', dice.randrange(300000)),
    lambda: os.utime(any_of(all_paths('d') + [file()]), (dice.randrange(2**31), dice.randrange(2**31))),
    lambda: os.chmod(any_of(all_paths('d') + [file()]), dice.choice([0o755, 0o700, 0o500, 0o400, 0o640])),
]
if sys.argv[1] != 'grow':
    deeds += [
        lambda: write(file(), 'ab'),
        lambda: os.truncate(file(), dice.randrange(30000)),
        lambda: os.rename(any_of(all_paths('d') + [file()]), anywhere()),
        lambda: remove(any_of(all_paths('d') + all_paths('f'))),
    ]
held = []
for _ in range(dice.randrange(10, 40)):
    try:
        dice.choice(deeds)()
        path = file() if dice.random() < 0.1 else None
        if path and os.path.isfile(path): held.append(open(path))
    except OSError: pass
`;
/** All that a program sees of /workspace, to the nanosecond. */
const SEEN =
  "find . -printf '%p %y %m %s %T@ %l %n\\n' | sort; find . -type f -readable -exec sha256sum {} + | sort";
const BEGUN = 'begun';

const ENDS = ['a failure', 'a cancellation', 'a lost connection', 'a full disk', 'a killed agent'] as const;
/** What comes from outside, while a program waits for it. */
const FROM_OUTSIDE = new Set<string>(['a cancellation', 'a lost connection', 'a killed agent']);

test(`${ROUNDS} random batches that fail, are cancelled, lose their client or fill the disk leave what was there, and one whose agent is killed ends its session`, {
  timeout: 120_000 + ROUNDS * 5000,
}, async () => {
  let session = await openSession();
  for (let round = 0; round < ROUNDS; round++) {
    const random = numbersFrom(SEED * 1_000_003 + round);
    const below = (most: number) => Math.floor(random() * most);
    const end = ENDS[round % ENDS.length]!;
    const where = `round ${round} of seed ${SEED}, ${end}`;
    await session.shell('sh', ['-c', 'chmod -R u+rwx . ; find . -mindepth 1 -delete']);
    await session.shell('python3', ['/tmp/tree.py', 'grow', `${SEED}-${round}`]);
    const before = (await session.shell('sh', ['-c', SEEN])).stdout;

    const commands: object[] = Array.from({ length: 1 + below(6) }, (_, i) =>
      below(2)
        ? program('python3', ['/tmp/tree.py', 'change', `${SEED}-${round}-${i}`])
        : {
            type: 'write_file',
            path: ['new/file', 'dir2', 'a2/b'][below(3)],
            content: 'x'.repeat(below(9000)),
          },
    );
    const at = below(commands.length + 1);
    const mark = `300.${process.pid}${round}`;
    commands.splice(at, 0, ...endOf(end, mark));
    const client = await RpcClient.connect(server.wsUrl);
    // Whatever fails before, the end is reached.
    const more = { transactional: true, stopOnError: end === 'a failure', stream: true };
    const params = { sessionId: session.id, commands, ...more };
    const { reply } = client.request('execution.runCommands', params);
    reply.catch(() => {});
    if (FROM_OUTSIDE.has(end)) {
      await client.notified(
        ({ method, params: told }) => method === 'execution.output' && String(told.text).includes(BEGUN),
      );
      const { executionId } = (await client.notified(({ method }) => method === 'execution.started')).params;
      if (end === 'a lost connection') await client.close();
      else if (end === 'a cancellation') await session.client.call('execution.cancel', { executionId });
      else process.kill(agentOf(await processWith(mark)), 'SIGKILL');
    }
    if (end === 'a killed agent') {
      await expect(reply, where).rejects.toThrow('The session is over');
      const listed = async () => (await client.call('session.list')).sessions.map(idOf);
      await expect.poll(listed, { timeout: 60_000 }).not.toContain(session.id);
      await client.close();
      await session[Symbol.asyncDispose]();
      session = await openSession();
      continue;
    }
    if (end !== 'a lost connection') {
      const { rolledBack, results } = await reply;
      expect(rolledBack, where).toBe(true);
      if (end === 'a full disk')
        expect(results[at].result.stderr, where).toContain('No space left on device');
      await client.close();
    }
    const after = (await session.shell('sh', ['-c', SEEN])).stdout;
    expect(after, `${where} at ${at}`).toBe(before);
  }
  await session[Symbol.asyncDispose]();
});

async function openSession(): Promise<TestSession> {
  const session = await TestSession.open(server.wsUrl, { language: 'python', memoryLimitMB: 128 });
  await session.shell('sh', ['-c', 'cat > /tmp/tree.py'], { stdin: TREE });
  return session;
}

function program(commandName: string, args: string[]): object {
  return { type: 'execute_shell', commandName, args };
}

/** What ends a batch, or lasts until something from outside does; then `mark` is among the words of a program. */
function endOf(end: (typeof ENDS)[number], mark: string): object[] {
  if (end === 'a failure') return [{ type: 'read_file', path: 'no/such/file' }];
  if (end === 'a full disk')
    return [program('sh', ['-c', 'cat /dev/zero > filler']), { type: 'read_file', path: 'no/such/file' }];
  return [program('sh', ['-c', `sleep ${mark} & echo ${BEGUN}; wait`])];
}

const idOf = ({ sessionId }: { sessionId: string }) => sessionId;

/** A program of a sandbox, as this machine numbers it. */
async function processWith(word: string): Promise<number> {
  const found = () => globSync('/proc/[0-9]*/cmdline').find(path => read(path).split('\0')[1] === word);
  const path = await vi.waitUntil(found, { interval: 10, timeout: 60_000 });
  return Number(path.split('/')[2]);
}

/** Process 1 of its sandbox. */
function agentOf(pid: number): number {
  const status = read(`/proc/${pid}/status`);
  if (/^NSpid:.*\t1$/m.test(status)) return pid;
  return agentOf(Number(/^PPid:\t(\d+)$/m.exec(status)![1]));
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
