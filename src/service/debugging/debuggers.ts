import { randomBytes } from 'node:crypto';
import { cancelled, notSupported, ServiceError, shuttingDown } from '../../errors.ts';
import type { Language } from '../../languages/language.ts';
import { ProgramNotFound, type SpawnSpec } from '../../sandbox.ts';
import { LIMITS } from '../../schemas/limits.ts';
import type { DebuggerSpec } from '../../toolchains/debugger.ts';
import { KERNELS, type Toolchain } from '../../toolchains/toolchain.ts';
import { Places } from '../admission/places.ts';
import type { Call } from '../call.ts';
import { serviceError } from '../file-refusals.ts';
import { CellDebugger } from '../kernels/cell-debugger.ts';
import type { KernelSlot } from '../kernels/kernel-slot.ts';
import { type Lease, languageOf } from '../placement/lease.ts';
import type { DebugConnection, Debugging, DebugWish, StartedDebugger } from '../service.ts';
import type { Session } from '../sessions/session.ts';
import type { SessionManager } from '../sessions/session-manager.ts';
import type { Adapters } from './adapters.ts';
import { type DebuggedCells, DebugSession } from './debug-session.ts';

const WHERE = 'There are debuggers for Python, JavaScript, TypeScript, Go and C#';
/** Of a ticket, which is all that its connection shows. */
const TICKET_BYTES = 24;

type Debugged = Toolchain & { readonly debugger: DebuggerSpec };

interface Ticket {
  readonly debugSession: DebugSession;
  readonly owner: string | null;
  readonly expiry: NodeJS.Timeout;
}

/** Debuggers of all sessions: those that wait for their client, and those that have one. */
export class Debuggers implements Debugging {
  readonly #sessions: SessionManager;
  /** Null where none can be had. */
  readonly #adapters: Adapters | null;
  readonly #tickets = new Map<string, Ticket>();
  /** Of each session, those being started included. */
  readonly #counts = new Map<Session, number>();
  readonly #places = new Places('debuggers run', LIMITS.allDebuggers);
  #draining = false;

  constructor(sessions: SessionManager, adapters: Adapters | null) {
    this.#sessions = sessions;
    this.#adapters = adapters;
  }

  async start({ sessionId, language: asked, context }: DebugWish, call: Call): Promise<StartedDebugger> {
    if (this.#draining) throw shuttingDown();
    const session = this.#sessions.find(sessionId, call);
    const { lease } = session;
    const language = asked === undefined ? lease.language : languageOf(asked).language;
    const toolchain = debuggedBy(language, lease);
    const slot = context === undefined ? null : slotOf(session, context, { language, toolchain });
    const leave = this.#enter(session, slot, call.client);
    try {
      const debugSession = await this.#open(session, { toolchain, slot }, leave, call);
      const debugId = this.#ticket(debugSession, call.owner);
      const { name, version } = toolchain.debugger;
      call.log.info({ sessionId, adapter: name }, 'debugger started');
      return { debugId, adapter: { name, version }, language: language.name };
    } catch (error) {
      leave();
      throw serviceError(error);
    }
  }

  async join(debugId: string, { owner }: Call): Promise<DebugConnection> {
    const ticket = this.#tickets.get(debugId);
    // Who comes without a key has shown the ticket, which nobody else was told; who comes with another's has no business here.
    if (!ticket || (owner !== null && ticket.owner !== owner))
      throw new ServiceError('NOT_FOUND', 'Debugger not found: its id is good for one connection');
    this.#tickets.delete(debugId);
    clearTimeout(ticket.expiry);
    return ticket.debugSession;
  }

  /** Starts nothing new. */
  drain(): void {
    this.#draining = true;
  }

  async #open(
    session: Session,
    { toolchain, slot }: { toolchain: Debugged; slot: KernelSlot | null },
    leave: () => void,
    call: Call,
  ): Promise<DebugSession> {
    const spec = toolchain.debugger;
    if (spec.wheel && !this.#adapters)
      throw new ServiceError('RUNTIME_UNAVAILABLE', `${spec.name} can't be had on this server`, {
        details:
          'It is installed as packages are, which the operator has switched off: CODEBEAKER_PACKAGES=on',
      });
    const hold = session.hold();
    try {
      const directory =
        spec.wheel && this.#adapters ? await this.#adapters.show(session, spec.wheel, call) : KERNELS;
      if (call.signal.aborted) throw cancelled();
      const { sandbox, permissions } = session.lease;
      const adapter: SpawnSpec = {
        argv: spec.argv(directory, file => toolchain.run(file, permissions)),
        cwd: session.home,
        env: { ...toolchain.environment, ...session.env, ...spec.environment },
        stdin: 'pipe',
        traces: spec.traces,
      };
      const process = await sandbox.spawn(adapter).catch((error: Error) => {
        throw error instanceof ProgramNotFound ? missing(spec, session) : error;
      });
      const onClosed = () => {
        hold[Symbol.dispose]();
        leave();
      };
      const cells = slot && spec.cells ? cellsOf(slot, spec.cells.waits, directory) : null;
      return new DebugSession({ session, process, spec, cells, onClosed });
    } catch (error) {
      hold[Symbol.dispose]();
      throw error;
    }
  }

  #ticket(debugSession: DebugSession, owner: string | null): string {
    const debugId = randomBytes(TICKET_BYTES).toString('base64url');
    const expire = () => {
      this.#tickets.delete(debugId);
      debugSession.close();
    };
    const expiry = setTimeout(expire, LIMITS.debugTicketSeconds * 1000).unref();
    this.#tickets.set(debugId, { debugSession, owner, expiry });
    return debugId;
  }

  /** The returned function may be called more than once. @throws {ServiceError} CONFLICT, QUEUE_FULL */
  #enter(session: Session, slot: KernelSlot | null, client: string): () => void {
    if (slot?.debugger)
      throw new ServiceError('CONFLICT', 'The context has a debugger', { field: 'context' });
    const count = this.#counts.get(session) ?? 0;
    if (count >= LIMITS.debuggers)
      throw new ServiceError('CONFLICT', `The session has ${LIMITS.debuggers} debuggers, the most allowed`);
    const leavePlace = this.#places.enter(client);
    this.#counts.set(session, count + 1);
    const free = () => {
      leavePlace();
      const others = (this.#counts.get(session) ?? 1) - 1;
      if (others > 0) this.#counts.set(session, others);
      else this.#counts.delete(session);
    };
    const ofCells = slot && new CellDebugger(free);
    if (slot) slot.debugger = ofCells;
    let left = false;
    return () => {
      if (left) return;
      left = true;
      if (slot) slot.debugger = null;
      if (ofCells) ofCells.leave();
      else free();
    };
  }
}

/** @throws {ServiceError} NOT_SUPPORTED for cells that nothing debugs */
function slotOf(
  session: Session,
  name: string,
  { language, toolchain }: { language: Language; toolchain: Debugged },
): KernelSlot {
  if (!toolchain.debugger.cells)
    throw notSupported('context', `cells of ${language.displayName} are not debugged, its programs are`);
  return session.context(name, language, toolchain);
}

function cellsOf(slot: KernelSlot, waits: string, directory: string): DebuggedCells {
  const ofCells = slot.debugger!;
  return {
    waits,
    async connect(port) {
      const endTurn = await slot.turn(ofCells.gone);
      try {
        const kernel = await slot.kernel();
        if (ofCells.gone.aborted || !(await kernel.debug({ directory, port }))) return false;
        ofCells.kernel = kernel;
        return true;
      } finally {
        endTurn();
      }
    },
  };
}

function missing({ name, remedy }: DebuggerSpec, { lease }: Session): ServiceError {
  return new ServiceError('RUNTIME_UNAVAILABLE', `${name} is missing on ${lease.runtime.type}`, {
    details: remedy ? `The operator brings it: ${remedy}` : 'Its image lacks it',
  });
}

/** @throws {ServiceError} RUNTIME_UNAVAILABLE, naming what is missing */
function debuggedBy(language: Language, { language: own, toolchain, runtime }: Lease): Debugged {
  const found = language === own ? toolchain : runtime.guestToolchainFor(language);
  if (!found?.debugger)
    throw new ServiceError(
      'RUNTIME_UNAVAILABLE',
      `There is no debugger for ${language.displayName} on ${runtime.type} yet`,
      { field: 'language', details: WHERE },
    );
  if (found.debugger.wheel && !runtime.capabilities.layers)
    throw new ServiceError('RUNTIME_UNAVAILABLE', `${runtime.type} has no place for ${found.debugger.name}`, {
      details: 'It shows no packages; name another runtimeType',
    });
  return found as Debugged;
}
