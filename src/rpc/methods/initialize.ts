import { type TSchema, Type } from '@sinclair/typebox';
import { ServiceError } from '../../errors.ts';
import { FEATURE_NAMES, FEATURES, type Feature } from '../../schemas/features.ts';
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

/** `supportsX` or `requestsX` of each feature, with what it is. */
function ofEach<P extends string, S extends TSchema>(prefix: P, schema: (description: string) => S) {
  const entries = FEATURE_NAMES.map(feature => [`${prefix}${feature}`, schema(FEATURES[feature])]);
  return Object.fromEntries(entries) as Record<`${P}${Feature}`, S>;
}

export const initialize = defineMethod({
  name: 'initialize',
  summary:
    'Says what works here now; a feature that clientCapabilities do not request is off for this client',
  answer: 'What the server is and can do',
  params: closed({
    clientCapabilities: Type.Optional(
      closed(
        {
          ...ofEach('requests', description => Type.Optional(Type.Boolean({ default: false, description }))),
          requiredLanguages: Type.Optional(
            Type.Array(Type.String({ minLength: 1, maxLength: 64 }), {
              maxItems: 100,
              description: 'Names or aliases; one that is missing here is an error that names it',
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
        ...ofEach('supports', description => Type.Boolean({ description })),
        supportedLanguages: Type.Array(Type.String(), { description: 'Names of those that can be run now' }),
        limits: Limits,
      },
      { description: 'What can be done here and now' },
    ),
  }),
  async run({ clientCapabilities: wanted }, { service, connection }) {
    for (const language of wanted?.requiredLanguages ?? []) await requireLanguage(service, language);
    // A client that sends no capabilities gets every feature, as old clients expect.
    if (wanted)
      connection.request(new Set(FEATURE_NAMES.filter(feature => wanted[`requests${feature}`] === true)));
    const { supportedLanguages, supports, limits } = await service.capabilities();
    const works = (feature: Feature) => (feature === 'Streaming' ? connection.live : supports.has(feature));
    return {
      protocolVersion: PROTOCOL_VERSION,
      serverInfo: { name: 'CodeBeaker', version: VERSION },
      serverCapabilities: {
        ...(Object.fromEntries(
          FEATURE_NAMES.map(feature => [`supports${feature}`, works(feature)]),
        ) as Record<`supports${Feature}`, boolean>),
        supportedLanguages,
        limits,
      },
    };
  },
});

/** What has not been tried yet at the server's start may be there all the same. */
async function requireLanguage(service: Service, name: string): Promise<void> {
  await service.started();
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
