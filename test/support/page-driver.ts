import { Browser } from './browser.ts';

const TO_END_MS = 60_000;

/** Key modifiers of the DevTools protocol. */
export const CTRL = 2;
export const SHIFT = 8;

/** The page at `/` in a browser, used as a person does. */
export class PageDriver implements AsyncDisposable {
  readonly browser: Browser;

  private constructor(browser: Browser) {
    this.browser = browser;
  }

  static async launch(): Promise<PageDriver> {
    const page = new PageDriver(await Browser.launch());
    await page.resize(1280, 800);
    return page;
  }

  /** Loads it anew, and waits for its languages. */
  async open(url: string): Promise<void> {
    // Another document first: what runs on the page before must not be taken for it.
    await this.browser.goto('about:blank');
    await this.browser.goto(`${url}/`);
    await this.says('Ready');
  }

  async resize(width: number, height: number): Promise<void> {
    const size = { width, height, deviceScaleFactor: 1, mobile: false };
    await this.browser.call('Emulation.setDeviceMetricsOverride', size);
  }

  async prefer(name: string, value: string): Promise<void> {
    await this.browser.call('Emulation.setEmulatedMedia', { features: [{ name, value }] });
  }

  click(selector: string): Promise<void> {
    return this.browser.evaluate(`document.querySelector(${JSON.stringify(selector)}).click()`);
  }

  /** Waits until an element has this in its text; resolves to all of that. */
  shows(selector: string, text: string): Promise<string> {
    const found = `document.querySelector(${JSON.stringify(selector)})?.textContent`;
    return this.browser.until(`(${found} ?? '').includes(${JSON.stringify(text)}) && ${found}`);
  }

  /** Waits until the line of status says this. */
  says(text: string): Promise<string> {
    return this.shows('#status', text);
  }

  /** Puts a program into the editor, in the place of the one that is there. */
  async write(code: string): Promise<void> {
    await this.browser.evaluate(
      `document.getElementById('code').focus(), document.getElementById('code').select()`,
    );
    await this.browser.type(code);
  }

  /** Runs what is in the editor to its end; resolves to what the status says then. */
  async run(code?: string): Promise<string> {
    if (code !== undefined) await this.write(code);
    await this.click('#run');
    await this.browser.until(
      `document.getElementById('run').getAttribute('aria-disabled') === 'false'`,
      TO_END_MS,
    );
    return this.browser.evaluate(`document.getElementById('status').textContent`);
  }

  async choose(id: string, option: string): Promise<void> {
    await this.browser.evaluate(`{
      const select = document.getElementById(${JSON.stringify(id)});
      select.value = [...select.options].find(each => each.text.includes(${JSON.stringify(option)})).value;
      select.dispatchEvent(new Event('change'));
    }`);
  }

  async keep(isKept: boolean): Promise<void> {
    const box = `document.getElementById('keep')`;
    await this.browser.evaluate(`if (${box}.checked !== ${isKept}) ${box}.click()`);
  }

  /** Types into the terminal, which takes keys and no text. */
  async typeKeys(text: string): Promise<void> {
    for (const each of text)
      if (each === '\n') await this.browser.press('Enter');
      else await this.browser.call('Input.dispatchKeyEvent', { type: 'char', text: each });
  }

  /** Waits until the terminal shows this. */
  async screenShows(pattern: RegExp): Promise<void> {
    await this.browser
      .until(`${pattern}.test(document.querySelector('.xterm-rows')?.innerText ?? '')`)
      .catch(async cause => {
        throw new Error(`the screen never matched ${pattern}:\n${await this.screen()}`, { cause });
      });
  }

  /** What the terminal shows, from its first line to its last. */
  async screen(): Promise<string> {
    const rows: string[] = await this.browser.evaluate(
      `[...document.querySelectorAll('.xterm-rows > div')].map(each => each.textContent)`,
    );
    return rows.map(row => row.replaceAll('\u00a0', ' ').trimEnd()).join('\n');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.browser[Symbol.asyncDispose]();
  }
}
