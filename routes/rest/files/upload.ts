import type { FastifyReply, FastifyRequest } from 'fastify';
import { takeTime } from '../../../plugins/unhurried.ts';
import { invalid } from '../../../src/errors.ts';
import type { Transfers } from '../../../src/service/service.ts';
import { callOf } from '../../call.ts';
import { codingOf } from '../../downloads/coding-headers.ts';
import { expectationOf } from '../../downloads/conditions.ts';
import { modeIn } from '../../downloads/mode.ts';
import { takeBody } from './body.ts';
import { contentRange } from './content-range.ts';
import { digestsOf } from './digests.ts';
import { uploadPart } from './upload-part.ts';
import { sendWritten } from './written.ts';

/** `PUT` of a file's whole content, or of what comes behind its end. */
export async function upload(
  transfers: Transfers,
  { id, path, append }: { id: string; path: string; append: boolean },
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { headers } = request;
  const part = contentRange(headers['content-range']);
  if (part) return uploadPart(transfers, { id, path, append, part }, request, reply);
  const { content, whole } = digestsOf(headers);
  if (content && whole && !content.equals(whole))
    throw invalid('content-digest', 'is not the digest of the whole, which is the same here');
  const coding = codingOf(headers['content-encoding']);
  const expects = expectationOf(headers);
  const mode = modeIn(headers['x-file-mode']);
  const length = coding ? undefined : headers['content-length'];
  const options = {
    append,
    ...(length !== undefined && { size: Number(length) }),
    ...(mode !== null && { mode }),
    ...(expects && { expects }),
    ...(coding && { coded: { coding, field: 'content-encoding' } }),
  };
  const upload = await transfers.upload(id, path, options, callOf(request, reply));
  try {
    takeTime(reply);
    await takeBody(request.raw, content ?? whole, piece => upload.write(piece));
    return sendWritten(reply, await upload.finish(), coding === null && !append);
  } catch (error) {
    upload.abort();
    throw error;
  }
}
