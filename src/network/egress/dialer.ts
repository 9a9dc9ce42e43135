import { promises as dns } from 'node:dns';
import { connect, type Socket } from 'node:net';
import { type Address, formatAddress, parseAddress } from '../../network-rules/address.ts';
import type { Policy } from '../../network-rules/policy.ts';
import { connectThrough, type EgressProxy } from './egress-proxy.ts';
import { type LookUp, LookUps } from './look-ups.ts';
import type { DenialReason } from './protocol.ts';

/** To look up a name, and to connect to one of its addresses, milliseconds. */
const LOOK_UP_MS = 10_000;
const DIAL_MS = 5_000;
/** Of a name's addresses, as many as are tried. */
const MAX_TRIED = 4;
/** And as many as are looked at: whoever owns a zone may answer with thousands. */
const MAX_JUDGED = 64;

/** Nothing was connected to. */
export class NotDialled extends Error {
  readonly reason: DenialReason;
  constructor(reason: DenialReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** Connects one network to what a policy allows, from this machine or through a proxy. */
export class Dialer implements Disposable {
  readonly #lookUps: LookUps;
  readonly #proxy: EgressProxy | null;

  constructor(lookUp: LookUp, proxy: EgressProxy | null) {
    this.#lookUps = new LookUps(lookUp);
    this.#proxy = proxy;
  }

  /** Looks up no more names. */
  [Symbol.dispose](): void {
    this.#lookUps.close();
  }

  /** Whether it knows the address of what it connects to. */
  get judges(): boolean {
    return this.#proxy === null;
  }

  /**
   * One look-up: what it finds is judged, and what was judged is connected to. Behind a proxy it is the proxy that looks up.
   * @throws {NotDialled}
   */
  async dialName(name: string, port: number, policy: Policy): Promise<Socket> {
    if (this.#proxy) return this.#through(this.#proxy, name, port);
    const found = await this.#addressesOf(name);
    const allowed = found.filter(address => policy.mayDial(address, port));
    if (allowed.length === 0)
      throw new NotDialled('private_address', `${name} has no address that may be reached`);
    return this.#first(allowed, port);
  }

  /** @throws {NotDialled} */
  async dialAddress(address: Address, port: number, policy: Policy): Promise<Socket> {
    if (this.#proxy || !policy.mayDial(address, port))
      throw new NotDialled('private_address', 'it may not be reached');
    return this.#first([address], port);
  }

  async #addressesOf(name: string): Promise<Address[]> {
    const late = new NotDialled('not_found', `${name} was not looked up in time`);
    const found = await inTime(this.#lookUps.of(name), LOOK_UP_MS, late).catch((error: Error) => {
      throw error instanceof NotDialled ? error : new NotDialled('not_found', error.message);
    });
    const addresses = found
      .slice(0, MAX_JUDGED)
      .map(parseAddress)
      .filter(address => address !== null);
    if (addresses.length === 0) throw new NotDialled('not_found', `${name} has no address`);
    return addresses;
  }

  async #first(addresses: readonly Address[], port: number): Promise<Socket> {
    let problem: Error | undefined;
    for (const address of addresses.slice(0, MAX_TRIED)) {
      try {
        return await dial(formatAddress(address), port);
      } catch (error) {
        problem = error as Error;
      }
    }
    throw new NotDialled('unreachable', problem?.message ?? 'nothing was tried');
  }

  async #through(proxy: EgressProxy, name: string, port: number): Promise<Socket> {
    try {
      return await connectThrough(proxy, name, port);
    } catch (error) {
      throw new NotDialled('unreachable', (error as Error).message);
    }
  }
}

function dial(host: string, port: number): Promise<Socket> {
  const socket = connect({ host, port, allowHalfOpen: true, noDelay: true });
  const connected = new Promise<Socket>((resolve, reject) => {
    socket.once('connect', () => resolve(socket));
    socket.on('error', reject);
  });
  const late = new Error('it did not answer in time');
  return inTime(connected, DIAL_MS, late).catch(error => {
    socket.destroy();
    throw error;
  });
}

async function inTime<T>(promise: Promise<T>, ms: number, late: Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<never>((_, reject) => {
    timer = setTimeout(reject, ms, late);
  });
  try {
    return await Promise.race([promise, over]);
  } finally {
    clearTimeout(timer);
  }
}

/** Looks up both families as one: by the machine's own means, or at these resolvers. */
export function lookUpBy(resolvers: readonly string[]): LookUp {
  if (resolvers.length === 0)
    return async name => (await dns.lookup(name, { all: true })).map(({ address }) => address);
  const resolver = new dns.Resolver({ timeout: 3000, tries: 2 });
  resolver.setServers(resolvers);
  return async name => {
    const both = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
    const found = both.flatMap(each => (each.status === 'fulfilled' ? each.value : []));
    const [first] = both.flatMap(each => (each.status === 'rejected' ? [each.reason as Error] : []));
    if (found.length === 0 && first) throw first;
    return found;
  };
}
