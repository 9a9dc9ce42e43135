import type { Session } from 'codebeaker/client';
import { byId, make } from './elements.ts';
import { Preview } from './preview.ts';
import { announce } from './status.ts';

type Entry = Awaited<ReturnType<Session['list']>>[number];

/** Most entries of a directory that are shown. */
const MOST_ENTRIES = 500;
/** Largest file that is shown, bytes. */
const MOST_VIEWED = 16 * 1024 * 1024;
const ROOT = '/workspace';
const UNITS = ['bytes', 'KB', 'MB', 'GB'];

/** The files of the session: to look at, fetch, bring and delete. Their names are strangers' too, and shown as text. */
export class FilesPanel {
  readonly #rows = byId('entries', HTMLTableSectionElement);
  readonly #where = byId('where', HTMLElement);
  readonly #preview = new Preview();
  readonly #session: () => Promise<Session>;
  readonly #explain: (error: unknown) => string;
  #path = ROOT;

  /** @param session opens it where there is none @param explain says an error of it in words */
  constructor(session: () => Promise<Session>, explain: (error: unknown) => string) {
    this.#session = session;
    this.#explain = explain;
    byId('refresh', HTMLButtonElement).onclick = () => this.show();
    byId('up', HTMLButtonElement).onclick = () =>
      this.#enter(this.#path.slice(0, this.#path.lastIndexOf('/')));
    const upload = byId('upload', HTMLInputElement);
    upload.onchange = () => this.#try(() => this.#upload(upload));
  }

  /** Another session has other files. */
  reset(): void {
    this.#path = ROOT;
    this.#preview.close();
    this.#rows.replaceChildren();
  }

  show(): Promise<void> {
    return this.#try(async () => {
      const entries = await (await this.#session()).list(this.#path, { includeHidden: true, maxDepth: 1 });
      this.#where.textContent = this.#path;
      byId('up', HTMLButtonElement).disabled = this.#path === ROOT;
      const sorted = entries.toSorted(
        (a, b) =>
          Number(b.type === 'directory') - Number(a.type === 'directory') || (a.name < b.name ? -1 : 1),
      );
      this.#rows.replaceChildren(...sorted.slice(0, MOST_ENTRIES).map(entry => this.#row(entry)));
      const more = entries.length > MOST_ENTRIES ? `, of which ${MOST_ENTRIES} are shown` : '';
      byId('count', HTMLElement).textContent =
        entries.length === 0
          ? 'No files yet.'
          : `${entries.length} ${entries.length === 1 ? 'entry' : 'entries'}${more}.`;
    });
  }

  async #enter(path: string): Promise<void> {
    this.#path = path;
    await this.show();
    this.#where.focus();
  }

  #row(entry: Entry): HTMLTableRowElement {
    const { name, path, type, size } = entry;
    const isFile = type === 'file';
    const button = (does: string, act: () => Promise<unknown>) => {
      const element = make('button', { type: 'button' }, does);
      element.setAttribute('aria-label', `${does} ${name}`);
      element.onclick = () => this.#try(act);
      return element;
    };
    const open =
      type === 'directory'
        ? button('Open', () => this.#enter(path))
        : button('View', () => this.#view(entry));
    const actions = [
      ...(type === 'other' ? [] : [open]),
      ...(isFile ? [button('Download', async () => save(name, await this.#read(entry)))] : []),
      button('Delete', () => this.#delete(entry)),
    ];
    return make(
      'tr',
      {},
      make('th', { scope: 'row', className: type }, make('bdi', {}, name)),
      make('td', {}, isFile ? sizeOf(size) : type),
      make('td', { className: 'actions' }, ...actions),
    );
  }

  async #view(entry: Entry): Promise<void> {
    const { name, size } = entry;
    if (size > MOST_VIEWED) return announce(`${name} is too large to be shown here: download it`, 'bad');
    this.#preview.show(name, await this.#read(entry));
  }

  async #read({ path }: Entry): Promise<Uint8Array<ArrayBuffer>> {
    return (await (await this.#session()).read(path)) as Uint8Array<ArrayBuffer>;
  }

  async #delete({ name, path, type }: Entry): Promise<void> {
    if (type === 'directory' && !confirm(`Delete the directory ${name} and all that is in it?`)) return;
    await (await this.#session()).execute({ type: 'delete_file', path, recursive: type === 'directory' });
    announce(`${name} is deleted`);
    await this.show();
    this.#where.focus();
  }

  async #upload(input: HTMLInputElement): Promise<void> {
    const files = [...(input.files ?? [])];
    const session = await this.#session();
    for (const file of files) {
      announce(`Uploads ${file.name}…`, 'busy');
      await session.write(`${this.#path}/${file.name}`, new Uint8Array(await file.arrayBuffer()));
    }
    input.value = '';
    announce(`${files.length === 1 ? files[0]!.name : `${files.length} files`} uploaded`, 'good');
    await this.show();
  }

  async #try(act: () => Promise<unknown>): Promise<void> {
    try {
      await act();
    } catch (error) {
      announce(this.#explain(error), 'bad');
    }
  }
}

/** As a download, which the browser never opens as a page of this origin. */
function save(name: string, bytes: Uint8Array<ArrayBuffer>): void {
  const url = URL.createObjectURL(new Blob([bytes], { type: 'application/octet-stream' }));
  make('a', { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

function sizeOf(bytes: number): string {
  const unit = Math.min(UNITS.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(bytes, 1)) / 10)));
  const value = bytes / 1024 ** unit;
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]}`;
}
