// What bundlers for browsers find under the entries that need files and processes. CommonJS, so that they take it under any imported name.
throw new Error("@nasty/tagger-training: platform: expected Node, got a browser; a page opens what was trained with @nasty/taggers/web");
