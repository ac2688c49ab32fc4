import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkSite } from "../src/built-site.js";

let site: string;
const write = (path: string, text: string): void => {
  mkdirSync(dirname(join(site, path)), { recursive: true });
  writeFileSync(join(site, path), text);
};
const faults = (...pages: string[]) => checkSite(site, pages).faults;

beforeEach(() => {
  site = mkdtempSync(join(tmpdir(), "nasty-site-"));
  write(
    "index.html",
    `<link rel="stylesheet" href="/style.css"><script src="/app.js"></script><h1 id="top">A</h1>
     <a href="https://elsewhere.example/">out</a><a href="mailto:a@b.c">mail</a><a href="#top">up</a>
     <a href="/api/">api</a><a href="./api/core.html?x=1#f%C3%BCr">core</a><img src="data:image/gif;base64,R0">`,
  );
  write("api/index.html", '<a href="../index.html#top">home</a><a href="core.html">core</a>');
  write("api/core.html", '<a id="für"></a><a href="/">home</a>');
  write("style.css", "a { background: url(data:image/gif;base64,R0) } b { background: url('/app.js') }");
  write("app.js", 'console.log("https://elsewhere.example/")');
});
afterEach(() => rmSync(site, { recursive: true, force: true }));

describe("a built site", () => {
  it("is good when every link leads somewhere, and nothing is loaded from elsewhere", () => {
    expect(checkSite(site, ["index.md", "api/index.md", "api/core.md"])).toEqual({
      faults: [],
      files: 3,
      links: 11,
    });
  });

  it("lacks a page", () => {
    expect(faults("api/core.md", "packages/core.md")).toEqual([
      "packages/core.html: page: expected one, got none",
    ]);
  });

  it.each([
    ['<a href="/gone.html">', "a file of the site, got /gone.html"],
    ['<a href="../gone/">', "a file of the site, got ../gone/"],
    ['<img src="gone.png">', "a file of the site, got gone.png"],
    ['<a href="#gone">', "an anchor of api/core.html, got #gone"],
    ['<a href="/#gone">', "an anchor of index.html, got /#gone"],
    ['<a href="index.html#für">', "an anchor of api/index.html, got index.html#für"],
  ])("has a dead link: %s", (html, fault) => {
    write("api/core.html", html);
    expect(faults()).toContain(`api/core.html: link: expected ${fault}`);
  });

  it.each([
    ['<script src="https://x.example/a.js">', "https://x.example/a.js"],
    ['<link rel="preconnect" href="//x.example">', "//x.example"],
    ['<img src="a.png" srcset="/app.js 1x, HTTPS://x.example/b.png 2x">', "HTTPS://x.example/b.png"],
    ['<iframe src="http://x.example/">', "http://x.example/"],
    ['<p style="background: url(https://x.example/c.png)">', "https://x.example/c.png"],
  ])("loads from another host: %s", (html, address) => {
    write("api/core.html", html);
    expect(faults()).toContain(`api/core.html: loaded file: expected one of the site, got ${address}`);
  });

  it.each(['@import "https://x.example/a.css";', "a { src: url(https://x.example/a.css) }"])(
    "loads from another host: %s",
    (css) => {
      write("style.css", css);
      expect(faults()).toEqual([
        "style.css: loaded file: expected one of the site, got https://x.example/a.css",
      ]);
    },
  );
});
