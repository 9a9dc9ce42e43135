import { Type } from '@sinclair/typebox';
import { nullable } from '../schemas/shapes.ts';

/** Fields that several commands share. */
export const program = Type.String({ pattern: '^[^\\u0000]*$' });
export const timeout = Type.Optional(Type.Number({ exclusiveMinimum: 0, description: 'Wall seconds' }));

export const exitCode = nullable(Type.Integer());
export const signal = nullable(Type.String());
