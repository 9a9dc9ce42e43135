// Said after npm ci: some packages want a newer Node.js than the one that runs npm, and npm warns of each.
const [, major] = /node\/v(\d+)/.exec(process.env.npm_config_user_agent ?? '') ?? [];
if (Number(major) < 24) {
  console.log(
    'The warnings EBADENGINE, if there are any, are about the Node.js that runs npm.\n' +
      'The service runs on Node 24, which npm has just put into node_modules: nothing is wrong.',
  );
}
