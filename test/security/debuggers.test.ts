import { expect, inject, test } from 'vitest';
import { framed } from '../../src/wire/content-length.ts';
import { DapClient } from '../support/dap-client.ts';
import { available } from '../support/matrix.ts';
import { TestSession } from '../support/session.ts';

/** What attacks a debugger from inside its sandbox, on every adapter: it harms the debugging of its own session and nothing else. */
const { url: base, wsUrl } = inject('server');
const LANGUAGES = ['python', 'javascript', 'go'];
const rows = (await available()).filter(
  ({ language, runtimeType }) => runtimeType !== 'Docker' && LANGUAGES.includes(language),
);

/** Says what is no word of any debugger to whatever listens inside, as that of its own interpreter. */
const JAVASCRIPT = `import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
let ports = [];
try {
  const listening = /0100007F:([0-9A-F]{4}) 00000000:0000 0A/g;
  ports = [...readFileSync('/proc/net/tcp', 'utf8').matchAll(listening)].map(([, port]) => parseInt(port, 16));
} catch {}
for (const port of ports) {
  const socket = connect(port, '127.0.0.1', () => socket.write('\\0'.repeat(1 << 20))).on('error', () => {});
}
globalThis[Symbol.for('codebeaker.hits')] = globalThis[Symbol.for('codebeaker.value')] = null;
console.log('begun');
setInterval(() => {}, 1000);
`;
const PROGRAMS: Readonly<Record<string, { readonly file: string; readonly content: string }>> = {
  python: {
    file: 'main.py',
    content: 'import time\nprint("begun", flush=True)\nwhile True: time.sleep(0.1)\n',
  },
  javascript: { file: 'main.mjs', content: JAVASCRIPT },
  go: {
    file: 'main.go',
    content:
      'package main\n\nimport "time"\n\nfunc main() {\n\tprint("begun\\n")\n\ttime.Sleep(time.Hour)\n}\n',
  },
};

/** The process of the adapter, for a shell. */
const ADAPTER = `for at in /proc/[0-9]*; do
  case "$(tr '\\0' ' ' <$at/cmdline)" in */[a]dapter\\ *|*/[a]dapter.mjs*) break ;; esac
done`;
/** Far more than any pipe or socket on their way holds. */
const FRAMES = 5000;

async function start(session: TestSession, more: object = {}): Promise<DapClient> {
  const { url } = await session.client.call('debug.start', { sessionId: session.id, ...more });
  return DapClient.connect(base.replace('http', 'ws') + url);
}

test.each(rows)(
  'what attacks its adapter harms its session only: $name',
  { timeout: 300_000 },
  async ({ language, runtimeType }) => {
    await using session = await TestSession.open(wsUrl, { language, runtimeType });
    await using neighbour = await TestSession.open(wsUrl, { language: 'python', runtimeType: 'Python' });
    using beside = await start(neighbour);
    await beside.ask('initialize', { adapterID: 'test' });
    const { file: path, content } = PROGRAMS[language]!;
    await session.done('write_file', { path, content });
    const begin = async () => {
      const client = await start(session);
      await client.launch({ program: path });
      const printed = () => client.output('stdout') + client.output('stderr');
      await expect.poll(printed).toBe('begun\n');
      return client;
    };
    const attack = (how: string, ...args: string[]) =>
      session.shell('sh', ['-c', `${ADAPTER}\n${how}`, 'sh', ...args]);

    using client = await begin();
    const forged = [
      { seq: 1, type: 'request', command: 'runInTerminal', arguments: { args: ['sh'], cwd: '/' } },
      { seq: 1, type: 'event', event: 'output', body: { category: 'stdout', output: 'forged' } },
    ];
    await attack('printf %s "$1" >$at/fd/1', forged.map(each => framed(JSON.stringify(each))).join(''));
    await expect.poll(() => client.output('stdout')).toContain('forged');
    expect(client.messages.filter(({ type }) => type === 'request')).toEqual([]);

    const body = { category: 'stderr', output: 'x'.repeat(1000) };
    const frame = framed(JSON.stringify({ seq: 1, type: 'event', event: 'output', body })).toString();
    const flood = attack(
      `i=0; while [ $i -lt 1000 ]; do printf %s "$1"; i=$((i + 1)); done >/tmp/frames
i=0; while [ $i -lt ${FRAMES / 1000} ]; do cat /tmp/frames; i=$((i + 1)); done >$at/fd/1`,
      frame,
    );
    expect(await neighbour.prints('print("well")')).toBe('well\n');
    await flood;
    await expect.poll(() => client.output('stderr').length).toBeGreaterThanOrEqual(FRAMES * 1000);
    await client.ask('threads');
    await attack('head -c 1000 /dev/zero >$at/fd/1');
    expect(await client.ended()).toMatchObject({
      code: 1011,
      reason: expect.stringMatching(/^The debugger said what is no message/),
    });

    using killed = await begin();
    await attack('kill -9 $' + '{at#/proc/}');
    expect((await killed.ended()).code).toBe(1011);
    expect(killed.ends).toEqual(['exited', 'terminated']);
    const left = async () =>
      (await session.shell('sh', ['-c', 'cat /proc/[0-9]*/cmdline | tr "\\0" " "'])).stdout.includes('main.');
    await expect.poll(left).toBe(false);
    await beside.ask('disconnect');
    expect(await beside.ended()).toEqual({ code: 1000, reason: '' });
  },
);

const CELL = `import glob, os, re, signal, socket
adapter = next(each for each in glob.glob('/proc/[0-9]*') if b'/adapter\\0' in open(each + '/cmdline', 'rb').read())
listening = re.findall('0100007F:([0-9A-F]{4}) 00000000:0000 0A', open('/proc/net/tcp').read())
for port in listening:
    try:
        other = socket.create_connection(('127.0.0.1', int(port, 16)))
        other.sendall(b'Content-Length: 2\\r\\n\\r\\n{}' + bytes(65536))
        other.close()
    except OSError:
        pass
`;

test('a cell that attacks its debugger ends that, and its kernel and the session go on', async () => {
  await using session = await TestSession.open(wsUrl, { language: 'python', runtimeType: 'Python' });
  const begin = async () => {
    const client = await start(session, { context: 'default' });
    await client.launch({});
    return client;
  };
  await session.prints('kept = 5');
  const second = { seq: 1, type: 'event', event: 'debugpyWaitingForServer', body: { port: 1 } };
  const forged = JSON.stringify(framed(JSON.stringify(second)).toString());
  using client = await begin();
  const forges = `open(adapter + '/fd/1', 'wb', 0).write(${forged}.encode())`;
  expect(await session.prints(`${CELL}${forges}\nprint('well', kept)`)).toBe('well 5\n');
  expect(await client.ended()).toMatchObject({
    code: 1011,
    reason: expect.stringContaining('second kernel'),
  });

  using other = await begin();
  const kills = `os.kill(int(adapter[6:]), signal.SIGKILL)`;
  expect(await session.prints(`${CELL}${kills}\nprint('well', kept)`)).toBe('well 5\n');
  expect((await other.ended()).code).toBe(1011);
  expect(await session.prints('print(kept)')).toBe('5\n');
});
