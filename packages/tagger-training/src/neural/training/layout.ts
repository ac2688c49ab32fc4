import type { Layout } from "@nasty/taggers/neural";
import type { Architecture } from "../architecture.js";

/** How an architecture wants its sentences while it trains; the likelihood of a sequence wants one sentence a row. */
export const layoutOf = ({ kind }: Architecture, chain = false): Layout =>
  kind === "bilstm" ? "rows" : chain ? "masked-rows" : "stream";
