// What bundlers for browsers find under the entries that need files and processes. CommonJS, and exports that cannot be
// seen before it runs, so that they take it under any imported name.
const refuse = (): never => {
  throw new Error(
    "@nasty/taggers/node: platform: expected Node, got a browser; a page opens taggers with @nasty/taggers/web",
  );
};

module.exports = refuse();
