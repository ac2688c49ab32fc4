type Child = Node | string | undefined;

/** What an element is made with: attributes; functions are listeners of the event that they are named after. */
type Given = Readonly<Record<string, string | number | boolean | undefined | ((event: Event) => void)>>;

/** Makes an element: `false` and undefined attributes are left out, `true` ones are empty. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  given: Given = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(given)) {
    if (value === undefined || value === false) continue;
    if (typeof value === "function") made.addEventListener(key, value);
    else made.setAttribute(key, value === true ? "" : String(value));
  }
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

const drawing = "http://www.w3.org/2000/svg";

/** Makes an element of a drawing. */
export function shape(
  name: string,
  given: Readonly<Record<string, string | number>> = {},
  ...children: readonly (Node | string)[]
): SVGElement {
  const made = document.createElementNS(drawing, name);
  for (const [key, value] of Object.entries(given)) made.setAttribute(key, String(value));
  made.append(...children);
  return made;
}
