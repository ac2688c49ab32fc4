// What bundlers for browsers find under the entries that need files and processes. CommonJS, and exports that cannot be
// seen before it runs, so that they take it under any imported name.
const refuse = (): never => {
  throw new Error(
    "@nasty/tagger-training: platform: expected Node, got a browser; a page opens what was trained with @nasty/taggers/web",
  );
};

module.exports = refuse();
