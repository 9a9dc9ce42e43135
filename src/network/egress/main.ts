import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { dropRights, openControl } from '../../confined/control.ts';
import { parseBlock } from '../../network-rules/address.ts';
import { Policy, type PolicyTexts } from '../../network-rules/policy.ts';
import { Counted } from './counted.ts';
import { Dialer, lookUpBy } from './dialer.ts';
import { proxyOf } from './egress-proxy.ts';
import type { EgressEvent, EgressRequest, EgressSetup } from './protocol.ts';
import { ServedNetworks } from './served-networks.ts';

/**
 * The egress process: it alone reads what programs say to a network, looks up names for them and connects to what their rules allow. It
 * serves all sandboxes of a server, knows no sessions, keys or files, and has no right that it does not need: as root it becomes a user
 * of its own first, and Node's permissions keep it from starting programs. When it ends the server starts another. This folder imports
 * the wire, the rules and what confines it, and nothing above.
 */

const control = openControl<EgressEvent>();
const { send } = control;
// Of one connection; the others go on.
process.on('uncaughtException', error => process.stderr.write(`${error.stack}\n`));
process.on('unhandledRejection', error => process.stderr.write(`${error}\n`));

/** Addresses that lead to this machine itself, whatever they are. */
function ownAddresses() {
  const all = Object.values(networkInterfaces()).flatMap(each => each ?? []);
  return all.map(({ address }) => parseBlock(address.split('%')[0]!)).filter(block => block !== null);
}

const setup = (await control.next()) as EgressSetup;
dropRights({ ...setup, secure: setup.proxy?.startsWith('https:') ?? false });
const lookUp = lookUpBy(setup.resolvers);
const proxy = setup.proxy === null ? null : proxyOf(setup.proxy);
const policyOf = (texts: PolicyTexts) => new Policy(texts, setup.ceiling, ownAddresses());
const counted = new Counted();
const dialer = () => {
  const counting = (name: string) => {
    counted.lookedUp();
    return lookUp(name);
  };
  return new Dialer(counting, proxy);
};
const { key, bytesPerSecond } = setup;
const networks = new ServedNetworks({ key, dialer, counted, policyOf, bytesPerSecond, send });
const server = createServer({ allowHalfOpen: true }, socket => networks.greet(socket));
server.listen(`\0${setup.socket}`, () => send({ event: 'ready' }));
for (;;) {
  const request = (await control.next()) as EgressRequest;
  try {
    networks.handle(request);
  } catch (error) {
    // Nothing the server says would be heard from here on.
    process.stderr.write(`${error}\n`);
    process.exit(1);
  }
}
