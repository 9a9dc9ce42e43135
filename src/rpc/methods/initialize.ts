import { type TSchema, Type } from '@sinclair/typebox';
import { ServiceError } from '../../errors.ts';
import { FEATURE_NAMES, FEATURES, type Feature } from '../../schemas/features.ts';
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

/** `supportsX` or `requestsX` of each feature, with what it is. */
function ofEach<P extends string, S extends TSchema>(prefix: P, schema: (description: string) => S) {
  const entries = FEATURE_NAMES.map(feature => [`${prefix}${feature}`, schema(FEATURES[feature])]);
  return Object.fromEntries(entries) as Record<`${P}${Feature}`, S>;
}

export const initialize = defineMethod({
  name: 'initialize',
  summary:
    'Says what works here now; a feature that clientCapabilities do not request is off for this client',
  params: closed({
    clientCapabilities: Type.Optional(
      closed({
        ...ofEach('requests', description => Type.Optional(Type.Boolean({ default: false, description }))),
        requiredLanguages: Type.Optional(
          Type.Array(Type.String({ minLength: 1, maxLength: 64 }), {
            maxItems: 100,
            description: 'One that is missing here is an error that names it',
          }),
        ),
      }),
    ),
  }),
  result: Type.Object({
    protocolVersion: Type.String(),
    serverInfo: Type.Object({ name: Type.String(), version: Type.String() }),
    serverCapabilities: Type.Object({
      ...ofEach('supports', description => Type.Boolean({ description })),
      supportedLanguages: Type.Array(Type.String()),
      limits: Limits,
    }),
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
