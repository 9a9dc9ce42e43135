import { basename } from 'node:path/posix';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Admit } from '../../plugins/rate-limit.ts';
import { takeTime } from '../../plugins/unhurried.ts';
import { ServiceError } from '../../src/errors.ts';
import type { Service, UploadOptions } from '../../src/service/service.ts';
import { callOf } from '../call.ts';
import { sendFile } from '../downloads/send-file.ts';
import { enterSandbox, gone, refuse, USER } from './access.ts';
import { metadataIn } from './metadata-headers.ts';
import { boundaryIn, partsOf } from './multipart.ts';
import { inTheirWords, seenPath } from './paths.ts';
import { answerErrors, Refusal } from './refusals.ts';
import { isGone } from './rpc-errors.ts';
import type { Sandbox, Sandboxes } from './sandboxes.ts';
import { signedFor } from './signatures.ts';

const route = { config: { open: true, streams: true }, schema: { hide: true } };

interface Query {
  readonly path?: string;
  readonly username?: string;
  readonly signature?: string;
  readonly signature_expiration?: string;
}
type OfFile = { Querystring: Query };

interface Parts {
  readonly service: Service;
  readonly sandboxes: Sandboxes;
  readonly admit: Admit | undefined;
  /** Only with a URL that is signed. */
  readonly signedOnly: boolean;
}

/** The content of files, at /files: for who has the token, or a URL that was signed with it. */
export function fileRoutes(app: FastifyInstance, { service, sandboxes, admit, signedOnly }: Parts): void {
  app.removeAllContentTypeParsers();
  // The handler reads them.
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
  answerErrors(app);
  if (!app.hasRequestDecorator('sandbox')) app.decorateRequest('sandbox', null);
  app.addHook<OfFile>('onRequest', async (request, reply) => {
    admit?.(request);
    const { signature, username } = request.query;
    if (signature === undefined && signedOnly) throw new Refusal(401, 'the URL is not signed');
    if (signature === undefined) {
      const refused = enterSandbox(request, sandboxes, 'access');
      if (refused) return refuse(reply, refused);
    } else takeSandbox(request, signed(request, signature, sandboxes));
    if (username && username !== USER)
      throw new Refusal(401, `there is no user ${JSON.stringify(username.slice(0, 100))} here, but ${USER}`);
  });

  app.get<OfFile>('/files', { ...route, exposeHeadRoute: false }, async (request, reply) => {
    const { id } = request.sandbox!;
    const path = pathIn(request.query);
    const download = await told(service.transfers.download(id, path, callOf(request, reply)), reply, id);
    if (!download) return reply;
    if (download.status.type !== 'file') {
      download.close();
      throw new Refusal(400, `path '${seenPath(path)}' is not a file`);
    }
    return sendFile(download, request, reply);
  });

  app.post<OfFile>('/files', route, async (request, reply) => {
    const { id } = request.sandbox!;
    takeTime(reply);
    try {
      const written = await told(upload(service, request, reply), reply, id);
      return written ? reply.send(written) : reply;
    } finally {
      // What was not read is dropped.
      request.raw.resume();
    }
  });
}

function signed({ query, method }: FastifyRequest<OfFile>, signature: string, sandboxes: Sandboxes): Sandbox {
  const { path = '', username = '', signature_expiration: expiration } = query;
  const operation = method === 'GET' ? 'read' : 'write';
  return signedFor(sandboxes.all(), { signature, path, operation, user: username, expiration });
}

function takeSandbox(request: FastifyRequest<OfFile>, sandbox: Sandbox): void {
  request.sandbox = sandbox;
  request.owner = sandbox.owner;
}

function pathIn({ path }: Query): string {
  if (typeof path !== 'string' || path === '') throw new Refusal(400, 'path: missing');
  return seenPath(path);
}

async function upload(
  service: Service,
  request: FastifyRequest<OfFile>,
  reply: FastifyReply,
): Promise<object[]> {
  const { headers, raw, query } = request;
  const metadata = metadataIn(headers);
  const type = headers['content-type'] ?? '';
  const body = raw.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  const write = (path: string, content: AsyncIterable<Buffer>, options: UploadOptions) =>
    writeFile(service, { path, content, options, metadata }, request, reply);
  if (!/^multipart\/form-data/i.test(type)) return [await write(pathIn(query), body, sizeAndCoding(request))];
  if (headers['content-encoding'] !== undefined)
    throw new Refusal(400, 'content-encoding does not go with multipart/form-data');
  const written: object[] = [];
  for await (const { name, fileName, content } of partsOf(body, boundaryIn(type))) {
    if (name === 'file')
      written.push(await write(pathIn({ path: query.path ?? fileName ?? '' }), content, {}));
    else for await (const _ of content);
  }
  return written;
}

function sizeAndCoding({ headers }: FastifyRequest): UploadOptions {
  const { 'content-encoding': coding, 'content-length': length } = headers;
  if (coding === 'gzip') return { coded: { coding, field: 'content-encoding' } };
  if (coding !== undefined && coding !== 'identity')
    throw new Refusal(400, `content-encoding must be gzip, and not ${JSON.stringify(coding.slice(0, 100))}`);
  return length === undefined ? {} : { size: Number(length) };
}

async function writeFile(
  { transfers, entries }: Service,
  file: {
    readonly path: string;
    readonly content: AsyncIterable<Buffer>;
    readonly options: UploadOptions;
    readonly metadata: Readonly<Record<string, string>> | null;
  },
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<object> {
  const { path, content, options, metadata } = file;
  const { id } = request.sandbox!;
  const call = callOf(request, reply);
  const upload = await transfers.upload(id, path, options, call);
  try {
    for await (const piece of content) await upload.write(piece);
    await upload.finish();
  } catch (error) {
    upload.abort();
    throw error;
  }
  if (metadata) await entries.setMetadata(id, path, metadata, call);
  return { name: basename(path), path, type: 'file', ...(metadata && { metadata }) };
}

/** The result; null once it was answered that the sandbox is gone. A directory where a file is needed is a bad path. */
async function told<T>(work: Promise<T>, reply: FastifyReply, sandboxId: string): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (isGone(error)) {
      refuse(reply, gone(sandboxId));
      return null;
    }
    if (error instanceof ServiceError && error.code === 'CONFLICT')
      throw new Refusal(400, inTheirWords(error.message));
    if (error instanceof ServiceError && error.code === 'COMMAND_FAILED')
      throw new Refusal(403, inTheirWords(error.message));
    throw error;
  }
}
