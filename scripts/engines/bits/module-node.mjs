// An exported module beside this file, in an engine that needs nothing else.
import * as tagger from "./tagger.js";
import { digestOfModule } from "./digest.mjs";

console.log(await digestOfModule(tagger));
