import { vector } from '../../agent/spawn.ts';
import { BASE } from '../layout.ts';
import { bind, MS, mount } from '../libc.ts';
import { RESOURCE_LIMITS } from '../resource-limits.ts';
import { showDevices, showView } from '../show-view.ts';
import type { View } from '../view.ts';
import { c, check, cstring, writeFile } from './libc.ts';
import type { InterpreterOrder } from './protocol.ts';
import { CLONE, LAST_DESCRIPTOR, limit, pivotTo, RLIMIT } from './walls.ts';

/** Where an interpreter has what its children need on their way into a sandbox, and nobody sees it after that. */
const OWN = '/tmp';
const CONTROL = 3;
const SIG_SETMASK = 2;
const SIGNALS = 64;

/** The path of a control group's file as interpreters see it. */
export function seenByInterpreter(path: string): string {
  return `${OWN}${path}`;
}

/**
 * Makes the calling process, just forked, an interpreter that waits for being forked into sandboxes: it sees what a
 * sandbox sees, with a network and a mount namespace of its own, and it keeps the rights that it takes to enter one. It must
 * never run anything but the interpreter and the service's own code, up to where it waits. `control` becomes its descriptor 3.
 */
export function becomeInterpreter(order: InterpreterOrder, view: View, control: number): never {
  const { argv, env, procs, groups, openFiles } = order;
  for (const file of procs) writeFile(file, '0');
  limit(RLIMIT.CORE, RESOURCE_LIMITS.core);
  c.umask(0o022);
  check('setsid', c.setsid());
  const { newNamespaces, newHostName, newIpc, newNetwork } = CLONE;
  check('unshare', c.unshare(newNamespaces | newHostName | newIpc | newNetwork));
  showView(view, BASE.root);
  showDevices(view, BASE.root);
  const own = `${BASE.root}${OWN}`;
  mount('tmpfs', own, MS.NOSUID | MS.NODEV | MS.NOEXEC);
  for (const group of groups) {
    makeDirectories(own, group);
    bind(group, `${own}${group}`);
  }
  check(
    'creating the filter',
    c.close(check('open', c.open(cstring(`${own}${BASE.filter}`), O_CREATE, 0o600))),
  );
  bind(BASE.filter, `${own}${BASE.filter}`);
  pivotTo(BASE.root);
  takeDescriptors(control);
  limit(RLIMIT.NOFILE, openFiles);
  defaultSignals();
  const words = vector(argv);
  const surroundings = vector(Object.entries(env).map(([name, value]) => `${name}=${value}`));
  check(`starting ${argv[0]}`, c.execvpe(cstring(argv[0] ?? ''), words.pointers, surroundings.pointers));
  throw new Error('unreachable');
}

const O_CREATE = 0o101;

function makeDirectories(below: string, path: string): void {
  let at = below;
  for (const part of path.split('/').filter(Boolean)) {
    at += `/${part}`;
    c.mkdir(cstring(at), 0o755);
  }
}

/** Standard input is a pipe in which nothing ever comes, as what its children have is one; output is for its last words. */
function takeDescriptors(control: number): void {
  const ends = new Int32Array(2);
  check('pipe2', c.pipe2(ends, 0));
  const high = check('fcntl', c.fcntl(control, F_DUPFD, 16));
  check('dup2', c.dup2(ends[0]!, 0));
  check('dup2', c.dup2(2, 1));
  check('dup2', c.dup2(high, CONTROL));
  // The pipe's other end is one of those.
  check('close_range', c.close_range(CONTROL + 1, LAST_DESCRIPTOR, 0));
}

const F_DUPFD = 0;

/** What a program finds: nothing ignored, nothing blocked. */
function defaultSignals(): void {
  const action = new Uint8Array(152);
  for (let signal = 1; signal <= SIGNALS; signal++) c.sigaction(signal, action, null);
  c.sigprocmask(SIG_SETMASK, new Uint8Array(128), null);
}
