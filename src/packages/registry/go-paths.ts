/** Names of modules as they lie on disk and in addresses: a capital is an exclamation mark and its small letter (go.dev/ref/mod#goproxy-protocol). */
const ELEMENT = '[a-z0-9!_~-]+(?:\\.[a-z0-9!_~-]+)*';
/** The first element is a host: it has a dot. No element begins with one, is empty or holds two in a row. */
const MODULE = `[a-z0-9!_~][a-z0-9!_~-]*(?:\\.[a-z0-9!_~-]+)+(?:/${ELEMENT})*`;
const VERSION = 'v[0-9]+\\.[0-9]+\\.[0-9]+(?:[-+][0-9A-Za-z!.+-]+)?';

/** What of a module an installer may ask for. */
export const OF_MODULE = new RegExp(
  `^(?<path>${MODULE})/@(?:(?<latest>latest)|v/(?:(?<list>list)|(?<version>${VERSION})\\.(?<kind>info|mod|zip)))$`,
);
/** What of a checksum database: of one module, its head, or a part of its tree (go.dev/design/25530-sumdb). */
export const OF_CHECKSUMS = new RegExp(
  `^(?:latest|lookup/${MODULE}@${VERSION}|tile/[0-9]{1,2}/[0-9]{1,2}(?:/x[0-9]{3}){0,8}/[0-9]{3}(?:\\.p/[0-9]{1,3})?)$`,
);

const WHOLE_VERSION = new RegExp(`^${VERSION}$`);
/** Of what a proxy lists, which becomes a part of an address. */
export const isVersion = (text: string) => WHOLE_VERSION.test(text);

/** As the operator's names are compared: many hosts tell no capitals from small letters, and each spelling leads to the same module. */
export function spelledInGo(name: string): string {
  return name.toLowerCase();
}

export function unescaped(text: string): string {
  return text.replace(/!([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
