/** The pages there are: the default exports of `pages/*.ts`. */

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
