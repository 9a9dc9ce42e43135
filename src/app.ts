import SerializerSelector from '@fastify/fast-json-stringify-compiler';
import fastify, { type FastifyInstance, LogController } from 'fastify';
import type { Logger } from 'pino';
import { askForKeys, Keys } from '../plugins/api-keys.ts';
import { tellBrowsers } from '../plugins/browsers.ts';
import { describeApi } from '../plugins/docs.ts';
import { answerErrors } from '../plugins/errors.ts';
import { guardOrigins } from '../plugins/guard.ts';
import { boundInFlight } from '../plugins/in-flight.ts';
import { Inflow } from '../plugins/inflow.ts';
import { measure } from '../plugins/metrics.ts';
import { portDoor } from '../plugins/port-door.ts';
import { PortServer } from '../plugins/port-server.ts';
import { limitRate } from '../plugins/rate-limit.ts';
import { answerBrokenRequest, answerFrameworkError } from '../plugins/raw-errors.ts';
import { echoRequestIds, requestId } from '../plugins/request-id.ts';
import { logRequests } from '../plugins/request-log.ts';
import { acceptWebSockets } from '../plugins/websocket.ts';
import { openDoors } from '../routes/index.ts';
import type { Config } from './config.ts';
import type { Metrics } from './metrics.ts';
import { PortNames } from './port-names.ts';
import { createRpc } from './rpc/index.ts';
import { LIMITS } from './schemas/limits.ts';
import type { Service } from './service/service.ts';

/** Time limit for receiving a request, milliseconds: enough for 32 MiB over a slow line. */
const REQUEST_MS = 300_000;

/**
 * The app: the doors in front of a service, ready to listen. Hooks run in the order of registration, access
 * control first.
 */
export async function buildApp(parts: {
  config: Config;
  service: Service;
  portNames?: PortNames;
  metrics: Metrics;
  log: Logger;
}): Promise<FastifyInstance> {
  const { config, service, metrics, log } = parts;
  const { portNames = new PortNames(config.portOrigin) } = parts;
  const keys = new Keys(config);
  const maxMessageBytes = LIMITS.messageBytes;
  const app = fastify({
    // One of its own, whose level can be changed without others'.
    loggerInstance: log.child({}),
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    genReqId: requestId,
    bodyLimit: maxMessageBytes,
    requestTimeout: REQUEST_MS,
    // A command's id may have 256 characters, each of four bytes.
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 1024 },
    serverFactory: (api, { keepAliveTimeout, requestTimeout }) => {
      const server = new PortServer(portNames, { handle: portDoor(service.ports, { keys, log }), api });
      return Object.assign(server, { keepAliveTimeout, requestTimeout });
    },
    schemaController: { compilersFactory: { buildSerializer: serializers } },
    frameworkErrors: answerFrameworkError,
    clientErrorHandler: answerBrokenRequest,
  }) as unknown as FastifyInstance;
  echoRequestIds(app);
  logRequests(app);
  answerErrors(app);
  await acceptWebSockets(app, maxMessageBytes);
  guardOrigins(app, config, portNames);
  await tellBrowsers(app, config, portNames);
  askForKeys(app, keys);
  const admit = limitRate(app, config.rateLimit);
  boundInFlight(app);
  const observe = measure(app, service, metrics);
  await describeApi(app);
  const rpc = createRpc({ service, log, observe });
  await openDoors(app, config.doors, {
    service,
    rpc,
    registry: metrics.registry,
    admit,
    inflow: new Inflow(),
    callbackOrigins: config.callbackOrigins,
  });
  return app;
}

type Build = ReturnType<typeof SerializerSelector>;

/** The framework's own, each made when it is first needed: to make them all takes a sixth of a start. */
function serializers(...parts: Parameters<Build>): ReturnType<Build> {
  const compile = SerializerSelector()(...parts);
  return route => {
    let serialize: ReturnType<typeof compile> | undefined;
    return data => {
      serialize ??= compile(route);
      return serialize(data);
    };
  };
}
