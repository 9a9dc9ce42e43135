import { expect, inject, test } from 'vitest';
import { TestSession } from '../support/session.ts';
import { SERVER_SECRET } from '../support/start-server.ts';

/**
 * What a cell of Deno has that has got the better of Deno's permissions: the rights of a program beside it. The walls of its
 * sandbox know nothing of permissions.
 */
const server = inject('server');

const LOOK = `
import errno, json, os, socket
def attempt(work):
    try: return work()
    except OSError as error: return errno.errorcode[error.errno]
status = dict(line.split(':', 1) for line in open('/proc/self/status'))
connect = lambda address: attempt(lambda: socket.create_connection(address, 2).close())
kernel = next(pid for pid in os.listdir('/proc') if pid.isdigit() and 'javascript/deno.mjs' in open(f'/proc/{pid}/cmdline').read())
print(json.dumps({
  'rights': [status[name].strip() for name in ('Uid', 'Gid', 'CapEff', 'CapBnd', 'NoNewPrivs', 'Seccomp')],
  'mounts': sorted(line.split(' ', 3)[3] for line in open('/proc/self/mountinfo')),
  'variables': sorted(os.environ),
  'agent': [attempt(lambda: open('/proc/1/' + name).read()) for name in ('mem', 'environ', 'maps')],
  'network': [connect(('127.0.0.1', ${new URL(server.url).port})), connect(('192.0.2.1', 80))],
}))
print(open(f'/proc/{kernel}/environ').read())`;

async function looked(permissions: object | undefined) {
  const config = { language: 'javascript', runtimeType: 'Deno', ...(permissions && { permissions }) };
  await using session = await TestSession.open(server.wsUrl, config);
  await session.prints('console.log(1)');
  const { stdout } = await session.shell('python3', ['-c', LOOK]);
  return { seen: JSON.parse(stdout.split('\n')[0]), text: stdout };
}

test('a program beside cells that are held to permissions has the walls of every sandbox', async () => {
  const { seen, text } = await looked({ allowRead: false, allowWrite: false, allowEnv: false });
  const none = '0000000000000000';
  const nobody = '65534\t65534\t65534\t65534';
  expect(seen).toMatchObject({
    rights: [nobody, nobody, none, none, '1', '2'],
    agent: ['EACCES', 'EACCES', 'EACCES'],
    network: ['ECONNREFUSED', 'ENETUNREACH'],
  });
  expect(text).not.toContain(SERVER_SECRET);
  expect(seen).toEqual((await looked(undefined)).seen);
});
