/** A language model: the next units as one types, how surprised it is by each, and what it writes on. */

import { score } from "../../api/client";
import { generate } from "../../api/events";
import type { Result, RunDetails } from "../../api/types";
import { Probabilities } from "../../charts/probabilities";
import { shade, visible } from "../../charts/shares";
import { errorBox, isAbort } from "../../components/error";
import { debounce, h, replace } from "../../dom";
import { decimal } from "../../i18n";
import { t } from "../../messages/play";
import type { View } from "../../page";
import type { OpenedRun } from "../ask/open";
import { card, Play } from "./play";

const NEXT_SHOWN = 12;
const SCORE_PAUSE = 400;
const WORDS_PER_UNIT = / $|^\s|[\p{Script=Han}]/u;

export function playLanguage(opened: OpenedRun, view: View): Promise<void> {
  const { run } = opened;
  const take = (unit: string): void => {
    if (/^<.*>$/.test(unit) && unit.length > 2) return;
    const text = play.asker.text();
    const isWord = unit.length > 1 && !WORDS_PER_UNIT.test(unit) && String(run.config.find(({ key }) => key === "tokens")?.value) === "words";
    play.asker.setText(text + (isWord && text && !/\s$/.test(text) ? " " : "") + unit);
    play.asker.focus();
  };
  const bars = new Probabilities(t("next"), take);
  const surprise = h("p", { class: "shares", dir: "auto" });
  const surpriseNote = h("p", { class: "note" });
  const measure = debounce(SCORE_PAUSE, () => void showSurprise(run, play.asker.text(), surprise, surpriseNote, view.signal));
  const draw = ([result]: readonly Result[]): void => {
    if (!result) return;
    if (!bars.element.isConnected) {
      const shown = run.can.score && card(t("surprise"), surprise, surpriseNote);
      replace(play.answer, h("div", { class: "halves" }, h("section", { class: "card" }, bars.element, h("p", { class: "note" }, t("nextLead"))), shown));
    }
    bars.show(result["next"] as [string, number][]);
    if (run.can.score) measure();
  };
  const play: Play = new Play(opened, view, { fixed: { k: NEXT_SHOWN, steps: false }, draw });
  if (run.can.generate) view.root.append(writer(run, view, () => play.asker.text()));
  return play.ask();
}

async function showSurprise(run: RunDetails, text: string, line: HTMLElement, note: HTMLElement, signal: AbortSignal): Promise<void> {
  if (text === "") return replace(line);
  try {
    const { results } = await score(run.id, { inputs: [text] }, signal);
    const units = (results[0]?.["units"] ?? []) as [string, number][];
    const bits = units.map(([, value]) => -value / Math.LN2);
    const spans = units.map(([unit], place) => {
      const span = h("span", { class: "share", title: `${visible(unit)}: ${decimal(bits[place])} bit` }, unit);
      shade(span, bits[place] ?? 0, 12);
      return span;
    });
    const spaced = units.length > 1 && units.map(([unit]) => unit).join("") !== text;
    replace(line, spaced ? spans.flatMap((span) => [span, " "]) : spans);
    note.textContent = t("surpriseLead", { bits: decimal(bits.reduce((sum, each) => sum + each, 0)), n: units.length });
  } catch (error) {
    if (!isAbort(error)) replace(line, errorBox(error));
  }
}

/** Text as it is generated: temperature, length and number of samples are chosen, and it can be stopped. */
export function writer(run: RunDetails, view: View, prompt: () => string): HTMLElement {
  const temperature = h("input", { type: "range", min: 0.1, max: 2, step: 0.05, value: view.query["temperature"] ?? 0.8 });
  const shown = h("output", {}, temperature.value);
  const length = h("input", { type: "number", min: 1, max: 5000, value: view.query["length"] ?? 200 });
  const count = h("input", { type: "number", min: 1, max: 8, value: view.query["count"] ?? 1 });
  const out = h("div", { class: "samples" });
  const note = h("p", { class: "note", role: "status" });
  const button = h("button", { type: "button", class: "primary" }, t("generate"));
  let going: AbortController | null = null;
  temperature.addEventListener("input", () => (shown.textContent = temperature.value));
  const start = async (): Promise<void> => {
    going = new AbortController();
    const { signal } = going;
    view.setQuery({ temperature: temperature.value, length: length.value, count: count.value });
    button.textContent = t("stop");
    const samples = Array.from({ length: Number(count.value) }, (_, place) => h("pre", { dir: "auto", tabindex: "0", "aria-label": t("sample", { n: place + 1 }) }, h("span", { class: "prompt" }, prompt())));
    replace(out, samples.map((sample, place) => h("figure", { class: "sample" }, h("figcaption", {}, t("sample", { n: place + 1 })), sample)));
    const options = { temperature: Number(temperature.value), length: Number(length.value), count: Number(count.value) };
    try {
      await generate(run.id, { prompt: prompt(), options }, (event) => {
        if (event.type === "begin") note.textContent = t("seed", { seed: String(event.seed) });
        if (event.type === "chunk") samples[event.sample]?.append(event.text);
      }, signal);
    } catch (error) {
      if (!isAbort(error)) replace(out, errorBox(error));
    } finally {
      going = null;
      button.textContent = t("generate");
    }
  };
  button.addEventListener("click", () => (going ? going.abort() : void start()));
  view.signal.addEventListener("abort", () => going?.abort());
  const control = (label: string, input: HTMLElement, more: HTMLElement | false = false, narrow = true): HTMLElement =>
    h("label", { class: narrow ? "control narrow" : "control" }, h("span", {}, label, " ", more), input);
  return card(
    t("write"),
    h("div", { class: "controls" }, control(t("temperature"), temperature, shown, false), control(t("length"), length), control(t("samples"), count), button),
    h("p", { class: "note" }, t("temperatureHelp")),
    out,
    note,
  );
}
