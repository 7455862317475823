/** A forecaster: its own history or another, whose points are dragged while the forecast follows. */

import { predict } from "../../api/client";
import type { Result } from "../../api/types";
import { type Forecast, ForecastChart } from "../../charts/forecast";
import { errorBox } from "../../components/error";
import { debounce, h, replace } from "../../dom";
import { t } from "../../messages/play";
import type { View } from "../../page";
import { readHistory, type History } from "../ask/history";
import type { OpenedRun } from "../ask/open";
import { Play } from "./play";

const DRAG_PAUSE = 60;
const MOST_CHARTS = 8;

export function playForecast(opened: OpenedRun, view: View): Promise<void> {
  const { run } = opened;
  const error = h("div");
  let charts: ForecastChart[] = [];
  let history: History | null = null;
  let asked = new AbortController();
  const follow = debounce(DRAG_PAUSE, () => void askAgain());
  const askAgain = async (): Promise<void> => {
    if (history === null) return;
    asked.abort();
    asked = new AbortController();
    const { signal } = asked;
    try {
      const { results } = await predict(run.id, history.asked(), {}, signal);
      charts.forEach((chart, place) => results[place] && chart.show(results[place] as unknown as Forecast));
      replace(error);
    } catch (failure) {
      if (!signal.aborted) replace(error, errorBox(failure));
    }
  };
  const chartOf = (result: Result): ForecastChart => {
    const channel = history?.channel(result) ?? { values: [], times: [], write: () => undefined };
    const title = `${t("forecast")}: ${[result["series"], result["target"]].filter(Boolean).join(", ")}`;
    const onChange = (values: readonly (number | null)[]): void => {
      channel.write(values);
      follow();
    };
    return new ForecastChart({ signal: view.signal, title, history: channel.values, times: channel.times, onChange });
  };
  const draw = (results: readonly Result[]): void => {
    history = readHistory(run, play.asker.asked());
    const shown = results.slice(0, MOST_CHARTS);
    charts = shown.map(chartOf);
    const reset = h("div", { class: "actions" }, h("button", { type: "button", on: { click: () => void play.ask() } }, t("reset")), h("p", { class: "note" }, t("changed")));
    replace(play.answer, error, charts.map((chart) => h("section", { class: "card" }, chart.element)), history !== null && reset);
    charts.forEach((chart, place) => chart.show(shown[place] as unknown as Forecast));
  };
  const play: Play = new Play(opened, view, { fixed: { steps: false }, draw });
  view.signal.addEventListener("abort", () => asked.abort());
  return play.ask();
}
