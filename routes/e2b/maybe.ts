import { type TSchema, Type } from '@sinclair/typebox';

/** Clients of Python write null for what they leave out. */
export const maybe = <T extends TSchema>(schema: T) => Type.Optional(Type.Union([schema, Type.Null()]));
