import { expect, it } from 'vitest';
import { settle, standStill } from '../support/clock.ts';
import { openService } from '../support/open-service.ts';
import { byName, runsOn } from '../support/scripts.ts';

standStill();

const script = byName({ sleep: runsOn });
const transactional = true;
const commands = [
  { type: 'write_file', path: 'f', content: 'middle' },
  { type: 'execute_shell', commandName: 'sleep' },
];

/** A session, and whether promises of it have ended. */
async function open() {
  const all = openService({ script });
  const session = await all.session();
  const { transfers } = all.service;
  const { files } = all.runtime.last;
  await files.write('/workspace/f', Buffer.from('old'));
  const ended = new Set<string>();
  const watched = <T>(name: string, promise: Promise<T>): Promise<T> => {
    const over = () => void ended.add(name);
    promise.then(over, over);
    return promise;
  };
  return { ...all, ...session, transfers, files, ended, watched };
}

it('what is asked for in the middle of a transaction sees nothing of it and is not undone by it', async () => {
  const { id, batch, transfers, files, call, ended, watched } = await open();
  const gone = new AbortController();
  const undone = batch({ commands, transactional }, { signal: gone.signal });
  await settle();
  expect(files.text('/workspace/f')).toBe('middle');
  const upload = watched('upload', transfers.upload(id, 'new', {}, call()));
  const download = watched('download', transfers.download(id, 'f', call()));
  const removal = watched('removal', transfers.remove(id, 'f', { recursive: false }, call()));
  await settle();
  expect([...ended]).toEqual([]);
  gone.abort();
  await expect(undone).rejects.toMatchObject({ code: 'CANCELLED' });
  const { status, close } = await download;
  expect(status.size).toBe('old'.length);
  close();
  await removal;
  const writer = await upload;
  await writer.write(Buffer.from('new'));
  await writer.finish();
  expect([files.text('/workspace/new'), files.contents.has('/workspace/f')]).toEqual(['new', false]);
});

it('a transaction waits for uploads that are under way, and for none that was cut', async () => {
  const { id, batch, transfers, files, call } = await open();
  const first = await transfers.upload(id, 'a', {}, call());
  const cut = await transfers.upload(id, 'b', { resumable: true }, call());
  await cut.write(Buffer.from('half'));
  const done = batch({ commands: commands.slice(0, 1), transactional });
  await settle();
  expect(files.text('/workspace/f')).toBe('old');
  cut.pause();
  await settle();
  expect(files.text('/workspace/f')).toBe('old');
  await first.finish();
  expect(await done).toMatchObject({ success: true });
  const again = await transfers.resume(id, { path: 'b' }, call());
  await again.write(Buffer.from(' of it'));
  await again.finish();
  expect(files.text('/workspace/b')).toBe('half of it');
});

it('whoever leaves while it waits for a transaction takes no place', async () => {
  const { id, batch, transfers, files, call } = await open();
  const gone = new AbortController();
  const undone = batch({ commands, transactional }, { signal: gone.signal });
  undone.catch(() => {});
  await settle();
  const left = new AbortController();
  const upload = transfers.upload(id, 'new', {}, call({ signal: left.signal }));
  left.abort();
  await expect(upload).rejects.toMatchObject({ code: 'CANCELLED' });
  gone.abort();
  await expect(undone).rejects.toMatchObject({ code: 'CANCELLED' });
  // Nothing holds it up.
  expect(await batch({ commands: commands.slice(0, 1), transactional })).toMatchObject({ success: true });
  expect(files.contents.has('/workspace/new')).toBe(false);
});
