import type { MimeBundle } from 'codebeaker/client';
import { make } from './elements.ts';
import { MOST_CHARACTERS } from './printed.ts';

const PICTURES = ['image/png', 'image/jpeg', 'image/gif', 'image/webp'];
/** Longest HTML that is shown as such, characters. */
const MOST_HTML = 500_000;
/** Base64 and nothing else: what a program says of itself is in no URL otherwise. */
const BASE64 = /^[\w+/=\s]+$/;

/**
 * What a cell displayed, in the best form that can't do anything: a picture in an <img>, where drawings run no script and load nothing; HTML in a
 * frame without any rights; else text.
 */
export function richResult(bundle: MimeBundle): HTMLElement {
  const told = text(bundle['text/plain']);
  for (const type of PICTURES) {
    const data = text(bundle[type]);
    if (BASE64.test(data)) return picture(`data:${type};base64,${data.replaceAll(/\s/g, '')}`, told);
  }
  const drawing = text(bundle['image/svg+xml']);
  // Half of a surrogate pair is no character that a URL could hold.
  if (drawing)
    return picture(`data:image/svg+xml;charset=utf-8,${encodeURIComponent(drawing.toWellFormed())}`, told);
  const html = text(bundle['text/html']);
  if (html && html.length <= MOST_HTML) return frame(html);
  const source = text(bundle['text/markdown']) || told || html;
  if (source) return shown(source);
  return shown(JSON.stringify(bundle['application/json'] ?? Object.keys(bundle), null, 2));
}

const text = (value: unknown) => (typeof value === 'string' ? value : '');

function shown(content: string): HTMLElement {
  const cut = content.length > MOST_CHARACTERS ? `${content.slice(0, MOST_CHARACTERS)}…` : content;
  return make('pre', { className: 'value' }, cut);
}

function picture(src: string, told: string): HTMLElement {
  const alt = told && !told.startsWith('<') ? told.slice(0, 200) : 'Picture that the program made';
  return make('figure', {}, make('img', { src, alt }));
}

/** The one place where text becomes HTML; browsers that know trusted types hold the page to it. */
const { trustedTypes } = globalThis as {
  trustedTypes?: { createPolicy(name: string, rules: { createHTML(html: string): string }): typeof rules };
};
const policy = trustedTypes?.createPolicy('shown-in-frames', { createHTML: html => html });

/**
 * A page of another origin, in which nothing runs, no form is sent, no link leads anywhere and nothing is loaded but our style: this page's own policy
 * holds there too.
 */
function frame(html: string): HTMLElement {
  const element = make('iframe', { title: 'Table or page that the program made', className: 'rich' });
  element.setAttribute('sandbox', '');
  const style = new URL('page/result.css', document.baseURI);
  const whole = `<!doctype html><meta charset="utf-8"><link rel="stylesheet" href="${style}">${html}`;
  element.srcdoc = policy?.createHTML(whole) ?? whole;
  return element;
}
