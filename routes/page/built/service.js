import { CodeBeaker, CodeBeakerError } from 'codebeaker/client';
import { key } from './key.js';
/** Seconds for which a lost connection is tried to be made again. */
const PATIENCE = 15;
let client;
let sent;
/** The service that this page came from, asked with the key that was given last. */
export function service() {
    if (client && sent === key())
        return client;
    client?.close();
    sent = key();
    client = new CodeBeaker({ url: new URL('.', location.href).href, key: sent, patience: PATIENCE });
    return client;
}
/** Whether an error is one of the service's with this code. */
export const isCode = (error, code) => error instanceof CodeBeakerError && error.code === code;
/** An error in words for a person. */
export const wordsOf = (error) => (error instanceof Error ? error.message : String(error));
