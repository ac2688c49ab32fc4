// What bundlers for browsers find under the entries that need files and processes. CommonJS, and exports that cannot be
// seen before it runs, so that they take it under any imported name.
const refuse = (): never => {
  throw new Error(
    "@nasty/workflow: platform: expected Node, got a browser; a page uses @nasty/taggers/web and @nasty/compression",
  );
};

module.exports = refuse();
