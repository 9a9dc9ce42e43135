import pino from 'pino';
import { createRpc } from '../../../src/rpc/index.ts';
import { settle } from './clock.ts';
import { openService, type ServiceOptions } from './open-service.ts';

// biome-ignore lint/suspicious/noExplicitAny: tests look into what was answered
type Message = any;

/** The JSON-RPC door over the real service layer, without a socket: what a client would receive is listed in order. */
export function openDoor(options: ServiceOptions = {}) {
  const all = openService(options);
  const rpc = createRpc({ service: all.service, log: pino({ level: 'silent' }) });
  /** One more client, live unless told otherwise. */
  const join = ({ owner = null as string | null, live = true } = {}) => {
    const received: Message[] = [];
    let room: Promise<void> | undefined;
    const outlet = {
      send: (text: string) => {
        received.push(JSON.parse(text));
        return room;
      },
      room: () => room,
    };
    const connection = rpc.connect({ owner, client: 'client', log: all.log, outlet: live ? outlet : null });
    let last = 0;
    const message = (method: string, params?: object, id: number | string = ++last) => ({
      jsonrpc: '2.0',
      id,
      method,
      ...(params && { params }),
    });
    const send = (...messages: Message[]) =>
      connection.receive(
        messages.map(each => (typeof each === 'string' ? each : JSON.stringify(each))).join('\n'),
      );
    const answerTo = (id: number | string) => received.find(each => each.id === id && !each.method);
    return {
      connection,
      received,
      message,
      send,
      answerTo,
      /** Calls and resolves to the whole response. */
      async ask(method: string, params?: object): Promise<Message> {
        const asked = message(method, params);
        if (!live) return JSON.parse((await connection.answer(JSON.stringify(asked))) ?? 'null');
        await send(asked);
        return answerTo(asked.id);
      },
      /** Calls and resolves to the id, as a client that pipelines does. */
      async begin(method: string, params?: object): Promise<number | string> {
        const asked = message(method, params);
        void send(asked);
        await settle();
        return asked.id;
      },
      notified: () =>
        received.filter(each => each.method).map(each => each.method.slice('execution.'.length)),
      /** From now on there is no room for more, until what it returns is called. */
      jam() {
        const { promise, resolve } = Promise.withResolvers<void>();
        room = promise;
        return () => {
          room = undefined;
          resolve();
        };
      },
    };
  };
  return { ...all, join, ...join() };
}
