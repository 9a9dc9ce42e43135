import { once } from 'node:events';
import Docker from 'dockerode';
import { afterAll, beforeAll, expect, inject } from 'vitest';
import { needs } from '../support/needs.ts';
import { http, runOnce } from '../support/rest-client.ts';
import { RpcClient } from '../support/rpc-client.ts';

/** Images that declare what would harm others, on a real engine. */
const test = needs('docker engine');
const IMAGE = 'codebeaker-test-volume';
const server = inject('server');
const docker = new Docker();

beforeAll(async () => {
  const changes = ['VOLUME /data'];
  const answer = await docker.importImage(Buffer.alloc(1024) as never, {
    repo: IMAGE,
    tag: 'latest',
    changes,
  });
  answer.resume();
  await once(answer, 'end');
});
afterAll(() => docker.getImage(IMAGE).remove({ force: true }));

test('an image with a volume is refused by every door, with the field and the reason', async () => {
  const reason = /^dockerImage: codebeaker-test-volume is refused: it declares volumes, .*: \/data$/m;
  const session = { language: 'python', dockerImage: IMAGE };
  const refused = { code: 'NOT_SUPPORTED', message: expect.stringMatching(reason) };
  expect(await http(`${server.url}/api/session`, 'POST', session)).toMatchObject({
    status: 422,
    body: refused,
  });
  const client = await RpcClient.connect(server.wsUrl);
  await expect(client.call('session.create', session)).rejects.toMatchObject({
    data: { code: refused.code },
    message: refused.message,
  });
  await client.close();
  // One-shots are taken before their sandbox is made.
  const done = await runOnce(server.url, { ...session, code: '1' });
  expect(done).toMatchObject({ outcome: 'sandbox_lost', stderr: refused.message });
});
