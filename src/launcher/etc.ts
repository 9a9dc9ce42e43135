import { cpSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { INSIDE_UID, OFFLINE } from './layout.ts';

/** The names of the machine itself, in every kind of sandbox. */
const HOSTS = '127.0.0.1 localhost\n::1 localhost\n127.0.1.1 sandbox\n';

/** What /etc holds inside; nothing of it tells about the host. */
const FILES: Readonly<Record<string, string>> = {
  passwd: `root:x:0:0:root:/root:/usr/sbin/nologin\nsandbox:x:${INSIDE_UID}:${INSIDE_UID}:sandbox:/home/sandbox:/bin/sh\n`,
  group: `root:x:0:\nsandbox:x:${INSIDE_UID}:\n`,
  hosts: HOSTS,
  'nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
  'resolv.conf': '',
};

/** Of the host's /etc, what programs and libraries of /usr need to find their parts. */
const FROM_HOST = [
  'alternatives',
  'fonts',
  'ld.so.cache',
  'ld.so.conf',
  'ld.so.conf.d',
  'matplotlibrc',
  'mime.types',
  // Of the directory this alone: what else is in there may name the host.
  'ssl/certs/ca-certificates.crt',
];

/** Makes the directory that every sandbox sees as /etc. Copied, so that no path of the host shows. */
export function makeEtc(directory: string): void {
  mkdirSync(directory);
  for (const [name, text] of Object.entries(FILES)) writeFileSync(`${directory}/${name}`, text);
  symlinkSync(`${OFFLINE}/pip.conf`, `${directory}/pip.conf`);
  for (const name of FROM_HOST) {
    const source = `/etc/${name}`;
    if (existsSync(source))
      cpSync(source, `${directory}/${name}`, { recursive: true, verbatimSymlinks: true });
  }
}
