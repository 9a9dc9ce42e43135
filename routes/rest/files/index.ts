import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import { type Static, Type } from '@sinclair/typebox';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { invalid } from '../../../src/errors.ts';
import { closed, oneOf, SessionId } from '../../../src/schemas/shapes.ts';
import type { Service } from '../../../src/service/service.ts';
import { callOf } from '../../call.ts';
import { expectationOf } from '../../downloads/conditions.ts';
import { sendFile } from '../../downloads/send-file.ts';
import { problems } from '../../problems.ts';
import { checkShapes } from '../bodies.ts';
import { outputRoutes } from './outputs.ts';
import { bytes, DeleteHeaders, FileHeaders, nothing, UploadHeaders } from './shapes.ts';
import { describeTree, isTree, putTree, sendTree, TAR } from './tree.ts';
import { upload } from './upload.ts';
import { workspaceRoutes } from './workspace.ts';

const tags = ['files'];
const config = { streams: true };
const params = closed({
  id: SessionId,
  '*': Type.String({ description: 'Below /workspace; every part percent-encoded, as in each URL' }),
});
const RecursiveQuery = closed({
  recursive: Type.Optional(oneOf(['true', 'false'], 'true: a directory too, with all that is in it')),
});
const ModeQuery = closed({
  mode: Type.Optional(
    oneOf(['create', 'append'], 'create (default): in the place of what is there; append: behind it'),
  ),
});

/** Files of a session as they are, of any size: bytes come and go piece by piece. */
export async function fileRoutes(scope: FastifyInstance, { transfers }: Service): Promise<void> {
  scope.removeAllContentTypeParsers();
  // Whatever its type says, the bytes are what is meant; the handler reads them.
  scope.addContentTypeParser('*', (_request, _payload, done) => done(null));
  const app = scope.withTypeProvider<TypeBoxTypeProvider>();
  workspaceRoutes(scope, transfers);
  outputRoutes(scope, transfers);
  const url = '/api/session/:id/files/*';
  const read = { config, exposeHeadRoute: false };
  const send = async (request: FastifyRequest<{ Params: Static<typeof params> }>, reply: FastifyReply) => {
    const call = callOf(request, reply);
    const { id } = request.params;
    const path = pathOf(request);
    const download = await transfers.download(id, path, call);
    if (download.status.type !== 'directory') return sendFile(download, request, reply) as never;
    download.close();
    if (request.method === 'HEAD') return describeTree(download.path, reply) as never;
    return sendTree(await transfers.pack(id, path, call), reply) as never;
  };
  app.get(
    url,
    {
      ...read,
      schema: {
        tags,
        operationId: 'readFile',
        summary: 'A file, or a part of it; a directory as application/x-tar',
        params,
        headers: FileHeaders,
        response: {
          200: bytes('The file'),
          206: bytes('The part that was asked for'),
          304: nothing('The client has this version'),
          ...problems(400, 404, 409, 412, 416, 422, 503),
        },
      },
    },
    send,
  );
  app.head(
    url,
    {
      ...read,
      schema: {
        tags,
        operationId: 'describeFile',
        summary: 'Size, type, permissions and version of a file',
        params,
        headers: FileHeaders,
        response: { 200: nothing('As its headers say'), ...problems(400, 404, 409, 412, 416, 422, 503) },
      },
    },
    send,
  );
  app.put(
    url,
    {
      config,
      schema: {
        tags,
        operationId: 'writeFile',
        summary:
          'Writes a file and its parent directories, whole or not at all; with mode=append adds to its end. Of type application/x-tar: unpacks it into a directory',
        params,
        querystring: ModeQuery,
        headers: UploadHeaders,
        body: bytes('Its content, as it is'),
        response: {
          201: nothing('Nothing of that name was there'),
          204: nothing('It took the place of what was there'),
          ...problems(400, 404, 409, 412, 415, 422, 503, 507),
        },
      },
      // The body's is for the contract: its bytes are read by the handler.
      validatorCompiler: part => (part.httpPart === 'body' ? value => ({ value }) : checkShapes(part)),
    },
    async (request, reply) => {
      const append = request.query.mode === 'append';
      if (isTree(request)) {
        if (append) throw invalid('mode', `does not go with ${TAR}, which is unpacked`);
        return putTree(transfers, { id: request.params.id, path: pathOf(request) }, request, reply) as never;
      }
      return upload(
        transfers,
        { id: request.params.id, path: pathOf(request), append },
        request,
        reply,
      ) as never;
    },
  );
  app.delete(
    url,
    {
      config,
      schema: {
        tags,
        operationId: 'deleteFile',
        summary: 'Deletes a file, or with recursive=true a directory',
        params,
        querystring: RecursiveQuery,
        headers: DeleteHeaders,
        response: { 204: nothing('It is gone'), ...problems(400, 404, 409, 412, 422) },
      },
    },
    async (request, reply) => {
      const expects = expectationOf(request.headers);
      const options = { recursive: request.query.recursive === 'true', ...(expects && { expects }) };
      await transfers.remove(request.params.id, pathOf(request), options, callOf(request, reply));
      return reply.code(204).send(null as never);
    },
  );
}

/** What is below the session's files; a slash at its end, which the router takes away, means a directory. */
function pathOf({ params, raw }: FastifyRequest): string {
  const { '*': path } = params as { '*': string };
  const [url = ''] = (raw.url ?? '').split('?', 1);
  if (path === '') return './';
  return url.endsWith('/') && !path.endsWith('/') ? `${path}/` : path;
}
