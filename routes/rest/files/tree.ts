import type { FastifyReply, FastifyRequest } from 'fastify';
import { takeTime } from '../../../plugins/unhurried.ts';
import { invalid } from '../../../src/errors.ts';
import type { Packed, Transfers } from '../../../src/service/service.ts';
import { onceClosed } from '../../../src/wire/once-closed.ts';
import { callOf } from '../../call.ts';
import { codingOf } from '../../downloads/coding-headers.ts';
import { attachment } from '../../downloads/disposition.ts';
import { sendPieces } from '../../downloads/send-pieces.ts';
import { takeBody } from './body.ts';

export const TAR = 'application/x-tar';

/** What is of a file, and can't be held to for a directory. */
const OF_FILES = [
  'content-range',
  'content-digest',
  'repr-digest',
  'digest',
  'x-file-mode',
  'if-match',
  'if-none-match',
  'if-unmodified-since',
];

/** Whether what a request brings is to be unpacked. */
export function isTree({ headers }: FastifyRequest): boolean {
  return /^application\/x-tar\s*(?:;|$)/i.test(headers['content-type'] ?? '');
}

function describe(path: string, reply: FastifyReply): void {
  reply.headers({
    'content-type': TAR,
    'content-disposition': attachment(`${path}.tar`),
    'cache-control': 'no-store',
    'content-security-policy': "sandbox; default-src 'none'; frame-ancestors 'none'",
  });
}

/** `HEAD` of a directory: how large its archive would be is not known. */
export function describeTree(path: string, reply: FastifyReply): FastifyReply {
  describe(path, reply);
  return reply.send();
}

/** `GET` of a directory. Closes it in the end. */
export async function sendTree(tree: Packed, reply: FastifyReply): Promise<FastifyReply> {
  onceClosed(reply.raw, () => tree.close());
  describe(tree.path, reply);
  takeTime(reply);
  return sendPieces(reply, tree.pieces());
}

/** `PUT` of an archive. */
export async function putTree(
  transfers: Transfers,
  { id, path }: { id: string; path: string },
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { headers } = request;
  for (const name of OF_FILES)
    if (headers[name] !== undefined) throw invalid(name, `does not go with ${TAR}, which is unpacked`);
  const coding = codingOf(headers['content-encoding']);
  const coded = coding && { coding, field: 'content-encoding' };
  const tree = await transfers.unpack(id, path, { ...(coded && { coded }) }, callOf(request, reply));
  try {
    takeTime(reply);
    await takeBody(request.raw, null, piece => tree.write(piece));
    await tree.finish();
  } catch (error) {
    tree.abort();
    throw error;
  }
  return reply.code(tree.made ? 201 : 204).send();
}
