/** The pages there are: the default exports of `pages/*.ts`. */

import type { RunDetails } from "./api/types";
import type { Page } from "./page";
import { matchPath } from "./router";

const modules = import.meta.glob<{ default: Page }>("./pages/*.ts", { eager: true });

export const pages: readonly Page[] = Object.keys(modules)
  .sort()
  .map((file) => (modules[file] as { default: Page }).default);

export const navigation: readonly Page[] = pages
  .filter((page) => page.navigation !== undefined)
  .sort((a, b) => (a.navigation ?? 0) - (b.navigation ?? 0));

export function findPage(path: string): { page: Page; params: Record<string, string> } | null {
  for (const page of pages) {
    const params = matchPath(page.path, path);
    if (params !== null) return { page, params };
  }
  return null;
}

/** The pages that can be opened for a run, each with its address. */
export function pagesFor(run: RunDetails): { page: Page; path: string }[] {
  return pages
    .filter((page) => page.opens?.(run) === true)
    .map((page) => ({ page, path: page.path.replace(":id", encodeURIComponent(run.id)) }));
}
