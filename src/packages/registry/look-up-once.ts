import dns from 'node:dns';
import type { LookupFunction } from 'node:net';

type Found = Parameters<Parameters<LookupFunction>[2]>;

/**
 * Has this process look up each name once. Each request under way has a connection of its own, for which Node would ask anew: a name
 * server that drops some of so many questions is asked again after five seconds only (resolv.conf(5), `timeout`).
 */
export function lookUpOnce(): void {
  const lookup: LookupFunction = dns.lookup;
  const asked = new Map<string, Promise<Found>>();
  const once: LookupFunction = (name, options, done) => {
    const key = JSON.stringify([name, options]);
    const found =
      asked.get(key) ?? new Promise<Found>(resolve => lookup(name, options, (...all) => resolve(all)));
    asked.set(key, found);
    void found.then(all => {
      // What failed may be there a moment later.
      if (all[0]) asked.delete(key);
      done(...all);
    });
  };
  Object.assign(dns, { lookup: once });
}
