/** One run: its result, figures beside baselines, curves, diagnosis, settings, report; live while it trains. */

import { getCurves, getRun, resumeRun } from "../api/client";
import type { Curves, RunDetails } from "../api/types";
import { beatsBaseline, figure, stateBadge } from "../components/run";
import { tabs, type Tab } from "../components/tabs";
import { toastError } from "../components/toast";
import { h, replace } from "../dom";
import { duration, integer, moment } from "../i18n";
import { t } from "../messages/run";
import { taskTitle } from "../messages/tasks";
import type { Page, Params, View } from "../page";
import { pagesFor } from "../pages";
import { href } from "../router";
import { CurvesPanel } from "./run/curves";
import { figures } from "./run/figures";
import { live } from "./run/live";
import { diagnosis, log, report, samples, settings } from "./run/panels";

async function render(view: View, params: Params): Promise<void> {
  const run = await getRun(params["id"] ?? "", view.signal);
  const curves = await getCurves(run.id, view.signal);
  view.setTitle(run.name);
  const drawn = new Drawn(view, curves);
  view.root.append(
    h("p", { class: "kind" }, `${taskTitle(run.task)} · ${run.data}`),
    h("div", { class: "title" }, h("h1", {}, run.name), stateBadge(run)),
    run.state === "running" ? live(view, run, (more) => drawn.show(more)) : "",
    headline(run),
    actions(view, run),
    facts(run),
    tabs(t("parts"), parts(view, run, drawn), view.query["tab"] ?? (run.state === "running" ? "curves" : undefined), (tab) => view.setQuery({ tab })),
  );
}

/** What is drawn of the curves, so that a training that runs can draw it on. */
class Drawn {
  private panel: CurvesPanel | null = null;
  private readonly samplesPanel = h("div");

  constructor(
    private readonly view: View,
    private curves: Curves,
  ) {}

  show(curves: Curves): void {
    this.curves = curves;
    this.panel?.show(curves);
    replace(this.samplesPanel, samples(curves));
  }

  curvesElement(): HTMLElement {
    this.panel ??= new CurvesPanel(this.view, this.curves);
    return this.panel.element;
  }

  samplesElement(): HTMLElement {
    replace(this.samplesPanel, samples(this.curves));
    return this.samplesPanel;
  }

  get anySamples(): boolean {
    return this.curves.samples.length > 0;
  }
}

function parts(view: View, run: RunDetails, drawn: Drawn): Tab[] {
  const running = run.state === "running";
  return [
    { key: "figures", title: t("figures"), render: (panel) => panel.append(figures(run)) },
    { key: "curves", title: t("curves"), render: (panel) => panel.append(drawn.curvesElement()) },
    ...(drawn.anySamples || running ? [{ key: "samples", title: t("samples"), render: (panel: HTMLElement) => panel.append(drawn.samplesElement()) }] : []),
    { key: "diagnosis", title: t("diagnosis"), render: (panel) => diagnosis(view, run, panel) },
    { key: "settings", title: t("settings"), render: (panel) => panel.append(settings(view, run)) },
    ...(!run.report ? [] : [{ key: "report", title: t("report"), render: (panel: HTMLElement) => panel.append(report(run)) }]),
    { key: "log", title: t("log"), render: (panel) => log(view, run, panel) },
  ];
}

function headline(run: RunDetails): HTMLElement {
  if (run.headline === null) return h("p", { class: run.error ? "problem" : "note", lang: run.error ? "en" : null }, run.error ?? t("no_result"));
  const beats = beatsBaseline(run);
  const what = [t(run.headline.better), ...(run.headline.data ? [t("measured_on", { data: run.headline.data })] : [])];
  const baseline = run.baseline && { name: run.baseline.title, value: figure(run.baseline) };
  return h(
    "div",
    {},
    h(
      "p",
      { class: "headline" },
      h("strong", {}, figure(run.headline)),
      h("span", { class: "what" }, h("span", { lang: "en" }, run.headline.title), h("small", {}, what.join(" · "))),
    ),
    baseline && h("p", { class: `verdict ${beats ? "good" : "bad"}` }, t(beats ? "good" : "bad", baseline)),
  );
}

function actions(view: View, run: RunDetails): HTMLElement {
  const resume = h("button", { type: "button", class: "primary" }, t("resume"));
  resume.addEventListener("click", () => {
    resume.disabled = true;
    resumeRun(run.id).then(view.refresh, (error: unknown) => {
      resume.disabled = false;
      toastError(error);
    });
  });
  const links = pagesFor(run).map(({ page, path }, place) => h("a", { class: place === 0 ? "button primary" : "button", href: href(path) }, page.title()));
  return h(
    "div",
    { class: "actions" },
    ...links,
    run.resumable && run.state !== "running" && resume,
    h("a", { class: "button", href: href("/", { pick: run.id, task: run.task }) }, t("compare")),
    run.reason ? h("p", { class: "note", lang: "en" }, run.reason) : "",
  );
}

function facts(run: RunDetails): HTMLElement {
  const steps = run.step === null ? "–" : run.steps ? t("steps_of", { step: integer(run.step), steps: integer(run.steps) }) : integer(run.step);
  const all: [string, string][] = [
    [t("cell"), run.cell ?? "–"],
    [t("layers"), run.layers === null ? "–" : integer(run.layers)],
    [t("parameters"), run.parameters === null ? "–" : integer(run.parameters)],
    [t("steps"), steps],
    [t("time"), duration(run.seconds)],
    [t("began"), moment(run.began)],
  ];
  return h("dl", { class: "facts", "aria-label": t("facts") }, ...all.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

const page: Page = { path: "/runs/:id", title: () => t("title"), parent: "/", render };
export default page;
