import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A certificate for names of tests, by an authority that nothing trusts by itself. Disposing of it removes the authority's file. */
export class TestCertificate implements Disposable {
  readonly #directory = mkdtempSync(join(tmpdir(), 'codebeaker-certificate-'));
  /** The authority, as `CODEBEAKER_CA_FILE` has it. */
  readonly file = join(this.#directory, 'authority.pem');
  readonly key: string;
  readonly cert: string;

  constructor(...names: string[]) {
    const path = (name: string) => join(this.#directory, name);
    const make = (...words: string[]) =>
      execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...words], {
        stdio: 'ignore',
      });
    make('-keyout', path('authority.key'), '-out', this.file, '-subj', '/CN=A company of tests');
    make(
      ...['-CA', this.file, '-CAkey', path('authority.key'), '-subj', '/CN=A server of tests'],
      ...['-addext', 'basicConstraints=critical,CA:FALSE'],
      ...['-addext', `subjectAltName=${names.map(name => `DNS:${name}`)}`],
      ...['-keyout', path('server.key'), '-out', path('server.pem')],
    );
    this.key = readFileSync(path('server.key'), 'utf8');
    this.cert = readFileSync(path('server.pem'), 'utf8');
  }

  [Symbol.dispose](): void {
    rmSync(this.#directory, { recursive: true });
  }
}
