import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KeptFiles } from '../../../src/service/store/kept-files.ts';
import type { Store, StoredExecution } from '../../../src/service/store/store.ts';

/** Executions in a map, as JSON like on disk. A fault is a hook that rejects; a slow disk one that waits. */
export class MemoryStore implements Store {
  problem: string | null = null;
  /** Awaited before anything is kept. */
  beforeInsert: (execution: StoredExecution) => Promise<void> = async () => {};
  beforeFinish: (execution: StoredExecution) => Promise<void> = async () => {};
  closed = false;
  /** Made by the first file; a test that has some removes it. */
  readonly files = new KeptFiles(join(tmpdir(), `codebeaker-files-${randomUUID()}`));
  readonly #kept = new Map<string, string>();

  async insert(execution: StoredExecution): Promise<void> {
    await this.beforeInsert(execution);
    this.#keep(execution);
  }

  async finish(execution: StoredExecution): Promise<void> {
    await this.beforeFinish(execution);
    this.#keep(execution);
  }

  async get(id: string): Promise<StoredExecution | null> {
    const text = this.#kept.get(id);
    return text === undefined ? null : JSON.parse(text);
  }

  async close(): Promise<void> {
    this.closed = true;
  }

  #keep(execution: StoredExecution): void {
    this.#kept.set(execution.status.executionId, JSON.stringify(execution));
  }
}
