export { TfjsError, type TfjsErrorCode } from "../tfjs-error.js";
