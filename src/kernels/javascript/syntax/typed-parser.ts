import { tsPlugin } from '@sveltejs/acorn-typescript';
import { Parser } from 'acorn';

const AT = 0x40;

interface Reader {
  inType: boolean;
  getTokenFromCode(code: number): unknown;
  getTokenFromCodeInType(code: number): unknown;
}

/** What the plugin leaves out: a decorator after a type, and exports of what an earlier cell declared. */
function mended(parser: typeof Parser): typeof Parser {
  const Plain = parser as unknown as new (...args: never[]) => Reader;
  return class extends Plain {
    override getTokenFromCodeInType(code: number): unknown {
      if (code !== AT) return super.getTokenFromCodeInType(code);
      this.inType = false;
      try {
        return this.getTokenFromCode(code);
      } finally {
        this.inType = true;
      }
    }

    checkLocalExport(): void {}
  } as unknown as typeof Parser;
}

/** Reads TypeScript, and decorators and accessors of JavaScript. */
export const TypedParser = Parser.extend(tsPlugin() as never, mended as never);
