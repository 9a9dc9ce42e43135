import { Type } from '@sinclair/typebox';
import { ServiceError } from '../../errors.ts';
import { closed } from '../../schemas/shapes.ts';
import type { Service } from '../../service/service.ts';
import { VERSION } from '../../version.ts';
import { defineMethod } from '../method.ts';

/** Version of the protocol in openapi/protocol.md. */
const PROTOCOL_VERSION = '1.0';

const Limits = Type.Object(
  {
    maxTimeout: Type.Number({ description: 'Highest timeout of a run, seconds' }),
    maxMemory: Type.Integer({ description: 'Highest memory limit, MB' }),
    maxConcurrency: Type.Integer({ description: 'One-shots and cells that run at once' }),
    maxCodeLength: Type.Integer({ description: 'Characters of a program or cell' }),
    maxMessageBytes: Type.Integer({ description: 'Of a message to the server' }),
  },
  { description: 'What this server allows at most' },
);

export const initialize = defineMethod({
  name: 'initialize',
  summary: 'Says what this server can do; a feature the client does not request is off for it',
  answer: 'What the server is and can do',
  params: closed({
    clientCapabilities: Type.Optional(
      closed(
        {
          requestsStreaming: Type.Optional(Type.Boolean({ description: 'Wants notifications' })),
          requestsDebugging: Type.Optional(Type.Boolean({ description: 'Wants to debug' })),
          requiredLanguages: Type.Optional(
            Type.Array(Type.String({ minLength: 1, maxLength: 64 }), {
              maxItems: 100,
              description: 'Names or aliases; one that is missing here is an error',
            }),
          ),
        },
        'What the client wants; without it everything is on',
      ),
    ),
  }),
  result: Type.Object({
    protocolVersion: Type.String({ description: 'Of the protocol in openapi/protocol.md' }),
    serverInfo: Type.Object(
      {
        name: Type.String({ description: 'CodeBeaker' }),
        version: Type.String({ description: 'Of the server' }),
      },
      { description: 'Which server this is' },
    ),
    serverCapabilities: Type.Object(
      {
        supportsStreaming: Type.Boolean({ description: 'Notifications can be sent on this connection' }),
        supportsDebugging: Type.Boolean({ description: 'Programs can be debugged here' }),
        supportsPortForwarding: Type.Boolean({ description: 'Ports of programs can be reached here' }),
        supportsFileWatch: Type.Boolean({ description: 'Files can be watched here' }),
        supportsPackages: Type.Boolean({
          description: 'Packages are installed for some language, here and now',
        }),
        supportedLanguages: Type.Array(Type.String(), { description: 'Names of those that can be run now' }),
        limits: Limits,
      },
      { description: 'What can be done here and now' },
    ),
  }),
  async run({ clientCapabilities: wanted }, { service, connection }) {
    for (const language of wanted?.requiredLanguages ?? []) await requireLanguage(service, language);
    // A client that sends no capabilities gets every feature, as old clients expect.
    if (wanted) connection.streaming = wanted.requestsStreaming === true;
    const { supportedLanguages, supportsPackages, limits } = await service.capabilities();
    return {
      protocolVersion: PROTOCOL_VERSION,
      serverInfo: { name: 'CodeBeaker', version: VERSION },
      serverCapabilities: {
        supportsStreaming: connection.live,
        supportsDebugging: false,
        supportsPortForwarding: false,
        supportsFileWatch: false,
        supportsPackages,
        supportedLanguages,
        limits,
      },
    };
  },
});

async function requireLanguage(service: Service, name: string): Promise<void> {
  const { supportedLanguages } = await service.capabilities();
  if (supportedLanguages.includes(await canonical(service, name))) return;
  throw new ServiceError('UNSUPPORTED_LANGUAGE', `Required language is missing here: ${name}`, {
    field: 'clientCapabilities.requiredLanguages',
    details: `Supported: ${supportedLanguages.join(', ') || 'none'}`,
  });
}

async function canonical(service: Service, name: string): Promise<string> {
  try {
    return (await service.language(name)).name;
  } catch {
    return name;
  }
}
