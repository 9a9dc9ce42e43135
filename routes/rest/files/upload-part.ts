import type { FastifyReply, FastifyRequest } from 'fastify';
import { takeTime } from '../../../plugins/unhurried.ts';
import { invalid, ServiceError } from '../../../src/errors.ts';
import type { Expectation } from '../../../src/sandbox.ts';
import type { Call } from '../../../src/service/call.ts';
import type { Transfers, Upload } from '../../../src/service/service.ts';
import { callOf } from '../../call.ts';
import { expectationOf } from '../../downloads/conditions.ts';
import { modeIn } from '../../downloads/mode.ts';
import { takeBody } from './body.ts';
import type { ContentRange } from './content-range.ts';
import { digestsOf } from './digests.ts';
import { sendWritten } from './written.ts';

interface Part {
  readonly id: string;
  readonly path: string;
  readonly append: boolean;
  readonly part: ContentRange;
}

/**
 * `PUT` of a part of a file: the first begins an upload, which shows nothing until the last has come. 202 says by `Upload-Offset` how
 * much is there; a part that begins elsewhere is refused with the same. What a cut connection had brought counts.
 */
export async function uploadPart(
  transfers: Transfers,
  target: Part,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { headers } = request;
  const { first, length } = target.part;
  if (target.append) throw invalid('content-range', 'does not go with mode=append');
  if (headers['content-encoding'] !== undefined)
    throw invalid('content-encoding', 'does not go with content-range');
  if (Number(headers['content-length'] ?? length) !== length)
    throw invalid('content-range', `has ${length} bytes, and the body ${headers['content-length']}`);
  const digests = digestsOf(headers);
  const expects = expectationOf(headers);
  if (expects && first !== null && first > 0)
    throw invalid('if-match', 'comes with the first part, and holds for the last as well');
  const call = callOf(request, reply);
  if (first === null) return sendOffset(reply, await offsetOf(transfers, target, call));
  const upload = await open(transfers, target, call, { mode: modeIn(headers['x-file-mode']), expects }).catch(
    async error => {
      reply.header('upload-offset', await offsetOf(transfers, target, call).catch(() => 0));
      throw error;
    },
  );
  const end = first + length;
  try {
    takeTime(reply);
    await takeBody(request.raw, digests.content, piece => {
      if (upload.received + piece.byteLength > end)
        throw invalid('content-range', `has ${length} bytes, and the body more`);
      return upload.write(piece);
    });
    if (upload.received < end) throw invalid('content-range', `has ${length} bytes, and the body fewer`);
    if (end < target.part.total) {
      upload.pause();
      return sendOffset(reply, upload.received);
    }
    return sendWritten(reply, await upload.finish(digests.whole), true);
  } catch (error) {
    // Anything else is the connection's end.
    if (error instanceof ServiceError) upload.abort();
    else upload.pause();
    throw error;
  }
}

async function open(
  transfers: Transfers,
  { id, path, part }: Part,
  call: Call,
  { mode, expects }: { mode: number | null; expects: Expectation | undefined },
): Promise<Upload> {
  const { first, total } = part;
  const kept = await transfers.progress(id, path, call);
  if (first === 0) {
    if (kept) (await transfers.resume(id, { path }, call)).abort();
    const options = {
      size: total,
      hashed: true,
      resumable: true,
      ...(mode !== null && { mode }),
      ...(expects && { expects }),
    };
    return transfers.upload(id, path, options, call);
  }
  if (kept?.received === first && kept.size === total) return transfers.resume(id, { path }, call);
  const there = kept ? `${kept.received} of ${kept.size} bytes are there` : 'nothing is there';
  throw new ServiceError('RANGE_NOT_SATISFIABLE', `content-range: ${there}`);
}

async function offsetOf(transfers: Transfers, { id, path, part }: Part, call: Call): Promise<number> {
  const kept = await transfers.progress(id, path, call);
  return kept?.size === part.total ? kept.received : 0;
}

function sendOffset(reply: FastifyReply, offset: number): FastifyReply {
  return reply.code(202).header('upload-offset', offset).send();
}
