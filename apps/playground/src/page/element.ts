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
