// Written by `npm run contracts` from the schemas in src/schemas and src/commands: change those.
export {};
