import type { TObject, TSchema } from '@sinclair/typebox';
import { ERRORS } from '../errors.ts';
import { EVENTS } from '../schemas/events.ts';
import { FILE_EVENTS } from '../schemas/file-events.ts';
import { withNamedShapes } from '../schemas/named.ts';
import { PORT_EVENTS } from '../schemas/ports.ts';
import { STATUS_EVENTS } from '../schemas/status-events.ts';
import { VERSION } from '../version.ts';
import type { Method, MethodExample } from './method.ts';
import { methods } from './methods/index.ts';

let document: Record<string, unknown> | undefined;

/** The OpenRPC document (https://spec.open-rpc.org) of the JSON-RPC door, from the methods' own schemas. */
export function describeRpc(): Record<string, unknown> {
  document ??= withNamedShapes(JSON.parse(JSON.stringify(build())));
  return document;
}

function build() {
  return {
    openrpc: '1.3.2',
    info: {
      title: 'CodeBeaker',
      version: VERSION,
      description:
        'JSON-RPC 2.0 on /ws/jsonrpc and /ws/control (WebSocket) and on POST /api/jsonrpc. How notifications, order, ' +
        'replay and limits work: openapi/protocol.md.',
    },
    servers: [
      { name: 'WebSocket', url: 'ws://127.0.0.1:5039/ws/jsonrpc' },
      { name: 'HTTP', url: 'http://127.0.0.1:5039/api/jsonrpc' },
    ],
    methods: methods.map(describeMethod),
    components: { errors: describeErrors() },
    'x-notifications': describeNotifications({ ...EVENTS, ...FILE_EVENTS, ...PORT_EVENTS }),
    'x-status-notifications': describeNotifications(STATUS_EVENTS),
  };
}

function describeNotifications(events: Readonly<Record<string, TObject>>) {
  return Object.entries(events).map(([name, params]) => ({
    name,
    paramStructure: 'by-name',
    params: parameters(params),
  }));
}

function describeMethod({ name, summary, answer, params, result, examples }: Method) {
  return {
    name,
    summary,
    paramStructure: 'by-name',
    params: parameters(params),
    result: { name: 'result', ...(answer && { description: answer }), schema: result },
    ...(examples && { examples: examples.map(describeExample) }),
    errors: Object.keys(ERRORS).map(code => ({ $ref: `#/components/errors/${code}` })),
  };
}

/** As OpenRPC has them, https://spec.open-rpc.org/#example-pairing-object. */
function describeExample({ name, params, result }: MethodExample) {
  return {
    name,
    params: Object.entries(params).map(([of, value]) => ({ name: of, value })),
    result: { name: 'result', value: result },
  };
}

function parameters({ properties, required = [] }: TObject) {
  return Object.entries(properties as Record<string, TSchema>).map(([name, schema]) => ({
    name,
    required: required.includes(name),
    schema,
  }));
}

function describeErrors() {
  return Object.fromEntries(
    Object.entries(ERRORS).map(([code, { rpc }]) => [code, { code: rpc, message: code, data: { code } }]),
  );
}
