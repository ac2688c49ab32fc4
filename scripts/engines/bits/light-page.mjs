// The same in a page: models are downloaded.
import * as models from "@nasty/model-en";
import { openTagger } from "@nasty/taggers/web";
import { digestOfTaggers } from "./digest.mjs";

const addresses = new Map(Object.entries(models));
globalThis.digest = digestOfTaggers(
  (name) => openTagger(addresses.get(name)),
  new URL(location.href).searchParams.getAll("model"),
);
