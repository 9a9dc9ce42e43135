import type { FileSink, FileSource, OpenFile, WriteOptions } from '../sandbox.ts';
import {
  decodeOpened,
  decodeWritten,
  encodeFileRequest,
  type OpenedFile,
  ToAgent,
} from '../wire/messages.ts';
import { timeOf } from './file-time.ts';
import { HostStream } from './host-stream.ts';
import type { Link } from './link.ts';

const MODE_BITS = 0o7777;

/** @throws {FileRefused | SandboxLost} */
export async function openRead(link: Link, path: string): Promise<FileSource> {
  const stream = new HostStream(link, {
    kind: ToAgent.file,
    payload: encodeFileRequest({ op: 'openRead', path }),
    opened: decodeOpened,
    ended: nothing,
  });
  const status = statusOf(await link.expect(stream.opened));
  return {
    status,
    read(offset, length) {
      stream.ask(ToAgent.file, encodeFileRequest({ op: 'range', offset, length }));
      return stream.receive(length);
    },
    close: () => stream.reset(),
  };
}

/** @throws {FileRefused | SandboxLost} */
export async function openWrite(
  link: Link,
  path: string,
  { append = false, size = 0, mode, expects }: WriteOptions = {},
): Promise<FileSink> {
  const stream = new HostStream(link, {
    kind: ToAgent.file,
    payload: encodeFileRequest({
      op: 'openWrite',
      path,
      append,
      size,
      mode: mode ?? null,
      expects: expects ?? null,
    }),
    opened: nothing,
    ended: decodeWritten,
  });
  await link.expect(stream.opened);
  return {
    write: data => stream.send(data),
    async commit() {
      stream.sendEnd();
      const written = await link.expect(stream.ended);
      return { ...statusOf(written), made: written.made };
    },
    abort: () => stream.reset(),
  };
}

function statusOf({ type, mode, size, modifiedAt, version }: OpenedFile): OpenFile {
  return { type, mode: mode & MODE_BITS, size, modifiedAt: timeOf(modifiedAt), version };
}

function nothing(payload: Uint8Array): void {
  if (payload.byteLength > 0) throw new Error('bytes where none belong');
}
