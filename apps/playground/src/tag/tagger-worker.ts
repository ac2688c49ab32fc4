import { serveTaggers } from "@nasty/taggers/web";
import { loadRuntime } from "../page/runtime.js";

serveTaggers(loadRuntime().then((ort) => ({ ort })));
