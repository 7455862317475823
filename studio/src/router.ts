/** Addresses: `#/runs/1f2e?tab=curves` names a page and all that it shows, so that a link brings another person to the same view. */

export interface Address {
  path: string;
  query: Record<string, string>;
}

export function parseAddress(hash: string): Address {
  const [path = "", search = ""] = hash.replace(/^#/, "").split(/\?(.*)/s);
  return { path: path.startsWith("/") ? path : "/", query: Object.fromEntries(new URLSearchParams(search)) };
}

/** Write an address; null and empty values are left out. `href("/runs/1f2e", { tab: "curves" })` */
export function href(path: string, query: Readonly<Record<string, string | number | null | undefined>> = {}): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") search.set(key, String(value));
  }
  const text = search.toString();
  return `#${path}${text ? `?${text}` : ""}`;
}

/** Match `/runs/:id` against `/runs/1f2e`: its parameters, or null. */
export function matchPath(pattern: string, path: string): Record<string, string> | null {
  const [wanted, given] = [pattern, path].map((one) => one.replace(/\/$/, "").split("/")) as [string[], string[]];
  if (wanted.length !== given.length) return null;
  const params: Record<string, string> = {};
  for (const [place, part] of wanted.entries()) {
    const value = given[place] ?? "";
    if (part.startsWith(":")) {
      try {
        params[part.slice(1)] = decodeURIComponent(value);
      } catch {
        return null;
      }
    } else if (part !== value) return null;
  }
  return params;
}

export function go(address: string): void {
  location.hash = address.replace(/^#/, "");
}
