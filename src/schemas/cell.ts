import { type Static, Type } from '@sinclair/typebox';

const text = (description: string) => Type.Optional(Type.String({ description }));

/** A rich result of a cell, in each form that its value has (https://jupyter-client.readthedocs.io, "display_data"). */
export const MimeBundle = Type.Object(
  {
    'text/plain': text('The value as its language prints it'),
    'text/html': text('HTML of the program, which is not to be trusted'),
    'text/markdown': text('Markdown'),
    'text/latex': text('LaTeX'),
    'image/png': text('A picture, such as a figure of matplotlib; base64'),
    'image/jpeg': text('A picture; base64'),
    'image/svg+xml': text('A picture, as the text of an SVG document'),
    'application/json': Type.Optional(Type.Unknown({ description: 'Any JSON value' })),
  },
  {
    additionalProperties: true,
    description: 'Forms of one value by MIME type; binary ones are base64',
  },
);

/** The uncaught exception that ended a cell. */
export const CellError = Type.Object(
  {
    name: Type.String({ description: 'Its class, such as NameError' }),
    message: Type.String({ description: 'Its own words' }),
    traceback: Type.String({ description: "As the interpreter prints it, with the cell's line numbers" }),
  },
  { description: 'The uncaught exception that ended a cell' },
);
export type CellError = Static<typeof CellError>;
