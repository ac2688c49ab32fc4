export { siteConfig as default } from "../dist/site-config.js";
