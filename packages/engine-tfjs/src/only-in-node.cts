// What bundlers for browsers find under the entries that need files and processes. CommonJS, so that they take it under any imported name.
throw new Error("@nasty/engine-tfjs/layers-model/node: platform: expected Node, got a browser; a page uses @nasty/engine-tfjs/layers-model");
