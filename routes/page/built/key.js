import { byId } from './elements.js';
/** Kept until the tab is closed; in no URL, and where no other tab reads it. */
const NAME = 'codebeaker-key';
export const key = () => sessionStorage.getItem(NAME) ?? undefined;
/** Asks for a key, and calls `then` when one was given. */
export function askForKey(then) {
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
    if (!dialog.open)
        dialog.showModal();
}
export function forgetKey() {
    sessionStorage.removeItem(NAME);
}
