import { Type } from '@sinclair/typebox';
import { closed } from '../../schemas/shapes.ts';
import { terminalSize } from '../../schemas/terminal-size.ts';
import { defineMethod } from '../method.ts';
import { readTarget, target } from '../process-target.ts';

export const processResize = defineMethod({
  name: 'process.resize',
  summary: 'Sets the size of a running program’s terminal, whose programs are told by SIGWINCH',
  answer: 'The size that it has now',
  params: closed({ ...target, ...terminalSize }),
  result: Type.Object(terminalSize),
  feature: 'Terminals',
  async run(params, { service, call }) {
    const { cols, rows } = params;
    await service.processes.resize(readTarget(params), { cols, rows }, call);
    return { cols, rows };
  },
});
