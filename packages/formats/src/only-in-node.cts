// What bundlers for browsers find under the entries that need files and processes. CommonJS, and exports that cannot be
// seen before it runs, so that they take it under any imported name.
const refuse = (): never => {
  throw new Error(
    "@nasty/formats/…/node: platform: expected Node, got a browser; give the bytes of a file to the entry of the same name without /node",
  );
};

module.exports = refuse();
