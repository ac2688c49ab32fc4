// The packages that only tag, in an engine with files.
import { fileURLToPath } from "node:url";
import * as models from "@nasty/model-en";
import { openTagger } from "@nasty/taggers/node";
import { digestOfTaggers } from "./digest.mjs";

const addresses = new Map(Object.entries(models));
const open = (name) => openTagger(fileURLToPath(addresses.get(name)), { engine: "portable" });
console.log(await digestOfTaggers(open, process.argv.slice(2)));
