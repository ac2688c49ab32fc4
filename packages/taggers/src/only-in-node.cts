// What bundlers for browsers find under the entries that need files and processes. CommonJS, so that they take it under any imported name.
throw new Error("@nasty/taggers/node: platform: expected Node, got a browser; a page opens taggers with @nasty/taggers/web");
