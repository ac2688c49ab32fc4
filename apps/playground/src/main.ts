import { element } from "./page/element.js";
import { changeState, readState } from "./page/state.js";

interface Page {
  readonly title: string;
  /** Fills the main element; what it gives back ends what the page has running. */
  readonly show: (main: HTMLElement) => Promise<() => void>;
}

const pages: Readonly<Record<string, Page>> = {
  tag: { title: "Tag", show: async (main) => (await import("./tag/tag-page.js")).showTagPage(main) },
  quantize: {
    title: "Quantize",
    show: async (main) => (await import("./quantize/quantize-page.js")).showQuantizePage(main),
  },
  compare: {
    title: "Compare",
    show: async (main) => (await import("./compare/compare-page.js")).showComparePage(main),
  },
};

const main = document.querySelector("main") as HTMLElement;
const navigation = document.querySelector("nav") as HTMLElement;
let shown: string | undefined;
let leave: () => void = () => {};

async function show(): Promise<void> {
  const { page: asked = "tag" } = readState();
  const name = Object.hasOwn(pages, asked) ? asked : "tag";
  if (name === shown) return;
  const isFirst = shown === undefined;
  shown = name;
  leave();
  const page = pages[name] as Page;
  document.title = `${page.title} · Nasty playground`;
  for (const link of navigation.querySelectorAll("a")) {
    if (link.dataset["page"] === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  main.replaceChildren();
  leave = await page.show(main);
  // Who went to another page by keyboard is at its beginning.
  if (!isFirst) main.focus();
}

for (const [name, { title }] of Object.entries(pages)) {
  const link = element("a", {
    href: `#page=${name}`,
    "data-page": name,
    click: (event) => {
      event.preventDefault();
      changeState({ page: name });
      void show();
    },
  });
  link.append(title);
  navigation.append(link);
}
addEventListener("hashchange", () => void show());
void show();
