/** Which task: what the data suggest first, each with its reason, then all others. */

import type { Task, Upload } from "../../api/types";
import { h, uniqueId } from "../../dom";
import { taskTitle } from "../../messages/tasks";
import { t } from "../../messages/train";

export type Suggestion = Upload["suggestions"][number];

export function taskForm(tasks: readonly Task[], suggestions: readonly Suggestion[], chosen: string | null, choose: (task: string) => void): HTMLElement {
  const name = uniqueId("task");
  const first = suggestions.filter((one) => tasks.some((task) => task.name === one.task));
  const others = tasks.filter((task) => !first.some((one) => one.task === task.name));
  const card = (task: string, why: string | null): HTMLElement => {
    const radio = h("input", { type: "radio", name, value: task, checked: task === chosen });
    radio.addEventListener("change", () => choose(task));
    const title = taskTitle(task, tasks.find((one) => one.name === task)?.title);
    return h(
      "label",
      { class: "task-card" },
      radio,
      h("span", {}, h("strong", {}, title), " ", h("code", {}, task), why !== null && h("span", { class: "badge" }, t("suggested")), why !== null && h("small", { lang: "en" }, why)),
    );
  };
  const rest = h("div", { class: "task-cards" }, ...others.map((task) => card(task.name, null)));
  const open = first.length === 0 || others.some((task) => task.name === chosen);
  return h(
    "fieldset",
    { class: "plain" },
    h("legend", { class: "note" }, t("task_note")),
    h("div", { class: "task-cards" }, ...first.map((one) => card(one.task, one.why))),
    others.length > 0 && h("details", { open }, h("summary", {}, t("other_tasks")), rest),
  );
}
