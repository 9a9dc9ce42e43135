import { describe, expect, inject, test } from 'vitest';
import { sandboxes } from '../support/matrix.ts';
import type { RpcClient } from '../support/rpc-client.ts';
import { TestSession } from '../support/session.ts';

/** What becomes of files, told over a real socket. */
const server = inject('server');

/** A watch as its client sees it. */
class Watch {
  readonly id: string;
  readonly #client: RpcClient;
  /** Where what happens next begins. */
  #from = 0;

  private constructor(client: RpcClient, id: string) {
    this.#client = client;
    this.id = id;
  }

  static async open({ client, id }: TestSession, fields: object): Promise<Watch> {
    const { watchId } = await client.call('fs.watch', { sessionId: id, ...fields });
    return new Watch(client, watchId);
  }

  get told(): string[] {
    return this.#client.notifications
      .filter(({ method, params }) => method === 'fs.changed' && params.watchId === this.id)
      .map(({ params: { type, path, newPath } }) =>
        [type, path, ...(newPath ? [newPath] : [])].join(' ').replaceAll('/workspace/', ''),
      );
  }

  /** What has been told since, up to this; sorted, since what happens in one moment has no order. */
  async upTo(last: string): Promise<string[]> {
    await this.#client.until(() => this.told.includes(last, this.#from));
    const end = this.told.indexOf(last, this.#from);
    const told = this.told.slice(this.#from, end).sort();
    this.#from = end + 1;
    return told;
  }

  close(): Promise<unknown> {
    return this.#client.call('fs.unwatch', { watchId: this.id });
  }
}

/**
 * Has the program that watches stand still, as on a busy machine, while more happens than the kernel's queue takes; in the end there is a
 * directory that nobody knows.
 */
const STORM = `
import os, signal
def watchers():
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try: words = open(f'/proc/{pid}/cmdline', 'rb').read().split(b'\\0')
        except OSError: continue
        if words[1:2] == [b'watch']: yield int(pid)
held = list(watchers())
for pid in held: os.kill(pid, signal.SIGSTOP)
for i in range(10000):
    open(f'big/{i}', 'w').close()
    os.remove(f'big/{i}')
os.makedirs('big/node_modules/last')
for pid in held: os.kill(pid, signal.SIGCONT)
print(len(held))`;

describe.for(await sandboxes())('a watch in $name', ({ language, runtimeType }) => {
  const open = () => TestSession.open(server.wsUrl, { language, runtimeType });

  test('tells what programs and clients do, and its end ends nothing else', async () => {
    await using session = await open();
    const sh = (script: string) => session.shell('sh', ['-c', script]);
    await sh('mkdir -p src/deep; echo x > src/a; ln -s src link; ln -s /etc out');
    const all = await Watch.open(session, { recursive: true });
    const one = await Watch.open(session, { path: 'link' });

    // As editors save a file: beside it, and by putting it aside.
    await sh('echo y > src/.a.tmp; mv src/.a.tmp src/a; echo z > end1');
    // On a busy machine that is two moments.
    expect((await all.upTo('created end1')).join()).toMatch(/modified src\/a|renamed src\/\.a\.tmp src\/a/);
    await sh('mv src/deep src/deeper; mkdir -p src/deeper/new; echo x > src/deeper/new/f; echo > end2');
    const renamed = await all.upTo('created end2');
    expect(renamed).toContain('renamed src/deep src/deeper');
    expect(renamed).toContain('created src/deeper/new/f');
    await session.done('write_file', { path: 'src/by-client', content: 'x' });
    await all.upTo('created src/by-client');
    await one.upTo('created link/by-client');
    expect(one.told.some(each => each.includes('deeper/'))).toBe(false);

    const refused = await session.client.refused('fs.watch', { sessionId: session.id, path: 'out' });
    expect(refused.data.code).toBe('COMMAND_FAILED');

    // What a shell left running lives on when a watch that began before it ends.
    await sh('sleep 1000 & echo $! > pid');
    await one.close();
    expect(await sh('kill -0 $(cat pid) && echo lives')).toMatchObject({ stdout: 'lives\n' });
    await sh('rm -r src');
    await all.upTo('deleted src');
    expect(one.told.filter(each => each.startsWith('deleted'))).toEqual([]);
  });

  test('tells that it lost something in a storm, and is right after it', async () => {
    await using session = await open();
    await session.shell('mkdir', ['big']);
    const big = await Watch.open(session, { path: 'big', recursive: true });
    expect(await session.shell('python3', ['-c', STORM])).toMatchObject({ stdout: '1\n' });
    await big.upTo('overflow big');
    await session.shell('sh', ['-c', 'touch big/node_modules/last/x; rm -r big']);
    const after = await big.upTo('ended big');
    expect(after).toContain('deleted big/node_modules');
    expect(after).toContain('deleted big');
  });
});
