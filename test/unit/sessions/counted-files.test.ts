import { expect, it } from 'vitest';
import { Ledger } from '../../../src/service/admission/ledger.ts';
import { CountedFiles } from '../../../src/service/sessions/counted-files.ts';
import { standStill } from '../support/clock.ts';
import { MemoryFiles } from '../support/memory-files.ts';
import { openService } from '../support/open-service.ts';
import { ends } from '../support/scripts.ts';

standStill();
const MB = 1024 * 1024;

it('refuses a read for which an owner has no room, until another command is over', async () => {
  const files = new MemoryFiles();
  await files.write('/workspace/a', Buffer.alloc(60));
  const ledger = new Ledger({ perOwner: 100, total: 150 });
  const [one, two, other] = ['a', 'a', 'b'].map(owner => new CountedFiles(files, ledger, owner)) as [
    CountedFiles,
    CountedFiles,
    CountedFiles,
  ];
  await one.read('/workspace/a');
  await expect(two.read('/workspace/a')).rejects.toMatchObject({ code: 'QUEUE_FULL', retryAfter: 1 });
  await other.read('/workspace/a');
  one[Symbol.dispose]();
  await two.read('/workspace/a');
  await expect(one.read('/workspace/a')).rejects.toMatchObject({ code: 'QUEUE_FULL' });
  two[Symbol.dispose]();
  other[Symbol.dispose]();
  expect(ledger.fits('a', 100) && ledger.fits('b', 100)).toBe(true);
});

it('keeps what many sessions read at once within one bound, and nothing of it afterwards', async () => {
  const { session, runtime, service, call } = openService({ script: ends() });
  const owner = 'key';
  const file = Buffer.alloc(30 * MB, 'x');
  const gate = Promise.withResolvers<void>();
  const ids: string[] = [];
  for (let i = 0; i < 10; i++) {
    ids.push((await session({}, { owner })).id);
    runtime.last.files.contents.set('/workspace/a', file);
    runtime.last.files.afterRead = async () => gate.promise;
  }
  const read = async (id: string) => {
    const command = {
      type: 'read_file',
      id: undefined,
      params: { path: 'a', length: 30 * MB, encoding: 'base64' },
      at: '',
    } as const;
    return service.sessions.execute(id, command, call({ owner })).then(
      () => 'read',
      error => error.code,
    );
  };
  const reading = ids.map(read);
  gate.resolve();
  const codes = await Promise.all(reading);
  expect(codes.filter(code => code === 'read')).toHaveLength(8);
  expect(codes.filter(code => code === 'QUEUE_FULL')).toHaveLength(2);
  expect(await Promise.all(ids.slice(0, 2).map(read))).not.toContain('QUEUE_FULL');
});
