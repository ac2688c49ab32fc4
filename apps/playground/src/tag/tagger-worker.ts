import { serveTaggers } from "@nasty/taggers/web";

// A tenth of the bytes of ONNX Runtime, and faster at single sentences.
serveTaggers({ engine: "portable" });
