// An exported module in a page.
import * as tagger from "./tagger.js";
import { digestOfModule } from "./digest.mjs";

globalThis.digest = digestOfModule(tagger);
