import { afterEach, expect, test, vi } from 'vitest';
import { DownloadTransfer } from '../../../routes/data/download.ts';
import { ServiceError } from '../../../src/errors.ts';
import type { Download } from '../../../src/service/service.ts';
import { turn } from '../../../src/wire/turns.ts';

afterEach(() => vi.unstubAllGlobals());

test('a download that is cancelled while it waits for its turn sends nothing more', async () => {
  let now = 0;
  vi.stubGlobal('performance', { now: () => now });
  turn();
  // What is large has had its time.
  now = 1;
  const isRead = Promise.withResolvers<void>();
  const download = {
    transfer: 1,
    path: '/workspace/file',
    status: { size: 3, type: 'file', version: '1' },
    mayEncode: () => true,
    async *read() {
      isRead.resolve();
      yield Buffer.from('abc');
    },
    close() {},
  } as unknown as Download;
  const sent: Uint8Array[] = [];
  const sendData = async ({ payload }: { payload: Uint8Array }) => void sent.push(payload);
  const part = { offset: 0, length: null, coding: null };
  const transfer = new DownloadTransfer('a', download, part, { say: () => {}, sendData });
  await isRead.promise;
  for (let i = 0; i < 10; i++) await null;
  transfer.stop(new ServiceError('CANCELLED', 'Cancelled'));
  await expect(transfer.done).rejects.toMatchObject({ code: 'CANCELLED' });
  for (let i = 0; i < 3; i++) await new Promise(setImmediate);
  expect(sent).toEqual([]);
});
