/** All runs: a table to sort, to search, and to choose from for a comparison. */

import { getRuns } from "../api/client";
import type { Run } from "../api/types";
import { beatsBaseline, figure, result, runLink, stateBadge } from "../components/run";
import { sortingFrom, sortingText, table, type Column } from "../components/table";
import { debounce, h, replace } from "../dom";
import { duration, integer, moment } from "../i18n";
import { t } from "../messages/runs";
import { taskTitle } from "../messages/tasks";
import type { Page, View } from "../page";
import { href } from "../router";

const SECONDS_BETWEEN_LOOKS = 5;

async function render(view: View): Promise<void> {
  view.root.append(h("h1", {}, t("title")));
  const runs = await getRuns(view.signal);
  if (runs.length === 0) view.root.append(nothing());
  else new RunsPage(view, runs).start();
}

function nothing(): HTMLElement {
  return h(
    "div",
    { class: "empty" },
    h("h2", {}, t("empty_title")),
    h("p", {}, t("empty")),
    h("a", { class: "button primary", href: href("/train") }, t("train_first")),
  );
}

class RunsPage {
  private readonly chosen: Set<string>;
  private readonly list = h("div");
  private readonly actions = h("div", { class: "selection" });
  private readonly search = h("input", { type: "search", "aria-label": t("search"), placeholder: t("search") });
  private readonly task = h("select", { "aria-label": t("task") });
  private sorting;

  constructor(
    private readonly view: View,
    private runs: Run[],
  ) {
    this.chosen = new Set((view.query["pick"] ?? "").split(",").filter((id) => runs.some((run) => run.id === id)));
    this.sorting = sortingFrom(view.query["sort"], { key: "began", descending: true });
  }

  start(): void {
    const tasks = [...new Set(this.runs.map((run) => run.task))].sort();
    this.task.append(h("option", { value: "" }, t("all_tasks")), ...tasks.map((task) => h("option", { value: task }, taskTitle(task))));
    this.task.value = tasks.includes(this.view.query["task"] ?? "") ? (this.view.query["task"] ?? "") : "";
    this.search.value = this.view.query["q"] ?? "";
    const filter = (): void => {
      this.view.setQuery({ q: this.search.value, task: this.task.value });
      this.draw();
    };
    this.search.addEventListener("input", debounce(120, filter));
    this.task.addEventListener("change", filter);
    this.view.root.append(h("p", { class: "note" }, t("lead")), h("div", { class: "filters" }, this.search, this.task, this.actions), this.list);
    this.draw();
    this.watch();
  }

  /** Look again while anything trains, as long as nobody is about to press something in the table. */
  private watch(): void {
    const timer = setInterval(() => void this.look(), SECONDS_BETWEEN_LOOKS * 1000);
    this.view.signal.addEventListener("abort", () => clearInterval(timer));
  }

  private async look(): Promise<void> {
    if (document.hidden || this.list.contains(document.activeElement)) return;
    try {
      const runs = await getRuns(this.view.signal);
      if (JSON.stringify(runs) === JSON.stringify(this.runs)) return;
      this.runs = runs;
      this.draw();
    } catch {
      return; // the studio has stopped or the page was left: what is shown stays
    }
  }

  private draw(): void {
    const wanted = this.search.value.trim().toLowerCase();
    const rows = this.runs.filter(
      (run) =>
        (this.task.value === "" || run.task === this.task.value) &&
        [run.name, run.data, run.task, run.cell ?? ""].some((text) => text.toLowerCase().includes(wanted)),
    );
    this.drawActions();
    const found = h("p", { class: "note", role: "status" }, rows.length === 0 ? t("none_found") : t("found", { n: rows.length }));
    const onSort = (sorting: typeof this.sorting): void => {
      this.sorting = sorting;
      this.view.setQuery({ sort: sortingText(sorting) });
    };
    const body = table({ caption: t("caption"), columns: this.columns(), rows, sorting: this.sorting, onSort });
    replace(this.list, found, rows.length > 0 && body);
  }

  private drawActions(): void {
    const picked = [...this.chosen];
    this.view.setQuery({ pick: picked.join(",") });
    const clear = (): void => {
      this.chosen.clear();
      this.draw();
      this.search.focus();
    };
    replace(
      this.actions,
      picked.length < 2
        ? h("span", { class: "note" }, t("compare_hint"))
        : h("a", { class: "button primary", href: href("/compare", { runs: picked.join(",") }) }, t("compare", { n: picked.length })),
      picked.length > 0 && h("button", { type: "button", class: "quiet", on: { click: clear } }, t("clear")),
    );
  }

  private columns(): Column<Run>[] {
    return [
      { key: "pick", title: t("choose_column"), cell: (run) => this.checkbox(run) },
      { key: "name", title: t("name"), heads: true, value: (run) => run.name, cell: runLink },
      { key: "state", title: t("state"), value: (run) => run.state, cell: stateBadge },
      { key: "result", title: t("result"), value: rank, cell: result },
      { key: "baseline", title: t("baseline"), value: (run) => run.baseline?.value ?? null, cell: baseline },
      { key: "task", title: t("task"), value: (run) => taskTitle(run.task), cell: (run) => taskTitle(run.task) },
      { key: "data", title: t("data"), value: (run) => run.data, cell: (run) => h("span", { class: "data-name" }, run.data) },
      { key: "parameters", title: t("parameters"), number: true, value: (run) => run.parameters, cell: (run) => (run.parameters === null ? "–" : integer(run.parameters)) },
      { key: "cell", title: t("cell"), value: (run) => run.cell, cell: cell },
      { key: "time", title: t("time"), number: true, value: (run) => run.seconds, cell: (run) => duration(run.seconds) },
      { key: "began", title: t("began"), number: true, value: (run) => String(run.began ?? ""), cell: (run) => moment(run.began) },
    ];
  }

  private checkbox(run: Run): HTMLElement {
    const box = h("input", { type: "checkbox", "aria-label": t("choose", { name: run.name }) });
    box.checked = this.chosen.has(run.id);
    box.addEventListener("change", () => {
      if (box.checked) this.chosen.add(run.id);
      else this.chosen.delete(run.id);
      this.drawActions();
    });
    return h("label", { class: "hit" }, box);
  }
}

/** Results of one metric in its order; of several, metric by metric, those that beat a baseline first. */
function rank(run: Run): string | null {
  if (run.headline === null) return null;
  const { metric, value, better } = run.headline;
  const order = better === "lower" ? value : -value;
  return `${metric} ${beatsBaseline(run) === false ? 1 : 0} ${(order + 1e9).toFixed(9)}`;
}

function baseline(run: Run): HTMLElement | string {
  if (run.baseline === null) return "–";
  return h("span", { class: "result" }, figure(run.baseline), h("small", { lang: "en" }, run.baseline.title));
}

function cell(run: Run): HTMLElement | string {
  if (run.cell === null) return "–";
  return h("span", { class: "result" }, run.cell, run.layers !== null && h("small", {}, t("layers", { n: run.layers })));
}

const page: Page = { path: "/", title: () => t("title"), navigation: 1, render };
export default page;
