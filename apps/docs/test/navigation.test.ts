import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { sidebar } from "../src/navigation.js";
import { publicPackages } from "../src/packages.js";
import { listPages } from "../src/pages.js";

const root = fileURLToPath(new URL("../../..", import.meta.url));

it("leads to every page and every entry point", () => {
  const pages = listPages(root);
  const packages = publicPackages(root);
  const links = sidebar(pages, packages).flatMap(({ items }) => items?.map(({ link }) => link) ?? []);
  expect(links.filter((link) => !link?.startsWith("/api/")).sort()).toEqual(
    pages.map(({ path }) => `/${path}`).sort(),
  );
  expect(links).toContain("/api/@nasty/formats/conllu.md");
  expect(links.length).toBe(new Set(links).size);
});
