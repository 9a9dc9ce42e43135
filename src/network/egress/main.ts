import { readFileSync } from 'node:fs';
import { createServer, Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { createInterface } from 'node:readline';
import tls from 'node:tls';
import { parseBlock } from '../../network-rules/address.ts';
import { Policy, type PolicyTexts } from '../../network-rules/policy.ts';
import { Dialer, lookUpBy } from './dialer.ts';
import { proxyOf } from './egress-proxy.ts';
import { Nets } from './nets.ts';
import { CONTROL_FD, type EgressEvent, type EgressRequest, type EgressSetup } from './protocol.ts';

/**
 * The egress process: it alone reads what programs say to a network, looks up names for them and connects to what their rules allow. It
 * serves all sandboxes of a server, knows no sessions, keys or files, and has no right that it does not need: as root it becomes a user
 * of its own first, and Node's permissions keep it from starting programs. When it ends the server starts another. This folder imports
 * the wire and the rules, and nothing above.
 */

const control = new Socket({ fd: CONTROL_FD });
// When the server has gone there is nobody to work for.
control.on('close', () => process.exit(0));
control.on('error', () => process.exit(0));
const send = (event: EgressEvent) => void control.write(`${JSON.stringify(event)}\n`);
// Of one connection; the others go on.
process.on('uncaughtException', error => process.stderr.write(`${error.stack}\n`));
process.on('unhandledRejection', error => process.stderr.write(`${error}\n`));

function becomeNobody(uid: number | null): void {
  if (uid === null || !process.setgroups || !process.setgid || !process.setuid) return;
  process.setgroups([]);
  process.setgid(uid);
  process.setuid(uid);
}

function trust(file: string): void {
  tls.setDefaultCACertificates([
    ...tls.getCACertificates('default'),
    ...tls.getCACertificates('system'),
    readFileSync(file, 'utf8'),
  ]);
}

/** Addresses that lead to this machine itself, whatever they are. */
function ownAddresses() {
  const all = Object.values(networkInterfaces()).flatMap(each => each ?? []);
  return all.map(({ address }) => parseBlock(address.split('%')[0]!)).filter(block => block !== null);
}

const lines = createInterface(control)[Symbol.asyncIterator]();
const setup = JSON.parse((await lines.next()).value!) as EgressSetup;
if (setup.certificates !== null) trust(setup.certificates);
becomeNobody(setup.uid);
const lookUp = lookUpBy(setup.resolvers);
const proxy = setup.proxy === null ? null : proxyOf(setup.proxy);
const policyOf = (texts: PolicyTexts) => new Policy(texts, setup.ceiling, ownAddresses());
const { key, bytesPerSecond } = setup;
const nets = new Nets({ key, dialer: () => new Dialer(lookUp, proxy), policyOf, bytesPerSecond, send });
const server = createServer({ allowHalfOpen: true }, socket => nets.greet(socket));
server.listen(`\0${setup.socket}`, () => send({ event: 'ready' }));
for await (const line of lines) nets.handle(JSON.parse(line) as EgressRequest);
