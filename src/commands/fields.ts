import { Type } from '@sinclair/typebox';
import { closed, nullable } from '../schemas/shapes.ts';

/** Fields that several commands share. */
export const program = Type.String({ pattern: '^[^\\u0000]*$' });
export const timeout = Type.Optional(Type.Number({ exclusiveMinimum: 0, description: 'Wall seconds' }));

/** Parameters of copy_file and move_file. */
export const twoPaths = closed({
  sourcePath: Type.String(),
  destinationPath: Type.String(),
  overwrite: Type.Optional(Type.Boolean({ default: true })),
});
export const twoPathsOlder = { source: 'sourcePath', destination: 'destinationPath' };
export const twoPathsResult = Type.Object({
  sourcePath: Type.String(),
  destinationPath: Type.String(),
  bytes: Type.Integer(),
});

export const exitCode = nullable(Type.Integer());
export const signal = nullable(Type.String());
