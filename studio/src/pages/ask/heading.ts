/** The top of a page about one run: what the page is, the run's name, and its other pages. */

import type { RunDetails } from "../../api/types";
import { h } from "../../dom";
import { pagesFor } from "../../pages";
import { href } from "../../router";

export function runHeading(title: string, run: RunDetails): HTMLElement {
  const links = pagesFor(run)
    .filter(({ page }) => page.title() !== title)
    .map(({ page, path }) => h("a", { class: "button", href: href(path) }, page.title()));
  return h(
    "div",
    { class: "run-heading" },
    h("div", {}, h("p", { class: "kind" }, title), h("h1", {}, h("a", { href: href(`/runs/${encodeURIComponent(run.id)}`) }, run.name))),
    h("div", { class: "toolbar" }, links),
  );
}
