import type { Run } from 'codebeaker/client';
import { type Cell, Cells } from './cells.ts';
import { byId } from './elements.ts';
import { askForKey } from './key.ts';
import type { PageSession } from './page-session.ts';
import { isCode, service, wordsOf } from './service.ts';
import { announce } from './status.ts';

export interface Program {
  readonly code: string;
  readonly language: string;
  readonly stdin: string;
  /** It is a cell of the session. */
  readonly isKept: boolean;
}

/** Runs one program at a time, shows what it does and stops it. */
export class Runner {
  readonly #session: PageSession;
  readonly #cells = new Cells();
  readonly #stop = byId('stop', HTMLButtonElement);
  readonly #run = byId('run', HTMLButtonElement);
  #count = 0;
  #isStopped = false;
  #running: Run | undefined;
  #isBusy = false;

  constructor(session: PageSession) {
    this.#session = session;
    this.#stop.onclick = () => this.#end();
  }

  async run(program: Program): Promise<void> {
    if (this.#isBusy) return announce('A program runs already: stop it first', 'busy');
    this.#setBusy(true);
    if (!program.isKept) this.restart();
    // A session counts its cells, and so do its tracebacks.
    this.#count = this.#session.isOpen ? this.#count + 1 : 1;
    const cell = this.#cells.begin(program.isKept ? `Cell ${this.#count}: ${firstLine(program.code)}` : '');
    try {
      announce(program.isKept && !this.#session.isOpen ? 'Opens a session…' : 'Starts…', 'busy');
      await this.#follow(program, cell);
    } catch (error) {
      this.#fail(error, cell, program);
    } finally {
      this.#setBusy(false);
    }
  }

  /** Forgets the runs before. */
  restart(): void {
    this.#count = 0;
    this.#cells.clear();
  }

  async #follow(program: Program, cell: Cell): Promise<void> {
    const run = await this.#start(program);
    this.#running = run;
    if (this.#isStopped) void run.cancel().catch(() => {});
    announce('Runs…', 'busy');
    for await (const event of run) cell.take(event);
    const result = await run.result();
    announce(cell.end(result), result.outcome === 'ok' ? 'good' : 'bad');
  }

  async #start({ code, language, stdin, isKept }: Program): Promise<Run> {
    if (!isKept) return service().start({ code, language, stdin });
    const session = await this.#session.get(language);
    return session.start(code, { stdin });
  }

  #end(): void {
    if (!this.#isBusy) return;
    this.#isStopped = true;
    announce('Stops…', 'busy');
    this.#running?.cancel().catch(error => announce(wordsOf(error), 'bad'));
  }

  #fail(error: unknown, cell: Cell, program: Program): void {
    const words = this.#session.explain(error);
    cell.fail(words);
    announce(words, 'bad');
    if (isCode(error, 'UNAUTHORIZED')) askForKey(() => void this.run(program));
  }

  #setBusy(isBusy: boolean): void {
    this.#isBusy = isBusy;
    this.#isStopped = false;
    this.#running = undefined;
    // Neither loses the focus of who pressed it.
    this.#run.setAttribute('aria-disabled', String(isBusy));
    this.#stop.setAttribute('aria-disabled', String(!isBusy));
  }
}

const firstLine = (code: string) =>
  (code.split('\n').find(line => line.trim() !== '') ?? '').trim().slice(0, 80);
