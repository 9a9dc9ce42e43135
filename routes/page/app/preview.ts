import { byId, make } from './elements.ts';
import { MOST_CHARACTERS } from './printed.ts';

/** What the first bytes of a picture are. */
const PICTURES: readonly [string, readonly number[]][] = [
  ['image/png', [0x89, 0x50, 0x4e, 0x47]],
  ['image/jpeg', [0xff, 0xd8, 0xff]],
  ['image/gif', [0x47, 0x49, 0x46, 0x38]],
];

/** A file of the session below the list: a picture as one, all else as text. */
export class Preview {
  readonly #region = byId('preview', HTMLElement);
  readonly #title = byId('preview-title', HTMLHeadingElement);
  readonly #content = byId('preview-content', HTMLDivElement);
  #url: string | undefined;

  constructor() {
    byId('preview-close', HTMLButtonElement).onclick = () => {
      this.close();
      byId('where', HTMLElement).focus();
    };
  }

  show(name: string, bytes: Uint8Array<ArrayBuffer>): void {
    this.close();
    this.#title.replaceChildren(make('bdi', {}, name));
    const type = PICTURES.find(([, first]) => first.every((byte, at) => bytes[at] === byte))?.[0];
    if (type) {
      this.#url = URL.createObjectURL(new Blob([bytes], { type }));
      this.#content.replaceChildren(make('img', { src: this.#url, alt: name }));
    } else {
      const shown = new TextDecoder().decode(bytes.subarray(0, MOST_CHARACTERS));
      const more = bytes.length > MOST_CHARACTERS ? '\n… the rest is not shown: download it.' : '';
      this.#content.replaceChildren(make('pre', {}, shown + more));
    }
    this.#region.hidden = false;
    this.#title.focus();
  }

  close(): void {
    this.#region.hidden = true;
    this.#content.replaceChildren();
    if (this.#url) URL.revokeObjectURL(this.#url);
    this.#url = undefined;
  }
}
