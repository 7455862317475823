/** Several runs side by side: figures, curves, the settings that differ, one input for all of them. */

import { getCurves, getRun } from "../api/client";
import type { RunDetails } from "../api/types";
import { h } from "../dom";
import { t } from "../messages/compare";
import type { Page, View } from "../page";
import { go, href } from "../router";
import { ask } from "./compare/ask";
import { curvesChart, type Compared } from "./compare/curves";
import { figuresTable, isComparable, settingsTable } from "./compare/tables";

async function render(view: View): Promise<void> {
  view.root.append(h("h1", {}, t("title")));
  const ids = [...new Set((view.query["runs"] ?? "").split(",").filter((id) => id !== ""))];
  if (ids.length < 2) {
    view.root.append(h("p", {}, t("too_few")), h("a", { class: "button primary", href: href("/", { pick: ids.join(",") }) }, t("choose")));
    return;
  }
  const compared = await Promise.all(ids.map(async (id): Promise<Compared> => ({ run: await getRun(id, view.signal), curves: await getCurves(id, view.signal) })));
  const runs = compared.map(({ run }) => run);
  view.root.append(
    h("p", { class: "note" }, t("lead", { n: runs.length })),
    chips(runs),
    isComparable(runs) ? "" : h("p", { class: "verdict bad" }, t("different_tasks")),
    h("section", {}, h("h2", {}, t("figures")), figuresTable(runs)),
    h("section", {}, h("h2", {}, t("curves")), curvesChart(view, compared)),
    h("section", {}, h("h2", {}, t("settings")), settingsTable(runs)),
    h("section", {}, h("h2", {}, t("ask")), ask(view, runs)),
  );
}

function chips(runs: readonly RunDetails[]): HTMLElement {
  const ids = runs.map((run) => run.id);
  return h(
    "div",
    { class: "actions chips" },
    ...runs.map((run) => {
      const leave = (): void => go(href("/compare", { runs: ids.filter((id) => id !== run.id).join(",") }));
      return h("span", { class: "chip" }, run.name, h("button", { type: "button", class: "quiet", "aria-label": t("remove", { name: run.name }), on: { click: leave } }, "×"));
    }),
    h("a", { class: "button", href: href("/", { pick: ids.join(",") }) }, t("choose")),
  );
}

const page: Page = { path: "/compare", title: () => t("title"), parent: "/", render };
export default page;
