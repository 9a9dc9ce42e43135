import { expect, test } from 'vitest';
import { HostFiles } from '../../src/agent-client/host-files.ts';
import type { ChannelListener, Link } from '../../src/agent-client/link.ts';
import { FieldWriter } from '../../src/wire/fields.ts';
import { FILE_OPS, FromAgent } from '../../src/wire/messages.ts';

/** The agent's end: says what the test wants on the only channel. */
function open() {
  let listener: ChannelListener | undefined;
  const closed: number[] = [];
  const link: Link = {
    open(opened) {
      listener = opened;
      return 1;
    },
    close: channel => void closed.push(channel),
    send() {},
    sendAsIs: async () => {},
    sendNumber() {},
    drained: () => undefined,
    expect: answer => answer,
  };
  const say = (kind: number, payload: Uint8Array) => listener?.onMessage(kind, payload, 0);
  return { files: new HostFiles(link), say, closed };
}

/** Counts until it has had enough. */
function budget(most: number) {
  let taken = 0;
  return {
    take(bytes: number) {
      if (taken + bytes > most) throw new Error('enough');
      taken += bytes;
    },
    taken: () => taken,
  };
}

const entries = (count: number, more: boolean) => {
  const fields = new FieldWriter().u8(FILE_OPS.list).u8(Number(more));
  for (let i = 0; i < count; i++) fields.u8(0).u64(0).u64(0).text(`name-${i}`);
  return fields.bytes;
};
const done = new FieldWriter().u8(FILE_OPS.read).u64(3000).bytes;
const ALL = { recursive: true, includeHidden: true, maxDepth: 0 };

test('a read is counted as it arrives', async () => {
  const { files, say } = open();
  const { take, taken } = budget(3000);
  const reading = files.read('/workspace/a', { take });
  say(FromAgent.fileData, Buffer.alloc(1000));
  expect(taken()).toBe(1000);
  say(FromAgent.fileData, Buffer.alloc(2000));
  say(FromAgent.fileDone, done);
  expect((await reading).data.byteLength).toBe(3000);
});

test('one that is too much is refused at once, and the rest of it dropped until its end', async () => {
  const { files, say, closed } = open();
  const { take, taken } = budget(1500);
  const reading = files.read('/workspace/a', { take });
  for (let i = 0; i < 2; i++) say(FromAgent.fileData, Buffer.alloc(1000));
  await expect(reading).rejects.toThrow('enough');
  expect(closed).toEqual([]);
  say(FromAgent.fileData, Buffer.alloc(1000));
  expect(taken()).toBe(1000);
  say(FromAgent.fileDone, done);
  expect(closed).toEqual([1]);
});

test('so is a listing, of which each entry counts', async () => {
  const { files, say, closed } = open();
  const { take, taken } = budget(150_000);
  const listing = files.list('/workspace', { ...ALL, take });
  for (let i = 0; i < 3; i++) say(FromAgent.fileDone, entries(500, true));
  await expect(listing).rejects.toThrow('enough');
  expect(taken()).toBeGreaterThan(500 * 128);
  say(FromAgent.fileDone, entries(500, false));
  expect(closed).toEqual([1]);
});
