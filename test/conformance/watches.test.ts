import { describe, expect, inject, test } from 'vitest';
import { sandboxes } from '../support/matrix.ts';
import { needs } from '../support/needs.ts';
import type { RpcClient } from '../support/rpc-client.ts';
import { TestSession } from '../support/session.ts';

/** What becomes of files, told over a real socket. */
const server = inject('server');

/** A watch as its client sees it. */
class Watch {
  readonly id: string;
  readonly #client: RpcClient;
  readonly #told: string[] = [];
  /** Notifications that were looked at. */
  #read = 0;
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

  get told(): readonly string[] {
    const fresh = this.#client.notifications.slice(this.#read);
    this.#read += fresh.length;
    for (const { method, params } of fresh)
      if (method === 'fs.changed' && params.watchId === this.id)
        this.#told.push(
          [params.type, params.path, params.newPath ?? ''].join(' ').trim().replaceAll('/workspace/', ''),
        );
    return this.#told;
  }

  /** What has been told since, up to this; sorted, since what happens in one moment has no order. */
  async upTo(last: string): Promise<string[]> {
    await this.#client.until(() => this.told.includes(last, this.#from));
    const end = this.told.indexOf(last, this.#from);
    const told = this.told.slice(this.#from, end).sort();
    this.#from = end + 1;
    return told;
  }

  /** What a client that has this list makes of what it has been told since `at`. */
  treeOf(listed: readonly string[], at: number): string[] {
    const tree = new Set(listed);
    for (const [type, path, newPath] of this.told.slice(at).map(each => each.split(' ')) as string[][]) {
      const inside = [...tree].filter(each => each === path || each.startsWith(`${path}/`));
      if (type === 'created') tree.add(path!);
      if (type === 'deleted' || type === 'renamed') for (const each of inside) tree.delete(each);
      if (type === 'renamed')
        for (const each of [path!, ...inside]) tree.add(newPath + each.slice(path!.length));
    }
    return [...tree].sort();
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

/** Packages as npm installs them, each from an archive of its own. */
const PACKAGES = `
import io, json, os, tarfile
os.makedirs('/tmp/archives')
def pack(name):
    with tarfile.open(f'/tmp/archives/{name}.tgz', 'w:gz') as archive:
        def add(path, text):
            entry = tarfile.TarInfo(f'package/{path}')
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
        add('package.json', json.dumps({'name': name, 'version': '1.0.0', 'bin': 'cli.js'}))
        for i in range(20): add(f'lib/{i % 4}/{i}.js' if i else 'cli.js', f'module.exports = {i}')
for i in range(16): pack(f'p{i}')
with open('package.json', 'w') as out:
    dependencies = {f'p{i}': f'file:/tmp/archives/p{i}.tgz' for i in range(16)}
    json.dump({'name': 'all', 'version': '1.0.0', 'dependencies': dependencies}, out)`;
const NPM = 'npm --offline --no-audit --no-fund --no-progress --loglevel error';
/** Has what watches stand still, as on a machine that has no time for it. */
const HOLD = `
for each in /proc/[0-9]*; do
  if grep -qz '^watch$' $each/cmdline; then kill -STOP $(basename $each); basename $each > /tmp/held; fi
done 2> /tmp/errors
test -s /tmp/held`;

needs('vim')(
  'a watch of what npm installs, editors write and git checks out comes to the tree that is there, and when it lost something says so',
  { timeout: 180_000 },
  async () => {
    await using session = await TestSession.open(server.wsUrl, {
      language: 'javascript',
      runtimeType: 'NodeJs',
      memoryLimitMB: 1024,
    });
    const sh = async (script: string): Promise<string> => {
      const { stdout, stderr, exitCode } = await session.shell('sh', ['-ec', script], { timeout: 120 });
      expect({ script, stderr, exitCode }).toMatchObject({ exitCode: 0 });
      return stdout;
    };
    const listed = async () =>
      (await sh('find . -mindepth 1 -printf "%P\\n"')).split('\n').slice(0, -1).sort();
    await session.shell('python3', ['-c', PACKAGES]);
    const all = await Watch.open(session, { recursive: true });

    const empty = await listed();
    await sh(`${NPM} install; touch end1`);
    const told = await all.upTo('created end1');
    // A machine that is busy enough may lose something here too.
    if (!told.includes('overflow /workspace')) expect(all.treeOf(empty, 0)).toEqual(await listed());

    await sh(
      `${HOLD}; for i in $(seq 60); do find node_modules -type f -exec touch {} +; done
      rm -r node_modules/p4; mkdir -p node_modules/p5/new; kill -CONT $(cat /tmp/held)`,
    );
    await all.upTo('overflow /workspace');
    await sh('touch end2');
    await all.upTo('created end2');

    const [before, from] = [await listed(), all.told.length];
    await sh(`${NPM} uninstall p1 p2 p3; mv node_modules aside`);
    await sh("printf 'one\\ntwo\\n' > notes; cp notes letter; touch end3");
    expect(await all.upTo('created end3')).toContain('renamed node_modules aside');
    await sh(
      `sed -i s/one/1/ notes
      for how in yes no auto; do vim -u NONE -N -es -c "set backup backupcopy=$how" -c 'normal Oline' -c wq letter; done
      git init -q; git add notes letter; git -c user.name=me -c user.email=me@here commit -qm first
      echo three >> notes; rm letter; git checkout -q -- .; git mv notes more; touch end4`,
    );
    const edited = await all.upTo('created end4');
    expect(edited).not.toContain('overflow /workspace');
    expect(all.treeOf(before, from)).toEqual(await listed());
    // What it comes to depends on how much of it is one moment.
    for (const name of ['letter', 'notes', 'more'])
      expect(edited.some(each => each.endsWith(` ${name}`) || each.includes(` ${name} `))).toBe(true);
  },
);
