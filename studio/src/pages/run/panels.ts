/** The smaller parts of a run's page: samples, diagnosis, settings, report, output. */

import { getDiagnosis, getLog, runUrl } from "../../api/client";
import type { ConfigEntry, Curves, Finding, RunDetails } from "../../api/types";
import { commandLine } from "../../components/command";
import { valueText } from "../../components/form";
import { scrollable } from "../../components/table";
import { h, replace, type Child } from "../../dom";
import { decimal, integer } from "../../i18n";
import { t } from "../../messages/run";
import type { View } from "../../page";

export function samples(curves: Curves): HTMLElement {
  if (curves.samples.length === 0) return h("p", { class: "note" }, t("no_samples"));
  const newest = [...curves.samples].reverse();
  return h(
    "div",
    { class: "samples" },
    ...newest.map(({ step, text }) =>
      h("figure", { class: "sample" }, h("figcaption", {}, t("sample_at", { step: integer(step) })), h("pre", {}, text)),
    ),
  );
}

export async function diagnosis(view: View, run: RunDetails, panel: HTMLElement): Promise<void> {
  const findings = await getDiagnosis(run.id, view.signal);
  panel.append(h("p", { class: "note" }, t("diagnosis_note")), h("ul", { class: "findings" }, ...findings.map(finding)));
}

function finding(one: Finding): HTMLElement {
  const severity = t(one.severity === "good" ? "good_finding" : one.severity);
  const evidence = Object.entries(one.evidence);
  return h(
    "li",
    { class: `finding ${one.severity}` },
    h("p", {}, h("span", { class: `badge ${one.severity}` }, severity), " ", h("strong", { lang: "en" }, one.name.replaceAll("-", " "))),
    h("p", { lang: "en" }, one.sentence),
    evidence.length > 0 &&
      h("p", { class: "note" }, `${t("evidence")}: `, h("span", { lang: "en" }, evidence.map(([name, value]) => `${name.replaceAll("_", " ")} ${decimal(value)}`).join(", "))),
    one.remedy !== null && h("div", {}, h("p", { class: "note" }, t("remedy")), commandLine(one.remedy)),
  );
}

export function settings(view: View, run: RunDetails): HTMLElement {
  const only = h("input", { type: "checkbox" });
  only.checked = view.query["changed"] === "1";
  const list = h("div");
  const draw = (): void => {
    const entries = run.config.filter((entry) => !only.checked || isChanged(entry));
    replace(list, entries.length === 0 ? h("p", { class: "note" }, t("nothing_changed")) : sections(entries));
  };
  only.addEventListener("change", () => {
    view.setQuery({ changed: only.checked ? "1" : null });
    draw();
  });
  draw();
  return h("div", {}, h("label", { class: "choice" }, only, h("span", {}, t("only_changed"))), list);
}

export function isChanged(entry: ConfigEntry): boolean {
  return JSON.stringify(entry.value) !== JSON.stringify(entry.default);
}

function sections(entries: readonly ConfigEntry[]): Child {
  const names = [...new Set(entries.map((entry) => entry.section))];
  return names.map((name) =>
    h("section", {}, h("h2", { lang: "en" }, name || t("settings")), settingsTable(name, entries.filter((entry) => entry.section === name))),
  );
}

function settingsTable(name: string, entries: readonly ConfigEntry[]): HTMLElement {
  const head = h("tr", {}, ...[t("setting"), t("value"), t("default")].map((title) => h("th", { scope: "col" }, title)));
  const rows = entries.map((entry) =>
    h(
      "tr",
      { class: isChanged(entry) ? "changed" : null },
      h("th", { scope: "row" }, h("code", {}, entry.key), h("small", { lang: "en" }, entry.help)),
      h("td", { class: "value" }, valueText(entry.value)),
      h("td", { class: "value soft" }, valueText(entry.default)),
    ),
  );
  return scrollable(name || t("settings"), h("table", { class: "settings-table" }, h("thead", {}, head), h("tbody", {}, ...rows)));
}

/** The report in a frame: the server gives it a policy of its own, and the sandbox keeps it apart from this page. */
export function report(run: RunDetails): HTMLElement {
  const address = runUrl(run.id, "/report");
  const title = t("report_title", { name: run.name });
  return h(
    "div",
    {},
    h("p", {}, h("a", { href: address, target: "_blank", rel: "noopener" }, t("open_report"))),
    h("iframe", { class: "report", src: address, title, sandbox: "allow-scripts", loading: "lazy" }),
  );
}

export async function log(view: View, run: RunDetails, panel: HTMLElement): Promise<void> {
  const { lines } = await getLog(run.id, view.signal);
  panel.append(lines.length === 0 ? h("p", { class: "note" }, t("log_empty")) : h("pre", { class: "log", lang: "en" }, lines.join("\n")));
}
