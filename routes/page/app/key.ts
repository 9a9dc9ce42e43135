import { byId } from './elements.ts';

/** Kept until the tab is closed; in no URL, and where no other tab reads it. */
const NAME = 'codebeaker-key';

export const key = (): string | undefined => sessionStorage.getItem(NAME) ?? undefined;

/** Asks for a key, and calls `then` when one was given. */
export function askForKey(then: () => void): void {
  const dialog = byId('key-dialog', HTMLDialogElement);
  const form = byId('key-form', HTMLFormElement);
  const input = byId('key', HTMLInputElement);
  byId('key-refused', HTMLParagraphElement).hidden = key() === undefined;
  input.value = '';
  form.onsubmit = event => {
    event.preventDefault();
    sessionStorage.setItem(NAME, input.value.trim());
    input.value = '';
    dialog.close();
    then();
  };
  if (!dialog.open) dialog.showModal();
}

export function forgetKey(): void {
  sessionStorage.removeItem(NAME);
}
