import { JSONRPCErrorCode, type JSONRPCRequest, type JSONRPCResponse, JSONRPCServer } from 'json-rpc-2.0';
import type { Logger } from 'pino';
import { invalid, ServiceError } from '../errors.ts';
import { renameOldNames } from '../schemas/old-names.ts';
import { validator } from '../schemas/validate.ts';
import type { Service } from '../service/service.ts';
import type { Method, RequestContext } from './method.ts';
import { rpcError } from './rpc-error.ts';
import { checkRequested } from './used-features.ts';

/** Of a method's name that there is not, in the answer. */
const SHOWN_NAME = 60;

/** Observes every dispatched request: method, error code or `ok`, seconds. */
export type Observe = (method: string, code: string, seconds: number) => void;

/** The part of {@link RequestContext} that differs for each request. */
export interface Edge extends Pick<RequestContext, 'connection' | 'call' | 'after'> {
  /** @throws {ServiceError} RATE_LIMITED */
  readonly admit: (() => void) | undefined;
}
type Params = Record<string, unknown>;

export interface DispatcherOptions {
  readonly service: Service;
  readonly log: Logger;
  readonly methods: readonly Method[];
  readonly describe: () => Params;
  readonly observe?: Observe;
}

/** Finds a request's method, validates its parameters and turns errors into answers. */
export class Dispatcher {
  readonly #server: JSONRPCServer<Edge>;
  readonly #options: DispatcherOptions;
  readonly #endsWithConnection: ReadonlyMap<string, Method['endsWithConnection']>;
  readonly #reads: ReadonlySet<string>;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#endsWithConnection = new Map(options.methods.map(m => [m.name, m.endsWithConnection]));
    this.#reads = new Set(options.methods.filter(m => m.reads).map(m => m.name));
    this.#server = new JSONRPCServer({ errorListener: (_, error) => this.#log(error) });
    this.#server.mapErrorToJSONRPCErrorResponse = rpcError;
    this.#server.applyMiddleware((next, request, edge) => {
      edge.admit?.();
      return next(request, edge);
    });
    for (const method of options.methods) {
      const invoke = this.#invoker(method);
      this.#server.addMethod(method.name, (params, edge) => invoke(params, edge));
    }
  }

  endsWithConnection({ method, params }: JSONRPCRequest): boolean {
    const ends = this.#endsWithConnection.get(method) ?? false;
    if (typeof ends === 'boolean') return ends;
    const byName = typeof params === 'object' && params !== null && !Array.isArray(params);
    return byName && ends(params);
  }

  reads(method: string): boolean {
    return this.#reads.has(method);
  }

  /** Calls the method before it returns, so that calls reach the service in the order sent. Never rejects. */
  dispatch(request: JSONRPCRequest, edge: Edge): PromiseLike<JSONRPCResponse | null> {
    const answer = this.#server.receive(request, edge);
    const { observe } = this.#options;
    const start = performance.now();
    return answer.then(response => {
      const isKnown = this.#server.hasMethod(request.method);
      const method = isKnown ? request.method : 'unknown';
      if (response?.error?.code === JSONRPCErrorCode.MethodNotFound)
        response.error.message += `: ${shown(request.method)}`;
      const code = String(response?.error?.code ?? 'ok');
      const ms = performance.now() - start;
      edge.call.log.debug({ rpcMethod: method, code, tookMs: Math.round(ms) }, 'JSON-RPC request');
      observe?.(method, code, ms / 1000);
      return response;
    });
  }

  #invoker(method: Method): (params: unknown, edge: Edge) => unknown {
    const validate = validator(method.params);
    const { service, describe } = this.#options;
    return (params: unknown = {}, edge) => {
      if (Array.isArray(params)) throw invalid('params', 'must be an object: parameters go by name');
      method.adapt?.(params as Params);
      renameOldNames(method.params, params);
      const checked = validate(params, '') as Params;
      const { connection, call, after } = edge;
      if (method.feature) checkRequested(method.feature, method.name, connection);
      return method.run(checked, { service, describe, connection, call, after });
    };
  }

  #log(error: unknown): void {
    if (!(error instanceof ServiceError)) this.#options.log.error({ err: error }, 'a JSON-RPC method failed');
  }
}

/** Where it is listed which ones there are is said too. */
const shown = (name: string) =>
  `${JSON.stringify(name.slice(0, SHOWN_NAME))} is none of those that rpc.discover lists`;
