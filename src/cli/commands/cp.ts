import { constants, lstatSync, openAsBlob, type ReadStream, type Stats, statSync } from 'node:fs';
import { access, appendFile, realpath, stat } from 'node:fs/promises';
import { basename, join, posix } from 'node:path';
import { Readable } from 'node:stream';
import { pack } from 'tar-fs';
import { CodeBeakerError } from '../../client/codebeaker-error.ts';
import type { Session } from '../../client/session.ts';
import { UsageError } from '../arguments.ts';
import { type Command, SERVER_OPTIONS } from '../command.ts';
import { Copied } from '../copied.ts';
import { EXIT, exitCodeOfSignal } from '../exit-codes.ts';
import { extract } from '../extract.ts';
import { Interruption } from '../interruption.ts';
import { tell, write } from '../print.ts';
import { reasonOf } from '../reason-of.ts';
import { replaceFile } from '../replace-file.ts';
import { clientOf } from '../server-of.ts';
import { unwritten } from '../unwritten.ts';

/** A session's id, a colon and a path. */
const REMOTE = /^([\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}):(.*)$/s;
const PERMISSIONS = 0o777;

export const cp: Command = {
  usage: ['cp LOCAL SESSION:PATH', 'cp SESSION:PATH LOCAL'],
  about: `Copies a file or directory of any size to a session or back; - is standard input or output. Paths of a session are below /workspace. Into a
directory that is there it is copied by its name; DIRECTORY/. stands for what is in it. Files are replaced whole. A terminal is shown how far
it has come. Of a file, a connection that is lost is made again for a minute, and goes on where it was; a directory is an archive, and begins
anew.

What comes from a session may be a stranger's: names that lead out of the target and devices are refused, links are left out and told
(exit code 65), no link that lies there is followed, and permissions come without set-user-id bits.`,
  options: SERVER_OPTIONS,
  async run(args) {
    args.withoutRest();
    const [source, target] = args.only('What to copy', 'Where to') as [string, string];
    const [from, to] = [REMOTE.exec(source), REMOTE.exec(target)];
    if (!from === !to)
      throw new UsageError('One of both must be of a session, as ID:PATH, and the other of this machine.');
    using interruption = new Interruption();
    interruption.signal.addEventListener('abort', () => process.exit(exitCodeOfSignal(interruption.by!)));
    using client = clientOf(args);
    const [, id, path] = (from ?? to)!;
    const session = client.attach(id!);
    if (to) return await upload(session, source, inWorkspace(path!));
    return await download(session, path!, target);
  },
};

/** As the service's paths begin. */
function inWorkspace(path: string): string {
  const relative = posix.normalize(path === '' ? '.' : path).replace(/^\/workspace(\/|$)/, '');
  if (relative.startsWith('/') || relative.split('/').includes('..'))
    throw new UsageError(`${path} is not below /workspace.`);
  return relative === '' ? '.' : relative;
}

async function upload(session: Session, source: string, path: string): Promise<number> {
  using shown = new Copied();
  if (source === '-') {
    await session.write(path, Readable.toWeb(Readable.from(shown.passing(process.stdin))));
    return 0;
  }
  const found = await stat(source).catch(error => {
    throw unread(source, error);
  });
  const target = (await typeOf(session, path)) === 'directory' ? posix.join(path, lastOf(source)) : path;
  if (found.isDirectory()) await sendDirectory(session, target, source, shown);
  else if (found.isFile()) {
    await access(source, constants.R_OK).catch(error => {
      throw unread(source, error);
    });
    await session.upload(target, await openAsBlob(source), {
      mode: found.mode & PERMISSIONS,
      onProgress: shown.show,
    });
  } else throw new UsageError(`${source} is neither a file nor a directory.`);
  return 0;
}

const unread = (path: string, error: unknown) => new UsageError(`${path} can't be read: ${reasonOf(error)}.`);

async function sendDirectory(session: Session, target: string, source: string, shown: Copied): Promise<void> {
  let failure: NodeJS.ErrnoException | undefined;
  const onError = (error: Error) => {
    failure ??= error;
  };
  // Of a file that fails, the archive does not tell.
  const mapStream = (file: ReadStream) => file.on('error', onError);
  const archive = pack(await realpath(source), { mapStream }).on('error', onError);
  await session.unpack(target, Readable.toWeb(Readable.from(shown.passing(archive)))).catch(error => {
    // The server has seen an archive that ends too soon.
    throw failure ? unread(failure.path ?? source, failure) : error;
  });
}

/** How a path is called in a directory; `.` where it stands for what is in it. */
function lastOf(path: string): string {
  const isContent = /(^|[/\\])\.$/.test(path);
  return isContent ? '.' : basename(path);
}

async function typeOf(session: Session, path: string): Promise<string | undefined> {
  try {
    return (await session.execute({ type: 'stat', path })).type;
  } catch (error) {
    if (error instanceof CodeBeakerError && error.code === 'COMMAND_FAILED') return undefined;
    throw error;
  }
}

function statusOf(place: string): Stats | undefined {
  try {
    return statSync(place, { throwIfNoEntry: false });
  } catch (error) {
    throw unwritten(place, error);
  }
}

/** What the user names is followed where it is a link, and written to where it is a device or a pipe. */
async function keep(place: string, data: AsyncIterable<Uint8Array>, mode: number): Promise<void> {
  const there = statusOf(place);
  if (!there || there.isFile()) return replaceFile(there ? await realpath(place) : place, data, mode);
  for await (const piece of data) await appendFile(place, piece);
}

async function download(session: Session, named: string, target: string): Promise<number> {
  const path = inWorkspace(named);
  const { type, mode } = await session.execute({ type: 'stat', path });
  using shown = new Copied();
  const data =
    type === 'directory'
      ? shown.passing((await session.readStream(path)) as unknown as AsyncIterable<Uint8Array>)
      : session.download(path, { onProgress: shown.show });
  if (target === '-') {
    for await (const piece of data) await write(process.stdout, piece);
    return 0;
  }
  const there = statusOf(target);
  const name = [path, lastOf(named)].includes('.') ? '.' : basename(path);
  const place = there?.isDirectory() ? join(target, name) : target;
  // Of what lies in a directory the user has said nothing.
  const isLink =
    place !== target && name !== '.' && lstatSync(place, { throwIfNoEntry: false })?.isSymbolicLink();
  if (type !== 'directory') {
    await (isLink ? replaceFile : keep)(place, data, mode & PERMISSIONS).catch(error => {
      throw unwritten(place, error);
    });
    return 0;
  }
  if (isLink) throw new UsageError(`${place} is a link, which is not followed: name where it leads.`);
  const { leftOut } = await extract(data, place);
  if (leftOut.count === 0) return 0;
  const more = leftOut.count - leftOut.names.length;
  tell(
    `links are left out, for they may lead anywhere: ${leftOut.names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`,
  );
  return EXIT.data;
}
