/** A classifier: its opinion after each word, character or step, and at the end. */

import type { Result } from "../../api/types";
import { LinesChart } from "../../charts/lines";
import { percent, Probabilities } from "../../charts/probabilities";
import { visible } from "../../charts/shares";
import { h, replace } from "../../dom";
import { t as chart } from "../../messages/charts";
import { t } from "../../messages/play";
import type { View } from "../../page";
import type { OpenedRun } from "../ask/open";
import { Play } from "./play";

const MOST_CURVES = 6;

interface Opinion {
  label?: string;
  labels?: string[];
  probabilities: Record<string, number>;
  text?: string;
  step?: number;
}

export function playClasses(opened: OpenedRun, view: View): Promise<void> {
  const { run } = opened;
  const bars = new Probabilities(t("opinion"));
  const when = h("p", { role: "status" });
  const curves = h("section", { class: "card" });
  const draw = ([result]: readonly Result[]): void => {
    if (!result) return;
    const whole = result as unknown as Opinion;
    const steps = (result["steps"] ?? []) as Opinion[];
    const show = (opinion: Opinion, n: number): void => {
      const [label = ""] = names(opinion);
      when.textContent = t("opinionAfter", { n, all: steps.length || n, label: names(opinion).join(", ") || t("none"), share: percent(opinion.probabilities[label] ?? 0) });
      bars.show(Object.entries(opinion.probabilities).slice(0, 12));
    };
    if (!bars.element.isConnected) replace(play.answer, h("div", { class: "halves" }, h("section", { class: "card" }, bars.element, when), curves));
    show(whole, Math.max(1, steps.length));
    if (steps.length > 1) replace(curves, overSteps(whole, steps, view.signal, (place) => show(steps[place] ?? whole, place + 1)).element);
    else replace(curves);
    curves.hidden = steps.length < 2;
  };
  const play: Play = new Play(opened, view, { fixed: run.can.steps ? { steps: true } : {}, draw });
  return play.ask();
}

function names(opinion: Opinion): string[] {
  return opinion.labels ?? [opinion.label ?? ""];
}

/** What each step added to the text so far. */
function addedWords(steps: readonly Opinion[]): string[] {
  return steps.map((step, place) => (step.text === undefined ? String(step.step ?? place + 1) : visible(step.text.slice(steps[place - 1]?.text?.length ?? 0).trim() || step.text.slice(-1))));
}

function overSteps(whole: Opinion, steps: readonly Opinion[], signal: AbortSignal, pick: (place: number) => void): LinesChart {
  const classes = Object.keys(whole.probabilities).slice(0, Object.keys(whole.probabilities).length === 2 ? 1 : MOST_CURVES);
  const words = addedWords(steps);
  return new LinesChart({
    signal,
    title: t("opinionSteps"),
    sentence: t("opinionLead", { label: names(whole).join(", ") || t("none") }),
    axis: steps[0]?.text === undefined ? chart("step") : t("inputWords"),
    placeName: (place) => `${place + 1} “${words[place] ?? ""}”`,
    curves: classes.map((name, place) => ({ name, values: steps.map((step) => step.probabilities[name] ?? null), style: `g${place}` })),
    words,
    domain: [0, 1],
    cursor: steps.length - 1,
    onPick: pick,
  });
}
