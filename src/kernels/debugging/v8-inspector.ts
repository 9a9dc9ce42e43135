import type { Answer, CallFrame, Inspector, OnEvent, Place, When } from './inspector.ts';
import { InspectorSocket } from './inspector-socket.ts';

/** A function that V8 gives programs to be told by, while there are log points. */
const LOG = 'codebeakerLog';

/** The inspector of a program that runs on V8. */
export class V8Inspector implements Inspector {
  readonly #socket: InspectorSocket;
  #logs = false;

  private constructor(socket: InspectorSocket) {
    this.#socket = socket;
  }

  /** @throws {InspectorError} */
  static async connect(url: string, onEvent: OnEvent): Promise<V8Inspector> {
    const told: OnEvent = (method, params) => {
      if (method !== 'Runtime.bindingCalled') onEvent(method, params);
      else if (params.name === LOG) onEvent('Logged', { text: params.payload });
    };
    return new V8Inspector(await InspectorSocket.connect(new WebSocket(url), told));
  }

  ask(method: string, params: object = {}): Promise<Answer> {
    return this.#socket.ask(method, params);
  }

  async setBreakpoint(place: Place, when: When) {
    if (when.log !== undefined && !this.#logs) {
      this.#logs = true;
      await this.ask('Runtime.addBinding', { name: LOG });
    }
    return this.ask('Debugger.setBreakpointByUrl', { ...place, condition: expressionOf(when) });
  }

  async holds({ callFrameId }: CallFrame, when: When): Promise<boolean> {
    const expression = `!!(${expressionOf(when) ?? true})`;
    const asked = { callFrameId, expression, silent: true };
    const { result } = await this.ask('Debugger.evaluateOnCallFrame', asked);
    return result.value === true;
  }

  close(): void {
    this.#socket.close();
  }
}

/** What logs is a condition that never holds: to stop and go on for it would end the step that a client is in. */
function expressionOf({ condition, log }: When): string | undefined {
  if (log === undefined) return condition;
  const logs = `(${LOG}(${log}), false)`;
  return condition === undefined ? logs : `${condition} && ${logs}`;
}
