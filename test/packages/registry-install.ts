import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type IncomingHttpHeaders, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { Users } from '../../src/launcher/users.ts';
import type { EcosystemName, RegistrySetup } from '../../src/packages/registry/protocol.ts';
import { RegistryProcess } from '../../src/packages/registry-process.ts';
import { RelayProcess } from './relay-process.ts';

/** The registry's process of an install, with a relay as a sandbox has one, and an index of the test's. */
/** What pages call the gateway. */
export const ADDRESS = 'http://gateway';
const BOUNDS = { bytes: 1_000_000, entries: 50 };
const users = new Users('a test', 'registry');
export const isRoot = process.getuid?.() === 0;

type Options = Partial<Omit<RegistrySetup, 'described'>> & {
  described?: Record<string, string>;
  certificates?: string | null;
  ecosystem?: EcosystemName;
  build?: boolean;
};

export class Install implements AsyncDisposable {
  readonly root = mkdtempSync(join(tmpdir(), 'codebeaker-registry-'));
  readonly cache = join(this.root, 'cache');
  readonly described = join(this.root, 'described');
  readonly registry: RegistryProcess;
  readonly relay: RelayProcess;
  /** Events of how far it has come. */
  progress = 0;
  readonly uid = isRoot ? users.take() : null;

  constructor(
    url: string,
    relay: RelayProcess,
    { ecosystem = 'python', build = false, described = {}, ...more }: Options,
  ) {
    const directory = join(this.root, 'incoming');
    for (const path of [directory, this.cache, this.described]) mkdirSync(path);
    for (const [file, text] of Object.entries(described)) writeFileSync(join(this.described, file), text);
    chmodSync(this.cache, 0o1777);
    this.relay = relay;
    const work = { kind: 'install', ecosystem, address: ADDRESS, build } as const;
    const index = { url, authorization: null };
    const { uid, cache, described: known } = this;
    const { certificates = null, ...others } = more;
    this.registry = new RegistryProcess({ uid, certificates }, { directory, cache, described: known });
    const setup = { index, deny: [], minAgeDays: 0, bounds: BOUNDS, work, ...others };
    this.registry.begin(setup, () => void this.progress++);
    this.registry.relay.output.pipe(relay.control).pipe(this.registry.relay.input);
  }

  static async begin(index: { readonly url: string } | string, more: Options = {}): Promise<Install> {
    return new Install(typeof index === 'string' ? index : index.url, await RelayProcess.start(), more);
  }

  /** Asks the gateway as a program of the sandbox does. */
  async get(
    path: string,
    method = 'GET',
    headers: Record<string, string> = {},
  ): Promise<{ status: number; body: Buffer; headers: IncomingHttpHeaders }> {
    const asked = request({ host: '127.0.0.1', port: this.relay.port, path, method, headers, agent: false });
    asked.end();
    const [response] = await once(asked, 'response');
    return { status: response.statusCode, body: await buffer(response), headers: response.headers };
  }

  /** Whether what it names can't be had whole. */
  async refuses(path: string): Promise<boolean> {
    return this.get(path).then(
      ({ status }) => status === 502,
      () => true,
    );
  }

  async facts() {
    this.registry.ask({ op: 'facts' });
    return this.registry.answer;
  }

  async freeze(tree: Buffer) {
    this.registry.ask({ op: 'freeze' });
    this.registry.tree.end(tree);
    return this.registry.answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.registry[Symbol.asyncDispose]();
    await this.relay[Symbol.asyncDispose]();
    if (this.uid !== null) users.give(this.uid);
    rmSync(this.root, { recursive: true, force: true });
  }
}
