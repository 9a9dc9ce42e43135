import { readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { CONTROL_FD, type ConfinedSetup } from './protocol.ts';

/** A confined process's end of what it and the server say to each other. */
export interface Control<Event> {
  send(event: Event): void;
  /** What the server says next. */
  next(): Promise<unknown>;
  /** Ends this process when all is sent. */
  end(): void;
}

/** Hears the server from now on, and ends this process when the server has gone: there is nobody to work for then. */
export function openControl<Event>(): Control<Event> {
  const socket = new Socket({ fd: CONTROL_FD });
  const exit = () => process.exit(0);
  socket.on('close', exit);
  socket.on('error', exit);
  const lines = createInterface(socket)[Symbol.asyncIterator]();
  return {
    send: event => void socket.write(`${JSON.stringify(event)}\n`),
    async next() {
      const { done, value } = await lines.next();
      return done ? new Promise<never>(() => {}) : JSON.parse(value);
    },
    end: () => socket.end(exit),
  };
}

/** Gives up what this process does not need; what it starts with, it reads as who it was. As root it becomes a user of its own. */
export function dropRights({ uid, certificates, secure = false }: ConfinedSetup): void {
  if (certificates !== null) own.push(readFileSync(certificates, 'utf8'));
  if (secure) trustMachine();
  if (uid === null || !process.setgroups || !process.setgid || !process.setuid) return;
  process.setgroups([]);
  process.setgid(uid);
  process.setuid(uid);
}

const own: string[] = [];
let trusted = false;

/** Trusts whom the operator does, beside whom the machine trusts, and has read all that by now. It takes as long as much else of a process's start. */
export function trustMachine(): void {
  if (trusted) return;
  trusted = true;
  const tls = process.getBuiltinModule('node:tls');
  // Which has Node parse those that it has or finds in files, and to be given each as text takes it as long again.
  if (own.length === 0) tls.createSecureContext();
  else tls.setDefaultCACertificates([...new Set([...tls.getCACertificates('default'), ...own])]);
}
