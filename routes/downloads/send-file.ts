import type { FastifyReply, FastifyRequest } from 'fastify';
import { takeTime } from '../../plugins/unhurried.ts';
import { ServiceError } from '../../src/errors.ts';
import type { Download } from '../../src/service/service.ts';
import { onceClosed } from '../../src/wire/once-closed.ts';
import { acceptedCoding } from './coding-headers.ts';
import { entityTag, isKnown, isWanted, lastModified, rangeHolds } from './conditions.ts';
import { attachment } from './disposition.ts';
import { isCompressible, typeOf } from './file-type.ts';
import { modeText } from './mode.ts';
import { rangeIn } from './range.ts';
import { sendPieces } from './send-pieces.ts';

/** Smaller files are sent as they are, bytes. */
const MIN_CODED_BYTES = 1024;

/** `GET` and `HEAD` of a file. Closes it in the end. */
export async function sendFile(
  download: Download,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { headers, method } = request;
  const { path, status } = download;
  onceClosed(reply.raw, () => download.close());
  const range = rangeHolds(headers, status) ? rangeIn(headers.range, status.size) : null;
  const liked = range === null && isCodable(download) ? acceptedCoding(headers['accept-encoding']) : null;
  const coding = liked && download.mayEncode() ? liked : null;
  reply.headers({
    etag: entityTag(status, coding),
    'last-modified': lastModified(status),
    'accept-ranges': 'bytes',
    'cache-control': 'private, no-cache',
    vary: 'accept-encoding',
    'x-file-mode': modeText(status.mode),
  });
  if (!isWanted(headers, status))
    throw new ServiceError('PRECONDITION_FAILED', 'if-match: the file is another version by now');
  if (isKnown(headers, status)) return reply.code(304).send();
  if (range === 'none') {
    reply.header('content-range', `bytes */${status.size}`);
    throw new ServiceError('RANGE_NOT_SATISFIABLE', `range: the file has ${status.size} bytes`);
  }
  const { offset, length } = range ?? { offset: 0, length: status.size };
  // A stranger wrote it: no browser is to show it as a page of this origin, or to run it.
  reply.headers({
    'content-type': typeOf(path),
    'content-disposition': attachment(path),
    'content-security-policy': "sandbox; default-src 'none'; frame-ancestors 'none'",
  });
  if (range) reply.code(206).header('content-range', `bytes ${offset}-${offset + length - 1}/${status.size}`);
  if (coding) reply.header('content-encoding', coding);
  else reply.header('content-length', length);
  if (method === 'HEAD') return reply.send();
  takeTime(reply);
  return sendPieces(reply, download.read(offset, length, { coding }));
}

function isCodable({ path, status }: Download): boolean {
  return status.size >= MIN_CODED_BYTES && isCompressible(path);
}
