export { TfjsError, type TfjsErrorCode, type TfjsErrorFields } from "./tfjs-error.js";
