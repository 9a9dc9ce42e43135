import { Type } from '@sinclair/typebox';
import { ServiceError } from '../../errors.ts';
import { closed } from '../../schemas/shapes.ts';
import type { Service } from '../../service/service.ts';
import { VERSION } from '../../version.ts';
import { defineMethod } from '../method.ts';

/** Version of the protocol in openapi/protocol.md. */
const PROTOCOL_VERSION = '1.0';

const Limits = Type.Object({
  maxTimeout: Type.Number({ description: 'Seconds' }),
  maxMemory: Type.Integer({ description: 'MB' }),
  maxConcurrency: Type.Integer(),
  maxCodeLength: Type.Integer({ description: 'Characters' }),
  maxMessageBytes: Type.Integer(),
});

export const initialize = defineMethod({
  name: 'initialize',
  summary: 'Says what this server can do; a feature the client does not request is off for it',
  params: closed({
    clientCapabilities: Type.Optional(
      closed({
        requestsStreaming: Type.Optional(Type.Boolean({ description: 'Wants notifications' })),
        requestsDebugging: Type.Optional(Type.Boolean()),
        requiredLanguages: Type.Optional(
          Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { maxItems: 100 }),
        ),
      }),
    ),
  }),
  result: Type.Object({
    protocolVersion: Type.String(),
    serverInfo: Type.Object({ name: Type.String(), version: Type.String() }),
    serverCapabilities: Type.Object({
      supportsStreaming: Type.Boolean(),
      supportsDebugging: Type.Boolean(),
      supportsPortForwarding: Type.Boolean(),
      supportsFileWatch: Type.Boolean(),
      supportsPackages: Type.Boolean({
        description: 'Packages are installed for some language, here and now',
      }),
      supportedLanguages: Type.Array(Type.String()),
      limits: Limits,
    }),
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
