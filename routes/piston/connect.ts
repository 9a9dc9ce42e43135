import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { WebSocket } from 'ws';
import { boundMessages } from '../../plugins/bound-messages.ts';
import type { Inflow } from '../../plugins/inflow.ts';
import { SocketOutlet } from '../../plugins/socket-outlet.ts';
import { ServiceError } from '../../src/errors.ts';
import { parseJson } from '../../src/schemas/json-text.ts';
import type { Call } from '../../src/service/call.ts';
import type { Service } from '../../src/service/service.ts';
import { guarded } from '../../src/wire/guarded.ts';
import { type Job, readJob } from './job.ts';
import { textOf } from './output.ts';
import { inTheirWords, Refusal } from './refusal.ts';
import { exitOf } from './result.ts';
import { pistonRuntimes } from './runtimes.ts';

/** Time limit for a socket's first message, milliseconds. */
const INIT_MS = 1000;
const SIGNAL = /^SIG[A-Z0-9]{1,10}$/;

type Message = Readonly<Record<string, unknown>>;

/** `GET /connect`, a WebSocket: one program, its input and signals from the client, its output as it comes. */
export function connectRoute(app: FastifyInstance, service: Service, inflow: Inflow): void {
  app.route({
    method: 'GET',
    url: '/connect',
    exposeHeadRoute: false,
    schema: { hide: true },
    handler: (_, reply) =>
      reply.code(426).header('upgrade', 'websocket').send({ message: 'This path speaks WebSocket' }),
    wsHandler: (socket, request) => {
      new Connection(socket, request, { service, inflow });
    },
  });
}

class Connection {
  readonly #socket: WebSocket;
  readonly #outlet: SocketOutlet;
  readonly #service: Service;
  readonly #call: Call;
  #begun = false;
  #executionId: string | undefined;

  constructor(
    socket: WebSocket,
    { id, owner, ip, log, raw }: FastifyRequest,
    { service, inflow }: { service: Service; inflow: Inflow },
  ) {
    const gone = new AbortController();
    this.#socket = socket;
    this.#outlet = new SocketOutlet(socket);
    this.#service = service;
    this.#call = { id, owner, client: owner ?? ip, lane: null, signal: gone.signal, log };
    const late = setTimeout(() => socket.close(4001, 'Initialization Timeout'), INIT_MS);
    const failed = (error: unknown) => this.#refuse(error);
    const unfinished = boundMessages(socket, raw.socket, inflow, failed);
    const onMessage = (data: Buffer) => {
      unfinished.whole(data.length)();
      this.#receive(data, () => clearTimeout(late)).catch(failed);
    };
    socket.on('message', guarded(onMessage, failed));
    socket.on('close', () => {
      clearTimeout(late);
      gone.abort();
    });
  }

  async #receive(data: Buffer, inTime: () => void): Promise<void> {
    const message = parse(data);
    if (message.type === 'init') {
      if (this.#begun) return this.#socket.close(4000, 'Already Initialized');
      this.#begun = true;
      inTime();
      const job = readJob({ ...message, stdin: '' }, pistonRuntimes(await this.#service.languages()));
      await this.#run(job);
      return this.#socket.close(4999, 'Job Completed');
    }
    if (message.type !== 'data' && message.type !== 'signal') return;
    const executionId = this.#executionId;
    if (executionId === undefined) return this.#socket.close(4003, 'Not yet initialized');
    const { processes } = this.#service;
    if (message.type === 'signal') {
      const { signal } = message;
      if (typeof signal !== 'string' || !SIGNAL.test(signal))
        return this.#socket.close(4005, 'Invalid signal');
      return await unlessOver(processes.signal({ executionId }, signal, this.#call));
    }
    if (message.stream !== 'stdin') return this.#socket.close(4004, 'Can only write to stdin');
    if (typeof message.data !== 'string') throw new Refusal('data must be a string');
    // Nothing more is read while a program is slow to take its input.
    this.#socket.pause();
    try {
      await unlessOver(processes.input({ executionId }, Buffer.from(message.data), false, this.#call));
    } finally {
      this.#socket.resume();
    }
  }

  async #run({ runtime, request }: Job): Promise<void> {
    const { executions } = this.#service;
    const call = this.#call;
    const { executionId } = await executions.start(request, call, { interactive: true });
    this.#executionId = executionId;
    try {
      const { language, version } = runtime;
      await this.#send({ type: 'runtime', language, version });
      let stage = 'compile';
      const begin = (next: string) => {
        stage = next;
        return this.#send({ type: 'stage', stage });
      };
      for await (const event of await executions.events(executionId, call, 0)) {
        if (event.method === 'execution.started') await begin('run');
        if (event.method !== 'execution.output') continue;
        // What comes before the program's start is what the compiler refused it with.
        if (stage === 'compile') await begin('compile');
        await this.#send({ type: 'data', stream: event.params.stream, data: textOf(event) });
      }
      const status = await executions.wait(executionId, call);
      const code = stage === 'run' ? status.exitCode : (status.compile?.exitCode ?? null);
      await this.#send({ type: 'exit', stage, code, signal: exitOf(status).signal });
    } finally {
      await executions.cancel(executionId, { ...call, signal: AbortSignal.timeout(60_000) });
    }
  }

  async #send(message: object): Promise<void> {
    await this.#outlet.send(JSON.stringify(message), () => {});
  }

  /** Says why in a message, for the reason of a close has room for 123 bytes. */
  async #refuse(error: unknown): Promise<void> {
    if (this.#call.signal.aborted) return;
    const known = error instanceof ServiceError ? inTheirWords(error) : undefined;
    if (known === undefined && !(error instanceof Refusal))
      this.#call.log.error({ err: error }, 'a job of a Piston client failed');
    const message = known ?? (error instanceof Refusal ? error.message : 'Internal error');
    await this.#send({ type: 'error', message });
    this.#socket.close(4002, 'Notified Error');
  }
}

function parse(data: Buffer): Message {
  try {
    const message: unknown = parseJson(data.toString('utf8'));
    if (typeof message === 'object' && message !== null) return message as Message;
  } catch {
    // Told below.
  }
  throw new Refusal('A message is a JSON object');
}

/** What comes after a program's end is of no interest to it. */
async function unlessOver(done: Promise<void>): Promise<void> {
  await done.catch(error => {
    if (!(error instanceof ServiceError) || error.code !== 'NOT_FOUND') throw error;
  });
}
